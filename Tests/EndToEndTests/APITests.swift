// SPDX-License-Identifier: Apache-2.0
// The API: as it is described, for whom it is meant; schemathesis asks it everything that the description allows.

import Foundation
import FoundationNetworking
import RelaisTesting
import Testing

@Suite(.serialized) struct APITests {
    private struct Answer {
        let status: Int
        let type: String
        let body: [String: Any]
    }

    private func ask(_ url: String, _ token: String?) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: url)))
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let body = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return Answer(
            status: http.statusCode, type: http.value(forHTTPHeaderField: "Content-Type") ?? "",
            body: body ?? [:])
    }

    private func withServer(
        _ body: (_ address: String, _ token: (String, [String]) async throws -> String) async throws -> Void
    ) async throws {
        try await withDataFolder { data, folder in
            let samples = Repository.root.appending(path: "Connectors/ERP/Samples")
            let paths = ["comptes.csv", "factures/facture-simple.xml"].map {
                samples.appending(path: $0).path
            }
            _ = try await RelaisCommand.run(["import"] + paths + ["--data", data])
            for (login, role) in [("bo", "back_office"), ("hugo", "rep")] {
                let made = try await RelaisCommand.run(
                    ["users", "add", login, "--role", role, "--data", data])
                try #require(made.status == 0, "\(made.errors)")
            }
            let daemon = try Daemon(data, folder)
            do {
                try await body(try await daemon.address()) { login, scopes in
                    let made = try await RelaisCommand.run(
                        ["users", "api-token", login, "--label", "essai", "--data", data]
                            + scopes.flatMap { ["--scope", $0] })
                    try #require(made.status == 0, "\(made.errors)")
                    return made.output.trimmingCharacters(in: .whitespacesAndNewlines)
                }
            } catch {
                _ = try await daemon.stop()
                throw error
            }
            #expect(try await daemon.stop() == 0)
        }
    }

    private static let all = ["accounts:read", "runs:read", "changes:read"]

    @Test func `the description has the routes that there are`() async throws {
        try await withDataFolder { data, _ in
            let routes = try await RelaisCommand.run(["serve", "--routes", "--data", data]).output
            let served = routes.split(separator: "\n").filter { $0.contains(" /api/v1/") }.map {
                $0.lowercased()
            }
            let file = Repository.root.appending(path: "Sources/Server/Assets/openapi.json")
            let root = try JSONSerialization.jsonObject(with: try Data(contentsOf: file)) as? [String: Any]
            let paths = try #require(root?["paths"] as? [String: [String: Any]])
            let described = paths.flatMap { path, methods in methods.keys.map { "\($0) \(path)" } }
            #expect(Set(served) == Set(described))
        }
    }

    @Test func `a token opens what its scopes say, and shows what its user sees`() async throws {
        try await withServer { address, token in
            let api = address + "/api/v1/"
            let office = try await token("bo", Self.all)
            let accounts = try await ask(api + "accounts?limit=2", office)
            #expect(accounts.status == 200 && (accounts.body["data"] as? [Any])?.count == 2)
            let next = try #require(accounts.body["next"] as? String)
            let second = try await ask(api + "accounts?limit=2&" + next, office)
            #expect((second.body["data"] as? [Any])?.count == 2)
            #expect(try await ask(api + "accounts/1", office).body["claims"] != nil)
            let document = try await ask(api + "sales-documents/1", office)
            #expect(
                document.body["kind"] as? String == "invoice"
                    && document.body["is_electronic"] as? Bool == true)
            #expect((document.body["lines"] as? [Any])?.isEmpty == false)
            #expect((try await ask(api + "runs", office).body["data"] as? [Any])?.count == 1)
            #expect((try await ask(api + "changes", office).body["data"] as? [Any])?.isEmpty == false)
            let none = try await ask(api + "accounts", nil)
            #expect(none.status == 401 && none.type.hasPrefix("application/problem+json"))
            #expect(none.body["code"] as? String == "API-TOKEN")
            let narrow = try await token("bo", ["runs:read"])
            let refused = try await ask(api + "accounts", narrow)
            #expect(refused.status == 403 && refused.body["code"] as? String == "API-SCOPE")
            let rep = try await token("hugo", Self.all)
            #expect((try await ask(api + "accounts", rep).body["data"] as? [Any])?.isEmpty == true)
            #expect((try await ask(api + "search?q=epicerie", rep).body["data"] as? [Any])?.isEmpty == true)
            #expect(try await ask(api + "accounts/1", rep).status == 404)
            #expect(try await ask(api + "sales-documents/1", rep).status == 404)
            #expect(try await ask(api + "changes", rep).status == 403)
        }
    }

    @Test func `schemathesis finds no answer that is not described`() async throws {
        try await withServer { address, token in
            let office = try await token("bo", Self.all)
            let process = Process()
            let pipe = Pipe()
            process.executableURL = Repository.root.appending(path: ".venv-schema/bin/schemathesis")
            process.arguments = [
                "run", address + "/api/v1/openapi.json", "--header", "Authorization: Bearer \(office)",
                "--max-examples", "30", "--no-color", "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ]
            // It keeps what it found where it runs.
            let folder = FileManager.default.temporaryDirectory.appending(
                path: "relais-api-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            defer { try? FileManager.default.removeItem(at: folder) }
            process.currentDirectoryURL = folder
            process.standardOutput = pipe
            process.standardError = pipe
            try process.run()
            let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0, "\(String(decoding: output.suffix(4000), as: UTF8.self))")
        }
    }
}

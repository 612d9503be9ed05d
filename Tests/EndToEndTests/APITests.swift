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
        var headers: [AnyHashable: Any] = [:]

        subscript(name: String) -> String? { body[name] as? String }
        var account: Int? { body["id"] as? Int }
        /// Fields that the answer finds wrong.
        var wrong: [String] { (body["errors"] as? [[String: String]] ?? []).compactMap { $0["field"] } }
    }

    private func ask(_ url: String, _ token: String?) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: url)))
        if let token { request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization") }
        return try await answer(to: request)
    }

    private func answer(to request: URLRequest) async throws -> Answer {
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let body = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        return Answer(
            status: http.statusCode, type: http.value(forHTTPHeaderField: "Content-Type") ?? "",
            body: body ?? [:], headers: http.allHeaderFields)
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

    private static let all = [
        "accounts:read", "runs:read", "changes:read", "accounts:write", "imports:write",
    ]

    private func send(
        _ method: String, _ url: String, _ token: String, _ body: String, type: String = "application/json",
        _ headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: url)))
        request.httpMethod = method
        request.httpBody = Data(body.utf8)
        request.setValue("Bearer \(token)", forHTTPHeaderField: "Authorization")
        request.setValue(type, forHTTPHeaderField: "Content-Type")
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        return try await answer(to: request)
    }

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

    @Test func `a program makes and changes accounts, once for each key, and hears of every wrong field`()
        async throws
    {
        try await withServer { address, token in
            let accounts = address + "/api/v1/accounts"
            let office = try await token("bo", Self.all)
            let body = #"{"name": "  Tuilerie   Bresson ", "siren": "552 100 554", "city": "Mâcon"}"#
            let key = ["Idempotency-Key": "\"commande-7\""]
            let made = try await send("POST", accounts, office, body, key)
            #expect(made.status == 201 && made["name"] == "Tuilerie Bresson" && made["siren"] == "552100554")
            let id = try #require(made.account)
            #expect(made.headers["Location"] as? String == "/api/v1/accounts/\(id)")
            let again = try await send("POST", accounts, office, body, key)
            #expect(again.status == 201 && again.account == id)
            #expect(again.headers["Idempotency-Replayed"] as? String == "true")
            let other = try await send("POST", accounts, office, #"{"name": "Autre"}"#, key)
            #expect(other.status == 422 && other["code"] == "API-KEY-REUSED")
            let taken = try await send("POST", accounts, office, #"{"name": "Bis", "siren": "552100554"}"#)
            #expect(taken.status == 409 && taken["field"] == "siren")
            let wrong = try await send("POST", accounts, office, #"{"siren": "1", "country": "FRA"}"#)
            #expect(wrong.status == 422 && wrong.wrong == ["country", "name", "siren"])
            let stranger = try await send("POST", accounts, office, #"{"name": "A", "nom": "B"}"#)
            #expect(stranger.status == 422 && stranger["field"] == "nom")
            let deep = String(repeating: "[", count: 10_000)
            #expect(try await send("POST", accounts, office, deep)["code"] == "JSON-DEPTH")

            let tag = try #require(
                try await ask("\(accounts)/\(id)", office).headers["Etag"] as? String, "an ETag")
            let changed = try await send(
                "PATCH", "\(accounts)/\(id)", office, #"{"city": "Tournus"}"#, ["If-Match": tag])
            let sites = changed.body["sites"] as? [[String: Any]]
            #expect(changed.status == 200 && sites?.first?["city"] as? String == "Tournus")
            let stale = try await send(
                "PATCH", "\(accounts)/\(id)", office, #"{"city": "Cluny"}"#, ["If-Match": tag])
            #expect(stale.status == 412 && stale["code"] == "API-STALE")
            let emptied = try await send("PATCH", "\(accounts)/\(id)", office, #"{"siren": null}"#)
            #expect(emptied.status == 200 && emptied["siren"] == nil)
            let nameless = try await send("PATCH", "\(accounts)/\(id)", office, #"{"name": null}"#)
            #expect(nameless.status == 422 && nameless.wrong == ["name"])
            let rep = try await token("hugo", Self.all)
            #expect(try await send("PATCH", "\(accounts)/\(id)", rep, #"{"city": "X"}"#).status == 404)
            let narrow = try await token("bo", ["accounts:read"])
            #expect(try await send("POST", accounts, narrow, body).status == 403)
        }
    }

    @Test func `records are upserted by their code, and the faulty ones are named`() async throws {
        try await withServer { address, token in
            let imports = address + "/api/v1/imports?mapping=accounts-json"
            let office = try await token("bo", Self.all)
            let lines = """
                {"code": "Q-1", "name": "Verrerie du Pont"}
                {"code": "Q-2", "name": "Fonderie Aubert"}
                {"name": "Sans code"}

                """
            let first = try await finished(
                try await send("POST", imports, office, lines, type: "application/x-ndjson"), address, office)
            #expect(first["state"] == "partial")
            #expect(counts(first) == [2, 0, 0, 1])
            let faults = try #require(first.body["faults"] as? [[String: Any]])
            #expect(
                faults.count == 1 && faults[0]["line"] as? Int == 3 && faults[0]["field"] as? String == "code"
            )
            // The same and one change: what is the same writes nothing.
            let changed = lines.replacing("Fonderie Aubert", with: "Fonderies Aubert")
            let second = try await finished(
                try await send("POST", imports, office, changed, type: "application/x-ndjson"), address,
                office)
            #expect(counts(second).prefix(3) == [0, 1, 1])
            // And the first once more: it is a state that is meant, not a file that is known.
            let third = try await finished(
                try await send("POST", imports, office, lines, type: "application/x-ndjson"), address, office)
            #expect(counts(third).prefix(3) == [0, 1, 1])
            let unknown = try await send("POST", imports + "x", office, lines, type: "application/x-ndjson")
            #expect(unknown.status == 422 && unknown["code"] == "MAP-MAPPING-UNKNOWN")
            let rep = try await token("hugo", Self.all)
            #expect(try await send("POST", imports, rep, lines).status == 403)
        }
    }

    /// Inserted, updated, unchanged, quarantined.
    private func counts(_ answer: Answer) -> [Int] {
        let run = answer.body["run"] as? [String: Any]
        return ["inserted", "updated", "unchanged", "quarantined"].map { run?[$0] as? Int ?? -1 }
    }

    /// What became of a file once its run has ended.
    private func finished(_ sent: Answer, _ address: String, _ token: String) async throws -> Answer {
        #expect(sent.status == 202)
        let place = try #require(sent.headers["Location"] as? String)
        var answer = sent
        try await until {
            answer = try await ask(address + place, token)
            return !["waiting", "running"].contains(answer["state"])
        }
        return answer
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

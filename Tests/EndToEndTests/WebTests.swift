// SPDX-License-Identifier: Apache-2.0
// What the daemon answers over HTTP: health, measures, files handed over.

import Foundation
import FoundationNetworking
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct WebTests {
    private let samples = Repository.root.appending(path: "Connectors/ERP/Samples")

    private struct Answer {
        let status: Int
        let text: String
        let fields: [String: String]
    }

    private func ask(
        _ url: String, _ method: String = "GET", body: Data? = nil, _ headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: url)))
        request.httpMethod = method
        request.httpBody = body
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let fields = http.allHeaderFields.map { ("\($0.key)".lowercased(), "\($0.value)") }
        return Answer(
            status: http.statusCode, text: String(decoding: data, as: UTF8.self),
            fields: Dictionary(fields) { $1 })
    }

    /// A data folder whose flow `depot` takes files from whoever shows `jeton`.
    private func withDepot(
        _ body: (_ data: String, _ folder: URL, _ daemon: Daemon) async throws -> Void
    ) async throws {
        try await withDataFolder { data, folder in
            let (token, flow) = (folder.appending(path: "token"), folder.appending(path: "flow.yaml"))
            try Data("jeton".utf8).write(to: token)
            let text = "flow: depot\nconnector: upload\nsecrets: {token: depot}\nmapping: accounts-csv\n"
            try Data(text.utf8).write(to: flow)
            for command in [
                ["secrets", "set", "depot", "--file", token.path], ["flows", "apply", flow.path],
            ] {
                let result = try await RelaisCommand.run(command + ["--data", data])
                try #require(result.status == 0, "\(result.errors)")
            }
            let daemon = try Daemon(data, folder)
            try await body(data, folder, daemon)
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `a file handed over is imported once, however often it is sent`() async throws {
        try await withDepot { data, folder, daemon in
            let url = try await daemon.address() + "/api/flows/depot/files?name="
            let body = try Data(contentsOf: samples.appending(path: "comptes.csv"))
            let shown = ["Authorization": "Bearer jeton"]
            let first = try await ask(url + "comptes.csv", "POST", body: body, shown)
            #expect(first.status == 202 && first.text.contains(#""state":"accepted""#), "\(first)")
            try await until { daemon.flowsDone == 1 }
            let second = try await ask(url + "encore.csv", "POST", body: body, shown)
            #expect(second.status == 200 && second.text.contains(#""state":"known""#), "\(second)")
            let third = try await ask(
                url + "un%20de%20plus.csv", "POST", body: body + Data("C9,Neuf,,,,,,,\n".utf8), shown)
            #expect(third.status == 202)
            try await until { daemon.flowsDone == 2 }
            let runs = try await RelaisCommand.run(["runs", "--json", "--data", data])
            #expect(runs.output.split(separator: "\n").count == 2, "\(runs.output)")
            #expect(runs.output.contains("un de plus.csv") && !runs.output.contains("encore.csv"))
            let left = try FileManager.default.contentsOfDirectory(atPath: data + "/spool")
            #expect(left.isEmpty)
        }
    }

    @Test func `who shows no token, a wrong one or a wrong name gets a plain answer, and nothing is kept`()
        async throws
    {
        try await withDepot { data, folder, daemon in
            let address = try await daemon.address()
            let url = address + "/api/flows/depot/files?name="
            let body = Data("id,name\n".utf8)
            let open = try await ask(url + "a.csv", "POST", body: body, ["Accept-Language": "fr-FR,en;q=0.5"])
            #expect(open.status == 401 && open.text.contains("UPLOAD-REFUSED") && open.text.contains("jeton"))
            #expect(open.fields["www-authenticate"]?.hasPrefix("Bearer") == true)
            let wrong = try await ask(
                url + "a.csv", "POST", body: body, ["Authorization": "Bearer x", "Accept-Language": "en"])
            #expect(wrong.status == 401 && wrong.text.contains("Unknown flow, or a token"))
            let shown = ["Authorization": "Bearer jeton"]
            let unknown = try await ask(
                address + "/api/flows/autre/files?name=a.csv", "POST", body: body, shown)
            #expect(unknown.status == 401 && unknown.text.contains("UPLOAD-REFUSED"))
            for name in ["", "..%2Fa.csv", ".a.csv", "a%0Ab.csv"] {
                let answer = try await ask(url + name, "POST", body: body, shown)
                #expect(answer.status == 400 && answer.text.contains("UPLOAD-NAME"), "\(name)")
            }
            let empty = try await ask(url + "a.csv", "POST", body: Data(), shown)
            #expect(empty.status == 400 && empty.text.contains("FILE-EMPTY"))
            let elsewhere = try await ask(address + "/nulle/part")
            #expect(elsewhere.status == 404 && elsewhere.text.contains("HTTP-NOT-FOUND"))
            let connection = try await Connection.open(
                try PrivateCluster(folder: URL(filePath: data)).connectionString())
            #expect(try await connection.run(AdHoc<Int>("select count(*) from upload")) == [0])
            await connection.close()
        }
    }

    @Test
    func `a mapping of one's own is used by flows as soon as it lies in the data folder, and as it is then`()
        async throws
    {
        try await withDepot { data, folder, daemon in
            let own = URL(filePath: data + "/mappings")
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            func write(_ column: String) throws {
                let text = """
                    mapping: clients-maison
                    version: 1
                    target: account
                    source: {kind: csv, dialect: {delimiter: ";", header: 1, columns: by-name}}
                    match: {account: {try: [[external, crm, code]], none: create, many: review}}
                    upsert: {key: [code]}
                    fields:
                      code: {col: Cle, required: true}
                      name: {col: \(column), required: true}

                    """
                try Data(text.utf8).write(to: own.appending(path: "clients.yaml"))
            }
            try write("Nom")
            let flow = folder.appending(path: "maison.yaml")
            try Data(
                "flow: depot\nconnector: upload\nsecrets: {token: depot}\nmapping: clients-maison\n".utf8
            )
            .write(to: flow)
            let applied = try await RelaisCommand.run(["flows", "apply", flow.path, "--data", data])
            try #require(applied.status == 0, "\(applied.errors)")
            let url = try await daemon.address() + "/api/flows/depot/files?name=clients.csv"
            let shown = ["Authorization": "Bearer jeton"]
            _ = try await ask(url, "POST", body: Data("Cle;Nom;Titre\n1;Un;Premier\n".utf8), shown)
            try await until { daemon.flowsDone == 1 }
            try write("Titre")
            _ = try await ask(url, "POST", body: Data("Cle;Nom;Titre\n2;Deux;Second\n".utf8), shown)
            try await until { daemon.flowsDone == 2 }
            let accounts = try await RelaisCommand.run(["accounts", "list", "--json", "--data", data])
            #expect(
                accounts.output.contains("\"Un\"") && accounts.output.contains("\"Second\""),
                "\(accounts.output) \(accounts.errors)")
        }
    }

    @Test func `health, readiness and measures are told, and a database that is gone is not ready`()
        async throws
    {
        try await withDepot { data, folder, daemon in
            let address = try await daemon.address()
            let health = try await ask(address + "/healthz")
            #expect(health.status == 200 && health.text == "ok\n")
            #expect(try await ask(address + "/readyz").status == 200)
            let measures = try await ask(address + "/metrics")
            #expect(measures.fields["content-type"]?.hasPrefix("text/plain; version=0.0.4") == true)
            for line in [
                #"relais_flow_paused{flow="depot"} 0"#, #"relais_quarantine_open{age="day"} 0"#,
                #"relais_http_requests_total{route="/healthz",method="GET",status="200"} 1"#,
                #"relais_jobs_total{outcome="refused"} 0"#, "# TYPE process_resident_memory_bytes gauge",
            ] {
                #expect(measures.text.contains(line + "\n"), "\(line)")
            }
            let pid = try String(contentsOfFile: data + "/postgres/postmaster.pid", encoding: .utf8)
            let number = try #require(pid.split(separator: "\n").first.flatMap { Int32($0) })
            kill(number, SIGKILL)
            try await until { try await ask(address + "/readyz").status == 503 }
            #expect(try await ask(address + "/healthz").status == 200)
            // It is started again, without hands.
            try await until { try await ask(address + "/readyz").status == 200 }
        }
    }

    @Test func `an address that is taken ends the daemon with the reason`() async throws {
        try await withDepot { data, folder, daemon in
            let taken = try await daemon.address().dropFirst("http://".count)
            let result = try await RelaisCommand.run(
                ["serve", "--data", data, "--listen", String(taken)])
            #expect(result.status == 1 && result.errors.contains("LISTEN-TAKEN"), "\(result.errors)")
        }
    }

    @Test func `a node without the web role tells its health where it is told to, and takes no files`()
        async throws
    {
        try await withDataFolder { data, folder in
            let daemon = try Daemon(data, folder, ["--roles", "worker"])
            let address = try await daemon.address()
            #expect(try await ask(address + "/readyz").status == 200)
            let upload = try await ask(
                address + "/api/flows/depot/files?name=a", "POST", body: Data("x".utf8))
            #expect(upload.status == 404)
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `faults of the configuration are told all at once, each with its place`() async throws {
        try await withDataFolder { data, folder in
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            let text = "listn: x\nlisten: here\nroles: [web, boss]\ncompany_siren: \"123\"\n"
            try Data(text.utf8).write(to: URL(filePath: data + "/relais.yaml"))
            let result = try await RelaisCommand.run(
                ["config", "--data", data],
                environment: ["RELAIS_STOP_WITHIN": "x", "RELAIS_LOG_FORMT": "json"])
            #expect(result.status == 1)
            for part in [
                "relais.yaml:1:1: « listn »", "« listen »", "relais.yaml:2:9:", "relais.yaml:3:8:",
                "relais.yaml:4:16:", "RELAIS_STOP_WITHIN :", "RELAIS_LOG_FORMAT ?",
            ] {
                #expect(result.errors.contains(part), "\(part) in \(result.errors)")
            }
        }
    }

    @Test func `options outrank the environment, and that the file`() async throws {
        try await withDataFolder { data, folder in
            try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
            let text = "listen: 127.0.0.1:1\nstop_within: 7\nlog_format: json\n"
            try Data(text.utf8).write(to: URL(filePath: data + "/relais.yaml"))
            let result = try await RelaisCommand.run(
                ["config", "--json", "--data", data], environment: ["RELAIS_STOP_WITHIN": "8"])
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.contains { $0.contains(#""listen""#) && $0.contains("relais.yaml:1:9") })
            #expect(lines.contains(#"{"key":"stop_within","source":"RELAIS_STOP_WITHIN","value":"8"}"#))
        }
    }

    @Test func `systemd finds nothing wrong with the unit, and little that it leaves open`() async throws {
        try await withDataFolder { _, folder in
            let unit = try await RelaisCommand.run(["unit", "--data", "/var/lib/relais"])
            #expect(unit.status == 0 && unit.output.contains("StateDirectory=relais"))
            let file = folder.appending(path: "relais.service")
            try Data(unit.output.utf8).write(to: file)
            let verified = try run("/usr/bin/systemd-analyze", ["verify", file.path])
            #expect(verified.isEmpty, "\(verified)")
            let security = try run(
                "/usr/bin/systemd-analyze", ["security", "--offline=true", "--threshold=20", file.path])
            #expect(security.contains("OK"), "\(security.suffix(200))")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// A day of the hub with real servers: received, mended, sent on, taken back, and what did not come is told.

import Foundation
import RelaisTesting
import Testing

@Suite struct EverydayTests {
    private let samples = Repository.root.appending(path: "Connectors/ERP/Samples")

    private func relais(_ arguments: String..., data: String, expecting status: Int32 = 0) async throws
        -> String
    {
        let result = try await RelaisCommand.run(arguments + ["--data", data])
        try #require(result.status == status, "\(arguments) \(result.output) \(result.errors)")
        return result.output
    }

    private func drop(_ file: String, on server: SSHServer) throws {
        let name = file.split(separator: "/").last.map(String.init) ?? file
        try FileManager.default.copyItem(
            at: samples.appending(path: file), to: server.files.appending(path: name))
    }

    private func apply(_ flows: [String], in folder: URL, data: String) async throws {
        for (number, text) in flows.enumerated() {
            let file = folder.appending(path: "flow\(number).yaml")
            try Data(text.utf8).write(to: file)
            _ = try await relais("flows", "apply", file.path, data: data)
        }
    }

    private func keep(_ name: String, _ value: String, in folder: URL, data: String) async throws {
        let file = folder.appending(path: name)
        try Data(value.utf8).write(to: file)
        _ = try await relais("secrets", "set", name, "--file", file.path, data: data)
    }

    @Test
    func `from the drop over SFTP to the file on another server, the undo and the mail about what is late`()
        async throws
    {
        try await withDataFolder { data, folder in
            let erp = try await SSHServer()
            let partner = try await FileServer.web()
            let mail = try await SMTPServer()
            try await keep("erp-key", erp.privateKey, in: folder, data: data)
            try await keep("depot", FileServer.password, in: folder, data: data)
            let fetched = "host_keys: [\"\(erp.fingerprint)\"], after: move, stillness: 0"
            try await apply(
                [
                    """
                    flow: factures
                    connector: erp
                    settings: {from: "\(erp.address)", \(fetched)}
                    secrets: {private_key: erp-key}
                    schedule: "* * * * *"

                    """,
                    """
                    flow: sortie
                    outgoing: {entity: invoice, mapping: export-factures, to: "davs://relais@127.0.0.1:\(partner.peer.port)/files/"}
                    settings: {authorities: \(partner.certificate)}
                    secrets: {password: depot}

                    """,
                    """
                    flow: releves
                    connector: erp
                    settings: {from: \(folder.path), pattern: "*.jamais"}
                    expected_by: "* * * * *"
                    alerts: {mail: [it@exemple.fr]}

                    """,
                ], in: folder, data: data)
            _ = try await relais("import", samples.path + "/comptes.csv", data: data)
            let environment = [
                "RELAIS_SMTP": "smtp://127.0.0.1:\(mail.peer.port)", "RELAIS_SMTP_FROM": "relais@exemple.fr",
            ]
            for name in ["facture-simple.xml", "facture-total-faux.xml"] {
                try drop("factures/" + name, on: erp)
            }
            let daemon = try Daemon(data, folder, environment: environment)
            // By the clock: one invoice goes in, the other waits for a person.
            try await until {
                daemon.events.contains { $0["message"] == "job done" && $0["group"] == "flow:factures" }
            }
            let run = try await relais("runs", "show", "2", data: data)
            #expect(run.contains("1 créé") && run.contains("1 en quarantaine"), "\(run)")
            let left = try FileManager.default.contentsOfDirectory(atPath: erp.files.path)
            #expect(left == ["done"])
            // Mended by a person, it goes in too.
            let waiting = try await relais("quarantine", "list", "--json", data: data)
            let id = try #require(waiting.firstMatch(of: #/"id":(\d+)/#)?.output.1)
            _ = try await relais("quarantine", "set", String(id), "gross_total=1800", data: data)
            _ = try await relais("quarantine", "replay", String(id), data: data)
            // Both go out to another company's server.
            _ = try await relais("flows", "run", "sortie", data: data)
            let sent = partner.files.appending(path: "sortie-000001.csv")
            try await until { FileManager.default.fileExists(atPath: sent.path) }
            let text = try String(contentsOf: sent, encoding: .utf8)
            #expect(text.split(whereSeparator: \.isNewline).count == 3, "\(text)")
            // Taken back: the invoices of the first run are gone, what was sent is not.
            _ = try await relais("runs", "undo", "2", data: data)
            let documents = try await relais("sales", "list", "--json", data: data)
            #expect(documents.split(separator: "\n").count == 1, "\(documents)")
            _ = try await relais("runs", "undo", "4", data: data, expecting: 1)
            // What did not come by its time is told.
            try await until { try !mail.messages().isEmpty }
            let message = try #require(try mail.messages().first)
            #expect(message.contains("To: it@exemple.fr"))
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `a real tap is run, its state is kept with its records, and a second run changes nothing`()
        async throws
    {
        try await withDataFolder { data, folder in
            let tap = Repository.root.appending(path: ".venv-taps/bin/tap-spreadsheets").path
            let file = folder.appending(path: "clients.csv")
            try Data("numero,nom\n1,Un\n2,Deux\n".utf8).write(to: file)
            let configuration = """
                {"files": [{"path": "\(file.path)", "format": "csv", "table_name": "clients", "delimiter": ",",
                            "primary_keys": ["numero"]}]}
                """
            try await keep("tap", configuration, in: folder, data: data)
            let own = URL(filePath: data + "/mappings")
            try FileManager.default.createDirectory(at: own, withIntermediateDirectories: true)
            let mapping = """
                mapping: clients-tap
                version: 1
                target: account
                source: {kind: record, stream: clients}
                match: {account: {try: [[external, crm, code]], none: create, many: review}}
                upsert: {key: [code]}
                fields:
                  code: {path: numero, required: true}
                  name: {path: nom, required: true}

                """
            try Data(mapping.utf8).write(to: own.appending(path: "clients.yaml"))
            try await apply(
                [
                    "flow: tap\nconnector: singer\nsettings: {command: \(tap)}\nsecrets: {configuration: tap}\nmapping: clients-tap\n"
                ],
                in: folder, data: data)
            let daemon = try Daemon(data, folder)
            for (done, count) in [(1, 2), (2, 2), (3, 3)] {
                if done == 3 { try Data("numero,nom\n1,Un\n2,Deux\n3,Trois\n".utf8).write(to: file) }
                _ = try await relais("flows", "run", "tap", data: data)
                try await until { daemon.flowsDone == done }
                let accounts = try await relais("accounts", "list", "--json", data: data)
                #expect(accounts.split(separator: "\n").count == count, "\(accounts)")
            }
            // What it says and counts is heard.
            let lines = daemon.events.filter { $0["message"] == "connector" && $0["flow"] == "tap" }
            #expect(lines.contains { $0["line"]?.contains("Beginning sync of") == true })
            let measures = try String(
                contentsOf: try #require(URL(string: try await daemon.address() + "/metrics")),
                encoding: .utf8)
            #expect(
                measures.contains(
                    #"relais_connector_count_total{flow="tap",metric="record_count"} "#), "\(measures)")
            #expect(try await daemon.stop() == 0)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// The built command as a user runs it: exit codes, messages, bad input, a kill in mid-import.

import Foundation
import PostgreSQL
import RelaisTesting
import Testing

/// A folder with a private database of its own, stopped and removed afterwards.
func withDataFolder(_ body: (_ data: String, _ folder: URL) async throws -> Void) async throws {
    let folder = URL(filePath: "/tmp/relais-e2e-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(
        at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
    let data = folder.appending(path: "data").path
    func end() async {
        _ = try? await RelaisCommand.run(["db", "stop", "--data", data])
        try? FileManager.default.removeItem(at: folder)
    }
    do {
        try await body(data, folder)
    } catch {
        await end()
        throw error
    }
    await end()
}

@Suite struct CommandTests {
    private let samples = Repository.root.appending(path: "Connectors/ERP/Samples").path

    private func json(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `a first import shows its ledger, and the CRM the accounts and invoices`() async throws {
        try await withDataFolder { data, _ in
            let first = try await RelaisCommand.run(
                [
                    "import", "--data", data, samples + "/comptes.csv",
                    samples + "/factures/facture-simple.xml",
                ])
            #expect(first.status == 0)
            #expect(first.output.contains("Exécution 1 : 7 enregistrements lus = 7 créés."))
            let again = try await RelaisCommand.run(
                [
                    "import", "--data", data, samples + "/comptes.csv",
                    samples + "/factures/facture-client-inconnu.xml", "--json",
                ])
            #expect(again.status == 3)
            let ledger = try #require(try json(again.output)["ledger"] as? [String: Int])
            #expect(
                ledger == [
                    "deleted": 0, "inserted": 0, "quarantined": 1, "read": 7, "skipped": 6, "unchanged": 0,
                    "updated": 0,
                ])
            let shown = try await RelaisCommand.run(["runs", "show", "2", "--data", data])
            #expect(shown.output.contains("MATCH-NONE"))
            #expect(shown.output.contains("→ Importez d’abord son compte"))
            let found = try await RelaisCommand.run(["accounts", "search", "EPICERIE", "--data", data])
            #expect(found.output.contains("Épicerie fine des Deux-Ponts"))
            let sales = try await RelaisCommand.run(["sales", "list", "--data", data])
            #expect(sales.output.contains("1\u{202F}224,00\u{A0}EUR"))
            #expect(sales.output.contains("03/09/2026"))
            let english = try await RelaisCommand.run(
                ["runs", "--data", data], environment: ["LANG": "en_US.UTF-8"])
            #expect(english.output.contains("7 records read = 7 inserted"))
        }
    }

    @Test func `an import in a terminal ends where a person stops it in the console, and says who`()
        async throws
    {
        try await withDataFolder { data, folder in
            let files = try ["un.csv", "deux.csv"].map { name in
                let file = folder.appending(path: name)
                let rows = "id,name,siren,siret,tva,street,postcode,city,phone\n\(name),Client,,,,,,,\n"
                try Data(rows.utf8).write(to: file)
                return file.path
            }
            let added = try await RelaisCommand.run(
                [
                    "users", "add", "nina", "--name", "Nina", "--role", "it", "--password-stdin", "--data",
                    data,
                ],
                input: "quatre mots bien choisis")
            try #require(added.status == 0, "\(added.errors)")
            let script = """
                create function ask() returns trigger language plpgsql as $$
                begin
                  update run set stop_asked_at = now(), stop_asked_by = 1 where id = new.run_id;
                  return null;
                end $$;
                create trigger ask after insert on run_batch for each row execute function ask();
                """
            let told = try await RelaisCommand.run(["db", "psql", "--data", data, "--", "-c", script])
            try #require(told.status == 0, "\(told.errors)")
            let result = try await RelaisCommand.run(["import"] + files + ["--data", data])
            #expect(result.status == 1 && result.errors.contains("arrêtée par Nina"), "\(result.errors)")
            let shown = try await RelaisCommand.run(["runs", "show", "1", "--data", data])
            #expect(
                shown.output.contains("arrêtée") && shown.output.contains("1 enregistrement lu"),
                "\(shown.output)")
            #expect(!shown.output.contains("deux.csv"))
        }
    }

    @Test func `every command has a help text with an example, in both languages`() async throws {
        let commands = [
            [], ["map"], ["import"], ["runs"], ["runs", "list"], ["runs", "show"], ["accounts"],
            ["accounts", "search"],
            ["accounts", "show"], ["sales"], ["sales", "list"], ["db"], ["db", "status"], ["db", "migrate"],
            ["db", "psql"], ["db", "backup"], ["db", "restore"], ["db", "upgrade"], ["db", "stop"],
            ["doctor"], ["mapping"], ["mapping", "list"], ["mapping", "check"], ["mapping", "test"],
            ["mapping", "explain"], ["mapping", "infer"], ["mapping", "coverage"], ["mapping", "template"],
            ["mapping", "keys"],
        ]
        for command in commands {
            let french = try await RelaisCommand.run(command + ["--help"])
            #expect(french.status == 0)
            #expect(french.output.contains("Exemple : relais"), "\(command)")
            let english = try await RelaisCommand.run(
                command + ["--help"], environment: ["LANG": "en_US.UTF-8"])
            #expect(english.output.contains("Example: relais"), "\(command)")
            #expect(!english.output.contains("command."), "\(command)")
        }
    }

    @Test func `wrong usage ends with 64 and an unknown thing with 1`() async throws {
        #expect(try await RelaisCommand.run(["import"]).status == 64)
        #expect(try await RelaisCommand.run(["importe"]).status == 64)
        #expect(try await RelaisCommand.run(["runs", "show", "x"]).status == 64)
        let unknown = try await RelaisCommand.run([
            "map", "--mapping", "ubl-invoce", samples + "/comptes.csv",
        ])
        #expect(unknown.status == 1)
        #expect(unknown.errors.contains("vouliez-vous dire « ubl-invoice »"))
    }

    @Test func `bad files are named with their place and a hint, within bounded memory`() async throws {
        try await withDataFolder { _, folder in
            func file(_ name: String, _ bytes: [UInt8]) throws -> String {
                let url = folder.appending(path: name)
                try Data(bytes).write(to: url)
                return url.path
            }
            let invoice = "urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"
            let huge =
                "<Invoice xmlns='\(invoice)'><x>" + String(repeating: "0123456789abcdef", count: 40 << 16)
            let link = folder.appending(path: "lien.xml")
            try FileManager.default.createSymbolicLink(
                atPath: link.path, withDestinationPath: samples + "/comptes.csv")
            let fifo = folder.appending(path: "tube.xml").path
            unsafe mkfifo(fifo, 0o600)
            let cases: [(path: String, code: String, place: String)] = [
                (folder.path + "/absent.xml", "FILE-MISSING", ""), (folder.path, "FILE-FOLDER", ""),
                (fifo, "FILE-SPECIAL", ""), (link.path, "FILE-LINK", ""),
                (try file("vide.xml", []), "FILE-EMPTY", ""),
                (try file("coupe.xml", Array("<a>\n<b>".utf8)), "XML-TRUNCATED", ":2:"),
                (
                    try file("doctype.xml", Array("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>".utf8)),
                    "XML-DOCTYPE", ":1:"
                ),
                (
                    try file("profond.xml", Array(String(repeating: "<d>", count: 100_000).utf8)),
                    "XML-DEPTH", ":1:"
                ),
                (try file("long.xml", Array(huge.utf8)), "XML-TEXT", ":1:"),
                (
                    try file(
                        "encodage.xml",
                        Array("<?xml version='1.0' encoding='UTF-8'?>\n<a>".utf8) + [0xE9, 0x20]
                            + Array("</a>".utf8)), "XML-ENCODING", ":2:"
                ),
                (try file("encodage.csv", Array("id,name\nA,".utf8) + [0x81, 0x0A]), "CSV-ENCODING", ":2:"),
                (
                    try file("guillemet.csv", Array("id,name\nA,\"ouvert\nB,c\n".utf8)), "CSV-OPEN-QUOTE",
                    ":2:"
                ),
                (
                    try file("colonnes.csv", Array("code;siren;nam\nA;1;B\n".utf8)), "CSV-MISSING-COLUMN",
                    ":1:"
                ),
                (try file("autre.xml", Array("<html/>".utf8)), "MAP-NONE-FITS", ""),
            ]
            for (path, code, place) in cases {
                let result = try await RelaisCommand.run(["map", path])
                let text = result.errors
                #expect(text.contains("[\(code)]"), "\(path): \(text)")
                #expect(text.contains(path + place), "\(path): \(text)")
                #expect(text.contains("→"), "\(path)")
                #expect(result.status == 1, "\(path)")
                let asJSON = try await RelaisCommand.run(["map", path, "--json"])
                #expect(asJSON.output.contains("\"code\":\"\(code)\""), "\(path)")
            }
        }
    }

    @Test func `a database that cannot be used is explained`() async throws {
        let cluster = try await TestServer.shared.cluster()
        let url = cluster.connectionString(database: "nulle_part")
        let missing = try await RelaisCommand.run(["runs"], environment: ["RELAIS_DATABASE_URL": url])
        #expect(missing.status == 1)
        #expect(missing.errors.contains("[PG-NO-DATABASE]"))
        let nobody = try await RelaisCommand.run(
            ["runs"], environment: ["RELAIS_DATABASE_URL": "host=/nonexistent"])
        #expect(nobody.errors.contains("[PG-UNREACHABLE]"))
        let own = try await RelaisCommand.run(
            ["db", "stop"], environment: ["RELAIS_DATABASE_URL": cluster.connectionString()])
        #expect(own.errors.contains("[DB-NOT-PRIVATE]"))
    }

    @Test func `a PostgreSQL of one's own works like the private one`() async throws {
        let url = try await TestServer.shared.makeDatabase()
        let environment = ["RELAIS_DATABASE_URL": url]
        let result = try await RelaisCommand.run(
            ["import", samples + "/comptes.csv"], environment: environment)
        #expect(result.status == 0)
        let status = try await RelaisCommand.run(["db", "status", "--json"], environment: environment)
        #expect(try json(status.output)["private"] as? Bool == false)
        let doctor = try await RelaisCommand.run(["doctor"], environment: environment)
        #expect(doctor.status == 0)
    }

    @Test func `backup and restore carry the whole CRM to another folder`() async throws {
        try await withDataFolder { data, folder in
            _ = try await RelaisCommand.run(["import", "--data", data, samples + "/comptes.csv"])
            let file = folder.appending(path: "s.tar").path
            let backup = try await RelaisCommand.run(["db", "backup", file, "--data", data, "--json"])
            #expect(backup.status == 0)
            let rows = try #require(try json(backup.output)["rows"] as? [String: Int])
            #expect(rows["party"] == 5)
            let other = folder.appending(path: "autre").path
            #expect(try await RelaisCommand.run(["db", "restore", file, "--data", other]).status == 0)
            let accounts = try await RelaisCommand.run(["accounts", "--data", other, "--json"])
            #expect(accounts.output.split(separator: "\n").count == 5)
            let refused = try await RelaisCommand.run(["db", "restore", file, "--data", other])
            #expect(refused.errors.contains("[PG-RESTORE-TARGET]"))
            #expect(try await RelaisCommand.run(["db", "upgrade", "--rebuild", "--data", other]).status == 0)
            let kept = try await RelaisCommand.run(["accounts", "--data", other, "--json"])
            #expect(kept.output == accounts.output)
            _ = try await RelaisCommand.run(["db", "stop", "--data", other])
        }
    }
}

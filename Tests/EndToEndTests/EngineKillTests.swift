// SPDX-License-Identifier: Apache-2.0
// SIGKILL of relais, and of PostgreSQL, in the middle of imports, undos and replays.

import Foundation
import PostgreSQL
import RelaisTesting
import Testing

/// What is interrupted: files that are there before, and the command.
private struct Interrupted: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// Commands that come before, with `FILE` for the file.
    let before: [[String]]
    let command: [String]
    /// Exit codes that mean that it had been done already.
    let done: Set<Int32>

    static let all = [
        Interrupted(testDescription: "import", before: [], command: ["import", "FILE"], done: [0, 3]),
        Interrupted(
            testDescription: "undo", before: [["import", "FILE"]], command: ["runs", "undo", "1"],
            done: [0, 1]),
        Interrupted(
            testDescription: "replay",
            before: [["import", "FILE"], ["quarantine", "set", "--run", "1", "issue_date=2026-02-01"]],
            command: ["quarantine", "replay", "--run", "1"], done: [0, 1]),
    ]
}

@Suite(.serialized) struct EngineKillTests {
    private static let count = 100_000
    private static let kills = Repository.isSoak ? 30 : 3

    private static let digest = """
        select md5(string_agg(t, '|' order by t collate "C")) from (
          select p.name || coalesce(o.siren, '') as t from party p join org o on o.party_id = p.id
          union all select 's' || coalesce(siret, '') || coalesce(city, '') from site
          union all select ext_id || entity from external_identity
          union all select entity || field || coalesce(value, '') from field_claim
          union all select d.kind || d.number || d.year || d.gross_total || p.name || d.billing_status
            from sales_doc d join party p on p.id = d.party_id
          union all select 'i' || d.number || i.open_amount from instalment i join sales_doc d on d.id = i.doc_id
          union all select 'q' || ordinal || code || status from quarantine
        ) all_rows
        """

    /// Invoices, every tenth with a date that is none.
    private func write(to folder: URL) throws -> String {
        var text =
            "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;MontantHT;MontantTVA;MontantTTC;Devise;Statut\n"
        for number in 0..<Self.count {
            let date = number.isMultiple(of: 10) ? "99/99/2026" : "01/02/2026"
            let client = number % 997
            text += "F\(number);\(date);31/12/2999;N\(client);Client \(client);;;10;2;12;EUR;\n"
        }
        let file = folder.appending(path: "factures.csv")
        try Data(text.utf8).write(to: file)
        return file.path
    }

    private func digest(_ url: String) async throws -> [String] {
        let connection = try await Connection.open(url)
        let rows = try await connection.run(AdHoc<String>(Self.digest))
        await connection.close()
        return rows
    }

    /// Runs the commands that come before.
    private func prepare(_ scene: Interrupted, _ file: String, _ environment: [String: String]) async throws {
        for command in scene.before {
            let result = try await RelaisCommand.run(
                command.map { $0 == "FILE" ? file : $0 }, environment: environment)
            #expect([0, 3].contains(result.status), "\(result.errors)")
        }
    }

    @Test(arguments: Interrupted.all)
    fileprivate func `killed at any moment and run again, it ends as if nothing had happened`(
        scene: Interrupted
    )
        async throws
    {
        try await withDataFolder { _, folder in
            let file = try write(to: folder)
            let command = scene.command.map { $0 == "FILE" ? file : $0 }
            let template = try await TestServer.shared.makeDatabase()
            // Files would be shared by the databases: each keeps its own.
            func environment(_ url: String) -> [String: String] {
                ["RELAIS_DATABASE_URL": url, "RELAIS_DATA": folder.appending(path: "data").path]
            }
            try await prepare(scene, file, environment(template))
            let name = try #require(template.firstMatch(of: /dbname='?(\w+)/)?.output.1)
            let clean = try await TestServer.shared.makeDatabase(template: String(name))
            let started = ContinuousClock.now
            let whole = try await RelaisCommand.run(command, environment: environment(clean))
            #expect(scene.done.contains(whole.status), "\(whole.errors)")
            let duration = started.duration(to: .now)
            let expected = try await digest(clean)
            var random = Seeded(UInt64(2026 + scene.command.count))
            for _ in 0..<Self.kills {
                let url = try await TestServer.shared.makeDatabase(template: String(name))
                let moment = duration * Double.random(in: 0.1...0.95, using: &random)
                try await run(command, environment(url), andKillAfter: moment)
                let again = try await RelaisCommand.run(command, environment: environment(url))
                #expect(scene.done.contains(again.status), "\(again.errors)")
                #expect(try await digest(url) == expected)
                try await TestServer.shared.drop(url)
            }
        }
    }

    @Test(arguments: Interrupted.all)
    fileprivate func `when PostgreSQL is killed under it, running it again ends as if nothing had happened`(
        scene: Interrupted
    ) async throws {
        var expected: [String]?
        var random = Seeded(UInt64(7 + scene.command.count))
        var duration = Duration.seconds(4)
        try await withDataFolder { data, folder in
            let file = try write(to: folder)
            let command = scene.command.map { $0 == "FILE" ? file : $0 }
            let environment = ["RELAIS_DATA": data]
            _ = try await RelaisCommand.run(["runs"], environment: environment)
            try await prepare(scene, file, environment)
            _ = try await RelaisCommand.run(["db", "stop"], environment: environment)
            // Every round begins with the same files, at the same place.
            let prepared = data + ".prepared"
            try FileManager.default.moveItem(atPath: data, toPath: prepared)
            for round in 0...Self.kills {
                try await copy(prepared, to: data)
                _ = try await RelaisCommand.run(["runs"], environment: environment)
                if round > 0 {
                    let moment = duration * Double.random(in: 0.1...0.9, using: &random)
                    async let killed: Void = killServer(data, after: moment)
                    _ = try await RelaisCommand.run(command, environment: environment)
                    try await killed
                }
                let started = ContinuousClock.now
                let again = try await RelaisCommand.run(command, environment: environment)
                if round == 0 { duration = started.duration(to: .now) }
                #expect(scene.done.contains(again.status), "\(again.errors)")
                let cluster = try PrivateCluster(folder: URL(filePath: data))
                let found = try await digest(cluster.connectionString())
                if let expected { #expect(found == expected) }
                expected = expected ?? found
                _ = try await RelaisCommand.run(["db", "stop"], environment: environment)
            }
            try FileManager.default.removeItem(atPath: prepared)
        }
    }

    /// Puts a copy of a data folder in another's place, with its owners.
    private func copy(_ folder: String, to place: String) async throws {
        let system = Installation(major: 0, programs: URL(filePath: "/usr/bin"))
        try await system.run("rm", ["-rf", place])
        try await system.run("cp", ["-a", folder, place])
    }

    private func run(
        _ arguments: [String], _ environment: [String: String], andKillAfter moment: Duration
    ) async throws {
        let process = Process()
        process.executableURL = Repository.command
        process.arguments = arguments
        process.environment = environment.merging(["PATH": "/usr/bin:/bin"]) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        try await Task.sleep(for: moment)
        kill(process.processIdentifier, SIGKILL)
        try await until { !process.isRunning }
    }

    private func killServer(_ data: String, after moment: Duration) async throws {
        try await Task.sleep(for: moment)
        let file = try String(contentsOfFile: data + "/postgres/postmaster.pid", encoding: .utf8)
        let number = try #require(file.split(separator: "\n").first.flatMap { Int32($0) })
        kill(number, SIGKILL)
    }
}

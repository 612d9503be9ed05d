// SPDX-License-Identifier: Apache-2.0
// SIGKILL in mid-import: nothing is lost and nothing is doubled.

import Foundation
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct KillTests {
    private static let query = """
        select md5(string_agg(t, '|' order by t)) from (
          select name || coalesce(siren, '') as t from party left join org on org.party_id = party.id
          union all select siret || city from site
          union all select ext_id || entity from external_identity
        ) all_rows
        """

    /// A generated file of accounts with valid check digits.
    private func accounts(_ count: Int) -> String {
        var rows = "id,name,siren,siret,tva,street,postcode,city,phone\n"
        for number in 0..<count {
            let digits = Array(String(80_000_000 + number).utf8).map { Int($0 - 48) }
            let sum = digits.enumerated().reduce(0) { sum, digit in
                let doubled = digit.offset.isMultiple(of: 2) ? digit.element : digit.element * 2
                return sum + (doubled > 9 ? doubled - 9 : doubled)
            }
            let siren = "\(80_000_000 + number)\((10 - sum % 10) % 10)"
            rows += "K\(number),Client \(number),\(siren),,,\"\(number), rue\",35000,RENNES,\n"
        }
        return rows
    }

    @Test func `an import killed at any moment and run again ends as if nothing had happened`() async throws {
        try await withDataFolder { _, folder in
            let file = folder.appending(path: "comptes.csv")
            try Data(accounts(30_000).utf8).write(to: file)
            let clean = try await TestServer.shared.makeDatabase()
            let started = ContinuousClock.now
            let whole = try await RelaisCommand.run(
                ["import", file.path], environment: ["RELAIS_DATABASE_URL": clean])
            #expect(whole.status == 0)
            let duration = started.duration(to: .now)
            let expected = try await digest(clean)
            var random = Seeded(2026)
            for _ in 0..<(Repository.isSoak ? 50 : 3) {
                let url = try await TestServer.shared.makeDatabase()
                let moment = duration * Double.random(in: 0.1...0.95, using: &random)
                try await importAndKill(file.path, url, after: moment)
                let again = try await RelaisCommand.run(
                    ["import", file.path], environment: ["RELAIS_DATABASE_URL": url])
                #expect(again.status == 0, "\(again.errors)")
                #expect(try await digest(url) == expected)
                let runs = try await RelaisCommand.run(
                    ["runs", "--json"], environment: ["RELAIS_DATABASE_URL": url])
                #expect(!runs.output.contains("\"running\""))
            }
        }
    }

    private func importAndKill(_ file: String, _ url: String, after moment: Duration) async throws {
        let process = Process()
        process.executableURL = Repository.command
        process.arguments = ["import", file]
        process.environment = ["PATH": "/usr/bin:/bin", "RELAIS_DATABASE_URL": url]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        try await Task.sleep(for: moment)
        kill(process.processIdentifier, SIGKILL)
        try await until { !process.isRunning }
    }

    private func digest(_ url: String) async throws -> [String] {
        let connection = try await Connection.open(url)
        let rows = try await connection.run(AdHoc<String>(Self.query))
        await connection.close()
        return rows
    }
}

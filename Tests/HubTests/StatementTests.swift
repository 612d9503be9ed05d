// SPDX-License-Identifier: Apache-2.0
// Every statement of the program is accepted by the migrated schema.

import BlobStore
import CRM
import Diagnostics
import Foundation
import Hub
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct StatementTests {
    @Test func `every statement can be prepared`() async throws {
        let connection = try await Connection.open(try await TestDatabase.migrated())
        for (index, statement) in (Schema.statements + HubStatements.all + BlobStore.statements).enumerated()
        {
            do throws(PostgreSQLError) {
                try await connection.script("prepare s\(index) as \(statement.sql)")
            } catch {
                Issue.record("\(statement): \(error.diagnostic.facts["detail"] ?? "")")
            }
        }
    }

    @Test func `no statement is missing from the lists`() throws {
        let listed = Set((Schema.statements + HubStatements.all + BlobStore.statements).map { "\($0)" })
        for file in Repository.files(["Sources/CRM", "Sources/Hub", "Sources/BlobStore"], endings: ["swift"])
        {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: #/struct (\w+): Statement/#) {
                #expect(listed.contains(String(match.output.1)), "\(file.lastPathComponent)")
            }
        }
    }

    @Test func `a database of a newer program is refused, and a changed migration too`() async throws {
        let connection = try await Connection.open(try await TestDatabase.migrated())
        let migrations = try Schema.migrations()
        #expect(try await Migrator(migrations).migrate(connection) == [])
        let older = await #expect(throws: PostgreSQLError.self) {
            try await Migrator(Array(migrations.dropLast())).migrate(connection)
        }
        #expect(older?.has(.schemaNewer) == true)
        let changed = migrations.map { Migration(number: $0.number, name: $0.name, sql: $0.sql + " ") }
        let error = await #expect(throws: PostgreSQLError.self) {
            try await Migrator(changed).migrate(connection)
        }
        #expect(error?.has(.migrationChanged) == true)
    }

    @Test func `several processes may migrate at once`() async throws {
        let url = try await TestServer.shared.makeDatabase()
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<4 {
                group.addTask {
                    let connection = try await Connection.open(url)
                    return try await Migrator(try Schema.migrations()).migrate(connection)
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == (try Schema.migrations().map(\.name)))
    }
}

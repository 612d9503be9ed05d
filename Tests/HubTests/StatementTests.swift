// SPDX-License-Identifier: Apache-2.0
// Every statement of the program is accepted by the migrated schema.

import BlobStore
import CRM
import Diagnostics
import Foundation
import Hub
import Jobs
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct StatementTests {
    private static let statements =
        Schema.statements + HubStatements.all + JobStatements.all + BlobStore.statements

    @Test func `every statement can be prepared`() async throws {
        let connection = try await Connection.open(try await TestDatabase.migrated())
        for plan in ImportPlans.all { try await plan.makeStages(on: connection) }
        try await connection.script("begin")
        try await RunUndo.makePlan(on: connection)
        for (index, statement) in Self.statements.enumerated() {
            do throws(PostgreSQLError) {
                try await connection.script("prepare s\(index) as \(statement.sql)")
            } catch {
                Issue.record("\(statement): \(error.diagnostic.facts["detail"] ?? "")")
            }
        }
    }

    @Test func `every foreign key to rows that may go has an index to look its references up by`()
        async throws
    {
        let connection = try await Connection.open(try await TestDatabase.migrated())
        let missing: [String] = try await connection.run(
            AdHoc(
                """
                select c.conrelid::regclass || '.' || a.attname
                from pg_constraint c
                join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
                where c.contype = 'f' and c.confrelid in ('party'::regclass, 'site'::regclass, 'sales_doc'::regclass,
                    'payment'::regclass, 'einvoice_event'::regclass, 'bank_statement'::regclass)
                  and c.conrelid <> 'company'::regclass
                  and not exists (
                    select from pg_index i where i.indrelid = c.conrelid and i.indkey[0] = c.conkey[1]
                  )
                """))
        #expect(missing == [])
    }

    @Test func `no statement is missing from the lists`() throws {
        let listed = Set(Self.statements.map { "\($0)" })
        let folders = ["Sources/CRM", "Sources/Hub", "Sources/Jobs", "Sources/BlobStore"]
        for file in Repository.files(folders, endings: ["swift"]) {
            let text = try String(contentsOf: file, encoding: .utf8)
            for match in text.matches(of: #/struct (\w+): Statement/#) {
                let isListed = listed.contains(String(match.output.1))
                #expect(isListed, "\(match.output.1) of \(file.lastPathComponent)")
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

    @Test(arguments: [
        ("SearchAccounts", "'client 777', 'CLIENT777', 50"), ("ListAccounts", "'client 5', 7, 50"),
        ("ShowAccount", "7"), ("AccountSites", "7"), ("AccountCodes", "7"), ("AccountContactPoints", "7"),
        ("ListDocuments", "7, 50, null"), ("FindByExternalCode", "1, '{A7}'"),
        ("FindBySIRET", "'{12345678900001}'"),
        ("FindBySIREN", "'{123456789}'"), ("FindByVAT", "'{FR00123456789}'"),
    ])
    func `lists, searches and look-ups walk no whole table`(name: String, arguments: String) async throws {
        try await TestServer.shared.makeTemplate("seeded") { connection in
            _ = try await Migrator(try Schema.migrations()).migrate(connection)
            try await connection.script(
                """
                insert into party (id, kind, name, status) select i, 'organisation', 'Client ' || i, 'client'
                  from generate_series(1, 20000) i;
                insert into org (party_id, siren) select i, lpad(i::text, 9, '0') from generate_series(1, 20000) i;
                insert into site (id, party_id, city, is_main) select i, i, 'RENNES', true from generate_series(1, 20000) i;
                insert into contact_point (party_id, kind, value_norm, value)
                  select i, 'phone', '+33' || i, i from generate_series(1, 20000) i;
                insert into external_identity (source_id, ext_type, ext_id, entity, entity_id)
                  select 1, 'account', 'A' || i, 'site', i from generate_series(1, 20000) i;
                insert into sales_doc (kind, number, origin, source_id, issuer_id, party_id, issued_on, currency,
                    gross_total, content_hash)
                  select 'invoice', i, 'erp', 1, 1, i % 2000 + 1, '2026-01-01', 'EUR', 1, '' from generate_series(1, 20000) i;
                analyze
                """)
        }
        let connection = try await Connection.open(
            try await TestServer.shared.makeDatabase(template: "seeded"))
        let statement = try #require(Schema.statements.first { "\($0)" == name })
        try await connection.script("prepare s as \(statement.sql)")
        let plan: [String] = try await connection.run(AdHoc("explain execute s(\(arguments))"))
        for table in ["party", "org", "site", "contact_point", "external_identity", "sales_doc"] {
            #expect(
                !plan.contains { $0.contains("Seq Scan on \(table) ") }, "\(plan.joined(separator: "\n"))")
        }
    }
}

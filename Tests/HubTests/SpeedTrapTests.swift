// SPDX-License-Identifier: Apache-2.0
// The traps that made imports slow with no wrong result: rows locked for nothing, whole tables read for a batch.

import BlobStore
import CRM
import Foundation
import Hub
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct SpeedTrapTests {
    private static let count = 20_000

    private func row(_ number: Int, _ gross: Int = 12) -> String {
        "F\(number);01/02/2026;31/12/2999;N\(number % 2000);Client \(number % 2000);;;\(gross - 2);2;\(gross);EUR;"
    }

    private func invoices(
        _ bench: Workbench, _ name: String, _ numbers: Range<Int> = 0..<count, gross: Int = 12
    ) throws -> String {
        try bench.invoices(numbers.map { row($0, $0.isMultiple(of: 10) ? gross : 12) }, name: name)
    }

    /// A cluster of the test's own, where nobody else writes to the log and autovacuum does not either.
    private func withBench(_ body: (Workbench) async throws -> Void) async throws {
        let folder = URL(filePath: "/tmp/relais-traps-\(UUID().uuidString.prefix(8))")
        let cluster = try PrivateCluster(folder: folder)
        do {
            try await cluster.start()
            let admin = try await Connection.open(cluster.connectionString())
            try await admin.script("alter system set autovacuum = off")
            try await admin.script("select pg_reload_conf()")
            _ = try await Migrator(try Schema.migrations()).migrate(admin)
            await admin.close()
            // Batches of 500, so that what is read for each of them adds up.
            try await body(
                try await Workbench(batchSize: 500, keepsFiles: true, url: cluster.connectionString()))
        } catch {
            Issue.record(error)
        }
        _ = try? await cluster.stop()
        try FileManager.default.removeItem(at: folder)
    }

    /// Rows of the large tables that were read without an index, or by one beyond what the records need.
    private func rowsRead(_ bench: Workbench) async throws -> (sequential: Int, byIndex: Int) {
        // A session counts for others when its transaction ends, but not more than once a second.
        try await Task.sleep(for: .seconds(1.1))
        let numbers = try await bench.pool.withConnection { connection in
            try await connection.script("select pg_stat_force_next_flush()")
            return try await connection.run(
                AdHoc<Int>(
                    """
                    select unnest(array[sum(seq_tup_read)::bigint, sum(idx_tup_fetch)::bigint])
                    from pg_stat_user_tables
                    where relname in ('sales_doc', 'party', 'org', 'site', 'external_identity', 'instalment',
                      'change_log', 'field_claim')
                    """))
        }
        return (numbers[0], numbers[1])
    }

    @Test func `a load into empty tables, and the same again, read no table for each batch`() async throws {
        try await withBench { bench in
            let half = Self.count / 2
            _ = try await bench.run([try invoices(bench, "a.csv", 0..<half)])
            let first = try await rowsRead(bench)
            _ = try await bench.run([try invoices(bench, "b.csv", half..<Self.count)])
            let both = try await rowsRead(bench)
            // Forty batches that each read what is there would read 400,000 rows, most of them for the second file.
            #expect(both.sequential < Self.count)
            #expect(both.byIndex < first.byIndex * 9 / 4)
            // Statistics change the planner's mind: a whole table hashed for a batch costs it less then.
            try await bench.pool.withConnection { try await $0.script("vacuum analyze") }
            let before = try await rowsRead(bench)
            let changed = try await bench.run([try invoices(bench, "c.csv", gross: 15)])
            #expect(changed.ledger.updated == Self.count / 10)
            let after = try await rowsRead(bench)
            #expect(after.sequential - before.sequential < Self.count)
            #expect(after.byIndex - before.byIndex < both.byIndex)
        }
    }

    @Test func `the same rows in another file write nothing, not even to the log`() async throws {
        try await withBench { bench in
            _ = try await bench.run([try invoices(bench, "a.csv")])
            // The first reader of new rows marks them as committed, which is logged with the page.
            try await bench.pool.withConnection { connection in
                try await connection.script("vacuum analyze")
                try await connection.script("checkpoint")
            }
            let before = try await bench.digest()
            let start = try await bench.numbers("select (pg_current_wal_insert_lsn() - '0/0')::bigint")
            let again = try bench.invoices((0..<Self.count).map { row($0) } + [row(0)], name: "encore.csv")
            #expect(try await bench.run([again]).ledger == RunLedger(unchanged: Self.count, skipped: 1))
            let end = try await bench.numbers("select (pg_current_wal_insert_lsn() - '0/0')::bigint")
            #expect(try await bench.digest() == before)
            // A locked row alone would log 83 bytes: 1.6 MB.
            #expect(end[0] - start[0] < 300_000)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Imports beside raw COPY and merge of the same rows into the same tables, and beside dlt.

internal import BlobStore
internal import CRM
internal import ConnectorKit
internal import ERPConnector
internal import Foundation
internal import Glibc
internal import Hub
internal import Mapping
internal import PostgreSQL

/// A first load, the same rows again, a tenth of them changed, and an undo, on a PostgreSQL with its usual settings.
struct ImportBench {
    let folder: URL
    let python: String
    private static let programs = Installation.all().first?.programs ?? URL(filePath: "/usr/bin")
    private let count = 1_000_000 / BenchData.divisor
    private let clients = 100_000 / BenchData.divisor

    func run() async throws {
        let cluster = try PrivateCluster(folder: folder.appending(path: "postgres"))
        try await cluster.start()
        defer { try? FileManager.default.removeItem(at: folder.appending(path: "postgres")) }
        do {
            try await measure(cluster)
        } catch {
            _ = try? await cluster.stop()
            throw error
        }
        try await cluster.stop()
    }

    private func measure(_ cluster: PrivateCluster) async throws {
        let admin = try await Connection.open(cluster.connectionString())
        _ = try await Migrator(try Schema.migrations()).migrate(admin)
        await admin.close()
        let url = cluster.connectionString()
        let pool = Pool(url)
        let accounts = try write(
            "comptes.csv", "id,name,siren,siret,tva,street,postcode,city,phone\n", clients
        ) {
            BenchData.account($0)
        }
        _ = try await load(accounts, pool)
        let base = try await baseline(cluster, pool)
        let file = try write("factures.csv", BenchData.columns, count) { BenchData.row($0, clients: clients) }
        let first = try await timed { try await load(file, pool) }
        // As autovacuum does within a minute: the first reader of new rows marks them, and logs each page for it.
        try await pool.withConnection { try await $0.script("vacuum (analyze) sales_doc") }
        Bench.report(
            "first load", Double(count) / first.seconds, Double(count) / base, "rows/s", "COPY and merge")
        let again = try write("encore.csv", BenchData.columns, count + 1) {
            BenchData.row($0, clients: clients)
        }
        let before = try await wal(pool)
        let same = try await timed { try await load(again, pool) }
        let written = try await wal(pool) - before
        Bench.report(
            "same rows in another file", Double(count) / same.seconds, Double(count) / first.seconds,
            "rows/s",
            "first load; \(same.value.ledger.updated) rows rewritten, \(written / 1024) KiB of WAL")
        let changed = try write("dix.csv", BenchData.columns, count) { number in
            BenchData.row(number, clients: clients, extra: number.isMultiple(of: 10) ? 100 : 0)
        }
        let tenth = try await timed { try await load(changed, pool) }
        Bench.report(
            "a tenth changed", Double(count) / tenth.seconds, Double(count) / first.seconds, "rows/s",
            "first load; \(tenth.value.ledger.updated) rows rewritten")
        let some = try write("cent.csv", BenchData.columns, count / 10) {
            BenchData.row($0 + 2_000_000, clients: clients)
        }
        let small = try await timed { try await load(some, pool) }
        let undo = try await timed { try await UndoEngine(pool: pool).undo(small.value.run) }
        Bench.report(
            "undo", Double(count / 10) / undo.seconds, Double(count / 10) / small.seconds, "rows/s",
            "its import")
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        Bench.report("memory at most", Double(usage.ru_maxrss) / 1024, 150, "MiB", "the limit")
        await pool.close()
        try dlt(file, url)
    }

    // MARK: - Relais

    private func load(_ file: URL, _ pool: Pool) async throws -> ImportReport {
        let engine = ImportEngine(
            pool: pool, source: "erp",
            ImportSettings(blobs: .init(folder: folder.appending(path: "blobs").path)),
            chooser: MappingChooser(try MappingLibrary.shipped()))
        return try await engine.run(ERPConnector(Settings(["paths": [file.path]])))
    }

    private func timed<Value>(_ body: () async throws -> Value) async throws -> (
        value: Value, seconds: Double
    ) {
        let started = ContinuousClock.now
        let value = try await body()
        return (value, started.duration(to: .now) / .seconds(1))
    }

    private func wal(_ pool: Pool) async throws -> Int {
        try await pool.withConnection { connection in
            try await connection.script("checkpoint")
            return try await connection.run(
                AdHoc<Int>("select (pg_current_wal_lsn() - '0/0')::bigint"))[0]
        }
    }

    private func write(_ name: String, _ head: String, _ count: Int, _ row: (Int) -> String) throws -> URL {
        let url = folder.appending(path: name)
        var text = head
        for number in 0..<count { text += row(number) }
        try Data(text.utf8).write(to: url)
        return url
    }

    // MARK: - Peers

    /// Seconds that psql takes for clean rows into the same tables, which are emptied again.
    private func baseline(_ cluster: PrivateCluster, _ pool: Pool) async throws -> Double {
        let rows = try write("propre.txt", "", count) { BenchData.cleanRow($0, clients: clients) }
        let script = folder.appending(path: "base.sql")
        let sql = """
            \\set ON_ERROR_STOP on
            begin;
            create temp table stage (number text, issued date, due date, code text, net numeric, tax numeric,
              gross numeric, status text);
            \\copy stage from '\(rows.path)'
            analyze stage;
            insert into run (kind, source_id) values ('import', 2);
            with made as (
              insert into sales_doc (kind, number, year, source_id, issuer_id, party_id, bill_site_id, issued_on, due_on,
                currency, net_total, tax_total, gross_total, given_status, billing_status, open_amount, content_hash,
                created_run)
              select 'invoice', s.number, extract(year from s.issued), e.source_id, 1, t.party_id, t.id, s.issued, s.due,
                'EUR', s.net, s.tax, s.gross, s.status, 'open', s.gross, sha256(s.number::bytea),
                (select max(id) from run)
              from stage s
              join external_identity e on e.ext_type = 'account' and e.ext_id = s.code
              join site t on t.id = e.entity_id
              on conflict (issuer_id, source_id, kind, number, year) do nothing
              returning id, due_on, gross_total, source_id, created_run
            ), instalments as (
              insert into instalment (doc_id, no, due_on, amount, open_amount)
              select id, 1, due_on, gross_total, gross_total from made
            )
            insert into change_log (entity, entity_id, op, source_id, run_id)
            select 'sales_doc', id, 'insert', source_id, created_run from made;
            commit;
            """
        try Data(sql.utf8).write(to: script)
        let started = ContinuousClock.now
        _ = try peer(
            Self.programs.appending(path: "psql").path,
            [cluster.connectionString(), "-q", "-X", "-f", script.path])
        let seconds = started.duration(to: .now) / .seconds(1)
        try await pool.withConnection { connection in
            let rows: [Int] = try await connection.run(AdHoc("select count(*) from sales_doc"))
            guard rows == [count] else { throw CocoaError(.fileReadCorruptFile) }
            try await connection.script(
                "truncate sales_doc cascade; truncate change_log; delete from run where id = (select max(id) from run); vacuum analyze"
                    .replacing("; vacuum analyze", with: ""))
        }
        return seconds
    }

    /// The same file through dlt and pyarrow, and what becomes of its amounts.
    private func dlt(_ file: URL, _ url: String) throws {
        let script = folder.appending(path: "load.py")
        try Data(Self.dltScript.utf8).write(to: script)
        let started = ContinuousClock.now
        let answer = try peer(python, [script.path, file.path, url, folder.path])
        let seconds = started.duration(to: .now) / .seconds(1)
        let type = answer.output.split(separator: "\n").last.map(String.init) ?? "not installed"
        print("dlt: \(Int(Double(count) / seconds)) rows/s once; amounts are kept as: \(type)")
    }

    private static let dltScript = """
        import os, sys
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
        os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"
        import dlt, psycopg2
        import pyarrow.csv as csv
        path, url, folder = sys.argv[1:4]
        table = csv.read_csv(path, parse_options=csv.ParseOptions(delimiter=";"),
                             convert_options=csv.ConvertOptions(decimal_point=","))
        parts = psycopg2.extensions.parse_dsn(url)
        from dlt.destinations.impl.postgres.configuration import PostgresCredentials
        credentials = PostgresCredentials()
        credentials.host, credentials.port, credentials.query = "localhost", 5432, {"host": parts["host"]}
        credentials.database, credentials.username, credentials.password = parts["dbname"], parts["user"], "-"
        pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(credentials), dataset_name="dlt",
                                pipelines_dir=folder + "/dlt")
        pipeline.run(table, table_name="factures", write_disposition="merge", primary_key="NumFacture")
        with psycopg2.connect(url) as connection, connection.cursor() as cursor:
            cursor.execute("select data_type from information_schema.columns where table_name = 'factures'"
                           " and column_name = 'montant_ttc'")
            print(cursor.fetchone()[0])
        """
}

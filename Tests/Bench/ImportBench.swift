// SPDX-License-Identifier: Apache-2.0
// Imports beside raw COPY and merge of the same rows into the same tables, and beside dlt.

internal import CRM
internal import Foundation
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
        // Tells which statements take how long; it costs a few per cent.
        try await admin.script("alter system set shared_preload_libraries = 'pg_stat_statements'")
        await admin.close()
        try await cluster.stop()
        try await cluster.start()
        let connection = try await Connection.open(cluster.connectionString())
        try await connection.script("create extension pg_stat_statements")
        _ = try await Migrator(try Schema.migrations()).migrate(connection)
        let relais = RelaisProgram(url: cluster.connectionString(), data: folder.appending(path: "data"))
        let accounts = try write(
            "comptes.csv", "id,name,siren,siret,tva,street,postcode,city,phone\n", clients
        ) {
            BenchData.account($0)
        }
        var peak = try await relais.run("import", accounts.path).peak
        let base = try await baseline(cluster, connection)
        try await connection.script("select pg_stat_statements_reset()")
        let file = try write("factures.csv", BenchData.columns, count) { BenchData.row($0, clients: clients) }
        let first = try await relais.run("import", file.path)
        Bench.report(
            "first load", Double(count) / first.seconds, Double(count) / base, "rows/s", "COPY and merge")
        let matching = try await connection.run(AdHoc<Int>(Self.matchingMilliseconds))[0]
        Bench.report("matching", Double(matching) / 1000, first.seconds, "s", "the whole first load")
        // Autovacuum does so within a minute, and the first reader of new rows marks them and logs each page for it:
        // neither is the import's own.
        try await connection.script("alter system set autovacuum = off")
        try await connection.script("select pg_reload_conf()")
        try await connection.script("vacuum (analyze)")
        let again = try write("encore.csv", BenchData.columns, count + 1) {
            BenchData.row($0, clients: clients)
        }
        let before = try await wal(connection)
        let same = try await relais.run("import", again.path)
        let written = try await wal(connection) - before
        Bench.report(
            "same rows in another file", Double(count) / same.seconds, Double(count) / first.seconds,
            "rows/s",
            "first load; \(same.ledger["updated"] ?? -1) rows rewritten, \(written / 1024) KiB of WAL")
        try await connection.script("alter system reset autovacuum")
        try await connection.script("select pg_reload_conf()")
        let changed = try write("dix.csv", BenchData.columns, count) { number in
            BenchData.row(number, clients: clients, extra: number.isMultiple(of: 10) ? 100 : 0)
        }
        let tenth = try await relais.run("import", changed.path)
        Bench.report(
            "a tenth changed", Double(count) / tenth.seconds, Double(count) / first.seconds, "rows/s",
            "first load; \(tenth.ledger["updated"] ?? -1) rows rewritten")
        let some = try write("cent.csv", BenchData.columns, count / 10) {
            BenchData.row($0 + 2_000_000, clients: clients)
        }
        let small = try await relais.run("import", some.path)
        let undo = try await relais.run("runs", "undo", String(small.run))
        Bench.report(
            "undo", Double(count / 10) / undo.seconds, Double(count / 10) / small.seconds, "rows/s",
            "its import")
        peak = max(peak, first.peak, same.peak, tenth.peak, small.peak, undo.peak)
        Bench.report("memory at most", Double(peak) / 1024, 150, "MiB", "the limit")
        await connection.close()
        try dlt(file, cluster.connectionString())
    }

    /// The look-ups of parties all have this shape.
    private static let matchingMilliseconds = """
        select coalesce(sum(total_exec_time), 0)::bigint from pg_stat_statements
        where query like '%k(value)%cross join lateral%'
        """

    private func wal(_ connection: Connection) async throws -> Int {
        try await connection.script("checkpoint")
        return try await connection.run(AdHoc<Int>("select (pg_current_wal_lsn() - '0/0')::bigint"))[0]
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
    private func baseline(_ cluster: PrivateCluster, _ connection: Connection) async throws -> Double {
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
        let made: [Int] = try await connection.run(AdHoc("select count(*) from sales_doc"))
        guard made == [count] else { throw CocoaError(.fileReadCorruptFile) }
        try await connection.script(
            "truncate sales_doc cascade; truncate change_log; delete from run where id = (select max(id) from run)"
        )
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

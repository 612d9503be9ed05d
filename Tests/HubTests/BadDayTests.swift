// SPDX-License-Identifier: Apache-2.0
// Disks that are full, mappings that change and clocks that go back while files are imported.

import BlobStore
import CRM
import ConnectorKit
import Diagnostics
import ERPConnector
import Foundation
import Hub
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct BadDayTests {
    private func row(_ number: Int, _ gross: Int = 12) -> String {
        "F\(number);01/02/2026;31/12/2999;N\(number % 50);Client \(number % 50);;;;;\(gross);EUR;"
    }

    // MARK: - Full disks

    @Test(.enabled("only root can mount a small disk", { geteuid() == 0 }))
    func `a full disk under the kept files fails the run by name, and leaves nothing behind`() async throws {
        try await SmallDisk.with(mebibytes: 1) { disk in
            let bench = try await Workbench(blobFolder: disk.folder.appending(path: "blobs"))
            let file = try bench.invoices((0..<30_000).map { row($0) })
            let error = await #expect(throws: BlobError.self) { _ = try await bench.run([file]) }
            #expect(error?.has(.unwritable) == true)
            #expect(error?.diagnostic.place.file == "factures.csv")
            #expect(error?.diagnostic.facts["errno"] == "28")
            let runs = try await bench.texts("select state || ' ' || (error->>'code') from run")
            #expect(runs == ["failed BLOB-UNWRITABLE"])
            #expect(try await bench.numbers("select count(*) from blob") == [0])
            let left = FileManager.default.enumerator(atPath: disk.folder.path)?.compactMap { $0 as? String }
            #expect(left?.contains { $0.contains(".part-") } == false)
            try await disk.grow(mebibytes: 8)
            #expect(try await bench.run([file]).ledger == RunLedger(inserted: 30_000))
        }
    }

    @Test(.enabled("only root can mount a small disk", { geteuid() == 0 }))
    func `a disk that fills under PostgreSQL in the middle of an import is no loss`() async throws {
        try await SmallDisk.with(mebibytes: 110) { disk in
            let cluster = try PrivateCluster(folder: disk.folder.appending(path: "data"))
            do {
                try await cluster.start()
                let admin = try await Connection.open(cluster.connectionString())
                _ = try await Migrator(try Schema.migrations()).migrate(admin)
                await admin.close()
                let bench = try await Workbench(batchSize: 500, url: cluster.connectionString())
                let file = try bench.invoices((0..<100_000).map { row($0) })
                let error = await #expect(throws: PostgreSQLError.self) {
                    _ = try await bench.run([file], mapping: nil)
                }
                // Where another of the server's processes meets the full disk first, it takes all down: the
                // import only sees its connection break.
                let causes: [PostgreSQLError.Code] = [
                    .diskFull, .connectionLost, .commitUnknown, .shuttingDown, .unreachable,
                ]
                #expect(causes.contains { error?.has($0) == true }, "\(String(describing: error))")
                try await disk.grow(mebibytes: 1000)
                // It recovers by itself, unless the disk was full for its recovery too: then it is started, as the
                // daemon does.
                try await until { (try? await cluster.start()) != nil }
                let some = try await bench.numbers("select count(*) from sales_doc")
                #expect(some[0] > 0 && some[0] < 100_000)
                let again = try await bench.run([file])
                #expect(again.ledger == RunLedger(inserted: 100_000 - some[0], unchanged: some[0]))
                let runs = try await bench.texts("select state from run order by id")
                #expect(runs == ["failed", "succeeded"])
            } catch {
                Issue.record(error)
            }
            _ = try? await cluster.stop()
        }
    }

    // MARK: - Mappings that change

    private static let mapping = """
        mapping: comptes-a-moi
        version: 1
        target: account
        source: {kind: csv}
        fields:
          code: {col: id, required: true}
          name: {col: nom}
        match: {account: {try: [[external, crm, code]], none: create}}
        upsert: {key: [code]}
        """

    @Test func `a mapping that changes while a run goes on is the next run's`() async throws {
        let bench = try await Workbench(batchSize: 100)
        let file = bench.folder.appending(path: "m.yaml")
        try Data(Self.mapping.utf8).write(to: file)
        let rows = "id,nom,ville\n" + (0..<2000).map { "A\($0),Nom \($0),Ville \($0)\n" }.joined()
        let data = try bench.write(rows, "a.csv")
        func load() throws -> MappingDefinition {
            try MappingDefinition.parse(String(contentsOf: file, encoding: .utf8), file: "m.yaml")
        }
        let changed = Self.mapping.replacing("{col: nom}", with: "{col: ville}").replacing(
            "version: 1", with: "version: 2")
        var hasChanged = false
        let first = try await bench.run([data], mapping: try load()) { progress in
            guard progress.phase == .applying, !hasChanged else { return }
            hasChanged = true
            try? Data(changed.utf8).write(to: file)
        }
        #expect(hasChanged)
        #expect(first.files.map(\.mapping) == ["comptes-a-moi@1"])
        #expect(try await bench.numbers("select count(*) from party where name like 'Nom %'") == [2000])
        let second = try await bench.run([data], mapping: try load())
        #expect(second.ledger == RunLedger(updated: 2000))
        #expect(try await bench.numbers("select count(*) from party where name like 'Ville %'") == [2000])
        let kept = try await bench.texts(
            """
            select a.run_id || ' ' || m.name || '@' || m.version || ' ' || (m.text like '%col: ville%')
            from artifact a join mapping_version m on m.id = a.mapping_version_id order by a.id
            """)
        #expect(kept == ["1 comptes-a-moi@1 false", "2 comptes-a-moi@2 true"])
    }

    // MARK: - Columns that come and go

    @Test func `columns that come or go are named once, in preview too, and the file is applied`()
        async throws
    {
        let bench = try await Workbench()
        func write(_ header: String, _ row: String, _ name: String) throws -> String {
            try bench.write("\(header)\n\(row)\n", name)
        }
        func warnings(_ file: String) async throws -> [String] {
            try await bench.run([file]).files[0].warnings.map { "\($0.code) \($0.facts["columns"] ?? "")" }
        }
        #expect(try await warnings(write("id,name,phone,secteur", "A1,Un,,x", "a.csv")) == [])
        #expect(try await warnings(write("id,name,phone,secteur", "A2,Deux,,x", "b.csv")) == [])
        let changed = try write("id,name,secteur,effectif,zone", "A3,Trois,x,12,N", "c.csv")
        let foreseen = try await bench.previewReports([changed])[0].warnings.map(\.code)
        let expected = ["DRIFT-COLUMN-NEW effectif, zone", "DRIFT-COLUMN-GONE phone"]
        #expect(foreseen == ["DRIFT-COLUMN-NEW", "DRIFT-COLUMN-GONE"])
        #expect(try await warnings(changed) == expected)
        #expect(try await bench.numbers("select count(*) from party where status = 'client'") == [3])
        let kept = try await bench.texts(
            "select findings->0->>'columns' from artifact order by id desc limit 1")
        #expect(kept == ["effectif, zone"])
        // Both forms are known now.
        #expect(try await warnings(write("id,name,phone,secteur", "A4,Quatre,,x", "d.csv")) == [])
    }

    // MARK: - Clocks

    /// Sets the database's clock back, seen from its rows: every time that it has noted is two days later.
    private func setClockBack(_ bench: Workbench) async throws {
        let statements = try await bench.texts(
            """
            select format('update %I set %s', table_name,
              string_agg(format('%1$I = %1$I + interval ''2 days''', column_name), ', '))
            from information_schema.columns
            join pg_tables on schemaname = table_schema and tablename = table_name
            where table_schema = current_schema and data_type = 'timestamp with time zone' group by table_name
            """)
        #expect(statements.count > 8)
        let script = statements.compactMap(\.self).joined(separator: ";\n")
        try await bench.pool.withConnection {
            try await $0.script("set session_replication_role = replica;\n\(script);\nreset all")
        }
    }

    /// Two imports of accounts and invoices, a replay and an undo; `between` comes before each but the first.
    private func story(_ between: (Workbench) async throws -> Void) async throws -> [String?] {
        let bench = try await Workbench()
        let one = "A1,Maçonnerie Dupré,404833048,,,\"1, rue A\",35000,RENNES,02 99 00 00 01"
        _ = try await bench.accounts(one)
        try await between(bench)
        _ = try await bench.accounts(one.replacing("RENNES", with: "BREST"), name: "b.csv")
        let rows = (0..<20).map { row($0) } + ["F99;99/02/2026;;N1;Client 1;;;;;12;EUR;"]
        let first = try await bench.run([try bench.invoices(rows)])
        try await between(bench)
        _ = try await bench.run([try bench.invoices((0..<20).map { row($0, 15) }, name: "c.csv")])
        _ = try await bench.correct(QuarantineFilter(), ["issue_date": "2026-02-03"])
        try await between(bench)
        #expect(try await bench.replay(QuarantineFilter()).ledger == RunLedger(inserted: 1))
        try await between(bench)
        let last = try await bench.run([try bench.invoices((0..<5).map { row($0, 18) }, name: "d.csv")])
        try await between(bench)
        #expect(try await bench.undo(last.run).count("restore") == 5)
        #expect(try await bench.undo(first.run).count("keep") > 0)
        return try await bench.content()
    }

    @Test func `a clock that is set back changes nothing`() async throws {
        let steady = try await story { _ in }
        let jumping = try await story { try await setClockBack($0) }
        #expect(jumping == steady)
    }
}

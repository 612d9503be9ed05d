// SPDX-License-Identifier: Apache-2.0
// What is no longer kept, and what stays; limits that a flow sets in the place of its mapping.

import BlobStore
import ConnectorKit
import Diagnostics
import ERPConnector
import Foundation
import Hub
import Jobs
import Mapping
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct RetentionTests {
    private func retention(_ bench: Workbench) -> Retention {
        Retention(pool: bench.pool, blobs: bench.blobs, days: RetentionDays())
    }

    /// Two files, of which one has a record in quarantine, imported 400 days ago; the second import changed the first.
    private func old(_ bench: Workbench) async throws {
        _ = try await bench.accounts("C1,Un,,,,,,,", "C2,Deux,,,,,,,")
        let large = (0..<12_000).map { "D\($0),Client \($0),,,,,,," }.joined(separator: "\n")
        _ = try await bench.accounts(large, name: "grand.csv")
        _ = try await bench.accounts("C1,Autre,,,,,,,", "C3,,,,,,,,", name: "faux.csv")
        try await bench.script(
            """
            update artifact set received_at = received_at - interval '400 days';
            update run set started_at = started_at - interval '400 days', finished_at = finished_at - interval '400 days';
            insert into job_history (job_id, queue, kind, group_key, outcome, attempt, created_at, ended_at)
            values (1, 'bulk', 'x', '', 'done', 1, now(), now() - interval '400 days'),
              (2, 'bulk', 'x', '', 'done', 1, now(), now());
            """)
    }

    @Test func `old bytes and images go, those that quarantine needs stay, and a dry run tells the same`()
        async throws
    {
        let bench = try await Workbench(keepsFiles: true)
        try await old(bench)
        let hashes = try await bench.texts("select encode(sha256, 'hex') from blob order by 1")
        let plan = try await retention(bench).plan()
        #expect(plan.files == 2 && plan.runs == 3 && plan.images > 0 && plan.jobs == 1)
        #expect(try await bench.numbers("select count(*) from blob where dropped_at is not null") == [0])
        #expect(try await retention(bench).run() == plan)
        #expect(try await retention(bench).run().files == 0)
        #expect(try await bench.texts("select encode(sha256, 'hex') from blob order by 1") == hashes)
        #expect(
            try await bench.texts(
                "select a.name from artifact a join blob b using (sha256) where b.dropped_at is null")
                == ["faux.csv"])
        #expect(try await bench.numbers("select count(*) from run_change") == [0])
        #expect(try await bench.numbers("select job_id from job_history") == [2])
        // Nothing is missing for the scrub, and counts stay.
        let scrub = try await bench.pool.withConnection { try await bench.blobs.scrub(on: $0) }
        #expect(scrub.missing.isEmpty && scrub.damaged.isEmpty && scrub.blobs == 1)
        #expect(try await bench.numbers("select read from run order by id") == [2, 12_000, 2])
        await #expect(throws: RunError.self) { try await UndoEngine(pool: bench.pool).undo(3) }
    }

    @Test func `bytes that were let go are kept again when they come again`() async throws {
        let bench = try await Workbench(keepsFiles: true)
        try await old(bench)
        _ = try await retention(bench).run()
        // With another mapping's version they are imported anew.
        try await bench.script("update mapping_version set text = text || '#'")
        let large = (0..<12_000).map { "D\($0),Client \($0),,,,,,," }.joined(separator: "\n")
        let ledger = try await bench.accounts(large, name: "grand.csv")
        #expect(ledger.unchanged == 12_000)
        #expect(
            try await bench.numbers("select count(*) from blob where dropped_at is null and size > 262144")
                == [1])
        let scrub = try await bench.pool.withConnection { try await bench.blobs.scrub(on: $0) }
        #expect(scrub.missing.isEmpty && scrub.blobs == 2)
    }

    @Test func `a flow keeps its own time`() async throws {
        let bench = try await Workbench()
        try await old(bench)
        let connectors = ConnectorRegistry([ERPConnector.self])
        let flow = try FlowDefinition.parse(
            "flow: f\nconnector: erp\nsettings: {paths: [x]}\nretention: {files: 500, images: 500}\n",
            file: "f",
            connectors: connectors, mappings: try .shipped())
        try await bench.pool.withConnection { connection in
            _ = try await Flows.apply(
                flow, by: nil, now: Timestamp(microsecondsSince1970: 0), on: connection)
        }
        try await bench.script("update run set flow_id = (select id from flow)")
        let plan = try await retention(bench).plan()
        #expect(plan.files == 0 && plan.runs == 0)
    }

    @Test func `ended jobs and times of schedules go by their flow's time, shorter or longer`() async throws {
        let bench = try await Workbench()
        let connectors = ConnectorRegistry([ERPConnector.self])
        for (name, days) in [("court", 30), ("long", 800)] {
            let flow = try FlowDefinition.parse(
                "flow: \(name)\nconnector: erp\nsettings: {paths: [x]}\nretention: {jobs: \(days)}\n",
                file: "f",
                connectors: connectors, mappings: try .shipped())
            try await bench.pool.withConnection { connection in
                _ = try await Flows.apply(
                    flow, by: nil, now: Timestamp(microsecondsSince1970: 0), on: connection)
            }
        }
        // A month of its own, as the queue makes them, in which only the long one has anything to keep.
        try await bench.script(
            """
            do $$ begin execute format(
              'create table %I partition of job_history for values from (%L) to (%L)',
              'job_history_' || to_char(now() - interval '450 days', 'YYYY_MM'),
              date_trunc('month', now() - interval '450 days'),
              date_trunc('month', now() - interval '450 days') + interval '1 month');
            end $$;
            insert into job_history (job_id, queue, kind, group_key, outcome, attempt, created_at, ended_at)
            select row_number() over (), 'bulk', 'flow', g, 'done', 1, now(), now() - d * interval '1 day'
            from unnest(array['flow:court', 'flow:long', 'daily']) g, unnest(array[10, 100, 450]) d;
            insert into flow_firing (flow_id, nominal_at, outcome)
            select id, now() - d * interval '1 day', 'missed' from flow, unnest(array[10, 100, 450]) d;
            """)
        let plan = try await retention(bench).plan()
        #expect(plan.jobs == 3 + 2)
        #expect(try await retention(bench).run().jobs == plan.jobs)
        #expect(
            try await bench.texts(
                "select group_key || count(*) from job_history group by group_key order by 1")
                == ["daily2", "flow:court1", "flow:long3"])
        #expect(
            try await bench.texts(
                "select f.name || count(*) from flow_firing join flow f on f.id = flow_id group by f.name order by 1"
            )
                == ["court1", "long3"])
        // Once nobody needs that month any more, it goes as a whole.
        try await bench.script("update flow_retention set jobs = null")
        _ = try await retention(bench).run()
        #expect(
            try await bench.numbers(
                "select count(*) from pg_class where relname = 'job_history_' || to_char(now() - interval '450 days', 'YYYY_MM')"
            )
                == [0])
    }

    @Test func `uploads go by their flow's time, archives too, and never before they were read`() async throws
    {
        let bench = try await Workbench()
        try await bench.script(
            """
            set constraints all deferred;
            insert into flow (name, version) values ('depot', 1);
            insert into flow_version (flow_id, version, text) select id, 1, '' from flow;
            insert into flow_retention (flow_id, files) select id, 90 from flow;
            insert into blob (sha256, size) values (sha256('a'), 1), (sha256('b'), 1), (sha256('c'), 1);
            insert into upload (flow_id, sha256, name, size, received_at)
            select f.id, b.sha256, 'x.zip', 1, now() - interval '100 days' from flow f, blob b;
            """)
        #expect(try await retention(bench).plan().files == 0)
        try await bench.script(
            "insert into flow_cursor (flow_id, cursor) select flow_id, (max(id) - 1)::text from upload group by 1"
        )
        #expect(try await retention(bench).plan().files == 2)
        #expect(try await retention(bench).run().files == 2)
    }

    @Test func `once a day, whoever ticks, what is overdue is worked out and the rest is let go`()
        async throws
    {
        let bench = try await Workbench()
        let header =
            "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;Devise;MontantHT;MontantTVA;MontantTTC;Statut\n"
        let row = "F-1;03/01/2026;02/02/2096;C-001;Épicerie;991002015;;EUR;100,00;20,00;120,00;impayée\n"
        _ = try await bench.run([try bench.write(header + row, "f.csv")])
        try await bench.script("update sales_doc set due_on = current_date - 1")
        #expect(try await bench.texts("select billing_status from sales_doc") == ["open"])
        let scheduler = FlowScheduler(pool: bench.pool, pause: .milliseconds(20))
        let worker = Worker(
            pool: bench.pool, name: "test", slots: [.bulk: 1], handlers: retention(bench).handlers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            group.addTask { await scheduler.run() }
            try await until {
                try await bench.texts("select billing_status from sales_doc") == ["overdue"]
            }
            try await until { try await bench.numbers("select count(*) from job_history") == [1] }
            try await Task.sleep(for: .milliseconds(100))
            group.cancelAll()
            worker.drain()
            try await group.waitForAll()
        }
        #expect(try await bench.numbers("select count(*) from job_history where kind = 'daily'") == [1])
        #expect(try await bench.numbers("select count(*) from job") == [0])
    }

    @Test func `a flow's limits and drift policy take the place of its mapping's`() async throws {
        let bench = try await Workbench()
        let connectors = ConnectorRegistry([ERPConnector.self])
        let file = try bench.write(
            "id,name,siren,siret,tva,street,postcode,city,phone\nC1,Un,,,,,,,\nC2,,,,,,,,\n", "a.csv")
        func definition(_ lines: String) throws -> FlowDefinition {
            try FlowDefinition.parse(
                "flow: f\nconnector: erp\nsettings: {paths: [\(file)]}\n\(lines)\n", file: "f",
                connectors: connectors, mappings: try .shipped())
        }
        func run(_ flow: FlowDefinition, _ path: String) async throws -> FileReport {
            var settings = ImportSettings(blobs: bench.blobs)
            settings.limits = flow.limits
            let engine = ImportEngine(
                pool: bench.pool, source: "erp", settings, chooser: MappingChooser(try .shipped())
            )
            return try #require(try await engine.run(ERPConnector(Settings(["paths": [path]]))).files.first)
        }
        let strict = try definition("limits: {stop_after: 0}")
        #expect(try await run(strict, file).isStoppedByLimit)
        let lenient = try definition("limits: {stop_ratio: 0.5}\ndrift: stop")
        #expect(try await run(lenient, file).ledger.inserted == 1)
        let wider = try bench.write(
            "id,name,siren,siret,tva,street,postcode,city,phone,couleur\nC3,Trois,,,,,,,,bleu\n", "b.csv")
        let refused = try await run(lenient, wider)
        #expect(refused.refusal?.code == "DRIFT-COLUMN-NEW", "\(String(describing: refused.refusal?.code))")
        let faults = #expect(throws: FlowFaults.self) {
            try definition("limits: {stop_ratio: 2, stop_aft: 1}\ndrift: maybe\nretention: {files: 0}")
        }
        #expect(
            faults?.faults.map { "\($0.place.line ?? 0) \($0.code)" } == [
                "4 YAML-VALUE", "4 YAML-KEY", "5 YAML-VALUE", "6 YAML-VALUE",
            ])
    }
}

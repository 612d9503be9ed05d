// SPDX-License-Identifier: Apache-2.0
// Flows: their files, their versions, their times, and what a worker does for them.

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
import Schedule
import Testing

@Suite struct FlowTests {
    private static let connectors = ConnectorRegistry([ERPConnector.self])

    private static func at(_ text: String) -> Timestamp {
        let date = ISO8601DateFormatter().date(from: text) ?? Date(timeIntervalSince1970: 0)
        return Timestamp(microsecondsSince1970: Int64(date.timeIntervalSince1970) * 1_000_000)
    }

    private static func flow(_ lines: String...) throws -> FlowDefinition {
        let text = (["flow: factures", "connector: erp"] + lines).joined(separator: "\n") + "\n"
        return try FlowDefinition.parse(
            text, file: "f.yaml", connectors: connectors, mappings: try MappingLibrary.shipped())
    }

    // MARK: - Files

    @Test func `all faults of a file are told at once, each with its line`() throws {
        let faults = #expect(throws: FlowFaults.self) {
            _ = try Self.flow(
                "conector: x", "settings: {fro: /tmp, after: burn}", "mapping: account-csv",
                "schedule: {cron: \"15 6 * * mon-fry\", zone: Paris, missed: never}", "attempts: many")
        }
        let found = faults?.faults.map { "\($0.place.line ?? 0) \($0.code)" } ?? []
        #expect(
            found == [
                "3 YAML-KEY", "4 SETTING-MISSING", "4 SETTING-UNKNOWN", "4 SETTING-VALUE",
                "5 MAP-MAPPING-UNKNOWN", "6 CRON-VALUE", "6 CRON-ZONE", "6 YAML-VALUE", "7 YAML-VALUE",
            ])
    }

    @Test func `a flow whose test is read otherwise is refused`() async throws {
        let bench = try await Workbench()
        // Enough good rows for one bad one to be within the mapping's limit.
        let rows = (1...30).map { "F\($0);01/02/2026;;N1;Un;;;10;2;12;EUR;" }
        _ = try bench.invoices(rows + ["F31;99/02/2026;;N1;Un;;;10;2;12;EUR;"])
        let good = try Self.flow(
            "settings: {paths: [x]}", "mapping: factures-csv",
            "tests: [{file: factures.csv, records: 31, errors: 1}]")
        let mappings = try MappingLibrary.shipped()
        try await FlowTesting.check(good, in: bench.folder.path, mappings: mappings)
        var bad = good
        bad.tests[0].errors = 0
        bad.tests.append(bad.tests[0])
        bad.tests[1].file = "none.csv"
        let (faulty, folder) = (bad, bench.folder.path)
        let faults = await #expect(throws: FlowFaults.self) {
            try await FlowTesting.check(faulty, in: folder, mappings: mappings)
        }
        #expect(faults?.faults.map(\.code) == ["FLOW-TEST", "FILE-MISSING"])
    }

    // MARK: - Times

    private static func plan(
        _ keys: String, due: String, now: String, isLive: Bool = false, isPaused: Bool = false
    ) throws -> FiringPlan {
        let flow = try flow("settings: {paths: [x]}", "schedule: {cron: \"0 6 * * *\", \(keys)}")
        return FiringPlan(
            try #require(flow.schedule), due: at(due), now: at(now), isLive: isLive, isPaused: isPaused)
    }

    private static func outcomes(_ plan: FiringPlan) -> [String] { plan.firings.map(\.outcome.rawValue) }

    @Test func `a time in time is kept, whatever becomes of missed ones`() throws {
        for missed in ["skip", "once", "all"] {
            let plan = try Self.plan(
                "missed: \(missed)", due: "2026-01-05T05:00:00Z", now: "2026-01-05T05:00:03Z")
            #expect(Self.outcomes(plan) == ["queued"])
            #expect(plan.next == Self.at("2026-01-06T05:00:00Z"))
        }
    }

    @Test(arguments: [
        ("skip", ["missed", "missed", "missed"]), ("once", ["missed", "missed", "queued"]),
        ("all, missed_limit: 2, overlap: queue", ["missed", "queued", "queued"]),
    ])
    func `times that passed while nothing ticked follow the flow's rule`(rule: String, outcomes: [String])
        throws
    {
        let plan = try Self.plan("missed: \(rule)", due: "2026-01-05T05:00:00Z", now: "2026-01-07T09:00:00Z")
        #expect(Self.outcomes(plan) == outcomes)
        #expect(plan.next == Self.at("2026-01-08T05:00:00Z"))
    }

    @Test func `a run that has not ended is waited for, left alone or cancelled`() throws {
        let (due, now) = ("2026-01-05T05:00:00Z", "2026-01-05T05:00:01Z")
        #expect(
            Self.outcomes(try Self.plan("overlap: skip", due: due, now: now, isLive: true)) == ["overlap"])
        #expect(
            Self.outcomes(try Self.plan("overlap: queue", due: due, now: now, isLive: true)) == ["queued"])
        let cancelling = try Self.plan("overlap: cancel", due: due, now: now, isLive: true)
        #expect(Self.outcomes(cancelling) == ["queued"] && cancelling.cancelsPrevious)
        let paused = try Self.plan("overlap: queue", due: due, now: now, isPaused: true)
        #expect(Self.outcomes(paused) == ["paused"])
    }

    @Test func `however many nodes tick, a time becomes one job`() async throws {
        let bench = try await Workbench()
        let flow = try Self.flow("settings: {paths: [x]}", "schedule: \"*/5 * * * *\"")
        try await bench.pool.withConnection { connection in
            for number in 0..<20 {
                var one = flow
                one.name = "flow-\(number)"
                one.text = "\(number)"
                _ = try await Flows.apply(one, by: nil, now: Self.at("2026-01-05T05:01:00Z"), on: connection)
            }
        }
        let scheduler = FlowScheduler(pool: bench.pool)
        let made = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await bench.pool.withConnection { connection in
                        try await scheduler.tick(Self.at("2026-01-05T05:05:00Z"), on: connection)
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(made == 20)
        #expect(try await bench.numbers("select count(*) from job") == [20])
        #expect(try await bench.numbers("select count(*) from flow_firing where outcome = 'queued'") == [20])
        // The clock set back: the same time does not come again.
        try await bench.script("update flow_schedule set next_at = '2026-01-05T05:05:00Z'")
        let again = try await bench.pool.withConnection { connection in
            try await scheduler.tick(Self.at("2026-01-05T05:05:30Z"), on: connection)
        }
        #expect(again == 0)
    }

    // MARK: - Running

    private static func run(
        _ bench: Workbench, _ flow: FlowDefinition, until condition: () async throws -> Bool
    ) async throws {
        try await bench.pool.withConnection { connection in
            _ = try await Flows.apply(flow, by: "claire", now: at("2026-01-05T05:01:00Z"), on: connection)
            _ = try await Flows.run(
                flow.name, connectors: connectors, mappings: try MappingLibrary.shipped(), on: connection)
        }
        let runner = FlowRunner(
            pool: bench.pool, connectors: connectors, mappings: MappingShelf(own: nil),
            settings: ImportSettings(blobs: bench.blobs),
            secrets: Secrets(keyFile: bench.folder.path + "/secret.key", mayMakeKey: true))
        // Leases are never lost by being slow here, and nothing is heard of one that is, until something is written.
        var timing = Worker.Timing()
        timing.lease = .seconds(3600)
        timing.beat = .seconds(3600)
        let worker = Worker(
            pool: bench.pool, name: UUID().uuidString, slots: [.interactive: 1], timing: timing,
            handlers: runner.handlers)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            try await until(condition)
            worker.drain()
            try await group.waitForAll()
        }
    }

    @Test func `a flow whose run a person stops takes the file again when it runs next`() async throws {
        let bench = try await Workbench()
        let inbox = bench.folder.appending(path: "in")
        try FileManager.default.createDirectory(
            at: inbox, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let flow = try Self.flow("settings: {from: \(inbox.path), stillness: 0}", "mapping: factures-csv")
        let file = try bench.invoices(["F1;01/02/2026;;N1;Un;;;10;2;12;EUR;"])
        try FileManager.default.moveItem(atPath: file, toPath: inbox.appending(path: "a.csv").path)
        try await bench.script(
            """
            insert into app_user (login, name, role) values ('nina', 'Nina', 'it');
            create function ask() returns trigger language plpgsql as $$
            begin
              new.stop_asked_at := now();
              new.stop_asked_by := (select id from app_user);
              return new;
            end $$;
            create trigger ask before insert on run for each row execute function ask();
            """)
        try await Self.run(bench, flow) { try await bench.numbers("select count(*) from job_history") == [1] }
        #expect(try await bench.texts("select state || read from run") == ["stopped0"])
        #expect(try await bench.texts("select outcome from job_history") == ["done"])
        try await bench.script("drop trigger ask on run")
        try await Self.run(bench, flow) { try await bench.numbers("select count(*) from job_history") == [2] }
        #expect(
            try await bench.texts("select state || inserted from run order by id") == [
                "stopped0", "succeeded1",
            ])
    }

    @Test func `a flow imports what has arrived, says which version did it, and makes no run of nothing`()
        async throws
    {
        let bench = try await Workbench()
        let inbox = bench.folder.appending(path: "in")
        try FileManager.default.createDirectory(
            at: inbox, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let flow = try Self.flow(
            "settings: {from: \(inbox.path), stillness: 0}", "mapping: factures-csv")
        try await Self.run(bench, flow) { try await bench.numbers("select count(*) from job_history") == [1] }
        #expect(try await bench.numbers("select count(*) from run") == [0])
        let file = try bench.invoices(["F1;01/02/2026;;N1;Un;;;10;2;12;EUR;"])
        try FileManager.default.moveItem(atPath: file, toPath: inbox.appending(path: "a.csv").path)
        try await Self.run(bench, flow) { try await bench.numbers("select count(*) from job_history") == [2] }
        #expect(try await bench.texts("select state || flow_version || inserted from run") == ["succeeded11"])
        #expect(try await bench.numbers("select run_id from job_history where run_id is not null") == [1])
        #expect(try FileManager.default.contentsOfDirectory(atPath: inbox.path + "/done").count == 1)
        let history = try await bench.pool.withConnection { try await Flows.history(flow.name, on: $0) }
        #expect(history.map(\.kind) == ["run", "version"])
    }

    @Test func `files that stay where they are come once`() async throws {
        let bench = try await Workbench()
        let inbox = bench.folder.appending(path: "in")
        try FileManager.default.createDirectory(
            at: inbox, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        let flow = try Self.flow(
            "settings: {from: \(inbox.path), stillness: 0, after: keep}", "mapping: factures-csv")
        let file = try bench.invoices(["F1;01/02/2026;;N1;Un;;;10;2;12;EUR;"])
        try FileManager.default.moveItem(atPath: file, toPath: inbox.appending(path: "a.csv").path)
        for count in 1...2 {
            try await Self.run(bench, flow) {
                try await bench.numbers("select count(*) from job_history") == [count]
            }
        }
        #expect(try await bench.numbers("select count(*) from run") == [1])
        #expect(FileManager.default.fileExists(atPath: inbox.appending(path: "a.csv").path))
    }

    @Test func `an import whose job is another's writes nothing more`() async throws {
        let bench = try await Workbench()
        let file = try bench.invoices((0..<10).map { "F\($0);01/02/2026;;N1;Un;;;10;2;12;EUR;" })
        try await bench.script(
            """
            create function steal() returns trigger language plpgsql as $$
            begin
              update job set lease_token = nextval('job_lease'), worker = 'other' where state = 'running';
              return new;
            end $$;
            create trigger steal after insert on artifact for each row execute function steal()
            """)
        let flow = try Self.flow("settings: {paths: [\(file)]}", "mapping: factures-csv")
        try await Self.run(bench, flow) { try await bench.texts("select state from run") == ["failed"] }
        #expect(try await bench.numbers("select count(*) from sales_doc") == [0])
        #expect(try await bench.texts("select error->>'code' from run") == ["JOB-LEASE-LOST"])
        #expect(try await bench.texts("select worker from job") == ["other"])
    }

    @Test func `versions stay, the same text makes none, and a paused flow does not begin`() async throws {
        let bench = try await Workbench()
        let first = try Self.flow("settings: {paths: [x]}")
        let second = try Self.flow("settings: {paths: [y]}", "schedule: \"@daily\"")
        try await bench.pool.withConnection { connection in
            for (flow, version, isNew) in [
                (first, 1, true), (first, 1, false), (second, 2, true), (first, 3, true),
            ] {
                let applied = try await Flows.apply(
                    flow, by: nil, now: Self.at("2026-01-05T05:01:00Z"), on: connection)
                #expect(applied.version == version && applied.isNew == isNew)
            }
            #expect(try await Flows.text("factures", version: 2, on: connection) == second.text)
            #expect(try await Flows.list(on: connection).map(\.nextAt) == [nil])
            try await Flows.pause("factures", true, by: nil, on: connection)
            let mappings = try MappingLibrary.shipped()
            let paused = await #expect(throws: FlowError.self) {
                _ = try await Flows.run(
                    "factures", connectors: Self.connectors, mappings: mappings, on: connection)
            }
            #expect(paused?.has(.paused) == true)
            let unknown = await #expect(throws: FlowError.self) {
                _ = try await Flows.show("facture", on: connection)
            }
            #expect(unknown?.diagnostic.facts["suggestion"] == "factures")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// The queue beside raw SQL and pgqueuer, with durable commits; what wake-ups, tailer, schedules and an idle daemon cost.

internal import CRM
internal import ERPConnector
internal import Foundation
internal import Hub
internal import Jobs
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Schedule
internal import Synchronization

/// No-op jobs, on a PostgreSQL with its usual settings.
struct QueueBench {
    let folder: URL
    let python: String
    private let count = 40_000 / BenchData.divisor
    private let connections = 4

    func run() async throws {
        let cluster = try PrivateCluster(folder: folder.appending(path: "queue"))
        try await cluster.start()
        let url = cluster.connectionString()
        let pool = Pool(url, limits: Pool.Limits(connections: connections))
        try await pool.withConnection { connection in
            _ = try await Migrator(try Schema.migrations()).migrate(connection)
        }
        let raw = try await raw(url)
        Bench.report(
            "queue, no-op jobs", try await relais(pool), raw, "jobs/s",
            "raw SQL, batches of 100, as many connections")
        let other = try pgqueuer(url)
        if other > 0 {
            Bench.report("pgqueuer, no-op jobs", other, raw, "jobs/s", "raw SQL, batches of 100")
        }
        let wait = try await waiting(pool)
        Bench.report("idle: enqueue to start, p95", wait, 20, "ms", "the limit")
        let (alone, followed) = try await commits(url, pool)
        Bench.report("business commits beside the tailer", followed, alone, "commits/s", "without it")
        try await schedules(pool)
        await pool.close()
        try await daemon(url)
        try await cluster.stop()
    }

    // MARK: - Throughput

    private func jobs(_ count: Int) -> [NewJob] {
        (0..<count).map { _ in NewJob("noop") }
    }

    private func fill(_ pool: Pool) async throws {
        for start in stride(from: 0, to: count, by: 1000) {
            let part = jobs(min(1000, count - start))
            _ = try await pool.transaction { try await JobQueue.enqueue(part, on: $0) }
        }
        try await pool.withConnection { try await $0.script("vacuum analyze job") }
    }

    private func relais(_ pool: Pool) async throws -> Double {
        try await fill(pool)
        // Two connections are the worker's own, the others its pool's.
        let worker = Worker(
            pool: pool, name: "bench", slots: [.scheduled: 1000], handlers: ["noop": { _ in nil }])
        let started = ContinuousClock.now
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            while try await pool.withConnection({ try await $0.run(AdHoc<Int>("select count(*) from job")) })
                != [0]
            {
                try await Task.sleep(for: .milliseconds(20))
            }
            let seconds = started.duration(to: .now) / .seconds(1)
            worker.drain()
            try await group.waitForAll()
            return Double(count) / seconds
        }
    }

    private struct FetchRaw: Statement {
        static let sql = """
            update raw_job set state = 'running'
            where id in (select id from raw_job where state = 'ready' order by id limit 100 for update skip locked)
            returning id
            """
        typealias Row = Int
    }

    private struct EndRaw: Statement {
        let ids: [Int]
        static let sql = "delete from raw_job where id = any($1::bigint[])"
        var parameters: [Parameter] { [Parameter(ids)] }
    }

    /// What the same database does when nobody asks for leases, groups, limits or a history.
    private func raw(_ url: String) async throws -> Double {
        let admin = try await Connection.open(url)
        try await admin.script(
            """
            create table raw_job (id bigint generated always as identity primary key, state text not null default 'ready',
              payload jsonb not null default '{}') with (fillfactor = 70);
            create index raw_job_ready on raw_job (id) where state = 'ready';
            insert into raw_job (state) select 'ready' from generate_series(1, \(count));
            """)
        try await admin.script("vacuum analyze raw_job")
        let started = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<connections {
                group.addTask {
                    let connection = try await Connection.open(url)
                    while true {
                        let ids = try await connection.run(FetchRaw())
                        if ids.isEmpty { break }
                        try await connection.execute(EndRaw(ids: ids))
                    }
                    await connection.close()
                }
            }
            try await group.waitForAll()
        }
        let seconds = started.duration(to: .now) / .seconds(1)
        await admin.close()
        return Double(count) / seconds
    }

    /// pgqueuer in the same database; 0 where it is not installed.
    private func pgqueuer(_ url: String) throws -> Double {
        let script = folder.appending(path: "pgq.py")
        try Data(Self.pgqueuerScript.utf8).write(to: script)
        let answer = try peer(python, [script.path, url, String(count)])
        return answer.output.split(separator: "\n").last.flatMap { Double($0) } ?? 0
    }

    private static let pgqueuerScript = """
        import asyncio, sys, time, re
        import asyncpg
        from pgqueuer import PgQueuer
        from pgqueuer.db import AsyncpgDriver
        from pgqueuer.queries import Queries
        url, count = sys.argv[1], int(sys.argv[2])
        parts = dict(re.findall(r"(\\w+)='?([^' ]+)'?", url))
        async def connect():
            return await asyncpg.connect(host=parts["host"], user=parts["user"], database=parts["dbname"])
        async def main():
            connection = await connect()
            queries = Queries(AsyncpgDriver(connection))
            try: await queries.install()
            except Exception: pass
            for start in range(0, count, 1000):
                n = min(1000, count - start)
                await queries.enqueue(["noop"] * n, [b""] * n, [0] * n)
            worker = await connect()
            pgq = PgQueuer(AsyncpgDriver(worker))
            done = 0
            @pgq.entrypoint("noop")
            async def noop(job):
                nonlocal done
                done += 1
                if done == count: pgq.shutdown.set()
            started = time.monotonic()
            await pgq.run(batch_size=100)
            print(count / (time.monotonic() - started))
        asyncio.run(main())
        """

    // MARK: - Waiting

    /// Milliseconds from the commit of a job to its handler, in the worst twentieth of two hundred.
    private func waiting(_ pool: Pool) async throws -> Double {
        let begun = Mutex<[ContinuousClock.Instant]>([])
        let worker = Worker(
            pool: pool, name: "idle", slots: [.interactive: 2],
            handlers: [
                "noop": { _ in
                    begun.withLock { $0.append(.now) }
                    return nil
                }
            ])
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            try await Task.sleep(for: .milliseconds(500))
            var waits: [Double] = []
            for number in 0..<200 {
                let made = ContinuousClock.now
                try await pool.withConnection { connection in
                    try await JobQueue.enqueue([NewJob("noop", in: .interactive)], on: connection)
                    try await JobQueue.wake(on: connection)
                }
                while begun.withLock({ $0.count }) <= number { try await Task.sleep(for: .milliseconds(1)) }
                waits.append(made.duration(to: begun.withLock { $0[number] }) / .milliseconds(1))
                try await Task.sleep(for: .milliseconds(10))
            }
            worker.drain()
            try await group.waitForAll()
            return waits.sorted()[189]
        }
    }

    // MARK: - Commits

    /// Commits a second of eight clients that write the change log, without the tailer and with it.
    private func commits(_ url: String, _ pool: Pool) async throws -> (alone: Double, followed: Double) {
        var rates: [Bool: [Double]] = [:]
        for _ in 0..<2 {
            for isFollowed in [false, true] {
                let rate = try await withThrowingTaskGroup(of: Void.self) { group in
                    if isFollowed { group.addTask { try? await ChangeTailer(pool: pool).run() } }
                    let rate = try await commitRate(url)
                    group.cancelAll()
                    return rate
                }
                rates[isFollowed, default: []].append(rate)
            }
        }
        return (rates[false]?.max() ?? 0, rates[true]?.max() ?? 0)
    }

    private func commitRate(_ url: String) async throws -> Double {
        let seconds = 4.0
        let end = ContinuousClock.now + .seconds(seconds)
        let total = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<8 {
                group.addTask {
                    let connection = try await Connection.open(url)
                    var count = 0
                    while ContinuousClock.now < end {
                        try await connection.script(
                            "insert into change_log (entity, entity_id, op) values ('party', \(client), 'update')"
                        )
                        count += 1
                    }
                    await connection.close()
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(total) / seconds
    }

    // MARK: - Idle

    /// A thousand flows that run every minute and find nothing, for two minutes.
    private func schedules(_ pool: Pool) async throws {
        let connectors = ConnectorRegistry([ERPConnector.self])
        let mappings = try MappingLibrary.shipped()
        let empty = folder.appending(path: "empty")
        try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
        try await pool.withConnection { connection in
            for number in 0..<1000 / BenchData.divisor {
                let text =
                    "flow: f\(number)\nconnector: erp\nsettings: {from: \(empty.path), stillness: 0}\nschedule: \"* * * * *\"\n"
                let flow = try FlowDefinition.parse(
                    text, file: "f", connectors: connectors, mappings: mappings)
                _ = try await Flows.apply(
                    flow, by: nil,
                    now: Timestamp(microsecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000_000)),
                    on: connection)
            }
        }
        let scheduler = FlowScheduler(pool: pool)
        let runner = FlowRunner(
            pool: pool, connectors: connectors, mappings: MappingShelf(own: nil), settings: ImportSettings(),
            secrets: Secrets(keyFile: folder.appending(path: "key").path, mayMakeKey: true))
        let worker = Worker(pool: pool, name: "flows", slots: [.scheduled: 4], handlers: runner.handlers)
        let before = ownCPU()
        let seconds = 120.0 / Double(min(BenchData.divisor, 4))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await worker.run() }
            group.addTask { await scheduler.run() }
            try await Task.sleep(for: .seconds(seconds))
            worker.drain()
            group.cancelAll()
            try await group.waitForAll()
        }
        Bench.report(
            "1,000 flows every minute, nothing to do", (ownCPU() - before) / seconds * 100, 5, "% of a core",
            "the limit")
    }

    /// The daemon with all roles, a while after its start.
    private func daemon(_ url: String) async throws {
        let process = Process()
        process.executableURL = Bundle.main.executableURL?.deletingLastPathComponent().appending(
            path: "relais")
        process.arguments = ["serve", "--listen", "127.0.0.1:0"]
        process.environment = [
            "RELAIS_DATABASE_URL": url, "RELAIS_DATA": folder.appending(path: "idle").path,
            "PATH": "/usr/bin:/bin",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        try await Task.sleep(for: .seconds(10))
        let status =
            (try? String(contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        let kilobytes =
            line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0
        Bench.report("idle daemon, all roles", kilobytes / 1024, 80, "MiB", "the limit")
        process.terminate()
        while process.isRunning { try await Task.sleep(for: .milliseconds(20)) }
    }
}

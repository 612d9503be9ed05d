// SPDX-License-Identifier: Apache-2.0
// Jobs are done once, in their turn, and what fails is tried again or put aside.

import Diagnostics
import Foundation
import Jobs
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct JobQueueTests {
    @Test func `jobs are done once each, whatever the number of workers, and leave the table`() async throws {
        let bench = try await JobsBench()
        let work: Worker.Handler = { job in
            bench.note("ran:\(job.job.id)")
            return nil
        }
        try await bench.running([bench.worker(["work": work]), bench.worker(["work": work])]) {
            try await bench.enqueue((0..<500).map { _ in JobsBench.job() })
            try await bench.ended(500)
        }
        let ran = bench.lines.filter { $0.hasPrefix("ran") }
        #expect(ran.count == 500 && Set(ran).count == 500)
        #expect(bench.lines.filter { $0.hasPrefix("done") }.count == 500)
        #expect(try await bench.numbers("select count(*) from job") == [0])
        #expect(try await bench.texts("select distinct outcome from job_history") == ["done"])
    }

    @Test func `a job that rides in the transaction of its effect is done when that is`() async throws {
        let bench = try await JobsBench()
        let worker = bench.worker([
            "work": { running in
                try await bench.pool.transaction { connection in
                    try await connection.script("insert into effect values (\(running.job.id), 1, 'w')")
                    try await running.complete(run: nil, on: connection)
                    if running.job.attempt == 1 { throw JobError(.failed, retry: .after(.zero)) }
                }
                return nil
            }
        ])
        try await bench.running([worker]) {
            try await bench.enqueue([JobsBench.job()])
            try await bench.ended(1)
        }
        #expect(try await bench.numbers("select count(*) from effect") == [1])
        #expect(try await bench.numbers("select attempt::bigint from job_history") == [2])
    }

    @Test func `of jobs with one unique key, one lives; of those with one exclusive key, one runs`()
        async throws
    {
        let bench = try await JobsBench()
        let made = try await bench.enqueue([
            JobsBench.job { $0.unique = "a" }, JobsBench.job { $0.unique = "a" },
            JobsBench.job { $0.unique = "b" },
        ])
        #expect(made.count == 2)
        try await bench.enqueue((0..<20).map { _ in JobsBench.job("alone") { $0.exclusive = "one" } })
        let work: Worker.Handler = { _ in nil }
        let alone: Worker.Handler = { running in
            let others = try await bench.numbers(
                "select count(*) from job where state = 'running' and kind = 'alone'")
            bench.note("beside:\(others[0] - 1)")
            return nil
        }
        let workers = (0..<3).map { _ in bench.worker(["work": work, "alone": alone]) }
        try await bench.running(workers) { try await bench.ended(22) }
        #expect(bench.lines.filter { $0.hasPrefix("beside") } == Array(repeating: "beside:0", count: 20))
    }

    @Test func `groups take turns, and inside a group the lowest number comes first`() async throws {
        let bench = try await JobsBench()
        // A big import's thousand pieces, and three jobs of another group behind them.
        try await bench.enqueue((0..<1000).map { _ in JobsBench.job { $0.group = "import" } })
        try await bench.enqueue(
            (0..<3).map { number in
                JobsBench.job {
                    $0.group = "agenda"
                    $0.priority = 30 - number
                }
            })
        let worker = bench.worker(
            slots: 2,
            [
                "work": { running in
                    bench.note("\(running.job.group):\(running.job.id)")
                    return nil
                }
            ])
        try await bench.running([worker]) { try await bench.ended(1003) }
        let order = bench.lines.filter { !$0.hasPrefix("done") }
        #expect(
            order.prefix(10).filter { $0.hasPrefix("agenda") } == [
                "agenda:1003", "agenda:1002", "agenda:1001",
            ])
    }

    @Test func `what is paused waits, and goes on when the pause ends`() async throws {
        let bench = try await JobsBench()
        try await bench.pool.withConnection { connection in
            try await QueueControl.pause(.group, "a", by: "claire", on: connection)
            try await QueueControl.pause(.limit, "erp", on: connection)
            try await QueueControl.pause(.queue, "bulk", on: connection)
        }
        try await bench.enqueue([
            JobsBench.job { $0.group = "a" }, JobsBench.job { $0.limit = "erp" },
            JobsBench.job { $0.queue = .bulk }, JobsBench.job { $0.group = "b" },
        ])
        try await bench.running([bench.worker(["work": { _ in nil }])]) {
            try await bench.ended(1)
            try await Task.sleep(for: .milliseconds(200))
            #expect(try await bench.texts("select group_key from job_history") == ["b"])
            try await bench.pool.withConnection { connection in
                let paused = try await QueueControl.list(on: connection)
                #expect(paused.filter { $0.pausedAt != nil }.map(\.name) == ["a", "erp", "bulk"])
                try await QueueControl.resume(.group, "a", on: connection)
                try await QueueControl.resume(.limit, "erp", on: connection)
                try await QueueControl.resume(.queue, "bulk", on: connection)
            }
            try await bench.ended(4)
        }
    }

    @Test func `no more of a limit run at once than it says, on any number of workers`() async throws {
        let bench = try await JobsBench()
        try await bench.pool.withConnection { connection in
            try await QueueControl.limit("erp", maxRunning: 2, perMinute: nil, on: connection)
        }
        try await bench.enqueue((0..<30).map { _ in JobsBench.job { $0.limit = "erp" } })
        let work: Worker.Handler = { _ in
            let running = try await bench.numbers("select count(*) from job where state = 'running'")
            bench.note("running:\(running[0])")
            return nil
        }
        try await bench.running((0..<3).map { _ in bench.worker(["work": work]) }) {
            try await bench.ended(30)
        }
        let seen = Set(bench.lines.filter { $0.hasPrefix("running") })
        #expect(seen.isSubset(of: ["running:1", "running:2"]))
        #expect(seen.contains("running:2"))
    }

    @Test func `no more of a limit begin in a minute than it says`() async throws {
        let bench = try await JobsBench()
        let began = ContinuousClock.now
        try await bench.pool.withConnection { connection in
            try await QueueControl.limit("erp", maxRunning: nil, perMinute: 5, on: connection)
        }
        try await bench.enqueue((0..<100).map { _ in JobsBench.job { $0.limit = "erp" } })
        /// Whether so many have ended, and no more than those and what the time since has added.
        func ended(_ count: Int) async throws {
            let sql = "select count(*) from job_history"
            try await until { try await bench.numbers(sql)[0] >= count }
            try await Task.sleep(for: .milliseconds(300))
            let found = try await bench.numbers(sql)[0]
            #expect(found <= count + Int(began.duration(to: .now) / .seconds(12)))
        }
        try await bench.running([bench.worker(["work": { _ in nil }])]) {
            try await ended(5)
            // A minute and a half later: what was saved is a minute's worth.
            try await bench.script("update queue_control set refilled_at = now() - interval '90 seconds'")
            try await ended(10)
        }
    }

    @Test func `a job that fails is tried again, and put aside after its last attempt, to be run again`()
        async throws
    {
        let bench = try await JobsBench()
        let worker = bench.worker([
            "work": { running in
                if running.job.payload.objectOfTexts["ok"] != nil || running.job.attempt > 9 { return nil }
                throw JobError(.failed, ["detail": "peer"], retry: .after(.zero))
            },
            "never": { _ in throw JobError(.failed, ["detail": "bad settings"]) },
        ])
        let ids = try await bench.enqueue([
            JobsBench.job { $0.maxAttempts = 3 }, JobsBench.job("never"),
            JobsBench.job("nobody") { $0.maxAttempts = 1 },
        ])
        try await bench.running([worker]) {
            try await bench.ended(3)
            let dead = try await bench.pool.withConnection { connection in
                try await JobQueue.list(onlyDead: true, on: connection)
            }
            #expect(Set(dead.map(\.id)) == Set(ids))
            let attempts = Dictionary(uniqueKeysWithValues: dead.map { ($0.id, $0.attempt) })
            #expect(attempts[ids[0]] == 3 && attempts[ids[1]] == 1)
            #expect(dead.first { $0.id == ids[2] }?.error?.objectOfTexts["code"] == "JOB-KIND")
            let again = try await bench.pool.withConnection { try await JobQueue.retry(ids[1], on: $0) }
            #expect(again > ids[2])
            try await bench.ended(4)
            await #expect(throws: JobError.self) {
                try await bench.pool.withConnection { try await JobQueue.retry(ids[1], on: $0) }
            }
        }
        #expect(bench.lines.filter { $0 == "postponed:\(ids[0]):JOB-FAILED" }.count == 2)
    }

    @Test func `a job is cancelled while it waits, and while it runs`() async throws {
        let bench = try await JobsBench()
        let later = Timestamp(microsecondsSince1970: Int64(Date().timeIntervalSince1970 + 3600) * 1_000_000)
        let ids = try await bench.enqueue([JobsBench.job { $0.runAt = later }, JobsBench.job("slow")])
        let worker = bench.worker([
            "slow": { _ in
                bench.note("began")
                try await Task.sleep(for: .seconds(300))
                return nil
            }
        ])
        try await bench.running([worker]) {
            try await until { bench.lines.contains("began") }
            try await bench.pool.withConnection { connection in
                for id in ids { try await JobQueue.cancel(id, on: connection) }
                await #expect(throws: JobError.self) { try await JobQueue.cancel(999, on: connection) }
            }
            try await bench.ended(2)
        }
        #expect(try await bench.texts("select distinct outcome from job_history") == ["cancelled"])
        #expect(bench.lines.contains("ended:\(ids[1]):JOB-CANCELLED"))
    }
}

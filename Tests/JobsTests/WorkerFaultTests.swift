// SPDX-License-Identifier: Apache-2.0
// Workers that die, sleep too long, are told to end, or lose their database.

import Diagnostics
import Foundation
import Jobs
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct WorkerFaultTests {
    @Test func `a worker whose lease ended cannot finish the job that another has now`() async throws {
        let bench = try await JobsBench()
        var sleepy = JobsBench.timing
        sleepy.lease = .milliseconds(50)
        sleepy.beat = .seconds(300)
        sleepy.reap = .seconds(300)
        let id = try await bench.enqueue([JobsBench.job()])[0]
        let handler: Worker.Handler = { running in
            bench.note("began:\(running.job.attempt)")
            // The first holds on until the second is done.
            if running.job.attempt == 1 { try await until { bench.lines.contains("done:\(id)") } }
            try await bench.pool.transaction { connection in
                try await connection.script("insert into effect values (\(running.job.id), 0, '')")
                try await running.complete(on: connection)
            }
            return nil
        }
        try await bench.running([bench.worker(timing: sleepy, ["work": handler])]) {
            try await until { bench.lines.contains("began:1") }
            try await bench.running([bench.worker(["work": handler])]) {
                try await until { bench.lines.contains("refused:\(id)") }
            }
        }
        #expect(try await bench.numbers("select count(*) from effect") == [1])
        #expect(bench.lines.filter { $0.hasPrefix("done") } == ["done:\(id)"])
    }

    @Test func `a fetch whose answer was lost does not keep its jobs for ever`() async throws {
        let bench = try await JobsBench()
        let ids = try await bench.enqueue([JobsBench.job(), JobsBench.job()])
        // As the first worker's fetch leaves it when its connection breaks before the answer.
        try await bench.script(
            """
            update job set state = 'running', worker = 'w1', attempt = 1, lease_token = nextval('job_lease'),
              lease_until = now() + interval '300 milliseconds'
            where id = \(ids[0])
            """)
        let worker = bench.worker([
            "work": { running in
                // The worker has something in hand meanwhile, and makes itself heard.
                if running.job.id == ids[1] { try await until { bench.lines.contains("done:\(ids[0])") } }
                return nil
            }
        ])
        try await bench.running([worker]) { try await bench.ended(2) }
        #expect(
            try await bench.numbers("select attempt::bigint from job_history where job_id = \(ids[0])") == [2]
        )
    }

    @Test func `a lost lease stops the handler at the next heartbeat`() async throws {
        let bench = try await JobsBench()
        let id = try await bench.enqueue([JobsBench.job()])[0]
        let worker = bench.worker([
            "work": { _ in
                bench.note("began")
                try await Task.sleep(for: .seconds(300))
                return nil
            }
        ])
        try await bench.running([worker]) {
            try await until { bench.lines.contains("began") }
            try await bench.script("update job set lease_token = nextval('job_lease'), worker = 'other'")
            try await until { bench.lines.contains("refused:\(id)") }
        }
        #expect(try await bench.texts("select worker from job") == ["other"])
    }

    @Test func `a worker that is told to end finishes what it can and gives the rest back`() async throws {
        let bench = try await JobsBench()
        var timing = JobsBench.timing
        timing.grace = .seconds(15)
        let ids = try await bench.enqueue([
            JobsBench.job("quick"), JobsBench.job("slow"), JobsBench.job("slow"),
        ])
        let worker = bench.worker(
            slots: 2, timing: timing,
            [
                "quick": { _ in
                    bench.note("began")
                    try await Task.sleep(for: .milliseconds(50))
                    return nil
                },
                "slow": { _ in
                    bench.note("began")
                    try await Task.sleep(for: .seconds(300))
                    return nil
                },
            ])
        try await bench.running([worker]) { try await until { bench.lines.count >= 2 } }
        #expect(try await bench.numbers("select job_id from job_history") == [ids[0]])
        // As if they had never been tried.
        #expect(try await bench.texts("select state || attempt from job") == ["ready0", "ready0"])
    }

    @Test func `when the database ends every connection under load, no job is lost or done twice`()
        async throws
    {
        let bench = try await JobsBench()
        let count = 2000
        try await bench.enqueue((0..<count).map { _ in JobsBench.job { $0.maxAttempts = 100 } })
        let handler: Worker.Handler = { running in
            try await bench.pool.transaction { connection in
                try await connection.script(
                    "insert into effect values (\(running.job.id), \(running.job.attempt), '')")
                try await running.complete(on: connection)
            }
            return nil
        }
        var timing = JobsBench.timing
        timing.lease = .milliseconds(500)
        try await bench.running([bench.worker(slots: 8, timing: timing, ["work": handler])]) {
            let name = try await bench.texts("select current_database()::text")[0]
            let killer = try await Connection.open(
                try await TestServer.shared.cluster().connectionString(database: "postgres"))
            for _ in 0..<5 {
                try await Task.sleep(for: .milliseconds(150))
                _ = try await killer.run(
                    AdHoc<Bool>(
                        "select pg_terminate_backend(pid) from pg_stat_activity where datname = '\(name)'"))
            }
            let watcher = try await Connection.open(bench.url)
            try await until { try await watcher.run(AdHoc<Int>("select count(*) from job")) == [0] }
        }
        #expect(try await bench.numbers("select count(*) from effect") == [count])
        #expect(try await bench.numbers("select count(distinct job) from effect") == [count])
        #expect(try await bench.numbers("select count(*) from job_history") == [count])
    }
}

// SPDX-License-Identifier: Apache-2.0
// A database of its own with a queue, and workers that write down what they did.

import Diagnostics
import Foundation
import Jobs
import PostgreSQL
import RelaisTesting
import Synchronization

/// A queue to test, and what its workers reported.
final class JobsBench: Sendable {
    let url: String
    let pool: Pool
    private let log = Mutex<[String]>([])
    private let workers = Mutex(0)

    init() async throws {
        url = try await TestDatabase.migrated()
        pool = Pool(url, limits: Pool.Limits(connections: 8, wait: .seconds(300)))
        try await pool.withConnection { connection in
            try await connection.script("create table effect (job bigint, attempt int, worker text)")
        }
    }

    /// What the handlers and the workers' events wrote, in order.
    var lines: [String] { log.withLock { $0 } }

    func note(_ line: String) { log.withLock { $0.append(line) } }

    /// Quick enough for a test, with leases that outlast a busy machine unless it is about them.
    static var timing: Worker.Timing {
        var timing = Worker.Timing()
        timing.beat = .milliseconds(100)
        timing.reap = .milliseconds(100)
        timing.poll = .milliseconds(50)
        timing.promote = .milliseconds(20)
        timing.retry = RetryPolicy(first: .milliseconds(10), longest: .milliseconds(50))
        return timing
    }

    /// A worker whose events are noted as `event:job`.
    func worker(
        slots: Int = 4, timing: Worker.Timing = JobsBench.timing, _ handlers: [String: Worker.Handler]
    ) -> Worker {
        let number = workers.withLock { count in
            count += 1
            return count
        }
        let slots = Dictionary(uniqueKeysWithValues: QueueName.allCases.map { ($0, slots) })
        return Worker(
            pool: pool, name: "w\(number)", slots: slots, timing: timing, handlers: handlers
        ) { [weak self] event in
            switch event {
            case .done(let job): self?.note("done:\(job.id)")
            case .postponed(let job, let error): self?.note("postponed:\(job.id):\(error.code)")
            case .ended(let job, let error): self?.note("ended:\(job.id):\(error.code)")
            case .refused(let job): self?.note("refused:\(job.id)")
            case .reaped, .trouble: break
            }
        }
    }

    /// Runs workers while `body` does, then lets them end.
    func running<Value>(_ workers: [Worker], _ body: () async throws -> Value) async throws -> Value {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in workers { group.addTask { await worker.run() } }
            let value: Value
            do {
                value = try await body()
            } catch {
                group.cancelAll()
                throw error
            }
            for worker in workers { worker.drain() }
            try await group.waitForAll()
            return value
        }
    }

    @discardableResult
    func enqueue(_ jobs: [NewJob]) async throws -> [Int] {
        try await pool.withConnection { connection in
            let numbers = try await JobQueue.enqueue(jobs, on: connection)
            try await JobQueue.wake(on: connection)
            return numbers
        }
    }

    func numbers(_ sql: String) async throws -> [Int] {
        try await pool.withConnection { try await $0.run(AdHoc<Int>(sql)) }
    }

    func texts(_ sql: String) async throws -> [String] {
        try await pool.withConnection { try await $0.run(AdHoc<String>(sql)) }
    }

    func script(_ sql: String) async throws {
        try await pool.withConnection { try await $0.script(sql) }
    }

    /// Waits until the history has so many jobs.
    func ended(_ count: Int) async throws {
        try await until { try await self.numbers("select count(*) from job_history") == [count] }
    }

    /// A job of a kind with some of its keys set.
    static func job(_ kind: String = "work", _ change: (inout NewJob) -> Void = { _ in }) -> NewJob {
        var job = NewJob(kind)
        change(&job)
        return job
    }
}

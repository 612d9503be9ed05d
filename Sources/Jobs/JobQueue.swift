// SPDX-License-Identifier: Apache-2.0
// What is done with jobs from outside: making them, waking the workers, cancelling, running again.

internal import Diagnostics
package import PostgreSQL

/// The queue in a database.
package enum JobQueue {
    /// What workers listen to; the payload says nothing.
    package static let channel = "relais_jobs"

    /// Makes jobs, with whatever else the transaction does; a job whose unique key lives already is left out.
    ///
    /// Workers look every few seconds; ``wake(on:)`` behind the commit lets them begin at once.
    /// - Returns: the numbers of the jobs that were made.
    @discardableResult
    package static func enqueue(
        _ jobs: [NewJob], on connection: Connection
    ) async throws(PostgreSQLError) -> [Int] {
        guard !jobs.isEmpty else { return [] }
        return try await connection.run(EnqueueJobs(jobs: jobs))
    }

    /// Tells the workers that there is something to do. Never inside a transaction with business data: a
    /// notification makes commits wait for each other.
    package static func wake(on connection: Connection) async throws(PostgreSQLError) {
        _ = try await connection.run(WakeWorkers())
    }

    /// Ends a job: at once when it waits, as soon as its worker hears of it when it runs.
    ///
    /// - Throws: `JOB-UNKNOWN`.
    package static func cancel(_ id: Int, on connection: Connection) async throws {
        if try await !connection.run(CancelWaiting(id: id)).isEmpty { return }
        guard try await connection.execute(CancelRunning(id: id)) > 0 else {
            throw JobError(.unknown, ["job": String(id)])
        }
    }

    /// Lets a job that waits for its next attempt begin now, or makes a dead or cancelled one anew.
    ///
    /// - Returns: its number, a new one for a job that had ended.
    /// - Throws: `JOB-UNKNOWN`, `JOB-NOT-AGAIN` for a job that is done or runs, or was run again already.
    package static func retry(_ id: Int, on connection: Connection) async throws -> Int {
        if try await connection.execute(RunNow(id: id)) > 0 { return id }
        if let made = try await connection.run(RunAgain(id: id)).first { return made }
        let isKnown = try await !connection.run(ShowJob(id: id)).isEmpty
        throw JobError(isKnown ? .notAgain : .unknown, ["job": String(id)])
    }

    /// Live jobs and those that ended, the latest first, at most `limit`.
    ///
    /// - Parameters:
    ///   - group: of this group only.
    ///   - onlyDead: those that were given up.
    package static func list(
        group: String? = nil, onlyDead: Bool = false, limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [JobStatus] {
        try await connection.run(ListJobs(group: group, onlyDead: onlyDead, limit: limit))
    }

    /// One job, live or ended.
    ///
    /// - Throws: `JOB-UNKNOWN`.
    package static func show(_ id: Int, on connection: Connection) async throws -> JobStatus {
        guard let job = try await connection.run(ShowJob(id: id)).first else {
            throw JobError(.unknown, ["job": String(id)])
        }
        return job
    }

    /// How many jobs are in which state, and how long the oldest that is ready has waited.
    package static func load(on connection: Connection) async throws(PostgreSQLError) -> [QueueLoad] {
        try await connection.run(CountJobs())
    }

    /// Takes the leases of workers that were not heard of, and makes the coming months' partitions.
    ///
    /// - Returns: how many leases had ended.
    package static func reap(
        _ policy: RetryPolicy, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        try await connection.run(ReapLeases(policy: policy)).first ?? 0
    }

    /// Makes the coming months' partitions of the history.
    package static func keepHouse(on connection: Connection) async throws(PostgreSQLError) {
        _ = try await connection.run(MakeHistoryPartitions())
    }
}

/// How full a queue is.
package struct QueueLoad: Sendable, Hashable {
    /// The queue's name.
    package let queue: String
    /// Jobs that wait for a time, can begin, and run.
    package let waiting: Int
    /// Jobs that can begin.
    package let ready: Int
    /// Jobs that run.
    package let running: Int
    /// Seconds since the oldest job that is ready could have begun.
    package let oldestSeconds: Int
}

// SPDX-License-Identifier: Apache-2.0
// A job in the hands of its handler.

internal import Diagnostics
package import PostgreSQL
internal import Synchronization

/// What a handler gets.
///
/// A worker that was not heard of for the time of a lease may find that another does the job now. What must not happen
/// twice therefore goes into a transaction with ``hold(on:)`` or ``complete(run:on:)``, which refuse then.
package final class RunningJob: Sendable {
    /// The job.
    package let job: Job
    private let completed = Mutex(false)

    init(_ job: Job) {
        self.job = job
    }

    /// Keeps the job this worker's until the transaction ends.
    ///
    /// - Throws: `JOB-LEASE-LOST` when it is another's already.
    package func hold(on connection: Connection) async throws {
        guard try await !connection.run(HoldLease(job: job)).isEmpty else { throw leaseLost }
    }

    /// Ends the job in the transaction of what it did: both happen, or neither.
    ///
    /// - Throws: `JOB-LEASE-LOST` when it is another's already.
    package func complete(run: Int? = nil, on connection: Connection) async throws {
        let done = try await connection.run(CompleteJobs(jobs: [(job, run)]))
        guard !done.isEmpty else { throw leaseLost }
        completed.withLock { $0 = true }
    }

    /// Whether ``complete(run:on:)`` has ended it.
    var isCompleted: Bool { completed.withLock { $0 } }

    private var leaseLost: JobError { JobError(.leaseLost, ["job": String(job.id)]) }
}

// SPDX-License-Identifier: Apache-2.0
// A piece of work that any node may do.

package import Model
package import PostgreSQL

/// The classes of work; each has slots of its own in every worker, so that none starves another.
package enum QueueName: String, Sendable, CaseIterable {
    /// Somebody waits for it.
    case interactive
    /// What a schedule or an event began.
    case scheduled
    /// What may take as long as it takes.
    case bulk
}

/// A job to be.
package struct NewJob: Sendable, Hashable {
    /// The class of work.
    package var queue: QueueName
    /// Which handler does it.
    package var kind: String
    /// Groups take turns in a queue, however many jobs each has.
    package var group = ""
    /// Inside a group, the lowest number comes first.
    package var priority = 100
    /// Not before; nil = now.
    package var runAt: Timestamp?
    /// After so many attempts a job is dead.
    package var maxAttempts = 8
    /// While a job with this key lives, another is not made.
    package var unique: String?
    /// While a job with this key runs, another waits.
    package var exclusive: String?
    /// Whose limits hold, of ``QueueControl``.
    package var limit: String?
    /// What the handler is told.
    package var payload = JSONText("{}")

    /// A job of a kind, with nothing special about it.
    package init(_ kind: String, in queue: QueueName = .scheduled) {
        self.kind = kind
        self.queue = queue
    }
}

/// A job that has been lent to a worker.
package struct Job: Sendable, Hashable {
    /// Its number.
    package let id: Int
    /// The class of work.
    package let queue: QueueName
    /// Which handler does it.
    package let kind: String
    /// The group it takes turns for.
    package let group: String
    /// One-based number of this attempt.
    package let attempt: Int
    /// After so many a job is dead.
    package let maxAttempts: Int
    /// The number it is lent under: only who shows it may finish the job.
    package let token: Int
    /// What the handler is told.
    package let payload: JSONText
}

/// What becomes of a job that failed.
package enum RetryPlan: Sendable, Hashable {
    /// It runs again after a pause.
    case again(after: Duration)
    /// It is put aside with its error, for a person to run again.
    case dead
}

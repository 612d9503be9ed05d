// SPDX-License-Identifier: Apache-2.0
// Tells listeners that the change log has grown: one process a cluster, at most every 50 ms.

internal import CRM
package import PostgreSQL

/// Follows the change log and notifies the channel ``channel``.
///
/// Business transactions never notify, which would serialise their commits; this does it for them. A listener that
/// misses a notification reads the log anyway: the payload is only a hint.
package struct ChangeTailer: Sendable {
    /// What listeners listen to; the payload is `transaction:sequence` of the last change.
    package static let channel = "relais_changes"
    private static let name = "tailer"

    private let pool: Pool
    private let pause: Duration

    /// A tailer of a database.
    package init(pool: Pool, pause: Duration = .milliseconds(50)) {
        self.pool = pool
        self.pause = pause
    }

    /// Follows the log until the task is cancelled; waits while another process of the cluster does.
    package func run() async throws {
        try await pool.withConnection { connection in
            _ = try await connection.run(LockTailer())
            var position = try await ChangeLog.cursor(Self.name, on: connection)
            while !Task.isCancelled {
                position = try await Self.step(position, on: connection)
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Looks whether something is new and notifies once; the place is kept with the notification.
    private static func step(
        _ position: ChangeLog.Position, on connection: Connection
    ) async throws -> ChangeLog.Position {
        guard let last = try await ChangeLog.last(after: position, on: connection) else { return position }
        return try await connection.transaction { connection in
            try await ChangeLog.keep(last, as: name, on: connection)
            _ = try await connection.run(
                NotifyChanges(payload: "\(last.transaction):\(last.sequence)"))
            return last
        }
    }
}

/// Held by the session of the one tailer; 29303 follows the lock of parties.
struct LockTailer: Statement {
    static let sql = "select pg_advisory_lock(29303, 0) is null"
    typealias Row = Bool
}

struct NotifyChanges: Statement {
    let payload: String

    static let sql = "select pg_notify('\(ChangeTailer.channel)', $1) is null"
    var parameters: [Parameter] { [Parameter(payload)] }
    typealias Row = Bool
}

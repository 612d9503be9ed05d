// SPDX-License-Identifier: Apache-2.0
// The log of all changes, read so that no row is lost: sequence numbers become visible out of order.

package import PostgreSQL

/// A change of a row.
package struct Change: Sendable, Hashable {
    /// Where it stands in the log.
    package let position: ChangeLog.Position
    /// Name of the table.
    package let entity: String
    /// Number of the row.
    package let id: Int
    /// `insert`, `update` or `delete`.
    package let operation: String
    /// The run that made it.
    package let run: Int?
}

/// Reads the change log.
///
/// A row gets its number before its transaction commits, so that a reader of "all behind number n" passes over
/// what commits late. Rows are ordered by transaction first, and only those are read whose transaction is older
/// than every one that still runs: nothing can appear in front of them any more.
package enum ChangeLog {
    /// A place in the log.
    package struct Position: Sendable, Hashable, Comparable {
        /// Number of the transaction (`xid8`).
        package var transaction: Int
        /// Number of the row.
        package var sequence: Int

        /// The place of one row.
        package init(transaction: Int, sequence: Int) {
            self.transaction = transaction
            self.sequence = sequence
        }

        /// The place in front of everything.
        package static let start = Position(transaction: 0, sequence: 0)

        package static func < (left: Position, right: Position) -> Bool {
            (left.transaction, left.sequence) < (right.transaction, right.sequence)
        }
    }

    /// Changes behind a place, oldest first, at most `limit`.
    package static func read(
        after position: Position, limit: Int = 1000, on connection: Connection
    ) async throws(PostgreSQLError) -> [Change] {
        try await connection.run(ReadChanges(after: position, limit: limit))
    }

    /// The place of the last change behind a place that can be read now; nil when there is none.
    ///
    /// One look into the index, however many changes there are.
    package static func last(
        after position: Position, on connection: Connection
    ) async throws(PostgreSQLError) -> Position? {
        try await connection.run(LastChange(after: position)).first
    }

    /// The place that a reader kept; the log's start for one that never kept any.
    package static func cursor(
        _ name: String, on connection: Connection
    ) async throws(PostgreSQLError) -> Position {
        try await connection.run(ReadLogCursor(name: name)).first ?? .start
    }

    /// Lets a new reader begin in front of everything that still runs, since that may commit later; an old one goes on.
    ///
    /// What it finds first may have been committed before: only a snapshot tells.
    package static func begin(
        _ name: String, fromStart: Bool, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(BeginLog(name: name, fromStart: fromStart))
    }

    /// Keeps the place of a reader.
    package static func keep(
        _ position: Position, as name: String, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(KeepLogCursor(name: name, position: position))
    }

    static let statements: [any Statement.Type] = [
        ReadChanges.self, LastChange.self, ReadLogCursor.self, KeepLogCursor.self, BeginLog.self,
    ]
}

struct ReadChanges: Statement {
    let after: ChangeLog.Position
    let limit: Int

    static let sql = """
        select xid, seq, entity, entity_id, op, run_id
        from change_log
        where (xid, seq) > ($1::text::xid8, $2::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid, seq
        limit $3::bigint
        """
    var parameters: [Parameter] {
        [Parameter(String(after.transaction)), Parameter(after.sequence), Parameter(limit)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Change {
        Change(
            position: ChangeLog.Position(transaction: try row.next(), sequence: try row.next()),
            entity: try row.next(), id: try row.next(), operation: try row.next(), run: try row.next())
    }
}

struct LastChange: Statement {
    let after: ChangeLog.Position

    static let sql = """
        select xid, seq
        from change_log
        where (xid, seq) > ($1::text::xid8, $2::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
        order by xid desc, seq desc
        limit 1
        """
    var parameters: [Parameter] { [Parameter(String(after.transaction)), Parameter(after.sequence)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> ChangeLog.Position {
        ChangeLog.Position(transaction: try row.next(), sequence: try row.next())
    }
}

struct ReadLogCursor: Statement {
    let name: String

    static let sql = "select xid, seq from log_cursor where name = $1"
    var parameters: [Parameter] { [Parameter(name)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> ChangeLog.Position {
        ChangeLog.Position(transaction: try row.next(), sequence: try row.next())
    }
}

struct KeepLogCursor: Statement {
    let name: String
    let position: ChangeLog.Position

    static let sql = """
        insert into log_cursor (name, xid, seq) values ($1, $2::text::xid8, $3::bigint)
        on conflict (name) do update set xid = excluded.xid, seq = excluded.seq
        """
    var parameters: [Parameter] {
        [Parameter(name), Parameter(String(position.transaction)), Parameter(position.sequence)]
    }
}

struct BeginLog: Statement {
    let name: String
    let fromStart: Bool

    static let sql = """
        insert into log_cursor (name, xid, seq)
        select $1, case when $2 then '0'::xid8 else pg_snapshot_xmin(pg_current_snapshot()) end, 0
        on conflict do nothing
        """
    var parameters: [Parameter] { [Parameter(name), Parameter(fromStart)] }
}

// SPDX-License-Identifier: Apache-2.0
// `undo`: a run that takes another one back.

package import CRM
internal import Diagnostics
package import PostgreSQL

/// What an undo did, or would do.
package struct UndoReport: Sendable {
    /// Number of the undoing run; nil for a dry run.
    package let run: Int?
    /// Rows by table and action.
    package let counts: [UndoCount]
    /// Rows that are left as they are, at most 100.
    package let exceptions: [UndoException]

    /// Rows with one of some actions.
    package func count(_ actions: String...) -> Int {
        counts.filter { actions.contains($0.action) }.reduce(0) { $0 + $1.count }
    }
}

/// Takes runs back, in one transaction each: killed at any moment, an undo has happened or not.
package struct UndoEngine: Sendable {
    private let pool: Pool

    /// An engine on a database.
    package init(pool: Pool) {
        self.pool = pool
    }

    /// Takes a run back, or tells what that would do.
    ///
    /// - Throws: `RUN-UNKNOWN`, `RUN-RUNNING`, `RUN-UNDONE`, `RUN-SENT`, `RUN-SUPERSEDED`.
    package func undo(_ id: Int, isDryRun: Bool = false) async throws -> UndoReport {
        try await pool.withConnection { connection in
            guard !isDryRun else {
                try await RunSession.prepare(connection)
                try await connection.execute(CloseDeadRuns())
                try await connection.script("begin")
                do {
                    let report = try await Self.plan(id, undo: nil, on: connection)
                    try await connection.script("rollback; reset all")
                    return report
                } catch {
                    try? await connection.script("rollback; reset all")
                    throw error
                }
            }
            try await connection.execute(CloseDeadRuns())
            try await Self.check(id, on: connection)
            return try await RunSession.withRun(.undo, source: "erp", undoes: id, on: connection) {
                run, _ in
                try await connection.transaction { connection in
                    _ = try await connection.run(LockParties())
                    let report = try await Self.plan(id, undo: run, on: connection)
                    try await RunUndo.write(id, by: run, on: connection)
                    let decided = try await TrustChanges.takeBack(id, by: run, on: connection)
                    let ledger = RunLedger(
                        inserted: report.count("reinsert"), updated: report.count("restore") + decided,
                        unchanged: report.count("keep"), skipped: report.count("block"),
                        deleted: report.count("delete"))
                    try await connection.execute(AddToRun(run: run, ledger: ledger))
                    return report
                }
            }
        }
    }

    private static func plan(_ id: Int, undo: Int?, on connection: Connection) async throws -> UndoReport {
        // Again inside the transaction: another undo of the same run may have come first.
        try await check(id, on: connection)
        let counts = try await RunUndo.plan(id, on: connection)
        return UndoReport(
            run: undo, counts: counts, exceptions: try await RunUndo.exceptions(on: connection))
    }

    private static func check(_ id: Int, on connection: Connection) async throws {
        let facts = ["id": String(id)]
        guard let state = try await connection.run(UndoState(run: id)).first else {
            throw RunError(.unknown, facts)
        }
        guard state.isFinished else { throw RunError(.running, facts) }
        guard state.kind != RunKind.export.rawValue else { throw RunError(.sent, facts) }
        guard !state.isForgotten else { throw RunError(.forgotten, facts) }
        if let source = state.superseded, state.undoneBy == nil {
            throw RunError(.superseded, facts.merging(["source": source]) { $1 })
        }
        if let undo = state.undoneBy {
            throw RunError(.undone, facts.merging(["undo": String(undo)]) { $1 })
        }
    }
}

/// Whether a run can be taken back.
struct UndoState: Statement {
    struct State: Sendable {
        let isFinished: Bool
        let undoneBy: Int?
        let kind: String
        let isForgotten: Bool
        /// The source that is believed still otherwise since the run.
        let superseded: String?
    }

    let run: Int

    static let sql = """
        select r.state <> 'running', r.undone_by, r.kind, r.forgotten_at is not null, (
          select coalesce(s.name, s.code)
          from trust_change c
          join source_system s on s.id = c.source_id
          where c.run_id = r.id and not (\(TrustCondition.isLast))
        )
        from run r
        where r.id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(run)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> State {
        State(
            isFinished: try row.next(), undoneBy: try row.next(), kind: try row.next(),
            isForgotten: try row.next(), superseded: try row.next())
    }
}

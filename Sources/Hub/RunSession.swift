// SPDX-License-Identifier: Apache-2.0
// A run from its beginning to its end, whatever happens in between.

internal import Diagnostics
internal import PostgreSQL

/// Kinds of runs.
enum RunKind: String, Sendable {
    case `import`, replay, undo
}

/// Opens a run on a connection and closes it.
enum RunSession {
    /// Runs `body` as a run, which holds its lock meanwhile.
    ///
    /// When the database fails, what was committed so far stays, and the run is closed as failed or, if that is
    /// impossible too, found dead by the next one.
    static func withRun<Value>(
        _ kind: RunKind, source: String, undoes: Int? = nil, on connection: Connection,
        _ body: (_ run: Int, _ source: Int) async throws -> Value
    ) async throws -> Value {
        try await prepare(connection)
        try await connection.execute(CloseDeadRuns())
        let sourceID = try await connection.run(SourceID(code: source)).first ?? 0
        let run = try await connection.run(StartRun(kind: kind, source: sourceID, undoes: undoes)).first ?? 0
        _ = try await connection.run(LockRun(run: run))
        do {
            let value = try await body(run, sourceID)
            try await connection.execute(FinishRun(run: run, error: nil))
            _ = try await connection.run(UnlockRun(run: run))
            try await connection.script("reset all")
            return value
        } catch {
            let diagnostic = (error as? any ReportableError)?.diagnostic ?? Diagnostic(code: "RUN-FAILED")
            _ = try? await connection.execute(FinishRun(run: run, error: diagnostic))
            await connection.close()
            throw error
        }
    }

    /// Plans made while a table is empty are sequential scans for ever; here every look-up has an index.
    static func prepare(_ connection: Connection) async throws(PostgreSQLError) {
        try await connection.script(
            "set enable_seqscan = off; set jit = off")
    }
}

// SPDX-License-Identifier: Apache-2.0
// A run from its beginning to its end, whatever happens in between.

internal import Diagnostics
internal import PostgreSQL

/// Kinds of runs.
enum RunKind: String, Sendable {
    case `import`, replay, undo, export, trust
}

/// What a run is, before it begins.
struct RunStart: Sendable {
    var kind = RunKind.import
    var source = "erp"
    var undoes: Int?
    /// The flow, its version and the job, where one began it.
    var flow: FlowOrigin?
    /// The preview that a person imports.
    var preview: Int?
    /// The wish that a source be believed otherwise.
    var trust: Int?
}

/// What began the run of a flow.
package struct FlowOrigin: Sendable, Hashable {
    /// Number of the flow.
    package let flow: Int
    /// The version that is run.
    package let version: Int
    /// Number of the job.
    package let job: Int
}

/// Opens a run on a connection and closes it.
enum RunSession {
    /// A run that has begun.
    struct Begun {
        let run: Int
        let source: Int
    }

    /// Runs `body` as a run, which holds its lock meanwhile.
    ///
    /// When the database fails, what was committed so far stays, and the run is closed as failed or, if that is
    /// impossible too, found dead by the next one.
    static func withRun<Value>(
        _ kind: RunKind, source: String, undoes: Int? = nil, on connection: Connection,
        _ body: (_ run: Int, _ source: Int) async throws -> Value
    ) async throws -> Value {
        try await withRun(RunStart(kind: kind, source: source, undoes: undoes), on: connection) { begin in
            let begun = try await begin()
            return try await body(begun.run, begun.source)
        }
    }

    /// The same for a run that begins when `body` says so for the first time, and never when it does not.
    static func withRun<Value>(
        _ start: RunStart, on connection: Connection,
        _ body: (_ begin: () async throws -> Begun) async throws -> Value
    ) async throws -> Value {
        try await prepare(connection)
        var begun: Begun?
        do {
            let value = try await body {
                if let begun { return begun }
                let fresh = try await begin(start, on: connection)
                begun = fresh
                return fresh
            }
            if let begun {
                try await connection.execute(FinishRun(run: begun.run, error: nil))
                _ = try await connection.run(UnlockRun(run: begun.run))
            }
            try await connection.script("reset all")
            return value
        } catch {
            if let begun {
                let diagnostic = (error as? any ReportableError)?.diagnostic ?? Diagnostic(code: "RUN-FAILED")
                _ = try? await connection.execute(FinishRun(run: begun.run, error: diagnostic))
            }
            await connection.close()
            throw error
        }
    }

    private static func begin(_ start: RunStart, on connection: Connection) async throws -> Begun {
        try await connection.execute(CloseDeadRuns())
        if let trust = start.trust { return try await TrustChanges.begin(trust, on: connection) }
        let source = try await connection.run(SourceID(code: start.source)).first ?? 0
        let run = try await connection.run(StartRun(start: start, source: source)).first ?? 0
        _ = try await connection.run(LockRun(run: run))
        return Begun(run: run, source: source)
    }

    /// Plans made while a table is empty are sequential scans for ever; here every look-up has an index.
    static func prepare(_ connection: Connection) async throws(PostgreSQLError) {
        try await connection.script(
            "set enable_seqscan = off; set jit = off")
    }
}

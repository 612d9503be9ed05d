// SPDX-License-Identifier: Apache-2.0
// A person's wish that a run ends: kept in the database, for whichever process the run is in.

internal import Diagnostics
package import PostgreSQL

/// Ends imports, and runs that decide kept values again, between two batches.
package enum RunStop {
    /// Lets such a run end behind the batch that it writes; what is written stays.
    ///
    /// - Returns: whether it will: not when it is over, or of another kind. Asking again changes nothing.
    package static func ask(
        _ run: Int, by user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Bool {
        try await connection.execute(CloseDeadRuns())
        return try await !connection.run(AskToStop(run: run, user: user)).isEmpty
    }

    /// - Throws: `RUN-STOPPED` when somebody wants the run to end.
    static func heed(_ run: Int, on connection: Connection) async throws {
        guard let person = try await connection.run(StopAsked(run: run)).first else { return }
        throw RunError(.stopped, ["run": String(run), "by": person])
    }

    static let statements: [any Statement.Type] = [AskToStop.self, StopAsked.self, KeepChecked.self]
}

extension RunError {
    /// The run that somebody ended. The job it was for has done what it could: trying again is for people to say.
    var stoppedRun: Int? { has(.stopped) ? diagnostic.facts["run"].flatMap { Int($0) } : nil }
}

struct AskToStop: Statement {
    let run: Int
    let user: Int

    static let sql = """
        update run
        set stop_asked_at = coalesce(stop_asked_at, now()), stop_asked_by = coalesce(stop_asked_by, $2::bigint)
        where id = $1::bigint and kind in ('import', 'trust') and state = 'running'
        returning id
        """
    var parameters: [Parameter] { [Parameter(run), Parameter(user)] }
    typealias Row = Int
}

/// Who wants a run to end; no row where nobody does.
struct StopAsked: Statement {
    let run: Int

    static let sql = """
        select u.name
        from run r
        join app_user u on u.id = r.stop_asked_by
        where r.id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(run)] }
    typealias Row = String
}

/// How far the first pass over a file is.
struct KeepChecked: Statement {
    let artifact: Int
    let bytes: Int

    static let sql = "update artifact set checked_to = $2::bigint where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(artifact), Parameter(bytes)] }
}

// SPDX-License-Identifier: Apache-2.0
// The record of every run: what it read, what became of it, what waits in quarantine.

internal import Diagnostics
package import Model
package import PostgreSQL

/// A run in a list.
package struct RunSummary: Sendable {
    /// Number of the row.
    package let id: Int
    /// `running`, `interrupted` (its process died), `succeeded`, `partial` or `failed`.
    package let state: String
    /// When it began.
    package let startedAt: Timestamp
    /// When it ended; nil while it runs.
    package let finishedAt: Timestamp?
    /// What became of its records.
    package let ledger: RunLedger
    /// Names of the files, at most three.
    package let files: [String]
    /// Number of all its files.
    package let fileCount: Int
    /// `import`, `replay` or `undo`.
    package let kind: String
    /// The run that this one took back.
    package let undoes: Int?
    /// The run that took this one back.
    package let undoneBy: Int?
    /// Why it failed, with code and facts.
    package let error: JSONText?
}

/// A file of a run.
package struct RunArtifact: Sendable {
    /// Name as received.
    package let name: String
    /// Bytes.
    package let size: Int
    /// `name@version`; nil where the file was never mapped.
    package let mapping: String?
    /// Records of it that wait for a person.
    package let quarantined: Int
    /// Warnings about the file as a whole: a list of objects with `code`, `severity`, `field` and facts.
    package let findings: JSONText
}

/// Reads runs; every list is bounded.
package enum Runs {
    /// Runs, the latest first.
    package static func list(limit: Int = 50, on connection: Connection) async throws(PostgreSQLError)
        -> [RunSummary]
    {
        try await connection.run(ListRuns(id: nil, limit: limit))
    }

    /// One run; nil where there is none with this number.
    package static func show(_ id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> RunSummary?
    {
        try await connection.run(ListRuns(id: id, limit: 1)).first
    }

    /// The files of a run.
    package static func artifacts(of id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> [RunArtifact]
    {
        try await connection.run(ListArtifacts(run: id))
    }

    /// Why some of what a run was to read could not be read, at most a thousand.
    package static func problems(of id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> [JSONText]
    {
        try await connection.run(ListProblems(run: id))
    }
}

struct ListProblems: Statement {
    let run: Int

    static let sql = "select problem from run_problem where run_id = $1::bigint order by id limit 1000"
    var parameters: [Parameter] { [Parameter(run)] }
    typealias Row = JSONText
}

struct ListRuns: Statement {
    let id: Int?
    let limit: Int

    // A running run holds the advisory lock of its number; without it, its process is gone.
    static let sql = """
        select r.id,
          case when r.state = 'running' and not exists (
            select from pg_locks l
            where l.locktype = 'advisory' and l.classid = 29301 and l.objid = r.id::bigint::int::oid
              and l.database = (select oid from pg_database where datname = current_database())
          ) then 'interrupted' else r.state end,
          r.started_at, r.finished_at, r.inserted, r.updated, r.unchanged, r.quarantined, r.skipped, r.deleted,
          array(select a.name from artifact a where a.run_id = r.id order by a.id limit 3),
          (select count(*) from artifact a where a.run_id = r.id), r.kind, r.undoes, r.undone_by,
          r.error
        from run r
        where $1::bigint is null or r.id = $1
        order by r.id desc
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunSummary {
        RunSummary(
            id: try row.next(), state: try row.next(), startedAt: try row.next(), finishedAt: try row.next(),
            ledger: RunLedger(
                inserted: try row.next(), updated: try row.next(), unchanged: try row.next(),
                quarantined: try row.next(), skipped: try row.next(), deleted: try row.next()),
            files: try row.next(), fileCount: try row.next(), kind: try row.next(), undoes: try row.next(),
            undoneBy: try row.next(), error: try row.next())
    }
}

struct ListArtifacts: Statement {
    let run: Int

    static let sql = """
        select a.name, a.size, m.name || '@' || m.version, a.quarantined, a.findings
        from artifact a
        left join mapping_version m on m.id = a.mapping_version_id
        where a.run_id = $1::bigint
        order by a.id
        """
    var parameters: [Parameter] { [Parameter(run)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunArtifact {
        RunArtifact(
            name: try row.next(), size: try row.next(), mapping: try row.next(), quarantined: try row.next(),
            findings: try row.next())
    }
}

// SPDX-License-Identifier: Apache-2.0
// The record of every run: what it read, what became of it, what waits in quarantine.

internal import Diagnostics
package import Model
package import PostgreSQL

/// A run in a list.
package struct RunSummary: Sendable {
    /// Number of the row.
    package let id: Int
    /// `running`, `interrupted` (its process died), `succeeded`, `partial`, `failed` or
    /// `stopped` (a person wanted its end).
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
    /// `import`, `replay`, `undo`, `export`, `edit` or `trust`.
    package let kind: String
    /// The run that this one took back.
    package let undoes: Int?
    /// The run that took this one back.
    package let undoneBy: Int?
    /// Why it failed, with code and facts.
    package let error: JSONText?
    /// Name of the flow that it was for; nil for runs that people began.
    package let flow: String?
    /// Who asked it to end before its files do.
    package let stoppedBy: String?
    /// How much a source is believed since it, where it is about that.
    package let trust: RunTrust?
}

/// What a run made of how much a source is believed.
package struct RunTrust: Sendable {
    /// What the source is called.
    package let source: String
    /// How much it was believed.
    package let before: Int
    /// How much it is since.
    package let after: Int
    /// How many rows are decided again.
    package let expected: Int
}

extension RunSummary {
    init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        state = try row.next()
        startedAt = try row.next()
        finishedAt = try row.next()
        ledger = RunLedger(
            inserted: try row.next(), updated: try row.next(), unchanged: try row.next(),
            quarantined: try row.next(), skipped: try row.next(), deleted: try row.next())
        files = try row.next()
        fileCount = try row.next()
        kind = try row.next()
        undoes = try row.next()
        undoneBy = try row.next()
        error = try row.next()
        flow = try row.next()
        stoppedBy = try row.next()
        let source = try row.next(String?.self)
        let (before, after, expected) = (
            try row.next(Int?.self), try row.next(Int?.self), try row.next(Int?.self)
        )
        trust = source.map {
            RunTrust(source: $0, before: before ?? 0, after: after ?? 0, expected: expected ?? 0)
        }
    }
}

/// Which runs a list shows.
package struct RunFilter: Sendable {
    /// Those before this one.
    package var before: Int?
    /// Those of a flow.
    package var flow: String?
    /// Those in a state (`running`, `succeeded`, `partial`, `failed`, `stopped`).
    package var state: String?

    /// All runs.
    package init(before: Int? = nil, flow: String? = nil, state: String? = nil) {
        (self.before, self.flow, self.state) = (before, flow, state)
    }
}

/// A batch that a run committed.
package struct RunBatch: Sendable {
    /// One-based number in the run.
    package let number: Int
    /// Records that it counted.
    package let records: Int
    /// When it was committed.
    package let at: Timestamp
    /// Number of the file.
    package let artifact: Int?
    /// Bytes of the file up to its last record; nil where that is not known.
    package let readTo: Int?

    /// A batch.
    package init(number: Int, records: Int, at: Timestamp, artifact: Int?, readTo: Int?) {
        (self.number, self.records, self.at) = (number, records, at)
        (self.artifact, self.readTo) = (artifact, readTo)
    }
}

/// How far the files of a run are that have come so far.
package struct RunReading: Sendable {
    /// The file that is being read.
    package struct Current: Sendable {
        /// Number of the file.
        package let artifact: Int
        /// Its bytes.
        package let size: Int
        /// Bytes of the first pass, which writes nothing.
        package let checkedTo: Int

        /// A file.
        package init(artifact: Int, size: Int, checkedTo: Int) {
            (self.artifact, self.size, self.checkedTo) = (artifact, size, checkedTo)
        }
    }

    /// How many there are.
    package let files: Int
    /// Bytes of all, and of those that are done.
    package let size: Int
    /// Bytes of those that are done.
    package let finished: Int
    /// nil between two files.
    package let current: Current?

    /// Files.
    package init(files: Int, size: Int, finished: Int, current: Current?) {
        (self.files, self.size, self.finished, self.current) = (files, size, finished, current)
    }
}

/// A file of a run.
package struct RunArtifact: Sendable {
    /// Number of the row.
    package let id: Int
    /// Name as received.
    package let name: String
    /// SHA-256 of its bytes.
    package let sha256: [UInt8]
    /// When it was received.
    package let receivedAt: Timestamp
    /// Whether all of it was read.
    package let isFinished: Bool
    /// Bytes.
    package let size: Int
    /// Of two files kept as one, the size of the first.
    package let firstSize: Int?
    /// Whether its bytes are kept.
    package let isKept: Bool
    /// `name@version`; nil where the file was never mapped.
    package let mapping: String?
    /// Records of it that wait for a person.
    package let quarantined: Int
    /// Warnings about the file as a whole: a list of objects with `code`, `severity`, `field` and facts.
    package let findings: JSONText
}

/// Records of a run that were put aside for one reason.
package struct RunCause: Sendable {
    /// Stable code of the reason.
    package let code: String
    /// JSON name of the field at fault.
    package let field: String?
    /// Number of records.
    package let count: Int
    /// Of these, those that still wait.
    package let waiting: Int
    /// The first line of a file that it happened on.
    package let firstLine: Int?
}

/// Reads runs; every list is bounded.
package enum Runs {
    /// Runs, the latest first.
    package static func list(
        _ filter: RunFilter = RunFilter(), limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [RunSummary] {
        try await connection.run(ListRuns(id: nil, filter: filter, limit: limit))
    }

    /// One run; nil where there is none with this number.
    package static func show(_ id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> RunSummary?
    {
        try await connection.run(ListRuns(id: id, filter: RunFilter(), limit: 1)).first
    }

    /// The files of a run.
    package static func artifacts(of id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> [RunArtifact]
    {
        try await connection.run(ListArtifacts(run: id))
    }

    /// A file of a run; nil where it has none with this number.
    package static func artifact(
        _ id: Int, of run: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> RunArtifact? {
        try await connection.run(ListArtifacts(run: run, artifact: id)).first
    }

    /// How far the files of a run are; nil where it has none.
    package static func reading(of id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> RunReading?
    {
        try await connection.run(ReadingOfRun(run: id)).first
    }

    /// The last batches of a run, newest first.
    package static func batches(
        of id: Int, limit: Int = 60, on connection: Connection
    ) async throws(PostgreSQLError) -> [RunBatch] {
        try await connection.run(ListBatches(run: id, limit: limit))
    }

    /// What a run put aside, by cause, the most frequent first.
    package static func causes(of id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> [RunCause]
    {
        try await connection.run(RunCauses(run: id))
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
    let filter: RunFilter
    let limit: Int

    // A running run holds the advisory lock of its number; without it, its process is gone.
    static let columns = """
        r.id,
          case when r.state = 'running' and not exists (
            select from pg_locks l
            where l.locktype = 'advisory' and l.classid = 29301 and l.objid = r.id::bigint::int::oid
              and l.database = (select oid from pg_database where datname = current_database())
          ) then 'interrupted' else r.state end,
          r.started_at, r.finished_at, r.inserted, r.updated, r.unchanged, r.quarantined, r.skipped, r.deleted,
          array(select a.name from artifact a where a.run_id = r.id order by a.id limit 3),
          (select count(*) from artifact a where a.run_id = r.id), r.kind, r.undoes, r.undone_by,
          r.error, (select f.name from flow f where f.id = r.flow_id)::text,
          (select u.name from app_user u where u.id = r.stop_asked_by),
          t.source, t.before, t.after, t.expected
        """
    /// Beside a run `r`.
    static let trust = """
        left join lateral (
          select coalesce(y.name, y.code) as source, c.before::bigint, c.after::bigint, c.expected
          from trust_change c
          join source_system y on y.id = c.source_id
          where c.run_id = r.id
        ) t on true
        """
    static let sql = """
        select \(columns)
        from run r
        \(trust)
        where ($1::bigint is null or r.id = $1) and ($3::bigint is null or r.id < $3)
          and ($4::text is null or r.flow_id = (select id from flow where name = $4))
          and ($5::text is null or r.state = $5)
          -- what people typed is the history of accounts, not of exchanges
          and ($1 is not null or r.kind <> 'edit')
        order by r.id desc
        limit $2::bigint
        """
    var parameters: [Parameter] {
        [
            Parameter(id), Parameter(limit), Parameter(filter.before), Parameter(filter.flow),
            Parameter(filter.state),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunSummary { try RunSummary(&row) }
}

/// The last batches of a run, newest first.
struct ListBatches: Statement {
    let run: Int
    let limit: Int

    static let sql = """
        select no::bigint, (inserted + updated + unchanged + quarantined + skipped)::bigint, committed_at,
          artifact_id, read_to
        from run_batch
        where run_id = $1::bigint
        order by no desc
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(run), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunBatch {
        RunBatch(
            number: try row.next(), records: try row.next(), at: try row.next(), artifact: try row.next(),
            readTo: try row.next())
    }
}

/// What of a run's quarantine waits or waited, by cause.
struct RunCauses: Statement {
    let run: Int

    static let sql = """
        select q.code, q.field, count(*), count(*) filter (where q.status in ('open', 'fixed')), min(q.line)
        from quarantine q
        where q.run_id = $1::bigint
        group by 1, 2
        order by 3 desc, 1, 2
        limit 50
        """
    var parameters: [Parameter] { [Parameter(run)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunCause {
        RunCause(
            code: try row.next(), field: try row.next(), count: try row.next(), waiting: try row.next(),
            firstLine: try row.next())
    }
}

struct ReadingOfRun: Statement {
    let run: Int

    static let sql = """
        select count(*), sum(a.size)::bigint, coalesce(sum(a.size) filter (where a.finished_at is not null), 0)::bigint,
          c.id, c.size, c.checked_to
        from artifact a
        left join lateral (
          select n.id, n.size, n.checked_to
          from artifact n
          where n.run_id = $1::bigint and n.finished_at is null
          order by n.id desc
          limit 1
        ) c on true
        where a.run_id = $1::bigint
        group by c.id, c.size, c.checked_to
        """
    var parameters: [Parameter] { [Parameter(run)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunReading {
        let (files, size, finished): (Int, Int, Int) = (try row.next(), try row.next(), try row.next())
        let (id, length, checked): (Int?, Int?, Int?) = (try row.next(), try row.next(), try row.next())
        let current = id.map { RunReading.Current(artifact: $0, size: length ?? 0, checkedTo: checked ?? 0) }
        return RunReading(files: files, size: size, finished: finished, current: current)
    }
}

struct ListArtifacts: Statement {
    let run: Int
    /// Only this one.
    var artifact: Int?

    static let sql = """
        select a.id, a.name, a.sha256, a.received_at, a.finished_at is not null, a.size, a.first_size,
          exists (select from blob b where b.sha256 = a.sha256 and b.dropped_at is null),
          m.name || '@' || m.version, a.quarantined, a.findings
        from artifact a
        left join mapping_version m on m.id = a.mapping_version_id
        where a.run_id = $1::bigint and ($2::bigint is null or a.id = $2)
        order by a.id
        """
    var parameters: [Parameter] { [Parameter(run), Parameter(artifact)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunArtifact {
        RunArtifact(
            id: try row.next(), name: try row.next(), sha256: try row.next(Bytes.self).array,
            receivedAt: try row.next(), isFinished: try row.next(), size: try row.next(),
            firstSize: try row.next(), isKept: try row.next(), mapping: try row.next(),
            quarantined: try row.next(), findings: try row.next())
    }
}

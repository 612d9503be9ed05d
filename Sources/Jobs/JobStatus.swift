// SPDX-License-Identifier: Apache-2.0
// A job as an operator sees it, live or ended.

package import Model
package import PostgreSQL

/// What a job is and what became of it.
package struct JobStatus: Sendable {
    /// Its number.
    package let id: Int
    /// The class of work.
    package let queue: String
    /// Which handler does it.
    package let kind: String
    /// The group it takes turns for.
    package let group: String
    /// `waiting`, `ready`, `running`, `done`, `dead`, `cancelled`.
    package let state: String
    /// Attempts so far.
    package let attempt: Int
    /// Attempts that it may have; nil once it has ended.
    package let maxAttempts: Int?
    /// Which worker has it or had it.
    package let worker: String?
    /// The run that it was.
    package let run: Int?
    /// Why the last attempt failed: a code with its facts.
    package let error: JSONText?
    /// What the handler is told; nil where it is no longer kept.
    package let payload: JSONText?
    /// When it was made.
    package let createdAt: Timestamp
    /// When it is to begin.
    package let runAt: Timestamp?
    /// When its last attempt began.
    package let startedAt: Timestamp?
    /// When it ended.
    package let endedAt: Timestamp?

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        queue = try row.next()
        kind = try row.next()
        group = try row.next()
        state = try row.next()
        attempt = try row.next()
        maxAttempts = try row.next()
        worker = try row.next()
        run = try row.next()
        error = try row.next()
        payload = try row.next()
        createdAt = try row.next()
        runAt = try row.next()
        startedAt = try row.next()
        endedAt = try row.next()
    }

    /// The columns of live jobs, then those of ended ones, in the order that ``init(_:)`` reads.
    static let live = """
        select id, queue, kind, group_key, state, attempt::bigint as attempt, max_attempts::bigint as max_attempts,
          worker, null::bigint as run, error, payload, created_at, run_at, started_at, null::timestamptz as ended_at
        from job
        """
    static let ended = """
        select job_id, queue, kind, group_key, outcome, attempt::bigint, null::bigint, worker, run_id, error,
          job->'payload', created_at, null::timestamptz, started_at, ended_at
        from job_history
        """
}

struct ListJobs: Statement {
    let group: String?
    let onlyDead: Bool
    let limit: Int

    static let sql = """
        (\(JobStatus.live) where not $2 and ($1::text is null or group_key = $1) order by id desc limit $3::bigint)
        union all
        (\(JobStatus.ended) where ($1::text is null or group_key = $1) and (not $2 or outcome = 'dead')
         order by job_history.ended_at desc limit $3::bigint)
        order by 15 desc nulls first, 1 desc limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(group), Parameter(onlyDead), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> JobStatus { try JobStatus(&row) }
}

struct ShowJob: Statement {
    let id: Int

    static let sql = """
        \(JobStatus.live) where id = $1::bigint
        union all
        \(JobStatus.ended) where job_id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> JobStatus { try JobStatus(&row) }
}

struct CountJobs: Statement {
    static let sql = """
        select q.name, count(j.id) filter (where j.state = 'waiting'), count(j.id) filter (where j.state = 'ready'),
          count(j.id) filter (where j.state = 'running'),
          coalesce(max(extract(epoch from now() - j.run_at)) filter (where j.state = 'ready'), 0)::bigint
        from unnest(array['interactive', 'scheduled', 'bulk']) with ordinality q (name, no)
        left join job j on j.queue = q.name
        group by q.name, q.no order by q.no
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QueueLoad {
        QueueLoad(
            queue: try row.next(), waiting: try row.next(), ready: try row.next(), running: try row.next(),
            oldestSeconds: try row.next())
    }
}

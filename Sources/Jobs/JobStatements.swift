// SPDX-License-Identifier: Apache-2.0
// The statements that move jobs from one state to the next.

internal import Diagnostics
package import PostgreSQL

/// The queue's statements.
package enum JobStatements {
    /// Every one, for the test that PREPAREs them.
    package static let all: [any Statement.Type] = [
        EnqueueJobs.self, WakeWorkers.self, PromoteJobs.self, FetchJobs.self, FetchLimited.self,
        WaitingLimits.self, LockLimits.self, TakeTokens.self,
        ExtendLeases.self, CompleteJobs.self, AlreadyCompleted.self, PostponeJob.self, EndJob.self,
        ReleaseJobs.self, HoldLease.self, ReapLeases.self, CancelWaiting.self, CancelRunning.self,
        RunNow.self, RunAgain.self, MakeHistoryPartitions.self, ListJobs.self, ShowJob.self, CountJobs.self,
        Pause.self, EndPauses.self, Resume.self, SetLimits.self, ListControls.self,
    ]

    /// Columns of the history in the order of ``insertEnded(_:error:)``.
    static let history = """
        insert into job_history (job_id, queue, kind, group_key, outcome, attempt, lease_token, worker, run_id, error,
          job, created_at, started_at)
        """

    /// What is kept of a job that may be run again.
    static let keptJob = "to_jsonb(j) - 'error' - 'lease_token' - 'lease_until'"
}

struct EnqueueJobs: Statement {
    let jobs: [NewJob]

    static let sql = """
        insert into job (queue, kind, group_key, priority, run_at, state, max_attempts, unique_key, exclusive_key,
          limit_key, payload)
        select n.queue, n.kind, n.group_key, n.priority, coalesce(n.run_at, now()),
          case when n.run_at > now() then 'waiting' else 'ready' end, n.max_attempts, n.unique_key, n.exclusive_key,
          n.limit_key, n.payload
        from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::text[],
          $8::text[], $9::text[], $10::jsonb[]) with ordinality n
          (queue, kind, group_key, priority, run_at, max_attempts, unique_key, exclusive_key, limit_key, payload, no)
        order by n.no
        on conflict (unique_key) where unique_key is not null do nothing
        returning id
        """
    var parameters: [Parameter] {
        [
            Parameter(jobs.map(\.queue.rawValue)), Parameter(jobs.map(\.kind)), Parameter(jobs.map(\.group)),
            Parameter(jobs.map(\.priority)), Parameter(jobs.map(\.runAt)), Parameter(jobs.map(\.maxAttempts)),
            Parameter(jobs.map(\.unique)), Parameter(jobs.map(\.exclusive)), Parameter(jobs.map(\.limit)),
            Parameter(jobs.map(\.payload)),
        ]
    }
    typealias Row = Int
}

struct WakeWorkers: Statement {
    static let sql = "select pg_notify('\(JobQueue.channel)', '') is null"
    typealias Row = Bool
}

/// Jobs whose time has come.
struct PromoteJobs: Statement {
    static let sql = """
        with due as (
          select id from job where state = 'waiting' and run_at <= now() order by run_at limit 1000
          for update skip locked
        )
        update job set state = 'ready' from due where job.id = due.id
        """
}

/// Lends jobs of a queue: groups take turns, and a locked row is another worker's.
///
/// Groups are found by skipping through the index, from `after` on, at most a thousand at a time.
struct FetchJobs: Statement {
    let queue: QueueName
    let count: Int
    let worker: String
    let lease: Duration
    let after: String

    static let sql = """
        with recursive turns (group_key, no) as (
          (select group_key, 1 from job where queue = $1 and state = 'ready' and group_key >= $5
           order by group_key limit 1)
          union all
          select (select j.group_key from job j
                  where j.queue = $1 and j.state = 'ready' and j.group_key > turns.group_key
                  order by j.group_key limit 1), turns.no + 1
          from turns where turns.group_key is not null and turns.no < 1000
        ), groups as (
          select group_key from turns
          where group_key is not null
            and not exists (
              select from queue_control c
              where c.paused_at is not null
                and (c.scope = 'queue' and c.name = $1 or c.scope = 'group' and c.name = turns.group_key))
        ), free as (
          select p.id, p.exclusive_key, p.priority, p.run_at,
            row_number() over (partition by g.group_key order by p.priority, p.run_at, p.id) as turn
          from groups g cross join lateral (
            select j.id, j.exclusive_key, j.priority, j.run_at from job j
            where j.queue = $1 and j.state = 'ready' and j.group_key = g.group_key
              and (j.exclusive_key is null or not exists (
                select from job r where r.exclusive_key = j.exclusive_key and r.state = 'running'))
              and (j.limit_key is null or not exists (
                select from queue_control c where c.scope = 'limit' and c.name = j.limit_key
                  and (c.paused_at is not null or c.max_running is not null or c.per_minute is not null)))
            order by j.priority, j.run_at, j.id
            limit greatest(1, $2::bigint / (select count(*) from groups))
            for update skip locked
          ) p
        ), chosen as (
          select id from (
            select id, turn, run_at, row_number() over (partition by coalesce(exclusive_key, id::text) order by turn, id)
              as alone
            from free) f
          where alone = 1 order by turn, run_at, id limit $2::bigint
        )
        \(lend) from chosen where job.id = chosen.id
        returning \(columns)
        """

    static let lend = """
        update job set state = 'running', attempt = attempt + 1, worker = $3, started_at = now(),
          lease_token = nextval('job_lease'), lease_until = now() + $4::bigint * interval '1 microsecond'
        """
    static let columns =
        "job.id, queue, kind, group_key, attempt::bigint, max_attempts::bigint, lease_token, payload"

    var parameters: [Parameter] {
        [
            Parameter(queue.rawValue), Parameter(count), Parameter(worker), Parameter(lease.microseconds),
            Parameter(after),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Job { try Job(&row) }
}

extension Job {
    init(_ row: inout RowReader) throws(PostgreSQLError) {
        self.init(
            id: try row.next(), queue: QueueName(rawValue: try row.next()) ?? .bulk, kind: try row.next(),
            group: try row.next(), attempt: try row.next(), maxAttempts: try row.next(),
            token: try row.next(), payload: try row.next())
    }
}

extension Duration {
    /// Whole microseconds, as intervals are sent.
    var microseconds: Int {
        Int(components.seconds) * 1_000_000 + Int(components.attoseconds / 1_000_000_000_000)
    }
}

/// Makes leases longer; returns those that are still had, and which of them are to end.
///
/// By their numbers and not by the worker's name: a fetch whose answer was lost leaves leases that nobody works on, and
/// these must end.
struct ExtendLeases: Statement {
    let jobs: [Job]
    let lease: Duration

    static let sql = """
        update job j set lease_until = now() + $3::bigint * interval '1 microsecond'
        from unnest($1::bigint[], $2::bigint[]) d (id, token)
        where j.id = d.id and j.lease_token = d.token
        returning j.id, j.lease_token, j.cancelled_at is not null
        """
    var parameters: [Parameter] {
        [Parameter(jobs.map(\.id)), Parameter(jobs.map(\.token)), Parameter(lease.microseconds)]
    }

    struct Row: Sendable {
        let id: Int
        let token: Int
        let isCancelled: Bool
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(id: try row.next(), token: try row.next(), isCancelled: try row.next())
    }
}

/// Ends jobs that are done; those whose lease is another's stay, and are not returned.
struct CompleteJobs: Statement {
    let jobs: [(job: Job, run: Int?)]

    static let sql = """
        with done as (
          delete from job j using unnest($1::bigint[], $2::bigint[], $3::bigint[]) d (id, token, run)
          where j.id = d.id and j.lease_token = d.token
          returning j.*, d.run
        )
        \(JobStatements.history)
        select id, queue, kind, group_key, 'done', attempt, lease_token, worker, run, null, null, created_at, started_at
        from done
        returning job_id
        """
    var parameters: [Parameter] {
        [
            Parameter(jobs.map(\.job.id)), Parameter(jobs.map(\.job.token)), Parameter(jobs.map(\.run)),
        ]
    }
    typealias Row = Int
}

/// Of jobs that cannot be completed, those that had been, by a commit whose answer was lost.
struct AlreadyCompleted: Statement {
    let jobs: [Job]

    static let sql = """
        select h.job_id from job_history h
        join unnest($1::bigint[], $2::bigint[]) d (id, token) on h.job_id = d.id and h.lease_token = d.token
        """
    var parameters: [Parameter] { [Parameter(jobs.map(\.id)), Parameter(jobs.map(\.token))] }
    typealias Row = Int
}

/// Puts a job back until its next attempt.
struct PostponeJob: Statement {
    let job: Job
    let pause: Duration
    let error: Diagnostic

    static let sql = """
        update job set state = 'waiting', run_at = now() + $3::bigint * interval '1 microsecond', error = $4,
          lease_token = null, lease_until = null
        where id = $1::bigint and lease_token = $2::bigint
        """
    var parameters: [Parameter] {
        [Parameter(job.id), Parameter(job.token), Parameter(pause.microseconds), Parameter(JSONText(error))]
    }
}

/// Ends a job that is given up or cancelled, and keeps what is needed to run it again.
struct EndJob: Statement {
    let job: Job
    let outcome: String
    let error: Diagnostic

    static let sql = """
        with ended as (
          delete from job where id = $1::bigint and lease_token = $2::bigint returning *
        )
        \(JobStatements.history)
        select id, queue, kind, group_key, $3, attempt, lease_token, worker, null, $4, \(JobStatements.keptJob),
          created_at, started_at
        from ended j
        returning job_id
        """
    var parameters: [Parameter] {
        [Parameter(job.id), Parameter(job.token), Parameter(outcome), Parameter(JSONText(error))]
    }
    typealias Row = Int
}

/// Gives jobs back that were fetched and not finished, as if they had not been tried.
struct ReleaseJobs: Statement {
    let jobs: [Job]

    static let sql = """
        update job j set state = 'ready', attempt = attempt - 1, lease_token = null, lease_until = null, worker = null
        from unnest($1::bigint[], $2::bigint[]) d (id, token)
        where j.id = d.id and j.lease_token = d.token
        """
    var parameters: [Parameter] { [Parameter(jobs.map(\.id)), Parameter(jobs.map(\.token))] }
}

/// Whether a job is still lent under a number; held to the end of the transaction.
struct HoldLease: Statement {
    let job: Job

    static let sql = "select true from job where id = $1::bigint and lease_token = $2::bigint for key share"
    var parameters: [Parameter] { [Parameter(job.id), Parameter(job.token)] }
    typealias Row = Bool
}

/// Takes jobs back whose worker was not heard of.
struct ReapLeases: Statement {
    let policy: RetryPolicy

    static let sql = """
        with expired as (
          select id, attempt >= max_attempts as is_dead, cancelled_at is not null as is_cancelled from job
          where state = 'running' and lease_until < now() limit 1000
          for update skip locked
        ), again as (
          update job j set state = 'waiting', lease_token = null, lease_until = null,
            error = jsonb_build_object('code', '\(JobError.Code.leaseExpired.rawValue)', 'worker', j.worker),
            run_at = now() + (0.5 + random()) * interval '1 microsecond'
              * least($1::bigint * 2.0 ^ (j.attempt - 1), $2::bigint)
          from expired e where j.id = e.id and not e.is_dead and not e.is_cancelled
          returning 1
        ), dead as (
          delete from job j using expired e where j.id = e.id and (e.is_dead or e.is_cancelled)
          returning j.*, e.is_cancelled
        ), kept as (
          \(JobStatements.history)
          select id, queue, kind, group_key, case when is_cancelled then 'cancelled' else 'dead' end, attempt,
            lease_token, worker, null,
            jsonb_build_object('code', '\(JobError.Code.leaseExpired.rawValue)', 'worker', j.worker),
            \(JobStatements.keptJob) - 'is_cancelled', created_at, started_at
          from dead j
          returning 1
        )
        select (select count(*) from again) + (select count(*) from kept)
        """
    var parameters: [Parameter] {
        [Parameter(policy.first.microseconds), Parameter(policy.longest.microseconds)]
    }
    typealias Row = Int
}

struct CancelWaiting: Statement {
    let id: Int

    static let sql = """
        with ended as (
          delete from job where id = $1::bigint and state <> 'running' returning *
        )
        \(JobStatements.history)
        select id, queue, kind, group_key, 'cancelled', attempt, null, worker, null, error, \(JobStatements.keptJob),
          created_at, started_at
        from ended j
        returning job_id
        """
    var parameters: [Parameter] { [Parameter(id)] }
    typealias Row = Int
}

struct CancelRunning: Statement {
    let id: Int

    static let sql = "update job set cancelled_at = now() where id = $1::bigint and state = 'running'"
    var parameters: [Parameter] { [Parameter(id)] }
}

struct RunNow: Statement {
    let id: Int

    static let sql =
        "update job set state = 'ready', run_at = now() where id = $1::bigint and state = 'waiting'"
    var parameters: [Parameter] { [Parameter(id)] }
}

/// A dead or cancelled job once more, with all its attempts.
struct RunAgain: Statement {
    let id: Int

    static let sql = """
        with old as (
          update job_history set again_at = now()
          where job_id = $1::bigint and outcome <> 'done' and job is not null and again_at is null
          returning job
        )
        insert into job (queue, kind, group_key, priority, max_attempts, unique_key, exclusive_key, limit_key, payload)
        select j.queue, j.kind, j.group_key, j.priority, j.max_attempts, j.unique_key, j.exclusive_key, j.limit_key,
          j.payload
        from old, jsonb_populate_record(null::job, old.job) j
        on conflict (unique_key) where unique_key is not null do nothing
        returning id
        """
    var parameters: [Parameter] { [Parameter(id)] }
    typealias Row = Int
}

struct MakeHistoryPartitions: Statement {
    static let sql = "select make_job_history_partitions(2) is null"
    typealias Row = Bool
}

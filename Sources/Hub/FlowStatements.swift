// SPDX-License-Identifier: Apache-2.0
// The statements that keep flows.

internal import CRM
internal import Model
internal import PostgreSQL
internal import Schedule

/// One writer of flows at a time; 29304 follows the tailer's lock.
struct LockFlows: Statement {
    static let sql = "select pg_advisory_xact_lock(29304, 0) is null"
    typealias Row = Bool
}

struct FindFlows: Statement {
    let name: String?

    static let sql = """
        select f.id::bigint, f.name, f.version::bigint, v.text, v.applied_at, s.cron, s.next_at, c.paused_at, c.paused_until,
          r.id, r.state, r.started_at, (select count(*) from job j where j.group_key = 'flow:' || f.name)
        from flow f
        join flow_version v on v.flow_id = f.id and v.version = f.version
        left join flow_schedule s on s.flow_id = f.id
        left join queue_control c on c.scope = 'group' and c.name = 'flow:' || f.name
        left join lateral (
          select id, state, started_at from run where flow_id = f.id order by id desc limit 1
        ) r on true
        where $1::text is null or f.name = $1
        order by f.name
        """
    var parameters: [Parameter] { [Parameter(name)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> FlowSummary {
        FlowSummary(
            id: try row.next(), name: try row.next(), version: try row.next(), text: try row.next(),
            appliedAt: try row.next(), cron: try row.next(), nextAt: try row.next(),
            pausedAt: try row.next(), pausedUntil: try row.next(), lastRun: try row.next(),
            lastState: try row.next(), lastAt: try row.next(), jobs: try row.next())
    }
}

struct ApplyFlow: Statement {
    let flow: FlowDefinition
    let person: String?

    static let sql = """
        with made as (
          insert into flow (name, version) values ($1, 1)
          on conflict (name) do update
          set version = 1 + (select max(v.version) from flow_version v where v.flow_id = flow.id)
          returning id, version
        ), written as (
          insert into flow_version (flow_id, version, text, applied_by) select id, version, $2, $3 from made
        )
        select id::bigint, version::bigint from made
        """
    var parameters: [Parameter] { [Parameter(flow.name), Parameter(flow.text), Parameter(person)] }

    struct Row: Sendable {
        let id: Int
        let version: Int
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(id: try row.next(), version: try row.next())
    }
}

struct ScheduleFlow: Statement {
    let flow: Int
    let definition: FlowDefinition
    let schedule: FlowSchedule
    let next: Timestamp?

    static let sql = """
        insert into flow_schedule (flow_id, cron, zone, holidays, missed, missed_limit, overlap, jitter_seconds, next_at,
          queue, connector, attempts)
        values ($1::bigint, $2, $3, $4, $5, $6::bigint, $7, $8::bigint, $9, $10, $11, $12::bigint)
        on conflict (flow_id) do update
        set cron = excluded.cron, zone = excluded.zone, holidays = excluded.holidays, missed = excluded.missed,
          missed_limit = excluded.missed_limit, overlap = excluded.overlap, jitter_seconds = excluded.jitter_seconds,
          next_at = excluded.next_at, queue = excluded.queue, connector = excluded.connector,
          attempts = excluded.attempts
        """
    var parameters: [Parameter] {
        [
            Parameter(flow), Parameter(schedule.times.cron.description), Parameter(schedule.zone),
            Parameter(schedule.times.holidays?.rawValue), Parameter(schedule.missed.rawValue),
            Parameter(schedule.missedLimit), Parameter(schedule.overlap.rawValue),
            Parameter(schedule.jitterSeconds), Parameter(next), Parameter(definition.queue),
            Parameter(definition.connector), Parameter(definition.attempts),
        ]
    }
}

struct UnscheduleFlow: Statement {
    let flow: Int

    static let sql = "delete from flow_schedule where flow_id = $1::bigint"
    var parameters: [Parameter] { [Parameter(flow)] }
}

struct FlowText: Statement {
    let flow: Int
    let version: Int

    static let sql = "select text from flow_version where flow_id = $1::bigint and version = $2::bigint"
    var parameters: [Parameter] { [Parameter(flow), Parameter(version)] }
    typealias Row = String
}

/// The current version of a flow, for the run that is about to begin.
struct CurrentFlow: Statement {
    let flow: Int

    static let sql = """
        select f.name, f.version::bigint, v.text from flow f
        join flow_version v on v.flow_id = f.id and v.version = f.version
        where f.id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(flow)] }

    struct Row: Sendable {
        let name: String
        let version: Int
        let text: String
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(name: try row.next(), version: try row.next(), text: try row.next())
    }
}

struct FlowHistory: Statement {
    let flow: Int
    let group: String
    let limit: Int

    static let sql = """
        select applied_at, 'version', version::bigint, null::text, null::jsonb from flow_version
        where flow_id = $1::bigint
        union all
        (select started_at, 'run', id, state, error from run where flow_id = $1::bigint
         order by id desc limit $3::bigint)
        union all
        (select nominal_at, outcome, job_id, null, null from flow_firing
         where flow_id = $1::bigint and outcome <> 'queued' order by nominal_at desc limit $3::bigint)
        union all
        (select ended_at, outcome, job_id, null, error from job_history
         where group_key = $2 and outcome <> 'done' order by ended_at desc limit $3::bigint)
        order by 1 desc limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(flow), Parameter(group), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> FlowEvent {
        FlowEvent(
            at: try row.next(), kind: try row.next(), number: try row.next(), state: try row.next(),
            error: try row.next())
    }
}

struct FlowCursor: Statement {
    let flow: Int

    static let sql = "select cursor from flow_cursor where flow_id = $1::bigint"
    var parameters: [Parameter] { [Parameter(flow)] }
    typealias Row = String
}

struct KeepFlowCursor: Statement {
    let flow: Int
    let cursor: String

    static let sql = """
        insert into flow_cursor (flow_id, cursor) values ($1::bigint, $2)
        on conflict (flow_id) do update set cursor = excluded.cursor, at = now()
        """
    var parameters: [Parameter] { [Parameter(flow), Parameter(cursor)] }
}

// MARK: - Ticking

/// Schedules whose time has come, locked until their next time is written.
struct DueSchedules: Statement {
    let now: Timestamp

    static let sql = """
        select s.flow_id::bigint, f.name, s.cron, s.zone, s.holidays, s.missed, s.missed_limit::bigint, s.overlap,
          s.jitter_seconds::bigint, s.next_at, s.queue, s.connector, s.attempts::bigint,
          exists (select from job j where j.group_key = 'flow:' || f.name),
          exists (select from queue_control c
                  where c.scope = 'group' and c.name = 'flow:' || f.name and c.paused_at is not null)
        from flow_schedule s
        join flow f on f.id = s.flow_id
        where s.next_at <= $1
        order by s.next_at
        limit 500
        for update of s skip locked
        """
    var parameters: [Parameter] { [Parameter(now)] }

    struct Row: Sendable {
        let flow: Int
        let name: String
        let cron: String
        let zone: String
        let holidays: String?
        let missed: String
        let missedLimit: Int
        let overlap: String
        let jitter: Int
        let due: Timestamp
        let queue: String
        let connector: String
        let attempts: Int
        let isLive: Bool
        let isPaused: Bool
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            flow: try row.next(), name: try row.next(), cron: try row.next(), zone: try row.next(),
            holidays: try row.next(), missed: try row.next(), missedLimit: try row.next(),
            overlap: try row.next(), jitter: try row.next(), due: try row.next(), queue: try row.next(),
            connector: try row.next(), attempts: try row.next(), isLive: try row.next(),
            isPaused: try row.next())
    }
}

/// Writes what became of times; those that are there already were another tick's.
struct WriteFirings: Statement {
    let firings: [(flow: Int, firing: FiringPlan.Firing)]

    static let sql = """
        insert into flow_firing (flow_id, nominal_at, outcome)
        select * from unnest($1::bigint[], $2::timestamptz[], $3::text[])
        on conflict do nothing
        returning flow_id::bigint, nominal_at
        """
    var parameters: [Parameter] {
        [
            Parameter(firings.map(\.flow)), Parameter(firings.map(\.firing.nominal)),
            Parameter(firings.map(\.firing.outcome.rawValue)),
        ]
    }

    struct Row: Sendable, Hashable {
        let flow: Int
        let nominal: Timestamp
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(flow: try row.next(), nominal: try row.next())
    }
}

struct WriteNextTimes: Statement {
    let times: [(flow: Int, next: Timestamp?)]

    static let sql = """
        update flow_schedule s set next_at = n.next_at
        from unnest($1::bigint[], $2::timestamptz[]) n (flow_id, next_at)
        where s.flow_id = n.flow_id
        """
    var parameters: [Parameter] { [Parameter(times.map(\.flow)), Parameter(times.map(\.next))] }
}

/// Live jobs of groups, to be cancelled.
struct LiveJobs: Statement {
    let groups: [String]

    static let sql = "select id from job where group_key = any($1)"
    var parameters: [Parameter] { [Parameter(groups)] }
    typealias Row = Int
}

/// The database's clock, which all nodes share.
struct Now: Statement {
    static let sql = "select clock_timestamp()"
    typealias Row = Timestamp
}

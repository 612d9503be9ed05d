// SPDX-License-Identifier: Apache-2.0
// The statements that notice what did not happen, and keep who was told.

internal import CRM
internal import Model
internal import PostgreSQL
internal import Schedule

struct ExpectOfFlow: Statement {
    let flow: Int
    let times: FlowExpectation
    let next: Timestamp?

    // A new version does not forget what was waited for.
    static let sql = """
        insert into flow_expectation (flow_id, cron, zone, holidays, next_at)
        values ($1::bigint, $2, $3, $4, $5)
        on conflict (flow_id) do update
        set cron = excluded.cron, zone = excluded.zone, holidays = excluded.holidays, next_at = excluded.next_at
        """
    var parameters: [Parameter] {
        [
            Parameter(flow), Parameter(times.times.cron.description), Parameter(times.zone),
            Parameter(times.times.holidays?.rawValue), Parameter(next),
        ]
    }
}

struct ExpectNothing: Statement {
    let flow: Int

    static let sql = "delete from flow_expectation where flow_id = $1::bigint"
    var parameters: [Parameter] { [Parameter(flow)] }
}

/// Expectations whose time has come, locked, and whether something was received.
struct DueExpectations: Statement {
    let now: Timestamp

    static let sql = """
        select e.flow_id::bigint, e.cron, e.zone, e.holidays, e.next_at,
          exists (
            select from run r
            join artifact a on a.run_id = r.id
            where r.flow_id = e.flow_id and a.received_at > e.since
          ),
          exists (select from queue_control c
                  where c.scope = 'group' and c.name = 'flow:' || f.name and c.paused_at is not null)
        from flow_expectation e
        join flow f on f.id = e.flow_id
        where e.next_at <= $1
        order by e.next_at
        limit 500
        for update of e skip locked
        """
    var parameters: [Parameter] { [Parameter(now)] }

    struct Row: Sendable {
        let flow: Int
        let cron: String
        let zone: String
        let holidays: String?
        let due: Timestamp
        let hasCome: Bool
        let isPaused: Bool
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            flow: try row.next(), cron: try row.next(), zone: try row.next(), holidays: try row.next(),
            due: try row.next(), hasCome: try row.next(), isPaused: try row.next())
    }
}

struct WriteExpectations: Statement {
    let times: [(flow: Int, next: Timestamp?)]
    let now: Timestamp

    static let sql = """
        update flow_expectation e set next_at = n.next_at, since = $3
        from unnest($1::bigint[], $2::timestamptz[]) n (flow_id, next_at)
        where e.flow_id = n.flow_id
        """
    var parameters: [Parameter] {
        [Parameter(times.map(\.flow)), Parameter(times.map(\.next)), Parameter(now)]
    }
}

/// Keeps alerts that nobody kept before.
struct KeepLate: Statement {
    let late: [(flow: Int, nominal: Timestamp)]

    static let sql = """
        insert into alert (flow_id, kind, nominal_at, facts)
        select flow_id, 'late', nominal_at, '{}' from unnest($1::bigint[], $2::timestamptz[]) n (flow_id, nominal_at)
        on conflict do nothing
        returning id, flow_id::bigint
        """
    var parameters: [Parameter] { [Parameter(late.map(\.flow)), Parameter(late.map(\.nominal))] }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AlertKey {
        AlertKey(id: try row.next(), flow: try row.next())
    }
}

/// Keeps an alert for each job of a flow that was given up in the last day.
struct KeepFailed: Statement {
    static let sql = """
        insert into alert (flow_id, kind, nominal_at, facts)
        select f.id, 'failed', h.ended_at,
          coalesce(h.error, '{}') || jsonb_build_object('job', h.job_id::text)
        from job_history h
        join flow f on h.group_key = 'flow:' || f.name
        where h.outcome = 'dead' and h.outcome <> 'done' and h.kind = 'flow'
          and h.ended_at > now() - interval '1 day'
          and not exists (
            select from alert a
            where a.flow_id = f.id and a.kind = 'failed' and a.nominal_at = h.ended_at
          )
        on conflict do nothing
        returning id, flow_id::bigint
        """

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AlertKey {
        AlertKey(id: try row.next(), flow: try row.next())
    }
}

/// An alert that was just kept.
struct AlertKey: Sendable {
    let id: Int
    let flow: Int
}

struct FindAlerts: Statement {
    let id: Int?
    let limit: Int

    static let sql = """
        select a.id, f.name, v.text, a.kind, a.nominal_at, a.at, a.facts, a.mailed_at, a.posted_at
        from alert a
        join flow f on f.id = a.flow_id
        join flow_version v on v.flow_id = f.id and v.version = f.version
        where $1::bigint is null or a.id = $1
        order by a.id desc
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Alert {
        Alert(
            id: try row.next(), flow: try row.next(), flowText: try row.next(),
            kind: Alert.Kind(rawValue: try row.next()) ?? .failed, nominal: try row.next(),
            at: try row.next(), facts: try row.next(), mailedAt: try row.next(), postedAt: try row.next())
    }
}

/// Remembers that somebody was told.
struct AlertTold: Statement {
    let id: Int
    let byMail: Bool

    static let sql = """
        update alert
        set mailed_at = case when $2 then now() else mailed_at end,
          posted_at = case when $2 then posted_at else now() end
        where id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(byMail)] }
}

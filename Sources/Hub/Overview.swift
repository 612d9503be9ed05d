// SPDX-License-Identifier: Apache-2.0
// How every flow is doing, on one page.

package import Model
package import PostgreSQL

/// A flow as the overview shows it.
package struct FlowHealth: Sendable {
    /// Its name.
    package let name: String
    /// The connector of its current version.
    package let connector: String
    /// The cron line; nil for flows that only people begin.
    package let cron: String?
    /// When it runs next.
    package let nextAt: Timestamp?
    /// Since when it is paused.
    package let pausedAt: Timestamp?
    /// By when something should have come and did not.
    package let lateSince: Timestamp?
    /// Whether a job of it is being done.
    package let isRunning: Bool
    /// Its last run; nil where it never ran.
    package let lastRun: RunSummary?
    /// Records of it that wait for a person.
    package let waiting: Int
}

/// The outcome of a flow's day.
package struct FlowDay: Sendable {
    /// Name of the flow; nil = runs that no flow made.
    package let flow: String?
    /// The day, by the clock of the zone asked for.
    package let day: CalendarDate
    /// How many of its runs ended in which state.
    package let succeeded: Int
    /// Those of which something waits.
    package let partial: Int
    /// Those that failed.
    package let failed: Int
    /// All their records.
    package let ledger: RunLedger
}

/// The state of all flows.
package enum Overview {
    /// All flows by name.
    package static func flows(on connection: Connection) async throws(PostgreSQLError) -> [FlowHealth] {
        let runs = try await connection.run(LastRuns())
        let byFlow = Dictionary(runs.compactMap { run in run.flow.map { ($0, run) } }) { $1 }
        return try await connection.run(FlowHealths()).map { row in
            FlowHealth(
                name: row.name, connector: row.connector ?? "", cron: row.cron, nextAt: row.nextAt,
                pausedAt: row.pausedAt, lateSince: row.lateSince, isRunning: row.isRunning,
                lastRun: byFlow[row.name], waiting: row.waiting)
        }
    }

    /// The last days, today included, of each flow and of runs without one.
    package static func days(
        _ count: Int = 14, in zone: String, on connection: Connection
    ) async throws(PostgreSQLError) -> [FlowDay] {
        try await connection.run(FlowDays(count: count, zone: zone))
    }

    static let statements: [any Statement.Type] = [FlowHealths.self, LastRuns.self, FlowDays.self]
}

struct FlowHealths: Statement {
    struct Row: Sendable {
        let name: String
        let connector: String?
        let cron: String?
        let nextAt: Timestamp?
        let pausedAt: Timestamp?
        let lateSince: Timestamp?
        let isRunning: Bool
        let waiting: Int
    }

    // A late file is no news any more once something came after it was expected.
    static let sql = """
        with waiting as (
          select r.flow_id, count(*) as records
          from quarantine q
          join run r on r.id = q.run_id
          where q.status in ('open', 'fixed')
          group by 1
        )
        select f.name, substring(v.text from '(?n)^connector:\\s*([a-z0-9-]+)'), s.cron, s.next_at, c.paused_at,
          (select max(a.nominal_at) from alert a
           where a.flow_id = f.id and a.kind = 'late' and not exists (
             select from run r where r.flow_id = f.id and r.finished_at > a.nominal_at)),
          exists (select from job j where j.group_key = 'flow:' || f.name and j.state = 'running'),
          coalesce(w.records, 0)
        from flow f
        join flow_version v on v.flow_id = f.id and v.version = f.version
        left join flow_schedule s on s.flow_id = f.id
        left join queue_control c on c.scope = 'group' and c.name = 'flow:' || f.name
        left join waiting w on w.flow_id = f.id
        order by f.name
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            name: try row.next(), connector: try row.next(), cron: try row.next(), nextAt: try row.next(),
            pausedAt: try row.next(), lateSince: try row.next(), isRunning: try row.next(),
            waiting: try row.next())
    }
}

/// The last run of each flow.
struct LastRuns: Statement {
    static let sql = """
        select \(ListRuns.columns)
        from flow f
        cross join lateral (select id from run where flow_id = f.id order by id desc limit 1) l
        join run r on r.id = l.id
        \(ListRuns.trust)
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RunSummary { try RunSummary(&row) }
}

struct FlowDays: Statement {
    let count: Int
    let zone: String

    static let sql = """
        select f.name, (r.started_at at time zone $2)::date,
          count(*) filter (where r.state = 'succeeded'), count(*) filter (where r.state in ('partial', 'stopped')),
          count(*) filter (where r.state = 'failed'), sum(r.inserted)::bigint, sum(r.updated)::bigint,
          sum(r.unchanged)::bigint, sum(r.quarantined)::bigint, sum(r.skipped)::bigint, sum(r.deleted)::bigint
        from run r
        left join flow f on f.id = r.flow_id
        where r.started_at >= (date_trunc('day', now() at time zone $2) - make_interval(days => $1::bigint::int - 1))
          at time zone $2
          and r.kind <> 'edit'
        group by 1, 2
        """
    var parameters: [Parameter] { [Parameter(count), Parameter(zone)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> FlowDay {
        FlowDay(
            flow: try row.next(), day: try row.next(), succeeded: try row.next(), partial: try row.next(),
            failed: try row.next(),
            ledger: RunLedger(
                inserted: try row.next(), updated: try row.next(), unchanged: try row.next(),
                quarantined: try row.next(), skipped: try row.next(), deleted: try row.next()))
    }
}

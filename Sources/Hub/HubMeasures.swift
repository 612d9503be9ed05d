// SPDX-License-Identifier: Apache-2.0
// What an operator's monitoring asks of the hub: flows, queues, quarantine, as they are now.

package import Model
package import PostgreSQL

/// The state of the hub in numbers.
package struct HubMeasures: Sendable {
    /// A flow, as its monitoring sees it.
    package struct Flow: Sendable {
        /// Its name.
        package let name: String
        /// When its last run that applied something, or found all known, ended.
        package let lastSuccess: Timestamp?
        /// When it runs next by itself.
        package let next: Timestamp?
        /// Whether it is paused.
        package let isPaused: Bool
    }

    /// Jobs of a queue in a state.
    package struct Jobs: Sendable {
        /// The class of work.
        package let queue: String
        /// `waiting`, `ready` or `running`.
        package let state: String
        /// How many.
        package let count: Int
        /// Since when the oldest of them has been so, in seconds.
        package let oldest: Int
    }

    /// Records that wait for a person, by how long they have waited.
    package struct Waiting: Sendable {
        /// `day`, `week`, `month` or `older`: the youngest class that they still belong to.
        package let age: String
        /// How many.
        package let count: Int
    }

    /// Runs that ended, or run, with what became of their records.
    package struct Runs: Sendable {
        /// `running`, `succeeded`, `partial` or `failed`.
        package let state: String
        /// How many.
        package let count: Int
        /// All their records together.
        package let ledger: RunLedger
    }

    /// Every flow by name.
    package let flows: [Flow]
    /// The live jobs.
    package let jobs: [Jobs]
    /// The open quarantine.
    package let quarantine: [Waiting]
    /// All runs.
    package let runs: [Runs]

    /// Reads them.
    package static func read(on connection: Connection) async throws(PostgreSQLError) -> HubMeasures {
        HubMeasures(
            flows: try await connection.run(MeasureFlows()), jobs: try await connection.run(MeasureJobs()),
            quarantine: try await connection.run(MeasureQuarantine()),
            runs: try await connection.run(MeasureRuns()))
    }
}

struct MeasureFlows: Statement {
    static let sql = """
        select f.name, r.finished_at, s.next_at, c.paused_at is not null
        from flow f
        left join flow_schedule s on s.flow_id = f.id
        left join queue_control c on c.scope = 'group' and c.name = 'flow:' || f.name
        left join lateral (
          select finished_at from run
          where flow_id = f.id and state in ('succeeded', 'partial')
          order by id desc limit 1
        ) r on true
        order by f.name
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> HubMeasures.Flow {
        HubMeasures.Flow(
            name: try row.next(), lastSuccess: try row.next(), next: try row.next(),
            isPaused: try row.next())
    }
}

struct MeasureJobs: Statement {
    static let sql = """
        select queue, state, count(*),
          greatest(0, extract(epoch from now() - min(case state when 'running' then started_at else run_at end)))::bigint
        from job
        group by queue, state
        order by queue, state
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> HubMeasures.Jobs {
        HubMeasures.Jobs(
            queue: try row.next(), state: try row.next(), count: try row.next(), oldest: try row.next())
    }
}

struct MeasureQuarantine: Statement {
    static let sql = """
        select case
            when created_at > now() - interval '1 day' then 'day'
            when created_at > now() - interval '7 days' then 'week'
            when created_at > now() - interval '30 days' then 'month'
            else 'older'
          end, count(*)
        from quarantine
        where status in ('open', 'fixed')
        group by 1
        order by 1
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> HubMeasures.Waiting {
        HubMeasures.Waiting(age: try row.next(), count: try row.next())
    }
}

struct MeasureRuns: Statement {
    static let sql = """
        select state, count(*), sum(inserted)::bigint, sum(updated)::bigint, sum(unchanged)::bigint,
          sum(quarantined)::bigint, sum(skipped)::bigint, sum(deleted)::bigint
        from run
        group by state
        order by state
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> HubMeasures.Runs {
        HubMeasures.Runs(
            state: try row.next(), count: try row.next(),
            ledger: RunLedger(
                inserted: try row.next(), updated: try row.next(), unchanged: try row.next(),
                quarantined: try row.next(), skipped: try row.next(), deleted: try row.next()))
    }
}

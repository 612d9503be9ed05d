// SPDX-License-Identifier: Apache-2.0
// What is paused, and how much of something may run at once or begin in a minute.

package import Model
package import PostgreSQL

/// The switches of the queue; they hold from the next fetch on, on every node.
package enum QueueControl {
    /// What can be paused.
    package enum Scope: String, Sendable {
        case queue, group, limit
    }

    /// A switch that was touched.
    package struct State: Sendable, Hashable {
        /// What it is of.
        package let scope: String
        /// The name of the queue, group or limit.
        package let name: String
        /// Since when it is paused; nil = it is not.
        package let pausedAt: Timestamp?
        /// Who paused it.
        package let pausedBy: String?
        /// When the pause ends by itself; nil = when somebody ends it.
        package let pausedUntil: Timestamp?
        /// Most jobs at once.
        package let maxRunning: Int?
        /// Most jobs begun in a minute.
        package let perMinute: Int?
    }

    /// Lets no job of a queue, a group or a limit begin; those that run go on.
    ///
    /// - Parameter end: when ``endPauses(_:on:)`` ends it; nil = when somebody does.
    package static func pause(
        _ scope: Scope, _ name: String, until end: Timestamp? = nil, by person: String? = nil,
        on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(Pause(scope: scope.rawValue, name: name, person: person, end: end))
    }

    /// Ends the pauses whose time has come.
    ///
    /// - Returns: how many there were.
    package static func endPauses(
        _ now: Timestamp, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        try await connection.run(EndPauses(now: now)).count
    }

    /// Ends a pause.
    package static func resume(_ scope: Scope, _ name: String, on connection: Connection)
        async throws(PostgreSQLError)
    {
        try await connection.execute(Resume(scope: scope.rawValue, name: name))
    }

    /// Sets the limits of a key; nil = none.
    package static func limit(
        _ name: String, maxRunning: Int?, perMinute: Int?, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(SetLimits(name: name, maxRunning: maxRunning, perMinute: perMinute))
    }

    /// Everything that was ever paused or limited.
    package static func list(on connection: Connection) async throws(PostgreSQLError) -> [State] {
        try await connection.run(ListControls())
    }
}

struct Pause: Statement {
    let scope: String
    let name: String
    let person: String?
    let end: Timestamp?

    static let sql = """
        insert into queue_control (scope, name, paused_at, paused_by, paused_until) values ($1, $2, now(), $3, $4)
        on conflict (scope, name) do update
        set paused_at = coalesce(queue_control.paused_at, now()), paused_by = excluded.paused_by,
          paused_until = excluded.paused_until
        """
    var parameters: [Parameter] {
        [Parameter(scope), Parameter(name), Parameter(person), Parameter(end)]
    }
}

struct EndPauses: Statement {
    let now: Timestamp

    static let sql = """
        update queue_control set paused_at = null, paused_by = null, paused_until = null
        where paused_until <= $1
        returning name
        """
    var parameters: [Parameter] { [Parameter(now)] }
    typealias Row = String
}

struct Resume: Statement {
    let scope: String
    let name: String

    static let sql = """
        update queue_control set paused_at = null, paused_by = null, paused_until = null
        where scope = $1 and name = $2 and paused_at is not null
        """
    var parameters: [Parameter] { [Parameter(scope), Parameter(name)] }
}

struct SetLimits: Statement {
    let name: String
    let maxRunning: Int?
    let perMinute: Int?

    static let sql = """
        insert into queue_control (scope, name, max_running, per_minute, tokens)
        values ('limit', $1, $2::bigint, $3::bigint, coalesce($3::bigint, 0))
        on conflict (scope, name) do update
        set max_running = excluded.max_running, per_minute = excluded.per_minute, tokens = excluded.tokens,
          refilled_at = now()
        """
    var parameters: [Parameter] { [Parameter(name), Parameter(maxRunning), Parameter(perMinute)] }
}

struct ListControls: Statement {
    static let sql = """
        select scope, name, paused_at, paused_by, paused_until, max_running::bigint, per_minute::bigint
        from queue_control
        order by scope, name
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QueueControl.State {
        QueueControl.State(
            scope: try row.next(), name: try row.next(), pausedAt: try row.next(),
            pausedBy: try row.next(), pausedUntil: try row.next(), maxRunning: try row.next(),
            perMinute: try row.next())
    }
}

// MARK: - Fetching under a limit

/// The limits that have jobs waiting in a queue.
struct WaitingLimits: Statement {
    let queue: QueueName

    static let sql = """
        select c.name from queue_control c
        where c.scope = 'limit' and c.paused_at is null and (c.max_running is not null or c.per_minute is not null)
          and exists (select from job j where j.queue = $1 and j.state = 'ready' and j.limit_key = c.name)
        order by c.name
        """
    var parameters: [Parameter] { [Parameter(queue.rawValue)] }
    typealias Row = String
}

/// The same, locked: another worker looks elsewhere meanwhile. What runs is counted by a later statement, whose
/// snapshot is newer than the lock.
struct LockLimits: Statement {
    let queue: QueueName

    static let sql = WaitingLimits.sql + " for update skip locked"
    var parameters: [Parameter] { [Parameter(queue.rawValue)] }
    typealias Row = String
}

/// Lends jobs of one limit, as many as it has room for; its row must be locked. A bucket holds at most a minute's
/// worth of beginnings.
struct FetchLimited: Statement {
    let queue: QueueName
    let count: Int
    let worker: String
    let lease: Duration
    let limit: String

    static let sql = """
        with room as (
          select least($2::bigint,
            coalesce(c.max_running - (select count(*) from job r where r.limit_key = c.name and r.state = 'running'), $2::bigint),
            coalesce(floor(least(c.per_minute, c.tokens + c.per_minute * extract(epoch from now() - c.refilled_at) / 60)),
              $2::bigint)) as free
          from queue_control c where c.scope = 'limit' and c.name = $5
        ), free as (
          select j.id, j.exclusive_key, j.priority, j.run_at from job j
          where j.queue = $1 and j.state = 'ready' and j.limit_key = $5
            and (j.exclusive_key is null or not exists (
              select from job r where r.exclusive_key = j.exclusive_key and r.state = 'running'))
            and not exists (
              select from queue_control c where c.paused_at is not null
                and (c.scope = 'queue' and c.name = $1 or c.scope = 'group' and c.name = j.group_key))
          order by j.priority, j.run_at, j.id
          limit $2::bigint
          for update skip locked
        ), chosen as (
          select id from (
            select id, priority, run_at,
              row_number() over (partition by coalesce(exclusive_key, id::text) order by priority, run_at, id) as alone
            from free) f
          where alone = 1 order by priority, run_at, id limit greatest(0, (select free from room))
        )
        \(FetchJobs.lend) from chosen where job.id = chosen.id
        returning \(FetchJobs.columns)
        """
    var parameters: [Parameter] {
        [
            Parameter(queue.rawValue), Parameter(count), Parameter(worker), Parameter(lease.microseconds),
            Parameter(limit),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Job { try Job(&row) }
}

/// Takes what was begun from a bucket, after filling it up.
struct TakeTokens: Statement {
    let limit: String
    let count: Int

    static let sql = """
        update queue_control
        set tokens = least(per_minute, tokens + per_minute * extract(epoch from now() - refilled_at) / 60) - $2::bigint,
          refilled_at = now()
        where scope = 'limit' and name = $1 and per_minute is not null
        """
    var parameters: [Parameter] { [Parameter(limit), Parameter(count)] }
}

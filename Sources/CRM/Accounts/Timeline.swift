// SPDX-License-Identifier: Apache-2.0
// What happened with a party, whatever the channel; written once, never changed.

package import Model
package import PostgreSQL

/// Something that happened.
package struct TimelineEntry: Sendable {
    /// Number of the row.
    package let id: Int
    /// When.
    package let at: Timestamp
    /// `call`, `email`, `letter`, `visit`, `meeting`, `note`…
    package let channel: String
    /// `in`, `out` or `none`.
    package let direction: String
    /// In a line.
    package let subject: String
    /// The rest, at most 300 characters of it.
    package let body: String?
    /// Who wrote it.
    package let person: String?
}

/// Where a page of a timeline begins.
package struct TimelineCursor: Sendable {
    /// The last entry's moment.
    package let at: Timestamp
    /// The last entry's number.
    package let id: Int

    /// Behind an entry.
    package init(at: Timestamp, id: Int) {
        (self.at, self.id) = (at, id)
    }
}

/// Keeps timelines.
package enum Timeline {
    /// Channels that people write by hand.
    package static let channels = ["note", "call", "visit", "meeting", "email", "letter"]

    /// Writes what happened with an account.
    ///
    /// - Returns: its number; nil where the user does not see the account.
    package static func write(
        _ channel: String, subject: String, body: String?, about party: Int, by user: AppUser,
        on connection: Connection
    ) async throws(PostgreSQLError) -> Int? {
        try await connection.run(
            WriteInteraction(
                party: party, scope: user.scope, user: user.id, channel: channel, subject: subject, body: body
            )
        ).first
    }

    static let statements: [any Statement.Type] = [TimelineOf.self, WriteInteraction.self]
}

struct TimelineOf: Statement {
    let party: Int
    let before: TimelineCursor?
    let limit: Int

    static let sql = """
        select i.id, i.occurred_at, i.channel, i.direction, i.subject, left(b.body, 300), u.name
        from (
          select interaction_id, occurred_at from interaction_party
          where party_id = $1::bigint
            and (occurred_at, interaction_id) < (coalesce($2::timestamptz, 'infinity'), coalesce($3::bigint, 0))
          order by occurred_at desc, interaction_id desc
          limit $4::bigint
        ) k
        join interaction i on i.occurred_at = k.occurred_at and i.id = k.interaction_id
        left join interaction_body b on b.interaction_id = i.id
        left join app_user u on u.id = i.user_id
        order by k.occurred_at desc, k.interaction_id desc
        """
    var parameters: [Parameter] {
        [Parameter(party), Parameter(before?.at), Parameter(before?.id), Parameter(limit)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> TimelineEntry {
        TimelineEntry(
            id: try row.next(), at: try row.next(), channel: try row.next(), direction: try row.next(),
            subject: try row.next(), body: try row.next(), person: try row.next())
    }
}

struct WriteInteraction: Statement {
    let party: Int
    let scope: Int
    let user: Int
    let channel: String
    let subject: String
    let body: String?

    static let sql = """
        with allowed as (
          select party_id from party_scope where party_id = $1::bigint and scope_id = $2::bigint
        ), made as (
          insert into interaction (occurred_at, channel, direction, subject, user_id, account_id)
          select now(), $4, case when $4 in ('call', 'email') then 'out' else 'none' end, $5, $3::bigint, party_id
          from allowed
          returning id, occurred_at, channel
        ), about as (
          insert into interaction_party (party_id, occurred_at, interaction_id, channel)
          select $1, occurred_at, id, channel from made
        ), said as (
          insert into interaction_body (interaction_id, body) select id, $6::text from made where $6 is not null
        ), logged as (
          insert into change_log (entity, entity_id, op, user_id) select 'interaction', id, 'insert', $3 from made
        )
        select id from made
        """
    var parameters: [Parameter] {
        [
            Parameter(party), Parameter(scope), Parameter(user), Parameter(channel), Parameter(subject),
            Parameter(body),
        ]
    }
    typealias Row = Int
}

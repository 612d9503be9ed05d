// SPDX-License-Identifier: Apache-2.0
// The agenda in columns: written with each object, read by weeks.

package import Model
package import PostgreSQL

/// Reads what is planned, and keeps it in step with the objects that say it.
package enum AgendaItems {
    /// What takes place in somebody's agendas between two moments, by its beginning; at most 1,000.
    ///
    /// - Parameter scope: whose eyes: accounts that they do not see are not named (``AppUser/scope``).
    package static func between(
        _ from: Timestamp, _ until: Timestamp, of user: Int, scope: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [AgendaEntry] {
        try await connection.run(AgendaBetween(user: user, scope: scope, from: from, until: until))
    }

    /// One object of somebody's own, as it says itself without its exceptions; nil where there is none.
    package static func find(
        _ object: Int, of user: Int, scope: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> AgendaEntry? {
        try await connection.run(AgendaOne(object: object, user: user, scope: scope)).first
    }

    /// Where an object lies.
    package struct Place: Sendable, Hashable {
        /// Its collection.
        package let collection: Int
        /// Its name in it.
        package let name: String
        /// Its version.
        package let revision: Int
    }

    /// Where an object of somebody's own lies; nil where there is none.
    package static func place(
        of object: Int, user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Place? {
        try await connection.run(AgendaPlace(object: object, user: user)).first
    }

    /// Says which account an object is about; nil for none. Nothing happens where the user does not see it.
    package static func link(
        _ object: Int, to party: Int?, scope: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(LinkAgenda(object: object, party: party, scope: scope))
    }

    /// Notes that an item was done, as the timeline tells.
    ///
    /// - Parameter interaction: what the timeline says of it; nil takes the note back.
    package static func finish(
        _ object: Int, as interaction: Int?, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(FinishAgenda(object: object, interaction: interaction))
    }

    /// Writes what a version of an object says; of the version before nothing is left.
    static func write(
        _ items: [AgendaItemDraft], of object: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        guard !items.isEmpty else { return }
        try await connection.execute(WriteAgenda(object: object, items: items))
        let attendees = items.first?.attendees ?? []
        guard !attendees.isEmpty else { return }
        try await connection.execute(WriteAttendees(object: object, attendees: attendees))
    }

    static let statements: [any Statement.Type] = [
        AgendaBetween.self, AgendaOne.self, AgendaAhead.self, AgendaPlace.self, LinkAgenda.self,
        FinishAgenda.self, ForgetAgenda.self, WriteAgenda.self, WriteAttendees.self,
    ]
}

struct AgendaBetween: Statement {
    let user: Int
    let scope: Int
    let from: Timestamp
    let until: Timestamp

    static let sql = """
        select \(AgendaEntry.columns(during: "x.during", allDay: "x.all_day"))
        from dav_collection c
        join occurrence x on x.collection_id = c.id and x.during && tstzrange($3::timestamptz, $4::timestamptz)
        join dav_object o on o.id = x.object_id and o.deleted_at is null
        join agenda_item i on i.object_id = o.id and i.recurrence = x.recurrence
        \(AgendaEntry.links)
        where c.owner_id = $2::bigint and c.deleted_at is null and i.status <> 'cancelled' and i.during is not null
        order by lower(x.during), upper(x.during) desc, o.id
        limit 1000
        """
    var parameters: [Parameter] { [Parameter(scope), Parameter(user), Parameter(from), Parameter(until)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AgendaEntry {
        try AgendaEntry(&row)
    }
}

struct AgendaOne: Statement {
    let object: Int
    let user: Int
    let scope: Int

    static let sql = """
        select \(AgendaEntry.columns(during: "i.during", allDay: "i.all_day", details: "i.details"))
        from dav_object o
        join dav_collection c on c.id = o.collection_id and c.owner_id = $2::bigint and c.deleted_at is null
        join agenda_item i on i.object_id = o.id
        \(AgendaEntry.links)
        where o.id = $3::bigint and o.deleted_at is null
        order by i.recurrence
        limit 1
        """
    var parameters: [Parameter] { [Parameter(scope), Parameter(user), Parameter(object)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AgendaEntry {
        try AgendaEntry(&row)
    }
}

/// What is planned with an account, whoever does it; private things are left out.
struct AgendaAhead: Statement {
    let party: Int

    static let sql = """
        select \(AgendaEntry.columns(during: "x.during", allDay: "x.all_day"))
        from agenda_link l
        join dav_object o on o.id = l.object_id and o.deleted_at is null
        join occurrence x on x.object_id = o.id and upper(x.during) >= now()
        join agenda_item i on i.object_id = o.id and i.recurrence = x.recurrence
        join party p on p.id = l.party_id
        where l.party_id = $1::bigint and l.done_at is null and i.status not in ('cancelled', 'done')
          and not i.is_private and i.during is not null
        order by lower(x.during), o.id
        limit 10
        """
    var parameters: [Parameter] { [Parameter(party)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AgendaEntry {
        try AgendaEntry(&row)
    }
}

struct AgendaPlace: Statement {
    let object: Int
    let user: Int

    static let sql = """
        select o.collection_id, o.name, o.revision
        from dav_object o
        join dav_collection c on c.id = o.collection_id and c.owner_id = $2::bigint and c.deleted_at is null
        where o.id = $1::bigint and o.deleted_at is null
        """
    var parameters: [Parameter] { [Parameter(object), Parameter(user)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AgendaItems.Place {
        AgendaItems.Place(collection: try row.next(), name: try row.next(), revision: try row.next())
    }
}

struct LinkAgenda: Statement {
    let object: Int
    let party: Int?
    let scope: Int

    static let sql = """
        insert into agenda_link (object_id, party_id)
        select $1::bigint, s.party_id
        from (select) one
        left join party_scope s on s.party_id = $2::bigint and s.scope_id = $3::bigint
        where s.party_id is not null or $2 is null
        on conflict (object_id) do update set party_id = excluded.party_id
        """
    var parameters: [Parameter] { [Parameter(object), Parameter(party), Parameter(scope)] }
}

struct FinishAgenda: Statement {
    let object: Int
    let interaction: Int?

    static let sql = """
        insert into agenda_link (object_id, interaction_id, done_at)
        values ($1::bigint, $2::bigint, case when $2 is not null then now() end)
        on conflict (object_id) do update set interaction_id = excluded.interaction_id, done_at = excluded.done_at
        """
    var parameters: [Parameter] { [Parameter(object), Parameter(interaction)] }
}

struct ForgetAgenda: Statement {
    let object: Int

    static let sql = """
        with invited as (
          delete from agenda_attendee where object_id = $1::bigint
        )
        delete from agenda_item where object_id = $1
        """
    var parameters: [Parameter] { [Parameter(object)] }
}

struct WriteAgenda: Statement {
    let object: Int
    let items: [AgendaItemDraft]

    static let sql = """
        insert into agenda_item (
          object_id, recurrence, kind, title, location, details, status, is_private, is_free, is_series, during,
          all_day)
        select $1::bigint, d.recurrence, d.kind, d.title, d.location, d.details, d.status, d.is_private, d.is_free,
          d.is_series, case when d.starts is not null then tstzrange(d.starts, d.ends, '[]') end, d.all_day
        from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[],
            $9::boolean[], $10::boolean[], $11::timestamptz[], $12::timestamptz[], $13::boolean[])
          d (recurrence, kind, title, location, details, status, is_private, is_free, is_series, starts, ends, all_day)
        on conflict do nothing
        """
    var parameters: [Parameter] {
        [
            Parameter(object), Parameter(items.map(\.recurrence)), Parameter(items.map(\.kind.rawValue)),
            Parameter(items.map(\.title)), Parameter(items.map(\.location)), Parameter(items.map(\.details)),
            Parameter(items.map(\.status.rawValue)), Parameter(items.map(\.isPrivate)),
            Parameter(items.map(\.isFree)), Parameter(items.map(\.isSeries)),
            Parameter(items.map { $0.span?.start }), Parameter(items.map { $0.span?.end }),
            Parameter(items.map { $0.span?.isAllDay ?? false }),
        ]
    }
}

struct WriteAttendees: Statement {
    let object: Int
    let attendees: [AgendaAttendee]

    static let sql = """
        insert into agenda_attendee (object_id, address, name, answer, party_id)
        select $1::bigint, a.address, a.name, a.answer,
          (select min(c.party_id) from contact_point c where c.kind = 'email' and c.value_norm = a.address)
        from unnest($2::text[], $3::text[], $4::text[]) a (address, name, answer)
        on conflict do nothing
        """
    var parameters: [Parameter] {
        [
            Parameter(object), Parameter(attendees.map(\.address)), Parameter(attendees.map(\.name)),
            Parameter(attendees.map(\.answer)),
        ]
    }
}

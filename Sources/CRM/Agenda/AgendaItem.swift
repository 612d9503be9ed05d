// SPDX-License-Identifier: Apache-2.0
// What is planned, as the CRM sees it.

package import Model
internal import PostgreSQL

/// When something takes place.
package struct AgendaSpan: Sendable, Hashable {
    /// The beginning; midnight of the company's zone for whole days.
    package let start: Timestamp
    /// The end, which no longer belongs to it; not before the beginning.
    package let end: Timestamp
    /// Whether it takes whole days.
    package let isAllDay: Bool

    /// From a moment to another; an end that lies before the beginning counts as the beginning.
    package init(start: Timestamp, end: Timestamp, isAllDay: Bool) {
        (self.start, self.end, self.isAllDay) = (start, max(start, end), isAllDay)
    }
}

/// What an item is.
package enum AgendaKind: String, Sendable, CaseIterable {
    /// It takes place at a time.
    case event
    /// It is to be done, at the latest at a time.
    case task
}

/// How an item stands.
package enum AgendaStatus: String, Sendable, CaseIterable {
    /// It will take place.
    case planned
    /// It may take place.
    case tentative
    /// It will not.
    case cancelled
    /// It did.
    case done
}

/// What an object of an agenda says of itself, or of one exception of its series.
package struct AgendaItemDraft: Sendable, Hashable {
    /// Which occurrence of a series it replaces, as written; empty for the object itself.
    package var recurrence = ""
    /// What it is.
    package var kind = AgendaKind.event
    /// In a line; empty where nothing was written.
    package var title = ""
    /// Where, in words.
    package var location: String?
    /// The text.
    package var details: String?
    /// How it stands.
    package var status = AgendaStatus.planned
    /// Whether others only see that its owner is busy.
    package var isPrivate = false
    /// Whether it leaves its owner free.
    package var isFree = false
    /// Whether it repeats.
    package var isSeries = false
    /// When; nil for a task without a day.
    package var span: AgendaSpan?
    /// Who is invited.
    package var attendees: [AgendaAttendee] = []

    /// Nothing yet.
    package init() {}
}

/// Somebody who is invited.
package struct AgendaAttendee: Sendable, Hashable {
    /// Mail address in lower case.
    package let address: String
    /// The name; nil where none was given.
    package let name: String?
    /// `none`, `accepted`, `declined` or `tentative`.
    package let answer: String

    /// Somebody with what they answered.
    package init(address: String, name: String?, answer: String) {
        (self.address, self.name, self.answer) = (address, name, answer)
    }
}

/// One occurrence in somebody's agenda.
package struct AgendaEntry: Sendable, Hashable {
    /// Number of the object.
    package let id: Int
    /// Which occurrence of a series it replaces; empty for others.
    package let recurrence: String
    /// What it is.
    package let kind: AgendaKind
    /// In a line.
    package let title: String
    /// Where, in words.
    package let location: String?
    /// The text; nil in lists, which do not show it.
    package let details: String?
    /// How it stands.
    package let status: AgendaStatus
    /// Whether others only see that its owner is busy.
    package let isPrivate: Bool
    /// Whether it leaves its owner free.
    package let isFree: Bool
    /// Whether it is one of a series.
    package let isSeries: Bool
    /// When; nil for a task without a day.
    package let span: AgendaSpan?
    /// The account it is about, where the reader sees that.
    package let party: Int?
    /// The account's name.
    package let partyName: String?
    /// What the bytes of the object are known by.
    package let etag: String

    /// Columns of `o` (object), `i` (item), `p` (account), with the times given.
    static func columns(during: String, allDay: String, details: String = "null::text") -> String {
        """
        o.id, i.recurrence, i.kind, i.title, i.location, \(details), case when l.done_at is not null then 'done' else i.status end,
          i.is_private, i.is_free, i.is_series, lower(\(during)), upper(\(during)), \(allDay), p.id, p.name, o.etag
        """
    }

    /// The object's row with its item, and the account that it is about where the scope in `$1` sees it.
    static let links = """
        left join agenda_link l on l.object_id = o.id
        left join party_scope s on s.party_id = l.party_id and s.scope_id = $1::bigint
        left join party p on p.id = s.party_id
        """

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        recurrence = try row.next()
        kind = AgendaKind(rawValue: try row.next(String.self)) ?? .event
        title = try row.next()
        location = try row.next()
        details = try row.next()
        status = AgendaStatus(rawValue: try row.next(String.self)) ?? .planned
        isPrivate = try row.next()
        isFree = try row.next()
        isSeries = try row.next()
        let start = try row.next(Timestamp?.self)
        let end = try row.next(Timestamp?.self)
        let isAllDay = try row.next(Bool.self)
        span = start.map { AgendaSpan(start: $0, end: end ?? $0, isAllDay: isAllDay) }
        party = try row.next()
        partyName = try row.next()
        etag = try row.next()
    }
}

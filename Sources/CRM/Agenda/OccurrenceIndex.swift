// SPDX-License-Identifier: Apache-2.0
// When the objects of a calendar take place, kept beside them: a week is read from an index, not from rules.

package import Foundation
package import ICalendar
package import Model
package import PostgreSQL

/// From a moment to another; one of them may be missing.
package struct DAVTimeRange: Sendable, Hashable {
    /// nil = from ever.
    package let start: Timestamp?
    /// nil = for ever.
    package let end: Timestamp?

    /// A range; its end is behind its start.
    package init(start: Timestamp?, end: Timestamp?) {
        (self.start, self.end) = (start, end)
    }

    /// The same with both ends, for rules that have none.
    package var bounded: Range<Timestamp> {
        let first = start ?? Timestamp(microsecondsSince1970: -62_000_000_000_000_000)
        let last = end ?? Timestamp(microsecondsSince1970: 250_000_000_000_000_000)
        return first < last ? first..<last : first..<first
    }
}

/// The times at which one object takes place, as far as they are written down.
package struct OccurrenceIndex: Sendable {
    /// One of them.
    package struct Span: Sendable {
        /// Which exception of its series it is, as written; empty for others.
        package let recurrence: String
        /// nil = from ever.
        package let start: Timestamp?
        /// nil = for ever; the start for what has no length.
        package let end: Timestamp?
        /// Whether it is of days.
        package let isAllDay: Bool
    }

    /// Times of one object that are written down, at most.
    private static let limit = 3000
    /// How far rules are followed.
    private static let (past, future) = (730, 1826)

    /// In the order of their beginnings.
    package let spans: [Span]
    /// Between these moments all are written down; nil where there are no others.
    package let window: Range<Timestamp>?

    /// The times of an object, for somebody in a zone, where its floating times and its days are.
    ///
    /// - Parameter now: around which rules are followed.
    package init(of object: CalendarObject, zone: TimeZone, now: Timestamp) {
        let series = CalendarSeries(object, local: zone)
        let items = [series.master].compactMap(\.self) + series.overrides
        guard !series.isUndated else {
            (spans, window) = ([Self.undated(items, series.zones)], nil)
            return
        }
        let isRecurring = items.contains { $0.isRecurring }
        let range =
            isRecurring
            ? now.adding(days: -Self.past)..<now.adding(days: Self.future)
            : DAVTimeRange(start: nil, end: nil).bounded
        let expansion = series.occurrences(in: range, limit: Self.limit)
        spans = expansion.occurrences.map {
            Span(
                recurrence: $0.override.flatMap { series.overrides[$0].recurrence?.text } ?? "",
                start: $0.span.lowerBound, end: $0.span.upperBound, isAllDay: $0.start.isDay)
        }
        guard isRecurring || !expansion.isComplete else {
            window = nil
            return
        }
        let last = expansion.isComplete ? range.upperBound : spans.last?.start ?? range.lowerBound
        window = range.lowerBound..<max(last, range.lowerBound)
    }

    /// A task without a date is there from when it was made until it is done.
    ///
    /// - Source: RFC 4791, 9.9, the table of VTODO.
    private static func undated(_ items: [CalendarItem], _ zones: CalendarZones) -> Span {
        let item = items.first
        let done = item?.completed.map { zones.instant(of: $0) }
        let made = item?.created.map { zones.instant(of: $0) } ?? done
        return Span(
            recurrence: "", start: made, end: done.map { max($0, made ?? $0) }, isAllDay: false)
    }
}

extension Timestamp {
    /// The moment so many days of 24 hours later.
    fileprivate func adding(days: Int) -> Timestamp {
        Timestamp(microsecondsSince1970: microsecondsSince1970 + Int64(days) * 86_400_000_000)
    }
}

/// An object that may take place in a range.
package struct DAVCandidate: Sendable {
    /// The object.
    package let object: DAVObject
    /// Whether it does for certain; if not, its rule must be followed.
    package let isCertain: Bool
}

/// Looks for objects by time.
package enum Occurrences {
    /// Objects of a kind behind a name that take place in a range or may do so, in the order of names, at most so many;
    /// without a range, all of the kind.
    package static func candidates(
        _ component: String, in collection: Int, _ range: DAVTimeRange?, after name: String, limit: Int,
        on connection: Connection
    ) async throws(PostgreSQLError) -> [DAVCandidate] {
        guard let range else {
            let list = ListOfKind(collection: collection, component: component, after: name, limit: limit)
            return try await connection.run(list).map { DAVCandidate(object: $0, isCertain: true) }
        }
        return try await connection.run(
            ListCandidates(
                collection: collection, component: component, range: range, after: name, limit: limit))
    }

    static let statements: [any Statement.Type] = [
        ListCandidates.self, ListOfKind.self, WriteOccurrences.self,
    ]
}

struct ListOfKind: Statement {
    let collection: Int
    let component: String
    let after: String
    let limit: Int

    static let sql = """
        select \(DAVObject.columns)
        from dav_object o
        where o.collection_id = $1::bigint and o.component = $2 and o.name > $3 and o.deleted_at is null
        order by o.name
        limit $4::bigint
        """
    var parameters: [Parameter] {
        [Parameter(collection), Parameter(component), Parameter(after), Parameter(limit)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVObject { try DAVObject(&row) }
}

struct ListCandidates: Statement {
    let collection: Int
    let component: String
    let range: DAVTimeRange
    let after: String
    let limit: Int

    static let sql = """
        with hit as materialized (
          select distinct object_id
          from occurrence
          where collection_id = $1::bigint and during && tstzrange($3::timestamptz, $4::timestamptz)
        )
        select \(DAVObject.columns), h.object_id is not null
        from (
          select object_id as id from hit
          union
          select id
          from dav_object
          where collection_id = $1 and deleted_at is null and occurs_until is not null
            and (occurs_until < coalesce($4, 'infinity') or occurs_from > coalesce($3, '-infinity'))
        ) c
        join dav_object o on o.id = c.id
        left join hit h on h.object_id = c.id
        where o.component = $2 and o.name > $5 and o.deleted_at is null
        order by o.name
        limit $6::bigint
        """
    var parameters: [Parameter] {
        [
            Parameter(collection), Parameter(component), Parameter(range.start), Parameter(range.end),
            Parameter(after), Parameter(limit),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVCandidate {
        DAVCandidate(object: try DAVObject(&row), isCertain: try row.next())
    }
}

/// Writes down when an object takes place, in place of what was written before.
struct WriteOccurrences: Statement {
    let collection: Int
    let name: String
    let index: OccurrenceIndex

    static let sql = """
        with known as (
          update dav_object set occurs_from = $3::timestamptz, occurs_until = $4::timestamptz
          where collection_id = $1::bigint and name = $2 and deleted_at is null
          returning id
        ), before as (
          delete from occurrence where object_id in (select id from known)
        )
        insert into occurrence (object_id, collection_id, recurrence, during, all_day)
        select k.id, $1, s.r, tstzrange(s.a, s.b, case when s.a = s.b then '[]' else '[)' end), s.d
        from known k, unnest($5::timestamptz[], $6::timestamptz[], $7::boolean[], $8::text[]) as s(a, b, d, r)
        """
    var parameters: [Parameter] {
        [
            Parameter(collection), Parameter(name), Parameter(index.window?.lowerBound),
            Parameter(index.window?.upperBound), Parameter(index.spans.map(\.start)),
            Parameter(index.spans.map(\.end)), Parameter(index.spans.map(\.isAllDay)),
            Parameter(index.spans.map(\.recurrence)),
        ]
    }
}

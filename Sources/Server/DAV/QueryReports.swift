// SPDX-License-Identifier: Apache-2.0
// calendar-query and addressbook-query: objects that a filter means.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import ICalendar
internal import Model
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    /// Objects that are read at once.
    private static let querySize = 500

    /// - Source: RFC 4791, 7.8.
    func calendarQuery(_ report: DAVReport) async throws -> Response {
        let collection = try report.collection(.calendar)
        guard let element = report.body.child(.calendar("filter"))?.child(.calendar("comp-filter")) else {
            throw DAVRefusal(.forbidden, .calendar("valid-filter"))
        }
        let filter = try ComponentFilter(element)
        guard filter.name == "VCALENDAR", !filter.isAbsent else {
            throw DAVRefusal(.forbidden, .calendar("valid-filter"))
        }
        guard filter.time == nil, !filter.components.contains(where: \.hasInnerTimes) else {
            throw DAVRefusal(.forbidden, .calendar("supported-filter"))
        }
        if let only = filter.only { return try await query(report, in: collection, filter, only) }
        guard !filter.hasInnerTimes, filter.components.allSatisfy({ $0.alarms == nil }) else {
            throw DAVRefusal(.forbidden, .calendar("supported-filter"))
        }
        return try await query(report, in: collection, limit: nil) { content in
            guard let document = try? ContentDocument(parsing: content.bytes) else { return false }
            return filter.matches(among: document.components)
        }
    }

    /// The usual question: one kind of component, its texts, its time. Bytes are opened only where they are wanted or
    /// decide.
    private func query(
        _ report: DAVReport, in collection: DAVCollection, _ filter: ComponentFilter, _ only: ComponentFilter
    ) async throws -> Response {
        let (list, values, href) = (report.properties, report.values, report.node.href)
        return try await DAVAnswer.multistatus(from: "") { place in
            var part = DAVAnswer.Part<String>()
            let found = try await pool.withConnection { connection in
                let candidates = try await Occurrences.candidates(
                    only.name, in: collection.id, only.time, after: place, limit: Self.querySize,
                    on: connection)
                let opened = candidates.filter { list.needsBytes || !only.isPlain || !$0.isCertain }
                let contents = try await DAVObjects.read(
                    opened.map(\.object.name), in: collection.id, on: connection)
                return (candidates, Dictionary(contents.map { ($0.object.name, $0.bytes) }) { $1 })
            }
            for candidate in found.0 {
                let bytes = found.1[candidate.object.name]
                if let bytes, !only.isPlain || !candidate.isCertain {
                    guard isMeant(bytes, filter, candidate.isCertain ? nil : only.time, only.alarms) else {
                        continue
                    }
                }
                let node = Self.node(candidate.object, in: collection, at: href)
                values.response(node, list, bytes: bytes, into: &part.writer)
            }
            part.next = found.0.count == Self.querySize ? found.0.last?.object.name : nil
            return part
        }
    }

    /// Whether an object has what is looked for, and takes place in a range where that is not known yet.
    private func isMeant(
        _ bytes: [UInt8], _ filter: ComponentFilter, _ range: DAVTimeRange?, _ alarms: DAVTimeRange?
    )
        -> Bool
    {
        guard let document = try? ContentDocument(parsing: bytes), filter.matches(among: document.components)
        else { return false }
        guard range != nil || alarms != nil else { return true }
        guard let object = try? CalendarObject(document) else { return false }
        let series = CalendarSeries(object, local: zone)
        if let range, series.occurrences(in: range.bounded, limit: 1).occurrences.isEmpty { return false }
        return alarms.map { series.rings(in: $0.bounded) } ?? true
    }

    /// - Source: RFC 6352, 8.6.
    func addressbookQuery(_ report: DAVReport) async throws -> Response {
        let collection = try report.collection(.addressbook)
        guard let element = report.body.child(.card("filter")) else {
            throw DAVRefusal(.forbidden, .card("supported-filter"))
        }
        let filter = try CardFilter(element)
        let limit = try report.limit(in: .card)
        return try await query(report, in: collection, limit: limit) { content in
            guard let document = try? ContentDocument(parsing: content.bytes),
                let card = document.components.first
            else { return false }
            return filter.matches(card)
        }
    }

    /// Where a question goes on: behind a name, after so many answers.
    private struct Place: Sendable {
        var name = ""
        var count = 0
    }

    private func query(
        _ report: DAVReport, in collection: DAVCollection, limit: Int?,
        _ isMeant: @escaping @Sendable (DAVContent) -> Bool
    ) async throws -> Response {
        let (list, values, href) = (report.properties, report.values, report.node.href)
        return try await DAVAnswer.multistatus(from: Place()) { place in
            var part = DAVAnswer.Part<Place>()
            let contents = try await pool.withConnection {
                try await DAVObjects.contents(collection.id, after: place.name, limit: Self.querySize, on: $0)
            }
            var count = place.count
            for content in contents where isMeant(content) {
                guard count < limit ?? .max else {
                    part.writer.cutOff(href)
                    return part
                }
                count += 1
                let node = Self.node(content.object, in: collection, at: href)
                values.response(node, list, bytes: content.bytes, into: &part.writer)
            }
            if contents.count == Self.querySize, let last = contents.last {
                part.next = Place(name: last.object.name, count: count)
            }
            return part
        }
    }
}

extension CalendarSeries {
    /// How long before or behind an occurrence its alarms are looked for.
    private static let reach: Int64 = 31 * 86_400_000_000

    /// Whether an alarm rings in a range.
    ///
    /// - Source: RFC 4791, 9.9, the table of VALARM; repetitions of an alarm are not looked at.
    func rings(in range: Range<Timestamp>) -> Bool {
        func moved(_ time: Timestamp, _ by: Int64) -> Timestamp {
            Timestamp(microsecondsSince1970: time.microsecondsSince1970 + by)
        }
        func length(_ duration: CalendarDuration) -> Int64 {
            Int64(duration.days * 86_400 + duration.seconds) * 1_000_000
        }
        let around = moved(range.lowerBound, -Self.reach)..<moved(range.upperBound, Self.reach)
        return occurrences(in: around).occurrences.contains { occurrence in
            let item = occurrence.override.map { overrides[$0] } ?? master
            return item?.alarms.contains { alarm in
                switch alarm.trigger {
                case .at(let wall): range.contains(CalendarZone.utc.instant(of: wall))
                case .fromStart(let duration):
                    range.contains(moved(occurrence.span.lowerBound, length(duration)))
                case .fromEnd(let duration):
                    range.contains(moved(occurrence.span.upperBound, length(duration)))
                }
            } == true
        }
    }
}

/// What an addressbook-query looks for.
///
/// - Source: RFC 6352, 10.5.
struct CardFilter: Sendable {
    private struct Property: Sendable {
        let group: String?
        let name: String
        let isAbsent: Bool
        let needsAll: Bool
        let matches: [TextMatch]
        let parameters: [ParameterFilter]

        init(_ element: XMLTree) throws(DAVRefusal) {
            let parts = (element.attribute("name") ?? "").split(separator: ".", maxSplits: 1).map(String.init)
            group = parts.count == 2 ? parts[0].lowercased() : nil
            name = parts.last?.uppercased() ?? ""
            isAbsent = element.child(.card("is-not-defined")) != nil
            needsAll = element.attribute("test") == "allof"
            var matches: [TextMatch] = []
            var parameters: [ParameterFilter] = []
            for child in element.children {
                switch child.name {
                case .card("text-match"): matches.append(try TextMatch(child, collation: "i;unicode-casemap"))
                case .card("param-filter"):
                    parameters.append(try ParameterFilter(child, collation: "i;unicode-casemap"))
                case .card("is-not-defined"): break
                default: throw DAVRefusal(.forbidden, .card("supported-filter"))
                }
            }
            (self.matches, self.parameters) = (matches, parameters)
        }

        func matches(_ card: Component) -> Bool {
            let lines = card.properties(name).filter { group == nil || $0.group?.lowercased() == group }
            guard !isAbsent else { return lines.isEmpty }
            return lines.contains { line in
                let found = matches.map { $0.matches(line.text) } + parameters.map { $0.matches(line) }
                return found.isEmpty || (needsAll ? found.allSatisfy(\.self) : found.contains(true))
            }
        }
    }

    private let properties: [Property]
    private let needsAll: Bool

    init(_ element: XMLTree) throws(DAVRefusal) {
        needsAll = element.attribute("test") == "allof"
        var properties: [Property] = []
        for child in element.children {
            guard child.name == .card("prop-filter") else {
                throw DAVRefusal(.forbidden, .card("supported-filter"))
            }
            properties.append(try Property(child))
        }
        self.properties = properties
    }

    /// Whether a card is meant; all are where nothing is looked for.
    func matches(_ card: Component) -> Bool {
        guard !properties.isEmpty else { return true }
        return needsAll
            ? properties.allSatisfy { $0.matches(card) } : properties.contains { $0.matches(card) }
    }
}

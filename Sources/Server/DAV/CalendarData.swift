// SPDX-License-Identifier: Apache-2.0
// Objects written for those who cannot follow rules: each occurrence by itself, in UTC.

internal import CRM
internal import Foundation
internal import ICalendar
internal import Model
internal import XML

/// Writes the occurrences of an object in a range.
struct ExpandedCalendar {
    private let object: CalendarObject
    private let series: CalendarSeries
    private let range: Range<Timestamp>
    private var bytes: [UInt8] = []

    /// What an occurrence has of its own, or has no more.
    private static let own: Set<String> = [
        "DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID",
    ]
    /// Occurrences of one object, at most.
    private static let limit = 5000

    /// The object that bytes hold, as it takes place in a range.
    ///
    /// - Returns: nil for what is no calendar object.
    /// - Source: RFC 4791, 9.6.5.
    static func write(_ bytes: [UInt8], in range: Range<Timestamp>, zone: TimeZone) -> [UInt8]? {
        guard let document = try? ContentDocument(parsing: bytes), let object = try? CalendarObject(document),
            let calendar = document.components.first
        else { return nil }
        var writer = ExpandedCalendar(object, range, zone)
        writer.line("BEGIN:VCALENDAR")
        for property in calendar.properties { writer.copy(property.place) }
        for occurrence in writer.series.occurrences(in: range, limit: limit).occurrences {
            writer.write(occurrence)
        }
        writer.line("END:VCALENDAR")
        return writer.bytes
    }

    private init(_ object: CalendarObject, _ range: Range<Timestamp>, _ zone: TimeZone) {
        (self.object, self.range) = (object, range)
        series = CalendarSeries(object, local: zone)
    }

    private mutating func line(_ text: String) { bytes += Array((text + "\r\n").utf8) }

    private mutating func copy(_ place: Range<Int>) {
        bytes += object.document.bytes[place]
        if bytes.last != 10 { bytes += [13, 10] }
    }

    private mutating func write(_ occurrence: Occurrence) {
        guard let component = occurrence.override.map({ object.overrides[$0] }) ?? object.master else {
            return
        }
        line("BEGIN:\(component.name)")
        for property in component.properties where !Self.own.contains(property.name) { copy(property.place) }
        if component["DTSTART"] != nil {
            moment("DTSTART", occurrence.span.lowerBound, occurrence.start.isDay)
        }
        for name in ["DTEND", "DUE"] where component[name] != nil {
            moment(name, occurrence.span.upperBound, occurrence.start.isDay)
        }
        if component["DURATION"] != nil {
            moment(
                component.name == "VTODO" ? "DUE" : "DTEND", occurrence.span.upperBound,
                occurrence.start.isDay)
        }
        if series.master?.isRecurring != false {
            let recurrence = occurrence.recurrence
            moment("RECURRENCE-ID", series.zones.instant(of: recurrence), recurrence.isDay)
        }
        for inner in component.components { copy(inner.place) }
        line("END:\(component.name)")
    }

    private mutating func moment(_ name: String, _ moment: Timestamp, _ isDay: Bool) {
        guard isDay else { return line("\(name):\(moment.iCalendarText)") }
        line("\(name);VALUE=DATE:\(CalendarMoment.day(series.zones.local.wall(at: moment).day).text)")
    }
}

extension DAVValues {
    /// An object's bytes as they are asked for.
    func data(_ bytes: [UInt8], asked: XMLTree?) -> [UInt8] {
        guard let element = asked?.child(.calendar("expand")), let range = try? DAVTimeRange(element),
            range.start != nil, range.end != nil
        else { return bytes }
        return ExpandedCalendar.write(bytes, in: range.bounded, zone: zone) ?? bytes
    }
}

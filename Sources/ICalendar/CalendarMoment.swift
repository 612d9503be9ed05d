// SPDX-License-Identifier: Apache-2.0
// A date or a time as calendars write it: of a day, of nowhere, of UTC, or of a zone.

package import Model

/// A DATE or DATE-TIME.
///
/// - Source: RFC 5545, 3.3.4 and 3.3.5.
package enum CalendarMoment: Hashable, Sendable {
    /// A whole day, the same day everywhere.
    case day(CalendarDate)
    /// A time on whatever clock the reader has.
    case floating(WallTime)
    /// A time of UTC.
    case utc(WallTime)
    /// A time on the clocks of a zone, by the TZID as written.
    case zoned(WallTime, zone: String)

    /// The moment that a value of a property writes; nil where it is none. A day that is announced as a time,
    /// and the reverse, is read as what it is.
    package init?(_ text: String, zone: String? = nil, isDay: Bool = false) {
        let text = text.trimmingBlanks.uppercased()
        guard text.contains("T") else {
            guard let day = CalendarDate(iCalendar: text) else { return nil }
            self = .day(day)
            return
        }
        let isUTC = text.hasSuffix("Z")
        guard let time = WallTime(iCalendar: isUTC ? text.dropLast() : text[...]) else { return nil }
        if isDay {
            self = .day(time.day)
        } else if isUTC {
            self = .utc(time)
        } else if let zone, !zone.isEmpty {
            self = .zoned(time, zone: zone)
        } else {
            self = .floating(time)
        }
    }

    /// The moment that a property writes, with its TZID and VALUE.
    package init?(_ line: ContentLine) {
        self.init(line.value, zone: line["TZID"], isDay: line["VALUE"]?.uppercased() == "DATE")
    }

    /// The property that writes the moment.
    package func line(_ name: String, _ parameters: [ContentLine.Parameter] = []) -> ContentLine {
        let others = parameters.filter { $0.name != "TZID" && $0.name != "VALUE" }
        return switch self {
        case .day: ContentLine(name, others + [.init("VALUE", ["DATE"])], value: text)
        case .zoned(_, let zone): ContentLine(name, others + [.init("TZID", [zone])], value: text)
        case .floating, .utc: ContentLine(name, others, value: text)
        }
    }

    /// The value without parameters.
    package var text: String {
        switch self {
        case .day(let day): day.iCalendarText
        case .floating(let time), .zoned(let time, _): time.iCalendarText
        case .utc(let time): time.iCalendarText + "Z"
        }
    }

    /// What the calendar and the clock of its own zone show; midnight for a day.
    package var wall: WallTime {
        switch self {
        case .day(let day): WallTime(day)
        case .floating(let time), .utc(let time), .zoned(let time, _): time
        }
    }

    /// Whether it is a whole day.
    package var isDay: Bool {
        if case .day = self { true } else { false }
    }

    /// The same kind of moment with another clock.
    package func with(_ wall: WallTime) -> CalendarMoment {
        switch self {
        case .day: .day(wall.day)
        case .floating: .floating(wall)
        case .utc: .utc(wall)
        case .zoned(_, let zone): .zoned(wall, zone: zone)
        }
    }
}

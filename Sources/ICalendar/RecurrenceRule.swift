// SPDX-License-Identifier: Apache-2.0
// An RRULE, taken apart and checked: what is expanded is written anew from this, never what was sent.

package import Model

/// How an event repeats.
///
/// - Source: RFC 5545, 3.3.10. Other calendars than the Gregorian one (RFC 7529) are not read.
package struct RecurrenceRule: Hashable, Sendable {
    /// How often.
    package enum Frequency: String, Sendable, CaseIterable {
        case secondly = "SECONDLY"
        case minutely = "MINUTELY"
        case hourly = "HOURLY"
        case daily = "DAILY"
        case weekly = "WEEKLY"
        case monthly = "MONTHLY"
        case yearly = "YEARLY"
    }

    /// A day of the week, Monday first; the raw values are those of the format.
    package enum Weekday: String, Sendable, CaseIterable {
        case monday = "MO"
        case tuesday = "TU"
        case wednesday = "WE"
        case thursday = "TH"
        case friday = "FR"
        case saturday = "SA"
        case sunday = "SU"

        /// The weekday of a day.
        package init(of day: CalendarDate) {
            // 1970-01-01 was a Thursday.
            self = Self.allCases[((day.daysSince1970 + 3) % 7 + 7) % 7]
        }
    }

    /// A weekday, and which of its kind in the month or year; from the end when negative.
    package struct Day: Hashable, Sendable {
        /// Which one, ±1...53; nil for each of them.
        package let ordinal: Int?
        /// The weekday.
        package let weekday: Weekday

        /// Each of a weekday, or one of them.
        package init(_ weekday: Weekday, ordinal: Int? = nil) {
            self.weekday = weekday
            self.ordinal = ordinal
        }
    }

    /// The unit.
    package var frequency: Frequency
    /// Every so many units.
    package var interval = 1
    /// How many occurrences, the first included; nil without this bound.
    package var count: Int?
    /// The last moment at which an occurrence may begin; nil without this bound.
    package var until: CalendarMoment?
    /// BYSECOND, 0...59.
    package var seconds: [Int] = []
    /// BYMINUTE, 0...59.
    package var minutes: [Int] = []
    /// BYHOUR, 0...23.
    package var hours: [Int] = []
    /// BYDAY.
    package var days: [Day] = []
    /// BYMONTHDAY, ±1...31.
    package var monthDays: [Int] = []
    /// BYYEARDAY, ±1...366.
    package var yearDays: [Int] = []
    /// BYWEEKNO, ±1...53.
    package var weeks: [Int] = []
    /// BYMONTH, 1...12.
    package var months: [Int] = []
    /// BYSETPOS, ±1...366.
    package var positions: [Int] = []
    /// WKST.
    package var weekStart = Weekday.monday

    /// A rule of nothing but a frequency.
    package init(_ frequency: Frequency) {
        self.frequency = frequency
    }

    /// The rule that a value writes; nil where any part of it is wrong. Parts whose names begin with `X-` are
    /// left out.
    package init?(_ text: String) {
        guard text.utf8.count <= 10_000 else { return nil }
        var parts: [String: String] = [:]
        for part in text.uppercased().split(separator: ";") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { return nil }
            let name = String(pair[0]).trimmingBlanks
            guard parts.updateValue(String(pair[1]).trimmingBlanks, forKey: name) == nil else { return nil }
        }
        guard let frequency = parts.removeValue(forKey: "FREQ").flatMap(Frequency.init(rawValue:)) else {
            return nil
        }
        self.init(frequency)
        for (name, value) in parts {
            guard take(name, value) else { return nil }
        }
    }

    private mutating func take(_ name: String, _ value: String) -> Bool {
        switch name {
        case "INTERVAL": return Self.set(&interval, Self.number(value, 1...100_000))
        // How some programs write that there is no count.
        case "COUNT" where value == "-1": return true
        case "COUNT": return Self.set(&count, Self.number(value, 1...10_000_000))
        case "UNTIL": return Self.set(&until, CalendarMoment(value))
        case "BYSECOND":
            // A leap second is read as the one before it.
            return Self.set(&seconds, Self.numbers(value, 0...60).map { Self.unique($0.map { min($0, 59) }) })
        case "BYMINUTE": return Self.set(&minutes, Self.numbers(value, 0...59))
        case "BYHOUR": return Self.set(&hours, Self.numbers(value, 0...23))
        case "BYDAY": return Self.set(&days, Self.days(value))
        case "BYMONTHDAY": return Self.set(&monthDays, Self.numbers(value, -31...31, zero: false))
        case "BYYEARDAY": return Self.set(&yearDays, Self.numbers(value, -366...366, zero: false))
        case "BYWEEKNO": return Self.set(&weeks, Self.numbers(value, -53...53, zero: false))
        case "BYMONTH": return Self.set(&months, Self.numbers(value, 1...12))
        case "BYSETPOS": return Self.set(&positions, Self.numbers(value, -366...366, zero: false))
        case "WKST": return Self.set(&weekStart, Weekday(rawValue: value))
        case "RSCALE": return value == "GREGORIAN"
        default: return name.hasPrefix("X-")
        }
    }

    private static func set<Value>(_ field: inout Value, _ value: Value?) -> Bool {
        guard let value else { return false }
        field = value
        return true
    }

    private static func set<Value>(_ field: inout Value?, _ value: Value?) -> Bool {
        field = value
        return value != nil
    }

    private static func number(_ text: String, _ range: ClosedRange<Int>) -> Int? {
        Int(text).flatMap { range.contains($0) ? $0 : nil }
    }

    private static func numbers(_ text: String, _ range: ClosedRange<Int>, zero: Bool = true) -> [Int]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map {
            number(String($0).trimmingBlanks, range)
        }
        let numbers = parts.compactMap(\.self)
        return numbers.count == parts.count && (zero || !numbers.contains(0)) ? unique(numbers) : nil
    }

    private static func days(_ text: String) -> [Day]? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { part -> Day? in
            let part = String(part).trimmingBlanks
            guard let weekday = Weekday(rawValue: String(part.suffix(2))) else { return nil }
            guard part.count > 2 else { return Day(weekday) }
            let ordinal = number(String(part.dropLast(2)), -53...53)
            return ordinal.flatMap { $0 == 0 ? nil : Day(weekday, ordinal: $0) }
        }
        let days = parts.compactMap(\.self)
        return days.count == parts.count ? unique(days) : nil
    }

    private static func unique<Item: Hashable>(_ items: [Item]) -> [Item] {
        var seen: Set<Item> = []
        return items.filter { seen.insert($0).inserted }
    }

    /// The value as a property writes it.
    package var text: String {
        let bounds = [count.map { "COUNT=\($0)" }, until.map { "UNTIL=\($0.text)" }].compactMap(\.self)
        return ([pattern] + bounds).joined(separator: ";")
    }

    /// The value without COUNT and UNTIL.
    var pattern: String {
        var parts = ["FREQ=\(frequency.rawValue)"]
        if interval != 1 { parts.append("INTERVAL=\(interval)") }
        let lists: [(String, [String])] = [
            ("BYSECOND", seconds.map(String.init)), ("BYMINUTE", minutes.map(String.init)),
            ("BYHOUR", hours.map(String.init)),
            ("BYDAY", days.map { ($0.ordinal.map(String.init) ?? "") + $0.weekday.rawValue }),
            ("BYMONTHDAY", monthDays.map(String.init)), ("BYYEARDAY", yearDays.map(String.init)),
            ("BYWEEKNO", weeks.map(String.init)), ("BYMONTH", months.map(String.init)),
            ("BYSETPOS", positions.map(String.init)),
        ]
        parts += lists.filter { !$0.1.isEmpty }.map { "\($0.0)=\($0.1.joined(separator: ","))" }
        if weekStart != .monday { parts.append("WKST=\(weekStart.rawValue)") }
        return parts.joined(separator: ";")
    }
}

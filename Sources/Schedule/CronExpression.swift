// SPDX-License-Identifier: Apache-2.0
// The five fields of a cron line: which minutes of which days are meant.

internal import Diagnostics
package import Model

/// A cron line: minute, hour, day of month, month, day of week.
///
/// - Source: POSIX.1-2017, crontab; steps, names of months and days, 7 for Sunday and `@daily` as in Vixie cron.
package struct CronExpression: Sendable, Hashable, CustomStringConvertible {
    /// The line as it was written.
    package let description: String
    /// Minutes and hours that are meant, in order.
    let minutes: [Int]
    let hours: [Int]
    /// Whether every hour is meant: then the clock does not matter, only the time that passes.
    let isHourly: Bool
    private let days: Set<Int>
    private let months: Set<Int>
    private let weekdays: Set<Int>
    /// Where both are restricted, a day that satisfies one of them is meant.
    private let restrictsBoth: Bool

    private enum Field: String, CaseIterable {
        case minute, hour, day, month, weekday

        var range: ClosedRange<Int> {
            switch self {
            case .minute: 0...59
            case .hour: 0...23
            case .day: 1...31
            case .month: 1...12
            case .weekday: 0...7
            }
        }

        var names: [String] {
            switch self {
            case .month: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            case .weekday: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
            default: []
            }
        }
    }

    private static let names = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    /// Reads a cron line.
    ///
    /// - Throws: `CRON-FIELDS` unless there are five fields, `CRON-VALUE` naming the field and what it may hold,
    ///   `CRON-NEVER` for a day that no year has.
    package init(_ text: String) throws(ScheduleError) {
        description = text
        let line = Self.names[text.lowercased()] ?? text
        let parts = line.split(whereSeparator: \.isWhitespace).map { $0.lowercased() }
        guard parts.count == Field.allCases.count else {
            throw ScheduleError(
                .fieldCount, ["count": String(parts.count)], at: Place(field: "cron", value: text))
        }
        var sets: [Set<Int>] = []
        for (field, part) in zip(Field.allCases, parts) { sets.append(try Self.values(part, field)) }
        minutes = sets[0].sorted()
        hours = sets[1].sorted()
        isHourly = hours.count == 24
        days = sets[2]
        months = sets[3]
        weekdays = Set(sets[4].map { $0 % 7 })
        restrictsBoth = !parts[2].hasPrefix("*") && !parts[4].hasPrefix("*")
        guard Self.hasAnyDay(days, months) || restrictsBoth else {
            throw ScheduleError(.never, at: Place(field: "cron", value: text))
        }
    }

    /// Whether a day is meant.
    package func includes(_ date: CalendarDate) -> Bool {
        let (_, month, day) = date.parts
        guard months.contains(month) else { return false }
        let isDay = days.contains(day)
        let isWeekday = weekdays.contains(date.weekday)
        return restrictsBoth ? isDay || isWeekday : isDay && isWeekday
    }

    // MARK: - Saying

    /// What a line means, field by field and in order; nil where a field means everything.
    package struct Parts: Sendable, Hashable {
        /// Minutes of an hour.
        package let minutes: [Int]
        /// Hours of a day; all 24 where every hour is meant.
        package let hours: [Int]
        /// Days of a month.
        package let days: [Int]?
        /// Months, from 1.
        package let months: [Int]?
        /// Days of the week, from 0 for Sunday.
        package let weekdays: [Int]?
        /// Whether a day that one of the two lists of days has is meant; else both must have it.
        package let isEither: Bool
    }

    /// The line for whoever puts it into words.
    package var parts: Parts {
        Parts(
            minutes: minutes, hours: hours, days: days.count == 31 ? nil : days.sorted(),
            months: months.count == 12 ? nil : months.sorted(),
            weekdays: weekdays.count == 7 ? nil : weekdays.sorted(), isEither: restrictsBoth)
    }

    // MARK: - Fields

    private static func values(_ text: String, _ field: Field) throws(ScheduleError) -> Set<Int> {
        var values: Set<Int> = []
        for item in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let some = range(item, field) else {
                let range = "\(field.range.lowerBound)–\(field.range.upperBound)"
                throw ScheduleError(
                    .value, ["name": field.rawValue, "range": range],
                    at: Place(field: "cron", value: String(item)))
            }
            values.formUnion(some)
        }
        return values
    }

    /// `*`, `5`, `mon-fri`, with `/2` behind it.
    private static func range(_ text: Substring, _ field: Field) -> [Int]? {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let step = halves.count == 2 ? Int(halves[1]) : 1
        guard let first = halves.first, let step, step > 0, step <= field.range.upperBound else { return nil }
        // Of the days of the week, 0 and 7 are one.
        let all = field == .weekday ? 0...6 : field.range
        if first == "*" { return Array(stride(from: all.lowerBound, through: all.upperBound, by: step)) }
        let ends = first.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count <= 2, let low = number(ends[0], field) else { return nil }
        guard ends.count == 2 else {
            // `5/15` is from 5 on.
            return halves.count == 2 ? Array(stride(from: low, through: all.upperBound, by: step)) : [low]
        }
        guard let high = number(ends[1], field), low <= high else { return nil }
        return Array(stride(from: low, through: high, by: step))
    }

    private static func number(_ text: Substring, _ field: Field) -> Int? {
        if let index = field.names.firstIndex(of: String(text)) { return index + field.range.lowerBound }
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text) else { return nil }
        return field.range.contains(number) ? number : nil
    }

    /// Whether some year has one of these days.
    private static func hasAnyDay(_ days: Set<Int>, _ months: Set<Int>) -> Bool {
        months.contains { month in days.contains { CalendarDate(year: 2024, month: month, day: $0) != nil } }
    }
}

extension CalendarDate {
    /// The day of the week, from 0 for Sunday.
    var weekday: Int {
        // 1970-01-01 was a Thursday.
        let days = (daysSince1970 + 4) % 7
        return days < 0 ? days + 7 : days
    }
}

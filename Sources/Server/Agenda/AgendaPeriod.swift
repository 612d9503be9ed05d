// SPDX-License-Identifier: Apache-2.0
// The days that an agenda page shows, as its address names them.

internal import Model

/// A day, a week or a month.
enum AgendaPeriod: Sendable, Hashable {
    case day(CalendarDate)
    /// By its Monday.
    case week(CalendarDate)
    /// By its first day.
    case month(CalendarDate)

    /// The week of a day.
    init(weekOf day: CalendarDate) { self = .week(day.monday) }

    /// The month of a day.
    init(monthOf day: CalendarDate) { self = .month(day.adding(1 - day.parts.day)) }

    /// `2026-11-25`, `2026-W48` (ISO 8601) or `2026-11`.
    init?(_ text: String) {
        if let match = text.wholeMatch(of: #/(\d{4})-(\d{2})-(\d{2})/#), let year = Int(match.output.1),
            let month = Int(match.output.2), let day = Int(match.output.3),
            let date = CalendarDate(year: year, month: month, day: day)
        {
            self = .day(date)
        } else if let match = text.wholeMatch(of: #/(\d{4})-W(\d{2})/#), let year = Int(match.output.1),
            let week = Int(match.output.2), let fourth = CalendarDate(year: year, month: 1, day: 4)
        {
            // The fourth of January is always in week 1.
            let monday = fourth.monday.adding(7 * (week - 1))
            guard week > 0, monday.isoWeek == (year, week) else { return nil }
            self = .week(monday)
        } else if let match = text.wholeMatch(of: #/(\d{4})-(\d{2})/#), let year = Int(match.output.1),
            let month = Int(match.output.2), let date = CalendarDate(year: year, month: month, day: 1)
        {
            self = .month(date)
        } else {
            return nil
        }
    }

    /// What the address says.
    var text: String {
        switch self {
        case .day(let day): return day.description
        case .week(let monday):
            let (year, week) = monday.isoWeek
            return "\(year)-W\(week < 10 ? "0" : "")\(week)"
        case .month(let first): return String(first.description.dropLast(3))
        }
    }

    /// Its address.
    var url: String { "/agenda/\(text)" }

    /// Its first day.
    var first: CalendarDate {
        switch self {
        case .day(let day), .week(let day), .month(let day): day
        }
    }

    /// The days that its page shows: whole weeks for a month.
    var days: [CalendarDate] {
        switch self {
        case .day(let day): [day]
        case .week(let monday): (0..<7).map { monday.adding($0) }
        case .month(let first):
            (0..<6).flatMap { week in (0..<7).map { first.monday.adding(7 * week + $0) } }
                .prefix { $0.monday <= first || $0.monday.isInMonth(of: first) }.map(\.self)
        }
    }

    /// The period so many steps on.
    func moved(by steps: Int) -> AgendaPeriod {
        switch self {
        case .day(let day): return .day(day.adding(steps))
        case .week(let monday): return .week(monday.adding(7 * steps))
        case .month(let first):
            let months = first.parts.year * 12 + first.parts.month - 1 + steps
            let date = CalendarDate(year: months / 12, month: months % 12 + 1, day: 1)
            return .month(date ?? first)
        }
    }
}

extension CalendarDate {
    /// The day so many days on.
    func adding(_ days: Int) -> CalendarDate { CalendarDate(daysSince1970: daysSince1970 + days) }

    /// The Monday of its week.
    // 1970-01-01 was a Thursday.
    var monday: CalendarDate { adding(-(((daysSince1970 + 3) % 7 + 7) % 7)) }

    /// Whether it is a Saturday or a Sunday.
    var isWeekend: Bool { daysSince1970 - monday.daysSince1970 >= 5 }

    /// The week of ISO 8601: that of its Thursday.
    var isoWeek: (year: Int, week: Int) {
        let thursday = monday.adding(3)
        let year = thursday.parts.year
        let first = CalendarDate(year: year, month: 1, day: 1) ?? thursday
        return (year, (thursday.daysSince1970 - first.daysSince1970) / 7 + 1)
    }

    func isInMonth(of other: CalendarDate) -> Bool {
        (parts.year, parts.month) == (other.parts.year, other.parts.month)
    }
}

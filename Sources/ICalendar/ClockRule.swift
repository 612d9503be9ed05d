// SPDX-License-Identifier: Apache-2.0
// Rules of days, hours, minutes and seconds, which libical goes through one by one from their beginning.

internal import Model

/// The times of a rule whose unit always has the same length on a clock, so that any time is found at once.
///
/// - Source: RFC 5545, 3.3.10: what limits and what expands, by frequency.
struct ClockRule {
    private let rule: RecurrenceRule
    /// Seconds of the unit.
    private let unit: Int
    /// Seconds between units.
    private let step: Int
    private let start: WallTime
    /// The beginning of the next unit.
    private var base: Int
    /// Times of the unit before it that are still to be given, the last first.
    private var pending: [WallTime] = []

    /// Units that may pass without any time before the rule counts as one that has no more.
    private static let patience = 100_000

    init(_ rule: RecurrenceRule, from start: WallTime) {
        self.rule = rule
        self.start = start
        unit =
            switch rule.frequency {
            case .daily: 86_400
            case .hourly: 3600
            case .minutely: 60
            default: 1
            }
        step = unit * rule.interval
        base = start.seconds - WallTime(seconds: start.seconds).second % unit
    }

    mutating func next() -> WallTime? {
        var tries = 0
        while pending.isEmpty {
            tries += 1
            guard tries <= Self.patience else { return nil }
            let wall = WallTime(seconds: base)
            // The calendar of the format has years of four digits.
            guard wall.seconds < 253_402_300_800 - 86_400 else { return nil }
            if let end = limit(wall) {
                skipUnits(to: end)
            } else {
                pending = times(of: wall)
                base += step
            }
        }
        return pending.popLast()
    }

    /// Goes on at the first unit that ends behind a time.
    mutating func skip(to wall: WallTime) {
        guard base + unit <= wall.seconds else { return }
        pending = []
        base += (wall.seconds - unit - base) / step * step
    }

    private mutating func skipUnits(to end: Int) {
        base += max((end - base + step - 1) / step, 1) * step
    }

    /// Where the part of time ends that the rule leaves out and that the unit lies in; nil where it is in the
    /// rule.
    private func limit(_ wall: WallTime) -> Int? {
        let midnight = wall.seconds - wall.second
        if !allows(wall.day) { return midnight + 86_400 }
        guard unit < 86_400 else { return nil }
        let hour = wall.second / 3600
        if !rule.hours.isEmpty, !rule.hours.contains(hour) { return midnight + (hour + 1) * 3600 }
        guard unit < 3600 else { return nil }
        let minute = wall.second / 60
        if !rule.minutes.isEmpty, !rule.minutes.contains(minute % 60) { return midnight + (minute + 1) * 60 }
        guard unit < 60 else { return nil }
        return rule.seconds.isEmpty || rule.seconds.contains(wall.second % 60) ? nil : wall.seconds + 1
    }

    private func allows(_ day: CalendarDate) -> Bool {
        let parts = day.parts
        if !rule.months.isEmpty, !rule.months.contains(parts.month) { return false }
        if !rule.days.isEmpty {
            let weekday = RecurrenceRule.Weekday(of: day)
            guard rule.days.contains(where: { $0.weekday == weekday }) else { return false }
        }
        if !rule.monthDays.isEmpty {
            let next = parts.month == 12 ? (parts.year + 1, 1) : (parts.year, parts.month + 1)
            guard let end = CalendarDate(year: next.0, month: next.1, day: 1) else { return false }
            let fromEnd = day.daysSince1970 - end.daysSince1970
            guard rule.monthDays.contains(parts.day) || rule.monthDays.contains(fromEnd) else { return false }
        }
        if !rule.yearDays.isEmpty {
            guard let first = CalendarDate(year: parts.year, month: 1, day: 1),
                let end = CalendarDate(year: parts.year + 1, month: 1, day: 1)
            else { return false }
            let fromStart = day.daysSince1970 - first.daysSince1970 + 1
            let fromEnd = day.daysSince1970 - end.daysSince1970
            guard rule.yearDays.contains(fromStart) || rule.yearDays.contains(fromEnd) else { return false }
        }
        return true
    }

    /// The times inside a unit, the last first.
    private func times(of wall: WallTime) -> [WallTime] {
        var times = [wall.seconds]
        if unit == 86_400 {
            let hours = rule.hours.isEmpty ? [start.second / 3600] : rule.hours.sorted()
            times = hours.map { wall.seconds + $0 * 3600 }
        }
        if unit >= 3600 {
            let minutes = rule.minutes.isEmpty ? [start.second / 60 % 60] : rule.minutes.sorted()
            times = times.flatMap { time in minutes.map { time + $0 * 60 } }
        }
        if unit >= 60 {
            let seconds = rule.seconds.isEmpty ? [start.second % 60] : rule.seconds.sorted()
            times = times.flatMap { time in seconds.map { time + $0 } }
        }
        if !rule.positions.isEmpty {
            let all = times
            times = all.enumerated().filter {
                rule.positions.contains($0.offset + 1) || rule.positions.contains($0.offset - all.count)
            }.map(\.element)
        }
        return times.reversed().map { WallTime(seconds: $0) }.filter { $0 >= start }
    }
}

// SPDX-License-Identifier: Apache-2.0
// What a clock on a wall shows: a day and a time, wherever the wall is.

package import Model

/// A local date and time without zone, in whole seconds.
package struct WallTime: Hashable, Sendable, Comparable, BitwiseCopyable {
    /// Seconds between this clock and the same clock at 1970-01-01T00:00:00; negative before.
    package let seconds: Int

    /// The clock so many seconds after it showed 1970-01-01T00:00:00.
    package init(seconds: Int) {
        self.seconds = seconds
    }

    /// A time of a day.
    package init(_ day: CalendarDate, second: Int = 0) {
        seconds = day.daysSince1970 * 86_400 + second
    }

    /// The day that the calendar shows.
    package var day: CalendarDate {
        CalendarDate(daysSince1970: (seconds - second) / 86_400)
    }

    /// Seconds since midnight, 0...86399.
    package var second: Int { ((seconds % 86_400) + 86_400) % 86_400 }

    package static func < (left: WallTime, right: WallTime) -> Bool { left.seconds < right.seconds }

    /// The form `20261123T061500`; a `Z` behind it is read over, and the seconds may be missing, as some
    /// write it.
    ///
    /// - Source: RFC 5545, 3.3.5. A leap second is read as the one before it.
    init?(iCalendar text: some StringProtocol) {
        let parts = text.split(separator: "T", omittingEmptySubsequences: false)
        guard parts.count == 2, let day = CalendarDate(iCalendar: parts[0]) else { return nil }
        let digits = Array(parts[1].utf8.filter { $0 != UInt8(ascii: ":") })
        guard digits.count == 6 || digits.count == 4, let hour = Self.number(digits[0..<2]), hour < 24,
            let minute = Self.number(digits[2..<4]), minute < 60,
            let second = digits.count == 6 ? Self.number(digits[4..<6]) : 0, second <= 60
        else { return nil }
        self.init(day, second: hour * 3600 + minute * 60 + min(second, 59))
    }

    /// The form `20261123T061500`.
    var iCalendarText: String {
        let clock = [second / 3600, second / 60 % 60, second % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(day.iCalendarText)T\(clock.joined())"
    }

    private static func number(_ digits: some Collection<UInt8>) -> Int? {
        var number = 0
        for digit in digits {
            guard digit &- 48 < 10 else { return nil }
            number = number * 10 + Int(digit - 48)
        }
        return number
    }
}

extension CalendarDate {
    /// The form `20261123`, or `2026-11-23` as vCard 3.0 writes it.
    init?(iCalendar text: some StringProtocol) {
        let digits = Array(text.utf8.filter { $0 != UInt8(ascii: "-") })
        guard digits.count == 8, digits.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
        self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }

    /// The form `20261123`.
    var iCalendarText: String { description.filter { $0 != "-" } }
}

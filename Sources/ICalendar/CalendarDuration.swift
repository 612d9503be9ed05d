// SPDX-License-Identifier: Apache-2.0
// A length of time as calendars write it: days by the calendar, and seconds by the clock.

/// A DURATION. A day is what the calendar calls one (23 to 25 hours), an hour is always 3600 seconds.
///
/// - Source: RFC 5545, 3.3.6.
package struct CalendarDuration: Hashable, Sendable {
    /// Days by the calendar, weeks included; negative before.
    package var days: Int
    /// Seconds by the clock; negative before.
    package var seconds: Int

    /// A length of days and seconds.
    package init(days: Int = 0, seconds: Int = 0) {
        self.days = days
        self.seconds = seconds
    }

    /// Whether it goes back in time.
    package var isNegative: Bool { days < 0 || seconds < 0 }

    /// `P1W`, `-P1DT2H`, `PT15M`; nil for anything else, and for more than about 270 years.
    package init?(_ text: String) {
        var rest = text.trimmingBlanks.uppercased()[...]
        var sign = 1
        if let first = rest.first, first == "+" || first == "-" {
            sign = first == "-" ? -1 : 1
            rest = rest.dropFirst()
        }
        guard rest.popFirst() == "P" else { return nil }
        var (days, seconds, isTime, parts) = (0, 0, false, 0)
        while let first = rest.first {
            if first == "T", !isTime {
                isTime = true
                rest = rest.dropFirst()
                continue
            }
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            guard digits.count <= 10, let number = Int(digits) else { return nil }
            rest = rest.dropFirst(digits.count)
            switch (rest.popFirst(), isTime) {
            case ("W", false): days += number * 7
            case ("D", false): days += number
            case ("H", true): seconds += number * 3600
            case ("M", true): seconds += number * 60
            case ("S", true): seconds += number
            default: return nil
            }
            parts += 1
        }
        guard parts > 0, days < 100_000, seconds < 100_000 * 86_400 else { return nil }
        self.init(days: sign * days, seconds: sign * seconds)
    }

    /// The value as a property writes it.
    package var text: String {
        let (days, seconds) = (abs(days), abs(seconds))
        var text = isNegative ? "-P" : "P"
        if days > 0 { text += "\(days)D" }
        guard seconds > 0 || days == 0 else { return text }
        text += "T"
        if seconds >= 3600 { text += "\(seconds / 3600)H" }
        if seconds / 60 % 60 > 0 { text += "\(seconds / 60 % 60)M" }
        if seconds % 60 > 0 || seconds == 0 { text += "\(seconds % 60)S" }
        return text
    }
}

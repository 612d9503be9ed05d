// SPDX-License-Identifier: Apache-2.0
// Numbers, amounts, dates and sizes as people write them.

internal import struct Foundation.Date
internal import struct Foundation.TimeZone
package import Model

extension Words {
    /// A whole number with groups of three: `12 345` (narrow no-break space) or `12,345`.
    package func number(_ value: Int) -> String {
        (value < 0 ? "−" : "") + grouped(String(value.magnitude))
    }

    /// An amount with two decimals at least: `1 234,50 EUR` or `1,234.50 EUR`.
    package func amount(_ value: Decimal, _ currency: String) -> String {
        let text = (value.scale < 2 ? value.rounded(to: 2) : value).magnitude.description
        let parts = text.split(separator: ".")
        let mark = language == .french ? "," : "."
        let sign = value.isNegative ? "−" : ""
        return
            "\(sign)\(grouped(String(parts[0])))\(mark)\(parts.count > 1 ? String(parts[1]) : "00")\u{A0}\(currency)"
    }

    /// A day: `23/11/2026`, or ISO 8601 in English, where the order of day and month is no common ground.
    package func date(_ date: CalendarDate) -> String {
        guard language == .french else { return date.description }
        return date.description.split(separator: "-").reversed().joined(separator: "/")
    }

    /// An instant with its zone named: `23/11/2026 06:15 UTC`.
    package func instant(_ instant: Timestamp) -> String {
        let seconds = Int(instant.microsecondsSince1970 / 1_000_000)
        let day = CalendarDate(daysSince1970: seconds / 86_400)
        return "\(date(day)) \(instant.description.dropFirst(11).prefix(5)) UTC"
    }

    /// An instant by the clock of an IANA zone: `lun. 23/11/2026 06:15`.
    package func instant(_ instant: Timestamp, in zone: String) -> String {
        let seconds = Int(instant.microsecondsSince1970 / 1_000_000)
        let date = Date(timeIntervalSince1970: Double(seconds))
        let offset = TimeZone(identifier: zone)?.secondsFromGMT(for: date) ?? 0
        let local = Timestamp(microsecondsSince1970: Int64(seconds + offset) * 1_000_000)
        let day = CalendarDate(daysSince1970: (seconds + offset) / 86_400)
        // 1970-01-01 was a Thursday.
        let weekday = self("weekday.\((day.daysSince1970 + 4) % 7)")
        return "\(weekday) \(self.date(day)) \(local.description.dropFirst(11).prefix(5))"
    }

    /// A size in bytes: `12 o`, `3,4 Mo`; `12 B`, `3.4 MB`.
    package func size(_ bytes: Int) -> String {
        let letter = language == .french ? "o" : "B"
        for (unit, factor) in [("G", 1_000_000_000), ("M", 1_000_000), ("k", 1000)] where bytes >= factor {
            let tenths = bytes * 10 / factor
            let mark = language == .french ? "," : "."
            return "\(number(tenths / 10))\(mark)\(tenths % 10)\u{A0}\(unit)\(letter)"
        }
        return "\(bytes)\u{A0}\(letter)"
    }

    private func grouped(_ digits: String) -> String {
        let separator = language == .french ? "\u{202F}" : ","
        var groups: [Substring] = []
        var rest = Substring(digits)
        while rest.count > 3 {
            groups.insert(rest.suffix(3), at: 0)
            rest = rest.dropLast(3)
        }
        return ([rest] + groups).joined(separator: separator)
    }
}

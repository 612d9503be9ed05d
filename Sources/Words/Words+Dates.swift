// SPDX-License-Identifier: Apache-2.0
// Days, moments and durations as pages say them; every "now" is given.

internal import struct Foundation.Date
internal import struct Foundation.TimeZone
package import Model

extension Words {
    /// A moment by the clock of a zone.
    private struct Local {
        let day: CalendarDate
        /// Seconds since midnight.
        let seconds: Int

        init(_ instant: Timestamp, in zone: String) {
            let micros = instant.microsecondsSince1970
            let seconds = Int((Double(micros) / 1_000_000).rounded(.down))
            let date = Date(timeIntervalSince1970: Double(seconds))
            let local = seconds + (TimeZone(identifier: zone)?.secondsFromGMT(for: date) ?? 0)
            let day = Int((Double(local) / 86_400).rounded(.down))
            self.day = CalendarDate(daysSince1970: day)
            self.seconds = local - day * 86_400
        }

        /// `14:05`.
        var clock: String { "\(Self.two(seconds / 3600)):\(Self.two(seconds / 60 % 60))" }
        /// `14:05:02`.
        var fullClock: String { "\(clock):\(Self.two(seconds % 60))" }

        private static func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    }

    /// The day of a moment by the clock of an IANA zone.
    package func day(_ instant: Timestamp, in zone: String) -> CalendarDate { Local(instant, in: zone).day }

    /// `14:05:02` by the clock of an IANA zone.
    package func clock(_ instant: Timestamp, in zone: String) -> String {
        Local(instant, in: zone).fullClock
    }

    /// `lun. 23 nov. 2026`, with no-break spaces; `1er` for the first of a month.
    package func dateLong(_ day: CalendarDate) -> String {
        "\(weekday(day))\u{A0}\(dayAndMonth(day))\u{A0}\(day.year)"
    }

    /// `lun. 23 nov.` in the same year, `23 oct. 2025` in another.
    package func dateShort(_ day: CalendarDate, today: CalendarDate) -> String {
        day.year == today.year
            ? "\(weekday(day))\u{A0}\(dayAndMonth(day))" : "\(dayAndMonth(day))\u{A0}\(day.year)"
    }

    /// `lun. 23 nov. 2026 à 14:05` by the clock of an IANA zone.
    package func moment(_ instant: Timestamp, in zone: String) -> String {
        let local = Local(instant, in: zone)
        return self("moment.at", ["day": dateLong(local.day), "time": local.clock])
    }

    /// `14:05` today, `lun. 23 nov., 06:31` in the same year, `23 oct. 2025` in another.
    package func momentShort(_ instant: Timestamp, now: Timestamp, in zone: String) -> String {
        let (local, today) = (Local(instant, in: zone), day(now, in: zone))
        if local.day == today { return local.clock }
        let day = dateShort(local.day, today: today)
        return local.day.year == today.year ? "\(day), \(local.clock)" : day
    }

    /// `23 – 29 nov. 2026`, `29 nov. – 5 déc. 2026`, `28 déc. 2026 – 3 janv. 2027`.
    package func range(_ from: CalendarDate, _ to: CalendarDate) -> String {
        let (first, last) = (from.parts, to.parts)
        let end = "\(dayAndMonth(to))\u{A0}\(last.year)"
        if first.year != last.year { return "\(dayAndMonth(from))\u{A0}\(first.year) – \(end)" }
        return first.month == last.month
            ? "\(ordinal(first.day))\u{A0}– \(end)" : "\(dayAndMonth(from)) – \(end)"
    }

    /// `il y a 4 s`, `il y a 12 min`, `hier à 16:40`, `dans 10 min`; beyond a day as ``momentShort(_:now:in:)``.
    package func ago(_ instant: Timestamp, now: Timestamp, in zone: String) -> String {
        let seconds = Int((now.microsecondsSince1970 - instant.microsecondsSince1970) / 1_000_000)
        let (local, today) = (Local(instant, in: zone), day(now, in: zone))
        if abs(seconds) < 86_400, local.day == today || abs(seconds) < 3600 {
            let duration = abs(seconds) < 3600 ? duration(seconds: abs(seconds)) : hours(abs(seconds))
            return self(seconds < 0 ? "moment.in" : "moment.ago", ["duration": duration])
        }
        switch local.day.daysSince1970 - today.daysSince1970 {
        case -1: return self("moment.yesterday", ["time": local.clock])
        case 1: return self("moment.tomorrow", ["time": local.clock])
        default: return momentShort(instant, now: now, in: zone)
        }
    }

    /// `4 s`, `6 min`, `1 h 25`, `8 jours`.
    package func duration(seconds: Int) -> String {
        switch seconds {
        case ..<60: return "\(max(0, seconds))\u{A0}s"
        case ..<3600: return "\(seconds / 60)\u{A0}min"
        case ..<86_400:
            let minutes = seconds / 60 % 60
            return hours(seconds) + (minutes == 0 ? "" : "\u{A0}\(minutes < 10 ? "0" : "")\(minutes)")
        default: return self("duration.days", count: seconds / 86_400)
        }
    }

    private func hours(_ seconds: Int) -> String { "\(seconds / 3600)\u{A0}h" }

    // 1970-01-01 was a Thursday.
    private func weekday(_ day: CalendarDate) -> String {
        self("weekday.\(((day.daysSince1970 + 4) % 7 + 7) % 7)")
    }

    private func dayAndMonth(_ day: CalendarDate) -> String {
        let parts = day.parts
        return "\(ordinal(parts.day))\u{A0}\(self("month.\(parts.month)"))"
    }

    private func ordinal(_ day: Int) -> String { day == 1 ? self("day.first") : String(day) }
}

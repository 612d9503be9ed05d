// SPDX-License-Identifier: Apache-2.0
// Days and moments as pages say them, by the clock of a zone; every "now" is given.

package import Model

extension Words {
    /// The day of a moment by the clock of an IANA zone; of an unknown zone, by UTC.
    package func day(_ instant: Timestamp, in zone: String) -> CalendarDate {
        LocalTime(instant, in: zone).day
    }

    /// `14:05:02` by the clock of an IANA zone; of an unknown zone, by UTC.
    package func clock(_ instant: Timestamp, in zone: String) -> String {
        LocalTime(instant, in: zone).fullClock
    }

    /// `lun. 23 nov. 2026` or `Mon 23 Nov 2026`, in one piece by no-break spaces; `1er` for the first of a month.
    package func dateLong(_ day: CalendarDate) -> String {
        "\(weekday(day))\u{A0}\(dayMonthYear(day))"
    }

    /// `lun. 23 nov.` in the year of `today`, `23 oct. 2025` in another.
    package func dateShort(_ day: CalendarDate, today: CalendarDate) -> String {
        day.year == today.year ? "\(weekday(day))\u{A0}\(dayMonth(day))" : dayMonthYear(day)
    }

    /// `lun. 23 nov. 2026 à 14:05` or `Mon 23 Nov 2026 at 14:05` by the clock of an IANA zone.
    package func moment(_ instant: Timestamp, in zone: String) -> String {
        let local = LocalTime(instant, in: zone)
        return self("moment.at", ["day": dateLong(local.day), "time": local.clock])
    }

    /// `14:05` today, `lun. 23 nov., 06:31` in the year of `now`, `23 oct. 2025` in another.
    package func momentShort(_ instant: Timestamp, now: Timestamp, in zone: String) -> String {
        let local = LocalTime(instant, in: zone)
        let today = day(now, in: zone)
        if local.day == today { return local.clock }
        let day = dateShort(local.day, today: today)
        return local.day.year == today.year ? "\(day), \(local.clock)" : day
    }

    /// `23 – 29 nov. 2026`, `29 nov. – 5 déc. 2026`, `28 déc. 2026 – 3 janv. 2027`, both days included.
    ///
    /// A range of one day is that day, `23 nov. 2026`; two days in the wrong order are put right.
    package func range(_ from: CalendarDate, _ to: CalendarDate) -> String {
        if from == to { return dayMonthYear(from) }
        let (first, last) = (min(from, to), max(from, to))
        let start =
            if first.year != last.year {
                dayMonthYear(first)
            } else if first.parts.month != last.parts.month {
                dayMonth(first)
            } else {
                dayNumber(first)
            }
        return "\(start)\u{A0}– \(dayMonthYear(last))"
    }

    // 1970-01-01 was a Thursday.
    private func weekday(_ day: CalendarDate) -> String {
        self("weekday.\(((day.daysSince1970 + 4) % 7 + 7) % 7)")
    }

    private func dayNumber(_ day: CalendarDate) -> String {
        day.parts.day == 1 ? self("day.first") : String(day.parts.day)
    }

    private func dayMonth(_ day: CalendarDate) -> String {
        "\(dayNumber(day))\u{A0}\(self("month.\(day.parts.month)"))"
    }

    private func dayMonthYear(_ day: CalendarDate) -> String { "\(dayMonth(day))\u{A0}\(day.year)" }
}

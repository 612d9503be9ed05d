// SPDX-License-Identifier: Apache-2.0
// Cron lines, clocks that are put forward and back, holidays.

import Diagnostics
import Foundation
import Model
import Schedule
import Testing

@Suite struct ScheduleTests {
    private func instant(_ text: String) throws -> Timestamp {
        let date = try Date(text, strategy: .iso8601)
        return Timestamp(microsecondsSince1970: Int64(date.timeIntervalSince1970) * 1_000_000)
    }

    private func next(
        _ cron: String, _ count: Int = 3, after start: String, zone: String = "Europe/Paris",
        without holidays: PublicHolidays? = nil
    ) throws -> [String] {
        let schedule = try Schedule(try CronExpression(cron), zone: zone, without: holidays)
        return schedule.next(count, after: try instant(start)).map(\.description)
    }

    @Test func `lines mean what cron means by them`() throws {
        #expect(
            try next("15 6 * * mon-fri", after: "2026-11-20T05:15:00Z")
                == ["2026-11-23T05:15:00Z", "2026-11-24T05:15:00Z", "2026-11-25T05:15:00Z"])
        #expect(
            try next("*/20 8,9 * * *", 4, after: "2026-07-01T06:20:00Z", zone: "UTC")
                == [
                    "2026-07-01T08:00:00Z", "2026-07-01T08:20:00Z", "2026-07-01T08:40:00Z",
                    "2026-07-01T09:00:00Z",
                ])
        // The 13th, and every Friday.
        #expect(
            try next("0 0 13 * 5", after: "2026-11-01T00:00:00Z", zone: "UTC")
                == ["2026-11-06T00:00:00Z", "2026-11-13T00:00:00Z", "2026-11-20T00:00:00Z"])
        #expect(
            try next("0 12 29 2 *", 2, after: "2026-01-01T00:00:00Z", zone: "UTC")
                == ["2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z"])
        #expect(
            try next("@monthly", 1, after: "2026-12-01T00:00:00Z", zone: "UTC") == ["2027-01-01T00:00:00Z"])
        #expect(
            try next("0 7 * * 7", 1, after: "2026-11-23T00:00:00Z", zone: "UTC") == ["2026-11-29T07:00:00Z"])
    }

    @Test func `what a change of the clock does to a time is said`() throws {
        func oddity(_ cron: String, _ time: String) throws -> Schedule.Oddity? {
            try Schedule(try CronExpression(cron), zone: "Europe/Paris").oddity(of: try instant(time))
        }
        // 2027-03-28, 02:00 becomes 03:00; 2027-10-31, 03:00 becomes 02:00.
        #expect(try oddity("30 2 * * *", "2027-03-28T01:00:00Z") == .skipped(minute: 150))
        #expect(try oddity("0 3 * * *", "2027-03-28T01:00:00Z") == nil)
        #expect(try oddity("30 2 * * *", "2027-03-27T01:30:00Z") == nil)
        #expect(try oddity("30 2 * * *", "2027-10-31T00:30:00Z") == .twice)
        #expect(try oddity("30 3 * * *", "2027-10-31T02:30:00Z") == nil)
        #expect(try oddity("30 * * * *", "2027-10-31T00:30:00Z") == nil)
    }

    @Test func `what is no line names its field and what it may hold`() throws {
        for (line, code, value) in [
            ("* * * *", "CRON-FIELDS", "* * * *"), ("60 * * * *", "CRON-VALUE", "60"),
            ("0 24 * * *", "CRON-VALUE", "24"), ("0 0 * * lun", "CRON-VALUE", "lun"),
            ("*/0 * * * *", "CRON-VALUE", "*/0"), ("5-1 * * * *", "CRON-VALUE", "5-1"),
            ("1,,2 * * * *", "CRON-VALUE", ""), ("0 0 31 2,4 *", "CRON-NEVER", "0 0 31 2,4 *"),
            ("-5 * * * *", "CRON-VALUE", "-5"), ("+5 * * * *", "CRON-VALUE", "+5"),
        ] {
            let error = #expect(throws: ScheduleError.self) { _ = try CronExpression(line) }
            #expect(error?.diagnostic.code == code, "\(line)")
            #expect(error?.diagnostic.place.value == value, "\(line)")
        }
        let zone = #expect(throws: ScheduleError.self) {
            _ = try Schedule(try CronExpression("@daily"), zone: "Europe/Pari")
        }
        #expect(zone?.has(.zone) == true)
    }

    @Test func `a time that does not exist is the minute after, one that comes twice counts once`() throws {
        // 29 March 2026: 2:00 is 3:00. 25 October 2026: 3:00 is 2:00 again.
        #expect(
            try next("30 2 * * *", 2, after: "2026-03-28T12:00:00Z")
                == ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"])
        #expect(
            try next("30 2 * * *", 2, after: "2026-10-24T12:00:00Z")
                == ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"])
        #expect(
            try next("30 * * * *", 4, after: "2026-03-29T00:00:00Z")
                == [
                    "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z",
                    "2026-03-29T03:30:00Z",
                ])
        #expect(
            try next("30 * * * *", 3, after: "2026-10-25T00:00:00Z")
                == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"])
        // Several times of the missing hour are one.
        #expect(
            try next("0,20,40 2,3 * * *", 4, after: "2026-03-29T00:00:00Z")
                == [
                    "2026-03-29T01:00:00Z", "2026-03-29T01:20:00Z", "2026-03-29T01:40:00Z",
                    "2026-03-30T00:00:00Z",
                ])
        // Where the clock is put forward at midnight, the day begins at 1:00.
        #expect(
            try next("0 0 * * *", 2, after: "2026-04-23T12:00:00Z", zone: "Africa/Cairo")
                == ["2026-04-23T22:00:00Z", "2026-04-24T21:00:00Z"])
    }

    @Test func `twenty lines over ten years of Paris miss nothing and double nothing`() throws {
        let lines = [
            "* * * * *", "*/15 * * * *", "0 * * * *", "30 2 * * *", "0 2 * * *", "59 1 * * *", "0 3 * * *",
            "1 3 * * *", "15 6 * * mon-fri", "0 0 * * *", "59 23 * * *", "0 2 * * sun", "30 2 29 3 *",
            "30 2 25 10 *", "*/20 1-3 * * *", "0 12 1 * *", "0 6 31 * *", "45 2 * 3,10 0", "10 2 28 * 0",
            "5 4 29 2 *",
        ]
        let start = try instant("2026-01-01T00:00:00Z").microsecondsSince1970 / 60_000_000
        for (index, line) in lines.enumerated() {
            // Minute by minute, ten years of the frequent lines would take an hour: these get one.
            let years = index < 3 ? 1 : 10
            let end = start + Int64(years * 366 * 1440)
            let cron = try CronExpression(line)
            let schedule = try Schedule(cron, zone: "Europe/Paris")
            var found: Set<Int64> = []
            var last = Timestamp(microsecondsSince1970: start * 60_000_000 - 1)
            while let time = schedule.next(after: last), time.microsecondsSince1970 < end * 60_000_000 {
                #expect(time > last)
                found.insert(time.microsecondsSince1970 / 60_000_000)
                last = time
            }
            #expect(found == expected(line, start, end), "\(line)")
        }
    }

    /// The minutes that a line means, by walking the clock of Paris minute by minute.
    private func expected(_ line: String, _ start: Int64, _ end: Int64) -> Set<Int64> {
        let meant = Meant(line)
        var minutes: Set<Int64> = []
        var seen: Set<Int64> = []
        var offset = paris(start - 1)
        for minute in start..<end {
            let now = minute % 60 == 0 ? paris(minute) : offset
            // Minutes that the clock leaves out belong to the first one after.
            if now > offset, !meant.isHourly {
                for left in minute + offset..<minute + now where meant.includes(left) {
                    minutes.insert(minute)
                }
            }
            offset = now
            guard meant.includes(minute + now) else { continue }
            if meant.isHourly || seen.insert(minute + now).inserted { minutes.insert(minute) }
        }
        return minutes
    }

    /// A line as tables, told in another way than the product does.
    private struct Meant {
        private let minutes: [Bool]
        private let hours: [Bool]
        private let isDay: (Int) -> Bool
        let isHourly: Bool

        init(_ line: String) {
            let fields = line.split(separator: " ").map(String.init)
            minutes = (0..<60).map { Self.holds(fields[0], $0) }
            hours = (0..<24).map { Self.holds(fields[1], $0) }
            isHourly = fields[1] == "*"
            isDay = { days in
                let (_, month, day) = CalendarDate(daysSince1970: days).parts
                guard Self.holds(fields[3], month) else { return false }
                let (byDay, byWeekday) = (Self.holds(fields[2], day), Self.holds(fields[4], (days + 4) % 7))
                return fields[2] != "*" && fields[4] != "*" ? byDay || byWeekday : byDay && byWeekday
            }
        }

        func includes(_ local: Int64) -> Bool {
            let clock = Int(local % 1440)
            return minutes[clock % 60] && hours[clock / 60] && isDay(Int(local / 1440))
        }

        private static func holds(_ field: String, _ value: Int) -> Bool {
            switch field {
            case "*": true
            case "mon-fri": (1...5).contains(value)
            case "sun": value == 0
            case "1-3": (1...3).contains(value)
            default:
                field.hasPrefix("*/")
                    ? value.isMultiple(of: Int(field.dropFirst(2)) ?? 1)
                    : field.split(separator: ",").contains { Int($0) == value }
            }
        }
    }

    /// Minutes that Paris is before UTC: summer time is from the last Sunday of March to that of October, at 1:00 UTC.
    private func paris(_ minute: Int64) -> Int64 {
        let date = CalendarDate(daysSince1970: Int(minute / 1440))
        func lastSunday(_ month: Int) -> Int64 {
            let last = CalendarDate(year: date.year, month: month, day: 31)?.daysSince1970 ?? 0
            return Int64(last - (last + 4) % 7) * 1440 + 60
        }
        return minute >= lastSunday(3) && minute < lastSunday(10) ? 120 : 60
    }

    @Test func `French holidays are left out, movable ones too`() throws {
        // Easter 2027 is 28 March; 1 and 8 May 2026 are Fridays.
        let easterMonday = try next("0 8 * * mon", 2, after: "2027-03-27T00:00:00Z", without: .france)
        #expect(easterMonday == ["2027-04-05T06:00:00Z", "2027-04-12T06:00:00Z"])
        #expect(
            try next("0 8 * * fri", 2, after: "2026-04-30T00:00:00Z", without: .france)
                == ["2026-05-15T06:00:00Z", "2026-05-22T06:00:00Z"])
        var days: [String] = []
        for day in 20_454..<20_819 {
            let date = CalendarDate(daysSince1970: day)
            if PublicHolidays.alsaceMoselle.contains(date) { days.append(date.description) }
        }
        #expect(
            days == [
                "2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-08", "2026-05-14",
                "2026-05-25",
                "2026-07-14", "2026-08-15", "2026-11-01", "2026-11-11", "2026-12-25", "2026-12-26",
            ])
        #expect(PublicHolidays.france.contains(try #require(CalendarDate(year: 2038, month: 4, day: 26))))
    }
}

// SPDX-License-Identifier: Apache-2.0
// Days, moments, ranges, relative moments and durations in both languages.

import Model
import Testing
import Words

@Suite struct DateWordsTests {
    // Read once: every case of a table makes its own suite.
    private static let catalogues = Result { (try Words(.french), try Words(.english)) }
    private let french: Words
    private let english: Words
    private static let paris = "Europe/Paris"

    init() throws {
        (french, english) = try Self.catalogues.get()
    }

    /// `2026-11-23`.
    private func day(_ text: String) throws -> CalendarDate {
        let parts = text.split(separator: "-").compactMap { Int($0) }
        try #require(parts.count == 3)
        return try #require(CalendarDate(year: parts[0], month: parts[1], day: parts[2]))
    }

    /// `2026-11-23 13:05:00` in UTC.
    private func instant(_ text: String) throws -> Timestamp {
        let clock = text.suffix(8).split(separator: ":").compactMap { Int64($0) }
        try #require(clock.count == 3)
        let days = Int64(try day(String(text.prefix(10))).daysSince1970)
        let seconds = days * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
        return Timestamp(microsecondsSince1970: seconds * 1_000_000)
    }

    /// No-break spaces made visible: `␣` for U+00A0.
    private func shown(_ text: String) -> String {
        String(text.map { $0 == "\u{A0}" ? "␣" : $0 })
    }

    @Test(
        arguments: [
            ("2026-11-23", "lun.␣23␣nov.␣2026", "Mon␣23␣Nov␣2026"),
            ("2026-11-29", "dim.␣29␣nov.␣2026", "Sun␣29␣Nov␣2026"),
            ("2026-01-02", "ven.␣2␣janv.␣2026", "Fri␣2␣Jan␣2026"),
            ("2026-02-01", "dim.␣1er␣févr.␣2026", "Sun␣1␣Feb␣2026"),
            ("2028-02-29", "mar.␣29␣févr.␣2028", "Tue␣29␣Feb␣2028"),
            ("2026-03-04", "mer.␣4␣mars␣2026", "Wed␣4␣Mar␣2026"),
            ("2026-04-01", "mer.␣1er␣avr.␣2026", "Wed␣1␣Apr␣2026"),
            ("2026-05-09", "sam.␣9␣mai␣2026", "Sat␣9␣May␣2026"),
            ("2026-06-11", "jeu.␣11␣juin␣2026", "Thu␣11␣Jun␣2026"),
            ("2026-07-14", "mar.␣14␣juil.␣2026", "Tue␣14␣Jul␣2026"),
            ("2026-08-15", "sam.␣15␣août␣2026", "Sat␣15␣Aug␣2026"),
            ("2026-09-21", "lun.␣21␣sept.␣2026", "Mon␣21␣Sept␣2026"),
            ("2026-10-31", "sam.␣31␣oct.␣2026", "Sat␣31␣Oct␣2026"),
            ("2026-12-31", "jeu.␣31␣déc.␣2026", "Thu␣31␣Dec␣2026"),
            ("1969-12-31", "mer.␣31␣déc.␣1969", "Wed␣31␣Dec␣1969"),
            ("1945-05-08", "mar.␣8␣mai␣1945", "Tue␣8␣May␣1945"),
        ] as [(String, String, String)])
    func `a long date has weekday, day, month and year in one piece`(
        _ text: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        #expect(shown(french.dateLong(try day(text))) == inFrench)
        #expect(shown(english.dateLong(try day(text))) == inEnglish)
    }

    @Test(
        arguments: [
            ("2026-11-23", "lun.␣23␣nov.", "Mon␣23␣Nov"),
            ("2026-10-01", "jeu.␣1er␣oct.", "Thu␣1␣Oct"),
            ("2026-01-01", "jeu.␣1er␣janv.", "Thu␣1␣Jan"),
            ("2026-12-31", "jeu.␣31␣déc.", "Thu␣31␣Dec"),
            ("2025-12-31", "31␣déc.␣2025", "31␣Dec␣2025"),
            ("2025-10-23", "23␣oct.␣2025", "23␣Oct␣2025"),
            ("2027-01-01", "1er␣janv.␣2027", "1␣Jan␣2027"),
        ] as [(String, String, String)])
    func `a short date has its weekday this year and its year in another`(
        _ text: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        let today = try day("2026-11-23")
        #expect(shown(french.dateShort(try day(text), today: today)) == inFrench)
        #expect(shown(english.dateShort(try day(text), today: today)) == inEnglish)
    }

    @Test(
        arguments: [
            ("2026-11-23 13:05:00", paris, "lun.␣23␣nov.␣2026 à 14:05", "Mon␣23␣Nov␣2026 at 14:05"),
            ("2026-11-23 13:05:59", paris, "lun.␣23␣nov.␣2026 à 14:05", "Mon␣23␣Nov␣2026 at 14:05"),
            ("2026-07-14 12:05:00", paris, "mar.␣14␣juil.␣2026 à 14:05", "Tue␣14␣Jul␣2026 at 14:05"),
            ("2026-11-23 23:00:00", paris, "mar.␣24␣nov.␣2026 à 00:00", "Tue␣24␣Nov␣2026 at 00:00"),
            ("2026-11-23 22:59:59", paris, "lun.␣23␣nov.␣2026 à 23:59", "Mon␣23␣Nov␣2026 at 23:59"),
            ("2026-12-31 23:30:00", paris, "ven.␣1er␣janv.␣2027 à 00:30", "Fri␣1␣Jan␣2027 at 00:30"),
            // The clock jumps from 02:00 to 03:00.
            ("2026-03-29 00:59:59", paris, "dim.␣29␣mars␣2026 à 01:59", "Sun␣29␣Mar␣2026 at 01:59"),
            ("2026-03-29 01:00:00", paris, "dim.␣29␣mars␣2026 à 03:00", "Sun␣29␣Mar␣2026 at 03:00"),
            // It shows 02:30 twice.
            ("2026-10-25 00:30:00", paris, "dim.␣25␣oct.␣2026 à 02:30", "Sun␣25␣Oct␣2026 at 02:30"),
            ("2026-10-25 01:30:00", paris, "dim.␣25␣oct.␣2026 à 02:30", "Sun␣25␣Oct␣2026 at 02:30"),
            ("2026-11-23 13:05:00", "UTC", "lun.␣23␣nov.␣2026 à 13:05", "Mon␣23␣Nov␣2026 at 13:05"),
            (
                "2026-11-23 13:05:00", "Indian/Reunion", "lun.␣23␣nov.␣2026 à 17:05",
                "Mon␣23␣Nov␣2026 at 17:05"
            ),
            (
                "2026-11-23 02:05:00", "America/Cayenne", "dim.␣22␣nov.␣2026 à 23:05",
                "Sun␣22␣Nov␣2026 at 23:05"
            ),
            ("2026-11-23 13:05:00", "Nowhere", "lun.␣23␣nov.␣2026 à 13:05", "Mon␣23␣Nov␣2026 at 13:05"),
            ("1969-12-31 22:59:59", paris, "mer.␣31␣déc.␣1969 à 23:59", "Wed␣31␣Dec␣1969 at 23:59"),
        ] as [(String, String, String, String)])
    func `a moment is told by the clock of its zone`(
        _ text: String, _ zone: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        #expect(shown(french.moment(try instant(text), in: zone)) == inFrench)
        #expect(shown(english.moment(try instant(text), in: zone)) == inEnglish)
    }

    @Test func `a part of a second before midnight is still the day before`() throws {
        let midnight = try instant("1969-12-31 23:00:00")
        let before = Timestamp(microsecondsSince1970: midnight.microsecondsSince1970 - 1)
        #expect(french.day(before, in: Self.paris) == (try day("1969-12-31")))
        #expect(french.clock(before, in: Self.paris) == "23:59:59")
        #expect(french.day(midnight, in: Self.paris) == (try day("1970-01-01")))
        #expect(french.clock(midnight, in: Self.paris) == "00:00:00")
    }

    @Test(
        arguments: [
            ("2026-11-23 13:05:00", "14:05", "14:05"),
            ("2026-11-22 23:00:00", "00:00", "00:00"),
            ("2026-11-23 22:59:59", "23:59", "23:59"),
            ("2026-11-22 22:59:59", "dim.␣22␣nov., 23:59", "Sun␣22␣Nov, 23:59"),
            ("2026-11-24 05:31:00", "mar.␣24␣nov., 06:31", "Tue␣24␣Nov, 06:31"),
            ("2026-09-30 22:00:00", "jeu.␣1er␣oct., 00:00", "Thu␣1␣Oct, 00:00"),
            ("2025-12-31 22:59:59", "31␣déc.␣2025", "31␣Dec␣2025"),
            ("2025-12-31 23:00:00", "jeu.␣1er␣janv., 00:00", "Thu␣1␣Jan, 00:00"),
            ("2025-10-23 04:12:00", "23␣oct.␣2025", "23␣Oct␣2025"),
            ("2026-12-31 23:00:00", "1er␣janv.␣2027", "1␣Jan␣2027"),
        ] as [(String, String, String)])
    func `a short moment leaves out what today and this year say already`(
        _ text: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        let (time, now) = (try instant(text), try instant("2026-11-23 13:05:00"))
        #expect(shown(french.momentShort(time, now: now, in: Self.paris)) == inFrench)
        #expect(shown(english.momentShort(time, now: now, in: Self.paris)) == inEnglish)
    }

    @Test(
        arguments: [
            ("2026-11-23", "2026-11-29", "23␣– 29␣nov.␣2026", "23␣– 29␣Nov␣2026"),
            ("2026-11-29", "2026-12-05", "29␣nov.␣– 5␣déc.␣2026", "29␣Nov␣– 5␣Dec␣2026"),
            ("2026-12-28", "2027-01-03", "28␣déc.␣2026␣– 3␣janv.␣2027", "28␣Dec␣2026␣– 3␣Jan␣2027"),
            ("2026-11-01", "2026-11-30", "1er␣– 30␣nov.␣2026", "1␣– 30␣Nov␣2026"),
            ("2026-11-30", "2026-12-01", "30␣nov.␣– 1er␣déc.␣2026", "30␣Nov␣– 1␣Dec␣2026"),
            ("2025-11-23", "2026-11-29", "23␣nov.␣2025␣– 29␣nov.␣2026", "23␣Nov␣2025␣– 29␣Nov␣2026"),
            ("2026-11-23", "2026-11-23", "23␣nov.␣2026", "23␣Nov␣2026"),
            ("2026-11-29", "2026-11-23", "23␣– 29␣nov.␣2026", "23␣– 29␣Nov␣2026"),
        ] as [(String, String, String, String)])
    func `a range says the month and the year once where they are the same`(
        _ from: String, _ to: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        #expect(shown(french.range(try day(from), try day(to))) == inFrench)
        #expect(shown(english.range(try day(from), try day(to))) == inEnglish)
    }

    @Test(
        arguments: [
            ("13:05:00", "il y a 0␣s", "0␣s ago"),
            ("13:04:56", "il y a 4␣s", "4␣s ago"),
            ("13:04:00", "il y a 1␣min", "1␣min ago"),
            ("12:53:00", "il y a 12␣min", "12␣min ago"),
            ("12:05:01", "il y a 59␣min", "59␣min ago"),
            ("12:05:00", "il y a 1␣h", "1␣h ago"),
            ("09:10:00", "il y a 3␣h", "3␣h ago"),
            ("13:05:04", "dans 4␣s", "in 4␣s"),
            ("13:15:00", "dans 10␣min", "in 10␣min"),
            ("16:05:00", "dans 3␣h", "in 3␣h"),
        ] as [(String, String, String)])
    func `a moment of today is told from now`(
        _ clock: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        let (time, now) = (try instant("2026-11-23 \(clock)"), try instant("2026-11-23 13:05:00"))
        #expect(shown(french.ago(time, now: now, in: Self.paris)) == inFrench)
        #expect(shown(english.ago(time, now: now, in: Self.paris)) == inEnglish)
    }

    @Test(
        arguments: [
            // 21:25 and 37 hours before; both were yesterday.
            ("2026-11-22 15:40:00", "2026-11-23 13:05:00", "hier à 16:40", "yesterday at 16:40"),
            ("2026-11-22 09:05:00", "2026-11-23 22:05:00", "hier à 10:05", "yesterday at 10:05"),
            ("2026-11-22 22:59:00", "2026-11-23 08:00:00", "hier à 23:59", "yesterday at 23:59"),
            ("2026-11-22 22:50:00", "2026-11-22 23:10:00", "il y a 20␣min", "20␣min ago"),
            ("2026-11-22 23:00:00", "2026-11-23 13:00:00", "il y a 14␣h", "14␣h ago"),
            ("2026-11-21 22:59:59", "2026-11-23 13:05:00", "sam.␣21␣nov., 23:59", "Sat␣21␣Nov, 23:59"),
            ("2026-11-24 05:45:00", "2026-11-23 13:05:00", "demain à 06:45", "tomorrow at 06:45"),
            ("2026-11-22 23:10:00", "2026-11-22 22:50:00", "dans 20␣min", "in 20␣min"),
            ("2026-11-25 05:45:00", "2026-11-23 13:05:00", "mer.␣25␣nov., 06:45", "Wed␣25␣Nov, 06:45"),
            // New Year's Eve is yesterday before it is another year.
            ("2026-12-31 15:40:00", "2027-01-01 08:00:00", "hier à 16:40", "yesterday at 16:40"),
            ("2026-12-30 15:40:00", "2027-01-01 08:00:00", "30␣déc.␣2026", "30␣Dec␣2026"),
            ("2025-10-23 04:12:00", "2026-11-23 13:05:00", "23␣oct.␣2025", "23␣Oct␣2025"),
            // The day before the clock changes, and the hour that was skipped or doubled.
            ("2026-03-28 15:40:00", "2026-03-29 13:05:00", "hier à 16:40", "yesterday at 16:40"),
            ("2026-03-29 00:30:00", "2026-03-29 01:30:00", "il y a 1␣h", "1␣h ago"),
            ("2026-10-25 00:30:00", "2026-10-25 01:30:00", "il y a 1␣h", "1␣h ago"),
            // A day of 25 hours: its first moment is more than a day ago, and still today.
            ("2026-10-24 22:00:00", "2026-10-25 22:30:00", "00:00", "00:00"),
        ] as [(String, String, String, String)])
    func `further away a moment is yesterday's or tomorrow's, or has its date`(
        _ text: String, _ reference: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        let (time, now) = (try instant(text), try instant(reference))
        #expect(shown(french.ago(time, now: now, in: Self.paris)) == inFrench)
        #expect(shown(english.ago(time, now: now, in: Self.paris)) == inEnglish)
    }

    @Test func `the farthest moments do not overflow`() throws {
        let (first, last) = (
            Timestamp(microsecondsSince1970: .min), Timestamp(microsecondsSince1970: .max)
        )
        #expect(!french.ago(first, now: last, in: Self.paris).isEmpty)
        #expect(!french.ago(last, now: first, in: Self.paris).isEmpty)
    }

    @Test(
        arguments: [
            (-3, "0␣s", "0␣s"), (0, "0␣s", "0␣s"), (1, "1␣s", "1␣s"), (59, "59␣s", "59␣s"),
            (60, "1␣min", "1␣min"), (359, "5␣min", "5␣min"), (360, "6␣min", "6␣min"),
            (3599, "59␣min", "59␣min"), (3600, "1␣h", "1␣h"), (3659, "1␣h", "1␣h"),
            (3900, "1␣h␣05", "1␣h␣5␣min"), (5100, "1␣h␣25", "1␣h␣25␣min"),
            (86_399, "23␣h␣59", "23␣h␣59␣min"), (86_400, "1 jour", "1 day"), (172_799, "1 jour", "1 day"),
            (691_200, "8 jours", "8 days"), (86_400_000, "1\u{202F}000 jours", "1,000 days"),
        ] as [(Int, String, String)])
    func `a duration has the one or two units that matter`(
        _ seconds: Int, _ inFrench: String, _ inEnglish: String
    ) {
        #expect(shown(french.duration(seconds: seconds)) == inFrench)
        #expect(shown(english.duration(seconds: seconds)) == inEnglish)
    }

    @Test(
        arguments: [
            (-5, "environ 5␣s", "about 5␣s"), (0, "environ 5␣s", "about 5␣s"),
            (7, "environ 5␣s", "about 5␣s"), (8, "environ 10␣s", "about 10␣s"),
            (29, "environ 30␣s", "about 30␣s"), (57, "environ 55␣s", "about 55␣s"),
            (58, "environ 1␣min", "about 1␣min"), (89, "environ 1␣min", "about 1␣min"),
            (90, "environ 2␣min", "about 2␣min"), (569, "environ 9␣min", "about 9␣min"),
            (570, "environ 10␣min", "about 10␣min"), (749, "environ 10␣min", "about 10␣min"),
            (750, "environ 15␣min", "about 15␣min"), (3450, "environ 1␣h", "about 1␣h"),
            (5000, "environ 1␣h␣25", "about 1␣h␣25␣min"), (86_249, "environ 23␣h␣55", "about 23␣h␣55␣min"),
            (86_250, "environ 1 jour", "about 1 day"), (129_600, "environ 2 jours", "about 2 days"),
        ] as [(Int, String, String)])
    func `an estimate is rounded to what can be known`(
        _ seconds: Int, _ inFrench: String, _ inEnglish: String
    ) {
        #expect(shown(french.remaining(seconds: seconds)) == inFrench)
        #expect(shown(english.remaining(seconds: seconds)) == inEnglish)
    }
}

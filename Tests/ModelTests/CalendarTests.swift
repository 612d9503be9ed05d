// SPDX-License-Identifier: Apache-2.0
// Days and the patterns they are read by.

import Model
import Testing

@Suite struct CalendarTests {
    @Test func `every day of four centuries has the parts it was made from`() throws {
        let first = try #require(CalendarDate(year: 1801, month: 1, day: 1))
        var previous = (1800, 12, 31)
        for days in first.daysSince1970..<(first.daysSince1970 + 146_097) {
            let date = CalendarDate(daysSince1970: days)
            let (year, month, day) = date.parts
            #expect((year, month, day) > previous)
            previous = (year, month, day)
            if CalendarDate(year: year, month: month, day: day) != date { Issue.record("\(date)") }
        }
        #expect(previous == (2200, 12, 31))
    }

    @Test func `days that do not exist are refused`() {
        #expect(CalendarDate(year: 2026, month: 2, day: 29) == nil)
        #expect(CalendarDate(year: 1900, month: 2, day: 29) == nil)
        #expect(CalendarDate(year: 2000, month: 2, day: 29) != nil)
        #expect(CalendarDate(year: 2026, month: 13, day: 1) == nil)
    }

    @Test func `a pattern is followed to the letter`() throws {
        let french = try #require(DateFormat("dd/MM/yyyy"))
        #expect(french.date("23/11/2026")?.description == "2026-11-23")
        #expect(french.date("2026-11-23") == nil)
        #expect(french.date("23/11/26") == nil)
        #expect(french.date("31/02/2026") == nil)
        #expect(DateFormat.iso.date("2016-04-04+01:00")?.description == "2016-04-04")
        #expect(DateFormat.iso.date("2016-04-04Z")?.description == "2016-04-04")
        #expect(DateFormat.iso.date("2016-04-04T10:00") == nil)
    }

    @Test(arguments: ["dd/MM/yy", "yyyy-MM", "dd/MM/yyyy dd", "yyyy-mm-dd"])
    func `a pattern that leaves something open is refused`(pattern: String) {
        #expect(DateFormat(pattern) == nil)
    }

    @Test func `an instant before 1970 prints the right day`() {
        #expect(Timestamp(microsecondsSince1970: -1).description == "1969-12-31T23:59:59Z")
    }
}

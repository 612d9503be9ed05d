// SPDX-License-Identifier: Apache-2.0
// When an object takes place: rules, exceptions, additions, overrides, zones, bounds.

import Diagnostics
import Foundation
import ICalendar
import Model
import Testing

@Suite struct CalendarSeriesTests {
    private let paris = TimeZone(identifier: "Europe/Paris") ?? .gmt

    private func series(_ components: String...) throws -> CalendarSeries {
        let events = components.map { "BEGIN:VEVENT\nUID:1\n\($0)\nEND:VEVENT\n" }.joined()
        let text = "BEGIN:VCALENDAR\n\(events)END:VCALENDAR"
        return CalendarSeries(try CalendarObject(ContentDocument(parsing: Array(text.utf8))), local: paris)
    }

    private func range(_ first: String, _ last: String) throws -> Range<Timestamp> {
        let zones = CalendarZones(local: paris)
        return zones.instant(
            of: try #require(CalendarMoment(first)))..<zones.instant(of: try #require(CalendarMoment(last)))
    }

    /// The beginnings, as the calendar writes them, of a range.
    private func starts(_ series: CalendarSeries, _ first: String, _ last: String) throws -> [String] {
        let expansion = series.occurrences(in: try range(first, last))
        let isComplete = expansion.isComplete
        #expect(isComplete)
        return expansion.occurrences.map(\.start.text)
    }

    @Test func `a weekly meeting keeps its hour over the change of clocks`() throws {
        let series = try series(
            "DTSTART;TZID=Europe/Paris:20261012T093000\nDTEND;TZID=Europe/Paris:20261012T103000\nRRULE:FREQ=WEEKLY;COUNT=4"
        )
        let expansion = series.occurrences(in: try range("20260101", "20270101"))
        #expect(
            expansion.occurrences.map(\.span.lowerBound.description) == [
                "2026-10-12T07:30:00Z", "2026-10-19T07:30:00Z", "2026-10-26T08:30:00Z",
                "2026-11-02T08:30:00Z",
            ])
        #expect(
            expansion.occurrences.allSatisfy {
                $0.span.upperBound.microsecondsSince1970 - $0.span.lowerBound.microsecondsSince1970
                    == 3_600_000_000
            })
        #expect(try starts(series, "20261019T103000", "20261026T093000") == [])
        #expect(
            try starts(series, "20261019T102959", "20261026T093001") == [
                "20261019T093000", "20261026T093000",
            ])
    }

    @Test func `exceptions are left out, additions come in, in any zone`() throws {
        let series = try series(
            """
            DTSTART;TZID=Europe/Paris:20260105T100000
            RRULE:FREQ=DAILY;UNTIL=20260110T090000Z
            EXDATE:20260106T090000Z
            EXDATE;VALUE=DATE:20260107
            RDATE;TZID=Europe/London:20260120T100000
            RDATE:20260105T090000Z
            """)
        #expect(
            try starts(series, "20260101", "20260201") == [
                "20260105T100000", "20260108T100000", "20260109T100000", "20260110T100000", "20260120T100000",
            ])
    }

    @Test func `whole days are days of the person who looks`() throws {
        let series = try series(
            "DTSTART;VALUE=DATE:20261024\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261026")
        let spans = series.occurrences(in: try range("20260101", "20270101")).occurrences.map {
            "\($0.span.lowerBound) \($0.span.upperBound)"
        }
        #expect(
            spans == [
                "2026-10-23T22:00:00Z 2026-10-24T22:00:00Z", "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z",
            ])
        let tokyo = TimeZone(identifier: "Asia/Tokyo") ?? .gmt
        let there = CalendarSeries(master: series.master, zones: CalendarZones(local: tokyo))
        #expect(
            there.occurrences(in: try range("20260101", "20270101")).occurrences.first?.span.lowerBound
                .description
                == "2026-10-23T15:00:00Z")
    }

    @Test func `an override takes the place of its occurrence, wherever it moved`() throws {
        let series = try series(
            "DTSTART;TZID=Europe/Paris:20260105T100000\nRRULE:FREQ=WEEKLY;COUNT=3",
            "RECURRENCE-ID:20260112T090000Z\nDTSTART;TZID=America/New_York:20260301T100000")
        #expect(try starts(series, "20260101", "20260201") == ["20260105T100000", "20260119T100000"])
        let moved = series.occurrences(in: try range("20260301", "20260302")).occurrences
        #expect(moved.map(\.recurrence.text) == ["20260112T090000Z"])
        #expect(moved.map(\.override) == [0])
        #expect(moved.first?.span.lowerBound.description == "2026-03-01T15:00:00Z")
    }

    @Test func `an override without master stands for itself`() throws {
        let series = try series("RECURRENCE-ID:20260112T090000Z\nDTSTART:20260112T100000Z\nDURATION:PT1H")
        #expect(try starts(series, "20260112", "20260113") == ["20260112T100000Z"])
    }

    @Test func `an exception of a later revision takes an override away, one of the same does not`() throws {
        let override = "RECURRENCE-ID:20260112T090000Z\nDTSTART:20260112T100000Z\nSEQUENCE:1"
        let master = "DTSTART:20260105T090000Z\nRRULE:FREQ=WEEKLY;COUNT=2\nEXDATE:20260112T090000Z\nSEQUENCE:"
        #expect(
            try starts(try series(master + "2", override), "20260101", "20260201") == ["20260105T090000Z"])
        #expect(try starts(try series(master + "1", override), "20260101", "20260201").count == 2)
    }

    @Test func `of two masters the one revised last counts, and an end before the beginning leaves nothing`()
        throws
    {
        let old = "DTSTART:20260105T090000Z\nSEQUENCE:1"
        let new = "DTSTART:20260106T090000Z\nSEQUENCE:2"
        #expect(try starts(try series(new, old), "20260101", "20260201") == ["20260106T090000Z"])
        let over = "DTSTART:20260105T090000Z\nRRULE:FREQ=DAILY;UNTIL=20260104T000000Z"
        #expect(try starts(try series(over), "20260101", "20260201") == [])
        let uncounted = "DTSTART:20260105T090000Z\nRRULE:FREQ=DAILY;UNTIL=20260106;COUNT=-1"
        #expect(try starts(try series(uncounted), "20260101", "20260201").count == 2)
    }

    @Test func `an end counts more than a length beside it`() throws {
        let series = try series("DTSTART:20260105T090000Z\nDTEND:20260105T100000Z\nDURATION:PT0S")
        let occurrence = series.occurrences(in: try range("20260105", "20260106")).occurrences.first
        #expect(occurrence?.span.upperBound.description == "2026-01-05T10:00:00Z")
    }

    @Test func `an override of this and all later ones moves them`() throws {
        let series = try series(
            "DTSTART;TZID=Europe/Paris:20260105T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=5",
            "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Paris:20260119T100000\nDTSTART;TZID=Europe/Paris:20260120T140000\nDURATION:PT2H",
            "RECURRENCE-ID;TZID=Europe/Paris:20260126T100000\nDTSTART;TZID=Europe/Paris:20260126T080000")
        let occurrences = series.occurrences(in: try range("20260101", "20260301")).occurrences
        #expect(
            occurrences.map(\.start.text) == [
                "20260105T100000", "20260112T100000", "20260120T140000", "20260126T080000", "20260203T140000",
            ])
        #expect(occurrences.map(\.override) == [nil, nil, 0, 1, 0])
        #expect(
            occurrences.last.map {
                $0.span.upperBound.microsecondsSince1970 - $0.span.lowerBound.microsecondsSince1970
            }
                == 7_200_000_000)
    }

    @Test(
        arguments: zip(
            [
                "FREQ=MONTHLY;BYDAY=-1FR;COUNT=3", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=2",
                "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3", "FREQ=HOURLY;INTERVAL=12;COUNT=3",
                "FREQ=MINUTELY;INTERVAL=20;BYHOUR=10,14;COUNT=5",
                "FREQ=HOURLY;BYMINUTE=0,30;BYDAY=FR;COUNT=3",
                "FREQ=SECONDLY;INTERVAL=90;BYMINUTE=1,3;COUNT=3",
                "FREQ=HOURLY;BYHOUR=9;BYMONTHDAY=-1;COUNT=2",
                "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=SU,TH;COUNT=3",
                "FREQ=DAILY;INTERVAL=2;BYHOUR=8,12;COUNT=3",
                "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO;COUNT=2", "FREQ=DAILY;BYYEARDAY=-1;COUNT=2",
                "FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3",
            ],
            [
                "0130T10 0227T10", "20280229T10", "0130T10 0227T10", "0101T22 0102T10",
                "0101T1020 0101T1040 0101T14 0101T1420", "0102T00 0102T0030", "0101T100130 0101T100300",
                "0131T09", "0111T10 0115T10", "0101T12 0103T08", "0511T10", "1231T10", "0131T10 0331T10",
            ]))
    func `rules are expanded`(rule: String, expected: String) throws {
        // A Thursday; it counts as the first occurrence, whether the rule has it or not.
        let series = try series("DTSTART;TZID=Europe/Paris:20260101T100000\nRRULE:\(rule)")
        let others = expected.split(separator: " ").map { short in
            let full = short.hasPrefix("20") ? String(short) : "2026\(short)"
            return full + String(repeating: "0", count: 15 - full.count)
        }
        #expect(try starts(series, "20260101", "20400101") == ["20260101T100000"] + others)
    }

    @Test func `rules that never end and rules of every second are counted to the limit, with a finding`()
        throws
    {
        for rule in [
            "FREQ=SECONDLY", "FREQ=DAILY", "FREQ=SECONDLY;COUNT=10000000", "FREQ=MINUTELY;BYSECOND=0,1,2",
        ] {
            let series = try series("DTSTART:19700101T000000Z\nRRULE:\(rule)")
            let expansion = series.occurrences(in: try range("19800101", "99991231"), limit: 100)
            #expect(expansion.occurrences.count <= 100)
            #expect(!expansion.isComplete)
            #expect(expansion.findings.map(\.code) == [ICalendarFinding.occurrences.rawValue])
        }
    }

    @Test(arguments: ["SECONDLY;INTERVAL=86400", "DAILY", "WEEKLY;BYDAY=MO,TH", "WEEKLY;INTERVAL=2;BYDAY=TH"])
    func `a far year is reached by leaps that change nothing`(rule: String) throws {
        let text = "DTSTART:20000101T000000Z\nRRULE:FREQ=\(rule)"
        let near = try starts(try series(text), "20000101", "20260201").filter { $0 >= "20260101" }
        #expect(near.count >= 2)
        #expect(try starts(try series(text), "20260101T010000", "20260201") == near)
    }

    @Test(
        arguments: [
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=MINUTELY;INTERVAL=2;BYMINUTE=1", "FREQ=YEARLY;BYYEARDAY=366;BYMONTH=1",
            "FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;BYHOUR=25",
            "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYSECOND=0,1,2,3,4,5,6,7,8,9,10;BYSETPOS=1,-1",
            "FREQ=MONTHLY;BYWEEKNO=53;BYDAY=53MO",
        ])
    func `a rule without any time ends`(rule: String) throws {
        let clock = ContinuousClock()
        let series = try series("DTSTART:20260101T000000Z\nRRULE:\(rule)")
        let elapsed = try clock.measure {
            _ = series.occurrences(in: try range("20260101", "99991231"))
        }
        #expect(elapsed < .seconds(5))
    }

    @Test func `a zone that nothing describes is noted, and read as the local one`() throws {
        let series = try series("DTSTART;TZID=Nowhere:20260105T100000")
        let expansion = series.occurrences(in: try range("20260105", "20260106"))
        #expect(expansion.occurrences.first?.span.lowerBound.description == "2026-01-05T09:00:00Z")
        #expect(expansion.findings.map(\.place.value) == ["Nowhere"])
    }

    @Test func `a task without moments is found by when it was made and completed`() throws {
        func finds(_ lines: String, _ first: String, _ last: String, kind: String = "VTODO") throws -> Bool {
            let text = "BEGIN:VCALENDAR\nBEGIN:\(kind)\nUID:1\n\(lines)\nEND:\(kind)\nEND:VCALENDAR"
            let object = try CalendarObject(ContentDocument(parsing: Array(text.utf8)))
            return CalendarSeries(object, local: paris).overlaps(try range(first, last))
        }
        #expect(try finds("SUMMARY:a", "20260101", "20260102"))
        #expect(try !finds("SUMMARY:a", "20260101", "20260102", kind: "VEVENT"))
        #expect(try finds("CREATED:20250101T000000Z", "20260101", "20260102"))
        #expect(try !finds("CREATED:20270101T000000Z", "20260101", "20260102"))
        let done = "CREATED:20250101T000000Z\nCOMPLETED:20250601T000000Z"
        #expect(try finds(done, "20250301", "20250302"))
        #expect(try !finds(done, "20260101", "20260102"))
        #expect(try finds("DUE:20260101T100000Z", "20260101", "20260102"))
        #expect(try !finds("DUE:20260101T100000Z", "20260102", "20260103"))
    }

    @Test func `a task without moments has no occurrence and says so`() throws {
        #expect(try series("SUMMARY:a").isUndated)
        #expect(!(try series("DTSTART:20260101T000000Z").isUndated))
    }
}

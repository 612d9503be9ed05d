// SPDX-License-Identifier: Apache-2.0
// Components in the terms of the CRM; a bad value costs itself only.

import Diagnostics
import Testing
import ICalendar
import Model

@Suite struct CalendarItemTests {
    private func item(_ lines: String..., kind: String = "VEVENT") throws -> CalendarItem {
        let text = (["BEGIN:\(kind)"] + lines + ["END:\(kind)"]).joined(separator: "\r\n")
        return CalendarItem(try ContentDocument(parsing: Array(text.utf8)).components[0])
    }

    private func wall(_ text: String) throws -> WallTime { try #require(CalendarMoment(text)).wall }

    @Test func `an event is read with everything the CRM shows`() throws {
        let item = try item(
            "UID:1", "SUMMARY:Visite\\, 1", "DESCRIPTION:a\\nb", "LOCATION:Lyon", "URL:https://x/",
            "STATUS:confirmed",
            "TRANSP:TRANSPARENT", "CLASS:X-SECRET", "CATEGORIES:a,b\\,c", "CATEGORIES:d", "PRIORITY:0",
            "SEQUENCE:4",
            "DTSTART;TZID=Europe/Paris:20260105T093000", "DTEND;TZID=Europe/Paris:20260105T103000",
            "DTSTAMP:20260101T000000Z", "CREATED:20251231T000000Z",
            "ORGANIZER;CN=Léa:MAILTO:Lea@X.fr",
            "ATTENDEE;CN=\"Roche, Ève\";PARTSTAT=accepted;ROLE=CHAIR;RSVP=TRUE:mailto:eve@x.fr",
            "ATTENDEE;CUTYPE=ROOM;EMAIL=Salle@x.fr:/principals/rooms/1")
        #expect(item.summary == "Visite, 1")
        #expect(item.details == "a\nb")
        #expect(item.status == .confirmed)
        #expect(item.isTransparent)
        #expect(item.privacy == .owner)
        #expect(item.categories == ["a", "b,c", "d"])
        #expect(item.priority == nil)
        #expect(item.sequence == 4)
        #expect(item.start == .zoned(try wall("20260105T093000"), zone: "Europe/Paris"))
        #expect(item.lastModified == .utc(try wall("20260101T000000")))
        #expect(item.organizer?.address == "lea@x.fr")
        #expect(item.attendees.map(\.address) == ["eve@x.fr", "salle@x.fr"])
        #expect(item.attendees[0].name == "Roche, Ève")
        #expect(item.attendees[0].participation == .accepted)
        #expect(item.attendees[0].role == .chair)
        #expect(item.attendees[0].expectsReply)
        #expect(!item.attendees[1].isIndividual)
        #expect(item.findings == [])
    }

    @Test func `moments are days, floating, of UTC or of a zone`() throws {
        let day = try #require(CalendarDate(year: 2026, month: 1, day: 5))
        #expect(CalendarMoment("20260105") == .day(day))
        #expect(CalendarMoment("20260105T000000", isDay: true) == .day(day))
        #expect(CalendarMoment("20260105T0930") == .floating(WallTime(day, second: 34_200)))
        #expect(CalendarMoment("20260105T093060Z", zone: "x") == .utc(WallTime(day, second: 34_259)))
        for wrong in ["", "T", "2026", "20260230", "20260105T25", "20260105T240000", "20260105T09300", "x"] {
            #expect(CalendarMoment(wrong) == nil, "\(wrong)")
        }
        let line = CalendarMoment("20260105T0930", zone: "Europe/Paris")?.line("DTSTART")
        #expect(
            line.map { ContentLine.write([$0]) }
                == Array("DTSTART;TZID=Europe/Paris:20260105T093000\r\n".utf8))
        #expect(CalendarMoment.day(day).line("DTSTART")["VALUE"] == "DATE")
    }

    @Test(
        arguments: zip(
            ["P1W", "-PT15M", "P1DT2H3M4S", "PT0S", "+P2D"], [7 * 86_400, -900, 93_784, 0, 172_800]))
    func `durations are days and seconds`(text: String, seconds: Int) throws {
        let duration = try #require(CalendarDuration(text))
        #expect(duration.days * 86_400 + duration.seconds == seconds)
        #expect(CalendarDuration(duration.text) == duration)
    }

    @Test(arguments: ["", "P", "PT", "1D", "P1H", "PT1D", "P99999999999D", "P-1D", "P1", "P100000D"])
    func `what is no duration is none`(text: String) { #expect(CalendarDuration(text) == nil) }

    @Test func `a task has a due moment, a percentage and an end`() throws {
        let task = try item(
            "DUE;VALUE=DATE:20260110", "PERCENT-COMPLETE:40", "STATUS:IN-PROCESS", "PRIORITY:1",
            "COMPLETED:20260109T120000Z", kind: "VTODO")
        #expect(task.kind == .task)
        #expect(task.end?.text == "20260110")
        #expect(task.percent == 40)
        #expect(task.status == .inProcess)
        #expect(task.priority == 1)
        #expect(task.completed?.text == "20260109T120000Z")
    }

    @Test func `alarms go off before, after the end, or at a time`() throws {
        let event = try item(
            "BEGIN:VALARM", "ACTION:display", "TRIGGER:-PT15M", "DESCRIPTION:Partir", "END:VALARM",
            "BEGIN:VALARM", "TRIGGER;RELATED=END:PT0S", "ACKNOWLEDGED:20260101T000000Z", "END:VALARM",
            "BEGIN:VALARM", "TRIGGER;VALUE=DATE-TIME:20260101T080000Z", "ACTION:AUDIO", "END:VALARM",
            "BEGIN:VALARM", "TRIGGER:soon", "END:VALARM")
        #expect(
            event.alarms.map(\.trigger) == [
                .fromStart(CalendarDuration(seconds: -900)), .fromEnd(CalendarDuration()),
                .at(try wall("20260101T080000")),
            ])
        #expect(event.alarms.map(\.action) == ["DISPLAY", "DISPLAY", "AUDIO"])
        #expect(event.alarms[0].text == "Partir")
        #expect(event.alarms[1].acknowledged != nil)
        #expect(event.findings.map(\.place) == [Place(line: 16, field: "TRIGGER", value: "soon")])
    }

    @Test func `rules, additions, exceptions and overrides are read`() throws {
        let event = try item(
            "RECURRENCE-ID;RANGE=THISANDFUTURE;VALUE=DATE:20260101",
            "RRULE:freq=weekly;BYDAY=MO,-1FR;COUNT=3",
            "RDATE;VALUE=PERIOD:20260101T100000Z/PT1H,20260102T100000Z/20260102T120000Z",
            "RDATE:20260103T100000Z",
            "EXDATE;TZID=Europe/Paris:20260105T100000,20260106T100000")
        #expect(event.recurrence?.text == "20260101")
        #expect(event.isThisAndFuture)
        #expect(event.rule?.text == "FREQ=WEEKLY;BYDAY=MO,-1FR;COUNT=3")
        #expect(event.additions.map(\.duration?.seconds) == [3600, 7200, nil])
        #expect(event.exceptions.map(\.text) == ["20260105T100000", "20260106T100000"])
        #expect(event.findings == [])
    }

    @Test(
        arguments: [
            "", "FREQ=NEVER", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;COUNT=x",
            "BYDAY=MO",
            "FREQ=DAILY;BYHOUR=24", "FREQ=YEARLY;BYMONTHDAY=0", "FREQ=WEEKLY;BYDAY=XX",
            "FREQ=DAILY;UNTIL=now",
            "FREQ=DAILY;RSCALE=HEBREW", "FREQ=DAILY;BYWHAT=1", "FREQ=YEARLY;BYDAY=54MO",
            "FREQ=DAILY;BYMONTH=1,,2",
        ])
    func `what is no rule is none`(text: String) { #expect(RecurrenceRule(text) == nil) }

    @Test func `a bad value is noted by line, property and value, and left out`() throws {
        let event = try item(
            "UID:1", "DTSTART:tomorrow", "STATUS:MAYBE", "PRIORITY:99", "RRULE:FREQ=NEVER", "DURATION:-PT1H",
            "EXDATE:20260101T000000Z,x", "SUMMARY:a")
        #expect(event.start == nil && event.status == nil && event.priority == nil && event.duration == nil)
        #expect(event.exceptions.count == 1)
        #expect(event.summary == "a")
        #expect(
            event.findings.map { "\($0.place.line ?? 0) \($0.place.field ?? "") \($0.place.value ?? "")" }
                == [
                    "3 DTSTART tomorrow", "4 STATUS MAYBE", "5 PRIORITY 99", "6 RRULE FREQ=NEVER",
                    "7 DURATION -PT1H",
                    "8 EXDATE x",
                ])
        #expect(event.findings.allSatisfy { $0.severity == .warning })
    }

    @Test func `an end before the beginning is left out`() throws {
        let event = try item("DTSTART:20260102T000000Z", "DTEND:20260101T000000Z")
        #expect(event.end == nil)
        #expect(event.findings.map(\.code) == [ICalendarFinding.endBeforeStart.rawValue])
    }

    @Test func `a million exceptions are read to their limit`() throws {
        let dates = repeatElement("20260101T000000Z", count: 500_000).joined(separator: ",")
        let event = try item("EXDATE:\(dates)", "EXDATE:20260101T000000Z")
        #expect(event.exceptions.count == CalendarItem.dateLimit)
        #expect(event.findings.map(\.code) == Array(repeating: ICalendarFinding.dates.rawValue, count: 2))
    }

    @Test func `an item of the CRM is written and read again`() throws {
        var item = try item(
            "UID:1", "SUMMARY:a\\, b", "DESCRIPTION:c\\nd", "LOCATION:Lyon", "URL:https://x/",
            "STATUS:CONFIRMED",
            "TRANSP:TRANSPARENT", "CLASS:PRIVATE", "CATEGORIES:a,b\\,c", "PRIORITY:2", "SEQUENCE:4",
            "DTSTART;TZID=Europe/Paris:20260105T093000", "DTEND;TZID=Europe/Paris:20260105T103000",
            "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;TZID=Europe/Paris:20260112T093000",
            "RDATE;VALUE=PERIOD;TZID=Europe/Paris:20260113T093000/PT2H", "RDATE;VALUE=DATE:20260114",
            "CREATED:20251231T000000Z", "ORGANIZER;CN=Léa:mailto:lea@x.fr",
            "ATTENDEE;CN=\"R, E\";PARTSTAT=ACCEPTED;ROLE=CHAIR;RSVP=TRUE:mailto:eve@x.fr",
            "ATTENDEE;CUTYPE=RESOURCE:urn:uuid:1", "BEGIN:VALARM", "ACTION:DISPLAY",
            "TRIGGER;RELATED=END:-P1DT5M",
            "DESCRIPTION:x", "ACKNOWLEDGED:20260101T000000Z", "END:VALARM", "BEGIN:VALARM", "ACTION:AUDIO",
            "TRIGGER;VALUE=DATE-TIME:20260101T000000Z", "END:VALARM")
        #expect(item.findings == [])
        item.lastModified = CalendarMoment("19700101T000000Z")
        let bytes = item.object(by: "-//x", at: Timestamp(microsecondsSince1970: 0))
        let object = try CalendarObject(ContentDocument(parsing: bytes))
        #expect(object.master.map { CalendarItem($0) } == item)
    }

    @Test func `a task and an override of the CRM are written and read again`() throws {
        var task = try item(
            "UID:2", "DUE;VALUE=DATE:20260110", "PERCENT-COMPLETE:40", "COMPLETED:20260109T120000Z",
            "RECURRENCE-ID;RANGE=THISANDFUTURE:20260101T000000Z", kind: "VTODO")
        task.lastModified = CalendarMoment("19700101T000000Z")
        let bytes = task.object(by: "-//x", at: Timestamp(microsecondsSince1970: 0))
        let object = try CalendarObject(ContentDocument(parsing: bytes))
        #expect(object.overrides.map { CalendarItem($0) } == [task])
    }

    @Test func `an item that the CRM makes up is read as it was meant`() throws {
        var item = CalendarItem()
        item.uid = "3"
        item.start = CalendarMoment("20260105T093000", zone: "Europe/Paris")
        item.duration = CalendarDuration(seconds: 3600)
        item.organizer = CalendarPerson(address: "Lea@x.fr", name: "Léa")
        item.attendees = [CalendarPerson(address: "eve@x.fr", role: .optional, expectsReply: true)]
        item.alarms = [CalendarAlarm(.fromStart(CalendarDuration(seconds: -900)), text: "Partir")]
        var rule = RecurrenceRule(.monthly)
        rule.days = [.init(.friday, ordinal: -1), .init(.monday)]
        item.rule = rule
        item.lastModified = CalendarMoment("19700101T000000Z")
        let bytes = item.object(by: "-//x", at: Timestamp(microsecondsSince1970: 0))
        let object = try CalendarObject(ContentDocument(parsing: bytes))
        #expect(object.master.map { CalendarItem($0) } == item)
        #expect(object.master?["RRULE"]?.value == "FREQ=MONTHLY;BYDAY=-1FR,MO")
    }
}

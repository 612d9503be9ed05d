// SPDX-License-Identifier: Apache-2.0
// What may stand in a collection: RFC 4791, 4.1, and RFC 6352, 5.1.

import Diagnostics
import ICalendar
import Testing

@Suite struct ObjectTests {
    private func calendar(_ lines: String...) throws -> CalendarObject {
        let text = (["BEGIN:VCALENDAR", "VERSION:2.0"] + lines + ["END:VCALENDAR"]).joined(separator: "\r\n")
        return try CalendarObject(ContentDocument(parsing: Array(text.utf8)))
    }

    private func refusal(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch { return (error as? ICalendarError)?.diagnostic.code }
    }

    private static let event = "BEGIN:VEVENT\nUID:1\nEND:VEVENT"
    private static let override = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260101T100000Z\nEND:VEVENT"

    @Test func `an event, its overrides and its zones are one object`() throws {
        let object = try calendar(
            "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE", Self.override, Self.event, "X-A:b")
        #expect(object.uid == "1")
        #expect(object.kind == .event)
        #expect(object.master?["RECURRENCE-ID"] == nil)
        #expect(object.overrides.count == 1)
        #expect(object.zones.count == 1)
    }

    @Test func `an override may come without its master`() throws {
        let object = try calendar(Self.override)
        #expect(object.master == nil)
        #expect(object.overrides.count == 1)
    }

    @Test func `what no collection may hold is refused`() {
        let task = "BEGIN:VTODO\nUID:1\nEND:VTODO"
        let other = "BEGIN:VEVENT\nUID:2\nEND:VEVENT"
        #expect(refusal { _ = try calendar(Self.event, other) } == "ICALENDAR-SEVERAL-UIDS")
        #expect(refusal { _ = try calendar(Self.event, task) } == "ICALENDAR-MIXED-KINDS")
        #expect(refusal { _ = try calendar("METHOD:REQUEST", Self.event) } == "ICALENDAR-METHOD")
        #expect(refusal { _ = try calendar("BEGIN:VTIMEZONE\nEND:VTIMEZONE") } == "ICALENDAR-EMPTY")
        #expect(refusal { _ = try calendar("BEGIN:VEVENT\nUID: \nEND:VEVENT") } == "ICALENDAR-NO-UID")
        #expect(
            refusal { _ = try CalendarObject(ContentDocument(parsing: Array(Self.event.utf8))) }
                == "ICALENDAR-NOT-CALENDAR")
    }

    @Test func `a vCard has a version and a UID`() throws {
        func card(_ text: String) throws -> ContactObject {
            try ContactObject(ContentDocument(parsing: Array(text.utf8)))
        }
        let contact = try card("BEGIN:VCARD\nVERSION:4.0\nUID:urn:uuid:1\nFN:Léa\nEND:VCARD")
        #expect(contact.uid == "urn:uuid:1")
        #expect(contact.version == .v4)
        #expect(refusal { _ = try card("BEGIN:VCARD\nFN:Léa\nEND:VCARD") } == "ICALENDAR-NO-UID")
        #expect(
            refusal { _ = try card("BEGIN:VCARD\nUID:1\nEND:VCARD\nBEGIN:VCARD\nUID:2\nEND:VCARD") }
                == "ICALENDAR-NOT-CONTACT")
    }

    @Test func `errors say whether the bytes or the object is wrong`() {
        #expect(ICalendarError(.notCalendar).isAboutSyntax)
        #expect(!ICalendarError(.severalUIDs).isAboutSyntax)
    }
}

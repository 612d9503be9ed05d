// SPDX-License-Identifier: Apache-2.0
// What two sides changed comes together, property by property; what they disagree on is told.

import Foundation
import ICalendar
import Model
import RelaisTesting
import Testing

@Suite struct ContentMergeTests {
    private static let base = """
        BEGIN:VCALENDAR
        PRODID:-//x
        BEGIN:VEVENT
        UID:1
        DTSTAMP:20260101T000000Z
        LAST-MODIFIED:20260101T000000Z
        SUMMARY:Visite
        LOCATION:Lyon
        DTSTART:20260105T090000Z
        DTEND:20260105T100000Z
        RRULE:FREQ=WEEKLY
        EXDATE:20260112T090000Z,20260119T090000Z
        CATEGORIES:a,b
        X-OWN:1
        ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:a@x
        ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:b@x
        BEGIN:VALARM
        ACTION:DISPLAY
        TRIGGER:-PT10M
        END:VALARM
        END:VEVENT
        BEGIN:VEVENT
        UID:1
        RECURRENCE-ID:20260126T090000Z
        DTSTART:20260126T100000Z
        SUMMARY:Autre
        END:VEVENT
        END:VCALENDAR

        """

    private func document(_ text: String) throws -> ContentDocument {
        try ContentDocument(parsing: Array(text.utf8))
    }

    /// The base with texts replaced by others, by turns.
    private func base(_ replacements: String...) throws -> ContentDocument {
        var text = Self.base
        for index in stride(from: 0, to: replacements.count, by: 2) {
            #expect(text.contains(replacements[index]))
            text = text.replacing(replacements[index], with: replacements[index + 1])
        }
        return try document(text)
    }

    /// The events of a merge with the base, the series first.
    private func merged(
        _ ours: ContentDocument, _ theirs: ContentDocument, preferring side: ContentMerge.Side? = nil
    ) throws -> (events: [Component], conflicts: [ContentMerge.Conflict]) {
        let merge = ContentMerge(base: try base(), ours: ours, theirs: theirs, preferring: side)
        let document = try ContentDocument(parsing: merge.bytes)
        #expect(document.findings == [])
        return (document.components[0].components("VEVENT"), merge.conflicts)
    }

    @Test func `changes of different properties come together`() throws {
        let (events, conflicts) = try merged(
            base("SUMMARY:Visite", "SUMMARY:Visite de Léa"),
            base("LOCATION:Lyon\n", "", "RRULE:FREQ=WEEKLY", "RRULE:FREQ=DAILY"))
        #expect(events[0]["SUMMARY"]?.value == "Visite de Léa")
        #expect(events[0]["LOCATION"] == nil)
        #expect(events[0]["RRULE"]?.value == "FREQ=DAILY")
        #expect(conflicts == [])
    }

    @Test func `a property that both changed is the one's who changed last, and is told`() throws {
        let ours = try base(
            "SUMMARY:Visite", "SUMMARY:ours", "LAST-MODIFIED:20260101", "LAST-MODIFIED:20260102")
        let theirs = try base(
            "SUMMARY:Visite", "SUMMARY:theirs", "LAST-MODIFIED:20260101", "LAST-MODIFIED:20260103")
        let (events, conflicts) = try merged(ours, theirs)
        #expect(events[0]["SUMMARY"]?.value == "theirs")
        #expect(events[0]["LAST-MODIFIED"]?.value == "20260103T000000Z")
        #expect(conflicts.map(\.property) == ["SUMMARY"])
        #expect(conflicts.map(\.winner) == [.theirs])
        #expect(conflicts[0].base.map(\.value) == ["Visite"] && conflicts[0].ours.map(\.value) == ["ours"])
        #expect(try merged(ours, theirs, preferring: .ours).events[0]["SUMMARY"]?.value == "ours")
        #expect(try merged(theirs, ours).events[0]["SUMMARY"]?.value == "theirs")
    }

    @Test func `beginning and end are one property`() throws {
        let ours = try base("DTSTART:20260105T09", "DTSTART:20260105T08")
        let theirs = try base("DTEND:20260105T10", "DTEND:20260105T11")
        let (events, conflicts) = try merged(ours, theirs, preferring: .theirs)
        #expect(events[0]["DTSTART"]?.value == "20260105T090000Z")
        #expect(events[0]["DTEND"]?.value == "20260105T110000Z")
        #expect(conflicts.map(\.property) == ["DTSTART"])
    }

    @Test func `attendees are told apart by their addresses`() throws {
        let ours = try base(
            "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:a@x", "ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:A@x")
        let theirs = try base(
            "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:b@x",
            "ATTENDEE;PARTSTAT=DECLINED:mailto:b@x\nATTENDEE:mailto:c@x")
        let (events, conflicts) = try merged(ours, theirs)
        #expect(
            events[0].properties("ATTENDEE").map { "\($0.value) \($0["PARTSTAT"] ?? "")" } == [
                "MAILTO:A@x ACCEPTED", "mailto:b@x DECLINED", "mailto:c@x ",
            ])
        #expect(conflicts == [])
    }

    @Test func `exceptions and categories are sets`() throws {
        let ours = try base(
            "EXDATE:20260112T090000Z,20260119T090000Z",
            "EXDATE:20260112T090000Z,20260119T090000Z,20260202T090000Z",
            "CATEGORIES:a,b", "CATEGORIES:b")
        let theirs = try base(
            "EXDATE:20260112T090000Z,20260119T090000Z", "EXDATE:20260119T090000Z\nEXDATE:20260209T090000Z",
            "CATEGORIES:a,b", "CATEGORIES:a,b,c\\,d")
        let (events, conflicts) = try merged(ours, theirs)
        #expect(
            events[0].properties("EXDATE").map(\.value) == [
                "20260119T090000Z", "20260202T090000Z", "20260209T090000Z",
            ])
        #expect(events[0].properties("CATEGORIES").flatMap(\.list) == ["b", "c,d"])
        #expect(conflicts == [])
    }

    @Test func `what belongs to programs stays, and is no conflict`() throws {
        let ours = try base("X-OWN:1", "X-OWN:2", "TRIGGER:-PT10M", "TRIGGER:-PT5M")
        let theirs = try base(
            "X-OWN:1\n", "X-MOZ-LASTACK:3\n", "TRIGGER:-PT10M", "TRIGGER:-PT30M", "-//x", "-//y")
        let (events, conflicts) = try merged(ours, theirs)
        #expect(events[0]["X-OWN"]?.value == "2")
        #expect(events[0]["X-MOZ-LASTACK"]?.value == "3")
        #expect(Set(events[0].components.compactMap { $0["TRIGGER"]?.value }) == ["-PT5M", "-PT30M"])
        #expect(conflicts == [])
        #expect(
            try merged(base("SUMMARY:Visite", "SUMMARY:a"), base("X-OWN:1\n", "")).events[0]["X-OWN"] != nil)
    }

    private static let override = Self.base.components(separatedBy: "BEGIN:VEVENT")[2]
        .replacing("END:VCALENDAR\n", with: "")

    @Test func `overrides are told apart by the instant they replace`() throws {
        let ours = try base("SUMMARY:Autre", "SUMMARY:ours")
        let theirs = try base(
            "RECURRENCE-ID:20260126T090000Z", "RECURRENCE-ID;TZID=Europe/Paris:20260126T100000",
            "SUMMARY:Visite",
            "SUMMARY:theirs", "END:VCALENDAR",
            "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260202T090000Z\nEND:VEVENT\nEND:VCALENDAR")
        let (events, conflicts) = try merged(ours, theirs)
        #expect(events.map { $0["SUMMARY"]?.value } == ["theirs", "ours", nil])
        #expect(conflicts == [])
    }

    @Test func `a deletion holds unless the other side edited, which is told`() throws {
        let without = try base("BEGIN:VEVENT" + Self.override, "", "LOCATION:Lyon", "LOCATION:Paris")
        let other = try base("SUMMARY:Visite", "SUMMARY:a")
        #expect(try merged(without, other).events.count == 1)
        #expect(try merged(other, without).events.count == 1)
        let edited = try base("SUMMARY:Autre", "SUMMARY:b")
        for (ours, theirs) in [(without, edited), (edited, without)] {
            let (events, conflicts) = try merged(ours, theirs)
            #expect(events.map { $0["SUMMARY"]?.value } == ["Visite", "b"])
            #expect(events[0]["LOCATION"]?.value == "Paris")
            #expect(conflicts.map(\.property) == [nil])
            #expect(conflicts.map(\.recurrence) == ["20260126T090000Z"])
        }
    }

    @Test func `cards keep the numbers of both sides, and groups that mean different things`() throws {
        func card(_ lines: String) throws -> ContentDocument {
            try document("BEGIN:VCARD\nVERSION:3.0\nUID:1\nFN:a\nTEL:1\n\(lines)END:VCARD\n")
        }
        let merge = ContentMerge(
            base: try card(""), ours: try card("item1.TEL:2\nitem1.X-ABLABEL:chalet\n"),
            theirs: try card("item1.EMAIL:a@x\nitem1.X-ABLABEL:bureau\nNOTE:b\n").self)
        let contact = Contact(try ContactObject(ContentDocument(parsing: merge.bytes)))
        #expect(contact.phones.map(\.label) == [nil, "chalet"])
        #expect(contact.mails.map(\.label) == ["bureau"])
        #expect(contact.note == "b")
        #expect(merge.conflicts == [])
    }

    @Test func `documents that say the same are the same, however they are written`() throws {
        let base = try base()
        let other = try document(
            Self.base.replacing("\n", with: "\r\n").replacing("SUMMARY:Visite", with: "SUMMARY:Vi\r\n site")
                .replacing("DTSTAMP:20260101", with: "DTSTAMP:20260202").replacing("-//x", with: "-//z")
                .replacing("LOCATION:Lyon\r\n", with: "").replacing(
                    "X-OWN:1", with: "X-OWN:1\r\nLOCATION:Lyon"))
        #expect(other.says(the: base))
        #expect(try !self.base("Lyon", "Paris").says(the: base))
        #expect(try !self.base("-PT10M", "-PT11M").says(the: base))
    }

    @Test func `one side's changes alone give that side's bytes`() throws {
        var random = Seeded(3)
        let base = try base()
        for _ in 0..<(Repository.isSoak ? 20_000 : 300) {
            guard let other = try? ContentDocument(parsing: random.edited(Self.base)) else { continue }
            #expect(ContentMerge(base: base, ours: other, theirs: base).bytes == other.bytes)
            #expect(ContentMerge(base: base, ours: other, theirs: other).bytes == other.bytes)
            let theirs = ContentMerge(base: base, ours: base, theirs: other)
            #expect(theirs.bytes == (other.says(the: base) ? base.bytes : other.bytes))
        }
    }

    @Test func `any two edits merge the same from both sides, and only once`() throws {
        var random = Seeded(5)
        let base = try base()
        for _ in 0..<(Repository.isSoak ? 20_000 : 300) {
            guard let first = try? ContentDocument(parsing: random.edited(Self.base)),
                let second = try? ContentDocument(parsing: random.edited(Self.base))
            else { continue }
            let one = ContentMerge(base: base, ours: first, theirs: second, preferring: .ours)
            let other = ContentMerge(base: base, ours: second, theirs: first, preferring: .theirs)
            let left = try ContentDocument(parsing: one.bytes)
            let right = try ContentDocument(parsing: other.bytes)
            #expect(one.conflicts.count == other.conflicts.count)
            let isSame = left.says(the: right)
            #expect(isSame, "\(show(first)) | \(show(second)) | \(show(left)) | \(show(right))")
            // What is merged again with the side that it came from stays as it is: no ping-pong.
            let again = ContentMerge(base: base, ours: left, theirs: second, preferring: .ours)
            let isStable = try ContentDocument(parsing: again.bytes).says(the: left)
            #expect(isStable, "\(show(first)) | \(show(second)) | \(show(left))")
        }
    }

    /// What differs from the base.
    private func show(_ document: ContentDocument) -> String {
        let lines = String(decoding: document.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
        let old = Self.base.split(separator: "\n").map(String.init)
        let changes = lines.difference(from: old).map { change in
            switch change {
            case .insert(_, let line, _): "+\(line)"
            case .remove(_, let line, _): "-\(line)"
            }
        }
        return changes.joined(separator: " ")
    }
}

extension Seeded {
    /// The text with up to three of its lines taken out, changed or doubled, but for those that hold it together.
    mutating func edited(_ text: String) -> [UInt8] {
        var lines = text.split(separator: "\n").map(String.init)
        for _ in 0..<Int.random(in: 1...3, using: &self) {
            let index = Int.random(in: lines.indices, using: &self)
            if ["BEGIN", "END", "UID", "RECURRENCE-ID"].contains(where: lines[index].hasPrefix) { continue }
            switch Int.random(in: 0..<3, using: &self) {
            case 0: lines.remove(at: index)
            case 1: lines[index] += String(Int.random(in: 0..<3, using: &self))
            default: lines.insert("X-NEW-\(Int.random(in: 0..<3, using: &self)):y", at: index)
            }
        }
        return Array((lines.joined(separator: "\n") + "\n").utf8)
    }
}

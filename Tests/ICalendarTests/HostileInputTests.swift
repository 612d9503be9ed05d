// SPDX-License-Identifier: Apache-2.0
// What is made to exhaust a server, and what is damaged: refused or read within bounds, never a crash.

import Diagnostics
import Foundation
import ICalendar
import Model
import RelaisTesting
import Testing

@Suite struct HostileInputTests {
    private let year =
        Timestamp(
            microsecondsSince1970: 1_767_225_600_000_000)..<Timestamp(
            microsecondsSince1970: 1_798_761_600_000_000)

    /// Everything that can be done with a document; the number of its objects.
    @discardableResult
    private func read(_ bytes: [UInt8], limits: ContentLimits = .object) throws -> Int {
        let document = try ContentDocument(parsing: bytes, limits: limits)
        _ = document.canonical
        let objects = document.objects()
        for object in objects.prefix(100) {
            let document = try ContentDocument(parsing: object, limits: limits)
            if let calendar = try? CalendarObject(document) {
                let series = CalendarSeries(calendar, local: TimeZone(identifier: "Europe/Paris") ?? .gmt)
                _ = series.findings
                let expansion = series.occurrences(in: year, limit: 500)
                #expect(expansion.occurrences.count <= 500)
            }
            if let contact = try? ContactObject(document) {
                _ = Contact(contact)
                for version in ContactObject.Version.allCases {
                    _ = try ContentDocument(parsing: contact.bytes(in: version), limits: limits)
                }
            }
        }
        return objects.count
    }

    /// How long something may take: far more than it does, and far less than what is without bound.
    private func expectSoon(_ body: () throws -> Void) rethrows {
        let elapsed = try ContinuousClock().measure(body)
        #expect(elapsed < .seconds(30))
    }

    private func calendar(_ lines: String) -> [UInt8] {
        Array("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\n\(lines)\nEND:VEVENT\nEND:VCALENDAR\n".utf8)
    }

    /// A card with a photo of so many folded lines of 77 bytes.
    private func photoCard(lines count: Int) -> [UInt8] {
        let photo = repeatElement("\r\n " + String(repeating: "A", count: 74), count: count).joined()
        return Array("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nPHOTO;ENCODING=b:\(photo)\r\nEND:VCARD\r\n".utf8)
    }

    @Test func `a photo of 50 MB is refused, one of 2 MB is read`() throws {
        #expect {
            try read(photoCard(lines: 50 << 20 / 77))
        } throws: { ($0 as? ICalendarError)?.has(.size) == true }
        let card = photoCard(lines: 2 << 20 / 77)
        try expectSoon {
            let contact = try ContactObject(ContentDocument(parsing: card))
            let photo = Contact(contact).photo
            guard case .bytes(let bytes, _) = photo else {
                Issue.record("no photo")
                return
            }
            #expect(bytes.count > 1_500_000)
        }
    }

    @Test func `components nested 10,000 deep are refused`() {
        let nested = Array(String(repeating: "BEGIN:VEVENT\n", count: 10_000).utf8)
        #expect(throws: ICalendarError.self) { try read(nested) }
    }

    @Test(
        arguments: [
            "X;" + String(repeating: "A=\"b\",", count: 1 << 16) + ":c",
            "X" + String(repeating: ";A", count: 1 << 18) + ":c",
            "X;A=" + String(repeating: "\"", count: 1 << 19),
            "CATEGORIES:" + String(repeating: ",", count: 1 << 19),
            "X:" + String(repeating: "\n ", count: 1 << 18), "N:" + String(repeating: "\\", count: 1 << 19),
            "NOTE;QUOTED-PRINTABLE:" + String(repeating: "=\n", count: 1 << 18),
            String(repeating: ":\n", count: 20_000),
            String(repeating: "ATTENDEE:mailto:a@x\n", count: 20_000),
            "EXDATE:" + String(repeating: "x,", count: 1 << 18),
            "DTSTART:20260101T000000Z\nRRULE:FREQ=DAILY;BYHOUR=" + String(repeating: "1,", count: 1 << 18),
        ])
    func `endless lists, folds and parameters are read within bounds`(lines: String) throws {
        try expectSoon {
            try read(calendar(lines))
            try read(Array("BEGIN:VCARD\nVERSION:2.1\nUID:1\n\(lines)\nEND:VCARD".utf8))
        }
    }

    @Test func `a hundred thousand exceptions are read within bounds, a million lines of them are refused`()
        throws
    {
        let dates = (0..<100_000).map { _ in "20260101T000000Z" }.joined(separator: ",")
        let lines = "DTSTART:20260101T000000Z\nRRULE:FREQ=SECONDLY\nEXDATE:\(dates)"
        try expectSoon { try read(calendar(lines)) }
        let separate = String(repeating: "EXDATE:20260101T000000Z\n", count: 1_000_000)
        #expect {
            try read(calendar(separate), limits: ContentLimits(bytes: 64 << 20, lines: 100_000))
        } throws: { ($0 as? ICalendarError)?.has(.lines) == true }
    }

    @Test func `thousands of overrides and zones are read within bounds`() throws {
        let zones = (0..<200).map { number in
            "BEGIN:VTIMEZONE\nTZID:z\(number)\n"
                + String(
                    repeating:
                        "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=DAILY\nEND:STANDARD\n",
                    count: 3) + "END:VTIMEZONE\n"
        }.joined()
        let overrides = (0..<1000).map { number in
            "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=z\(number % 200):20260101T00\(10 + number % 50)00\nDTSTART:20260101T000000Z\nEND:VEVENT\n"
        }.joined()
        let text =
            "BEGIN:VCALENDAR\n\(zones)BEGIN:VEVENT\nUID:1\nDTSTART;TZID=z1:20260101T000000\nRRULE:FREQ=HOURLY\nEND:VEVENT\n\(overrides)END:VCALENDAR\n"
        try expectSoon { try read(Array(text.utf8)) }
        let document = try ContentDocument(parsing: Array(text.utf8))
        let other = try ContentDocument(
            parsing: Array(text.replacing("20260101T000000Z", with: "20260102T000000Z").utf8))
        let third = try ContentDocument(
            parsing: Array(text.replacing("END:VEVENT", with: "X-A:b\nEND:VEVENT").utf8))
        expectSoon { _ = ContentMerge(base: document, ours: other, theirs: third).bytes }
    }

    @Test(arguments: ["series.ics", "people.vcf"])
    func `damaged objects are read, patched, merged and expanded without a crash`(sample: String) throws {
        let file = Repository.root.appending(path: "Tests/Fuzz/Seeds/\(sample)")
        let source = Array(try Data(contentsOf: file))
        var random = Seeded(UInt64(source.count))
        let base = try ContentDocument(parsing: source)
        #expect(base.findings == [])
        for _ in 0..<(Repository.isSoak ? 50_000 : 300) {
            let bytes = random.damaged(random.damaged(source))
            do { try read(bytes) } catch { #expect(error is ICalendarError, "\(error)") }
            guard let document = try? ContentDocument(parsing: bytes) else { continue }
            let other = (try? ContentDocument(parsing: random.damaged(source))) ?? base
            _ = try ContentDocument(parsing: ContentMerge(base: base, ours: document, theirs: other).bytes)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Reading of content lines and components: what is tolerated, what is refused, what is noted.

import Diagnostics
import ICalendar
import Testing

@Suite struct ContentDocumentTests {
    private func document(_ text: String) throws -> ContentDocument {
        try ContentDocument(parsing: Array(text.utf8))
    }

    /// A property in an event.
    private func line(_ text: String) throws -> ContentLine {
        let event = try document("BEGIN:VEVENT\r\n\(text)\r\nEND:VEVENT\r\n").components.first
        return try #require(event?.properties.first)
    }

    /// A property in a vCard of a version.
    private func cardLine(_ text: String, version: String = "2.1") throws -> ContentLine {
        let card = try document("BEGIN:VCARD\r\nVERSION:\(version)\r\n\(text)\r\nEND:VCARD\r\n").components
            .first
        return try #require(card?.properties.last)
    }

    @Test func `a line has a name, parameters and a value`() throws {
        let line = try line(
            #"attendee;cn="Roche, Léa; DSI";ROLE=CHAIR;member="mailto:a@x","mailto:b@x":mailto:lea@x"#)
        #expect(line.name == "ATTENDEE")
        #expect(line["CN"] == "Roche, Léa; DSI")
        #expect(line.values(of: "MEMBER") == ["mailto:a@x", "mailto:b@x"])
        #expect(line.value == "mailto:lea@x")
        #expect(line.number == 2)
    }

    @Test func `folds are taken out even inside a character`() throws {
        var bytes = Array("BEGIN:VEVENT\r\nSUMMARY:caf".utf8) + [0xC3] + Array("\r\n ".utf8) + [0xA9]
        bytes += Array(" noir\r\n\t, sans sucre\r\nEND:VEVENT".utf8)
        let document = try ContentDocument(parsing: bytes)
        let line = try #require(document.components[0]["SUMMARY"])
        #expect(line.value == "café noir, sans sucre")
        #expect(String(decoding: bytes[line.place], as: UTF8.self).hasSuffix("sucre\r\n"))
        #expect(document.findings == [])
    }

    @Test(arguments: ["\r\n", "\n", "\r", "\r\r\n"])
    func `any line end is read, also behind a byte order mark`(end: String) throws {
        let lines = [
            "\u{FEFF}BEGIN:VCALENDAR", "", "BEGIN:VEVENT", "SUMMARY:a", " b", "END:VEVENT", "END:VCALENDAR",
        ]
        let document = try document(lines.joined(separator: end))
        #expect(document.components.map(\.name) == ["VCALENDAR"])
        #expect(document.components[0].components[0]["SUMMARY"]?.value == "ab")
        #expect(document.findings == [])
    }

    @Test func `escapes of texts, lists and structures are resolved`() throws {
        #expect(try line(#"SUMMARY:a\, b\; c\\n\nd \x C:\Users"#).text == "a, b; c\\n\nd \\x C:\\Users")
        #expect(try line(#"CATEGORIES:a\,b,c"#).list == ["a,b", "c"])
        #expect(
            try line(#"N:Roche;Léa;Anne,Marie\;x;;"#).structure == [
                ["Roche"], ["Léa"], ["Anne", "Marie;x"], [""], [""],
            ])
        #expect(ContentLine.escaped("a, b; c\\\r\nd") == #"a\, b\; c\\\nd"#)
    }

    @Test func `carets in parameters are resolved`() throws {
        #expect(try line("X-A;CN=a^nb^^c^'d^e^:v")["CN"] == "a\nb^c\"d^e^")
    }

    @Test func `bytes that are no UTF-8 are read as Windows-1252, with a finding`() throws {
        let bytes = Array("BEGIN:VEVENT\nSUMMARY:caf".utf8) + [0xE9, 0x20, 0x80] + Array("\nEND:VEVENT".utf8)
        let document = try ContentDocument(parsing: bytes)
        #expect(document.components[0]["SUMMARY"]?.text == "café €")
        #expect(document.findings.map(\.code) == [ICalendarFinding.encoding.rawValue])
        #expect(document.findings.first?.place.line == 2)
        #expect(document.findings.first?.place.field == "SUMMARY")
    }

    @Test func `NUL is left out of values, with a finding`() throws {
        let document = try document("BEGIN:VEVENT\nSUMMARY:a\0b\nEND:VEVENT")
        #expect(document.components[0]["SUMMARY"]?.text == "ab")
        #expect(document.findings.map(\.code) == [ICalendarFinding.nul.rawValue])
    }

    @Test func `lines and ends that belong to nothing are noted by their line`() throws {
        let document = try document(
            "hello\nBEGIN:VCALENDAR\nEND:VTODO\nBEGIN:VEVENT\nno line\n=:x\nEND:VCALENDAR\nBEGIN:VEVENT\nA:b")
        #expect(document.components.map(\.name) == ["VCALENDAR", "VEVENT"])
        #expect(document.components[0].components.map(\.name) == ["VEVENT"])
        let unbalanced = ICalendarFinding.unbalanced.rawValue
        let malformed = ICalendarFinding.malformedLine.rawValue
        #expect(
            document.findings.map { "\($0.place.line ?? 0) \($0.code)" } == [
                "1 \(malformed)", "3 \(unbalanced)", "5 \(malformed)", "6 \(malformed)", "7 \(unbalanced)",
                "8 \(unbalanced)",
            ])
    }

    @Test func `a misspelt end ends the innermost component`() throws {
        let document = try document(
            "BEGIN:VCALENDAR\nBEGIN:VTODO\nEND:VTOOD\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR")
        #expect(document.components[0].components.count == 2)
    }

    @Test func `a file is taken apart into the objects of its UIDs, with the zones that they name`() throws {
        let zone = "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE\n"
        let event = "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=x:20260101T000000\nEND:VEVENT\n"
        let task = "BEGIN:VTODO\nUID:2\nEND:VTODO\n"
        let override = "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260102T000000Z\nEND:VEVENT\n"
        let nameless = "BEGIN:VEVENT\nEND:VEVENT"
        let file = "BEGIN:VCALENDAR\nMETHOD:PUBLISH\nPRODID:y\n\(zone)\(event)\(task)\(override)\(nameless)"
        func object(_ parts: String) -> String { "BEGIN:VCALENDAR\r\nPRODID:y\n\(parts)END:VCALENDAR\r\n" }
        let objects = try document(file).objects().map { String(decoding: $0, as: UTF8.self) }
        #expect(objects == [object(zone + event + override), object(task), object(nameless + "\r\n")])
        let cards = "BEGIN:VCARD\nUID:1\nEND:VCARD\n"
        #expect(try document(cards + "x\n" + cards).objects() == [Array(cards.utf8), Array(cards.utf8)])
    }

    @Test func `vCard 2.1 is read with quoted-printable, charsets and nameless parameters`() throws {
        let note = try cardLine(
            "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:caf=C3=A9 =\r\nnoir=0D=0Atr=C3=A8s=\r\n bon")
        #expect(note.text == "café noir\ntrès bon")
        #expect(
            try cardLine("N;QUOTED-PRINTABLE;CHARSET=ISO-8859-1:B=E9=\r\n=E9;L=E9a").structure == [
                ["Béé"], ["Léa"],
            ])
        let phone = try cardLine("item1.TEL;WORK;VOICE:+33 1")
        #expect(phone.group == "item1")
        #expect(phone.values(of: "TYPE") == ["WORK", "VOICE"])
        #expect(try cardLine("NOTE:one\r\n two").text == "one two")
        #expect(try cardLine("NOTE:one\r\n two", version: "3.0").text == "onetwo")
    }

    @Test func `bytes in base64 are decoded, whatever the folds`() throws {
        let photo = try cardLine("PHOTO;ENCODING=b;TYPE=PNG:iVBO\r\n Rw==", version: "3.0")
        #expect(photo.binary == [0x89, 0x50, 0x4E, 0x47])
        #expect(try cardLine("PHOTO;PNG;BASE64:\r\n  iVBO\r\n  Rw==\r\n").binary == [0x89, 0x50, 0x4E, 0x47])
        #expect(try cardLine("PHOTO;ENCODING=b:iVBORw", version: "3.0").binary == [0x89, 0x50, 0x4E, 0x47])
        #expect(try cardLine("PHOTO;VALUE=uri:http://x/", version: "3.0").binary == nil)
    }

    @Test func `what passes the limits is refused`() throws {
        let limits = ContentLimits(bytes: 1000, lines: 20, depth: 4)
        func code(_ text: String) -> String? {
            do {
                _ = try ContentDocument(parsing: Array(text.utf8), limits: limits)
                return nil
            } catch { return error.diagnostic.code }
        }
        #expect(code(String(repeating: "x", count: 1001)) == "ICALENDAR-SIZE")
        #expect(code("BEGIN:A\n" + String(repeating: "X:\n", count: 20)) == "ICALENDAR-LINES")
        #expect(code(String(repeating: "BEGIN:A\n", count: 5)) == "ICALENDAR-DEPTH")
        #expect(code(String(repeating: "BEGIN:A\n", count: 4)) == nil)
        for nothing in ["", "\n", "<html>", "\u{FEFF}"] { #expect(code(nothing) == "ICALENDAR-NO-COMPONENT") }
    }
}

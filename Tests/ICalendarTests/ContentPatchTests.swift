// SPDX-License-Identifier: Apache-2.0
// Edits write only the lines concerned; all other bytes stay.

import ICalendar
import Model
import RelaisTesting
import Testing

@Suite struct ContentPatchTests {
    private static let source = """
        BEGIN:VCALENDAR\r
        PRODID:-//x\r
        BEGIN:VEVENT\r
        UID:1\r
        SUMMARY;LANGUAGE=fr:Vis\r
         ite\r
        x-odd ; no line\r
        DTSTAMP:20260101T000000Z\r
        ATTENDEE:mailto:a@x\r
        ATTENDEE:mailto:b@x\r
        BEGIN:VALARM\r
        ACTION:DISPLAY\r
        END:VALARM\r
        END:VEVENT\r
        END:VCALENDAR\r

        """

    private func patched(
        _ source: String = source, _ edit: (inout ContentPatch, Component) -> Void
    ) throws -> String {
        let document = try ContentDocument(parsing: Array(source.utf8))
        var patch = ContentPatch(document)
        edit(&patch, document.components[0].components.first ?? document.components[0])
        return String(decoding: patch.bytes, as: UTF8.self)
    }

    @Test func `no edit, and an edit that says the same, change nothing`() throws {
        #expect(try patched { _, _ in } == Self.source)
        let same = try patched { patch, event in
            patch.set("SUMMARY", toText: "Visite", in: event)
            patch.set("ATTENDEE", to: event.properties("ATTENDEE"), in: event)
            patch.set("LOCATION", toText: nil, in: event)
            #expect(patch.isEmpty)
        }
        #expect(same == Self.source)
    }

    @Test func `a text is written in the place of the old one, its language kept`() throws {
        let expected = Self.source.replacing(
            "SUMMARY;LANGUAGE=fr:Vis\r\n ite\r\n", with: "SUMMARY;LANGUAGE=fr:a\\, b\r\n")
        #expect(try patched { $0.set("SUMMARY", toText: "a, b", in: $1) } == expected)
    }

    @Test func `properties are added behind those of their name, or behind all`() throws {
        let attendee = "ATTENDEE:mailto:b@x\r\n"
        let expected = Self.source.replacing(
            attendee, with: attendee + "ATTENDEE;CN=\"C; d\":mailto:c@x\r\nLOCATION:Lyon\r\n")
        let text = try patched { patch, event in
            patch.add([ContentLine("ATTENDEE", [.init("CN", ["C; d"])], value: "mailto:c@x")], to: event)
            patch.set("LOCATION", toText: "Lyon", in: event)
        }
        #expect(text == expected)
    }

    @Test func `properties and components are taken out`() throws {
        let expected = Self.source.replacing("ATTENDEE:mailto:b@x\r\n", with: "")
            .replacing("BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\n", with: "")
        let text = try patched { patch, event in
            patch.set("ATTENDEE", to: [event.properties("ATTENDEE")[0]], in: event)
            patch.set("ACTION", toText: "AUDIO", in: event.components[0])
            patch.remove(event.components[0])
        }
        #expect(text == expected)
    }

    @Test func `components are added behind those that are there`() throws {
        let expected = Self.source.replacing(
            "END:VALARM\r\n", with: "END:VALARM\r\nBEGIN:VALARM\r\nEND:VALARM\r\n")
        let alarm = [ContentLine("BEGIN", value: "VALARM"), ContentLine("END", value: "VALARM")]
        #expect(try patched { $0.add(component: alarm, to: $1) } == expected)
    }

    @Test func `a changed component says so`() throws {
        let text = try patched { $0.touch($1, at: Timestamp(microsecondsSince1970: 0)) }
        #expect(text.contains("DTSTAMP:19700101T000000Z\r\nATTENDEE"))
        #expect(text.contains("mailto:b@x\r\nLAST-MODIFIED:19700101T000000Z\r\nSEQUENCE:1\r\nBEGIN:VALARM"))
    }

    @Test func `the last edit of a property counts`() throws {
        let text = try patched { patch, event in
            patch.set("SUMMARY", toText: "a", in: event)
            patch.set("SUMMARY", toText: "Visite", in: event)
        }
        #expect(text == Self.source)
    }

    @Test func `lines are folded at 75 bytes between characters, with the line ends of the document`() throws
    {
        let long = String(repeating: "é€😀", count: 60)
        let text = try patched("BEGIN:VEVENT\nUID:1\nEND:VEVENT") { $0.set("SUMMARY", toText: long, in: $1) }
        #expect(!text.contains("\r"))
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.utf8.count <= 75 })
        #expect(lines.allSatisfy { String($0).unicodeScalars.allSatisfy { $0 != "\u{FFFD}" } })
        #expect(try ContentDocument(parsing: Array(text.utf8)).components[0]["SUMMARY"]?.text == long)
    }

    @Test func `a value with line ends writes no line of its own`() throws {
        let text = try patched { patch, event in
            patch.add(
                [ContentLine("X-A", [.init("CN", ["a\r\nb\"c^"])], value: "a\r\nUID:2\0")], to: event)
        }
        #expect(text.contains("X-A;CN=a^nb^'c^^:a\\nUID:2\r\n"))
    }

    @Test func `a document that ends in the middle of a line is written to`() throws {
        let text = try patched("BEGIN:VEVENT\nUID:1") { $0.set("SUMMARY", toText: "a", in: $1) }
        #expect(text == "BEGIN:VEVENT\nUID:1\nSUMMARY:a\n")
    }

    @Test func `lines of damaged documents are read again as they were written`() throws {
        var random = Seeded(7)
        let source = Array((Self.source + "BEGIN:VCARD\r\nitem1.TEL;TYPE=a,\"b:c\";x=^n:1\r\nEND:VCARD").utf8)
        for _ in 0..<(Repository.isSoak ? 100_000 : 2000) {
            let bytes = random.damaged(source)
            guard let document = try? ContentDocument(parsing: bytes) else { continue }
            #expect(ContentPatch(document).bytes == bytes)
            for line in document.components.flatMap(\.properties) {
                let head = document.components[0].name == "VCARD" ? "BEGIN:VCARD\r\n" : "BEGIN:X\r\n"
                let written = Array(head.utf8) + ContentLine.write([line])
                let again = try ContentDocument(parsing: written).components[0].properties.first
                if document.components.count == 1 { #expect(again?.says(the: line) == true, "\(line)") }
            }
        }
    }

    @Test func `an edit of a damaged document leaves all other lines`() throws {
        var random = Seeded(11)
        for _ in 0..<(Repository.isSoak ? 100_000 : 2000) {
            let bytes = random.damaged(Array(Self.source.utf8))
            guard let document = try? ContentDocument(parsing: bytes),
                let event = document.components[0].components.first
            else { continue }
            var patch = ContentPatch(document)
            patch.set("X-RELAIS", toText: "une note, longue", in: event)
            let after = try patch.document().components[0].components.first
            #expect(after?["X-RELAIS"]?.text == "une note, longue")
            let others = after?.properties.filter { $0.name != "X-RELAIS" } ?? []
            #expect(zip(others, event.properties).allSatisfy { $0.says(the: $1) })
            #expect(others.count == event.properties.filter { $0.name != "X-RELAIS" }.count)
        }
    }
}

extension Seeded {
    /// The bytes with up to four of them changed, taken out or doubled.
    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let marks = Array("\r\n:;,\"=^\\ \0".utf8) + [0xE9, 0xFF]
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let index = Int.random(in: bytes.indices, using: &self)
            switch Int.random(in: 0..<4, using: &self) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes[index] = marks.randomElement(using: &self) ?? 0
            case 2: bytes.remove(at: index)
            default: bytes.insert(bytes[index], at: index)
            }
        }
        return bytes
    }
}

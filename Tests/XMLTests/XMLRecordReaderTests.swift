// SPDX-License-Identifier: Apache-2.0
// The record reader: what it keeps, whatever the pieces, and what it refuses.

import Diagnostics
import Foundation
import RelaisTesting
import Testing
import XML

/// A trie that keeps `a/b`, `a/@id` and passes over `skip` in records `r` of the namespace `urn:x`.
private struct Sample {
    var trie = PathTrie(records: [XMLName("r", namespace: "urn:x")])
    let b: PathTrie.Node
    let id: PathTrie.Node

    init() {
        let a = trie.element(XMLName("a", namespace: "urn:x"), of: PathTrie.record)
        b = trie.element(XMLName("b", namespace: "urn:x"), of: a)
        trie.keepText(of: b)
        id = trie.attribute(XMLName("id"), of: a)
        trie.skip(trie.element(XMLName("skip", namespace: "urn:x"), of: PathTrie.record))
    }

    /// Texts of all captures that have one, record by record.
    func read(_ text: String, step: Int = .max, limits: XMLLimits = XMLLimits()) throws -> [[String]] {
        try read(Array(text.utf8), step: step, limits: limits)
    }

    func read(_ bytes: [UInt8], step: Int = .max, limits: XMLLimits = XMLLimits()) throws -> [[String]] {
        let reader = try XMLRecordReader(trie, limits: limits)
        var records: [[String]] = []
        func note(_ record: CapturedRecord) {
            records.append(record.texts.filter { [b, id].contains($0.node) }.map(\.text))
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            try reader.feed(Array(rest.prefix(step)), note)
            rest = rest.dropFirst(step)
        }
        try reader.finish(note)
        return records
    }
}

extension CapturedRecord {
    /// Node and text of each capture, without blanks at both ends.
    var texts: [(node: PathTrie.Node, text: String)] {
        var captures: [Capture] = []
        var bytes: [UInt8] = []
        copy(into: &captures, &bytes)
        return captures.map { capture in
            let text = bytes[capture.textStart..<capture.textStart + Int(capture.textCount)]
            return (
                Int(capture.node),
                String(decoding: text, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            )
        }
    }
}

@Suite struct XMLRecordReaderTests {
    private let sample = Sample()

    @Test func `mapped texts and attributes are kept, the rest is passed over`() throws {
        let records = try sample.read(
            """
            <x:r xmlns:x="urn:x"><x:other>no</x:other><x:a id="7"><x:b> un &amp; <![CDATA[<deux>]]> </x:b></x:a>
            <x:skip><x:a id="8"><x:b>no</x:b></x:a></x:skip><x:a><b xmlns="">no</b><x:b>trois</x:b></x:a></x:r>
            """)
        #expect(records == [["7", "un & <deux>", "trois"]])
    }

    @Test(arguments: ["US-ASCII", "UTF-16", "ISO-2022-JP", "Shift_JIS", "nulle-part"])
    func `an encoding that the bytes do not follow is an error at any border`(encoding: String) {
        let text = "<?xml version='1.0' encoding='\(encoding)'?><r xmlns='urn:x'><a><b>é\u{FFFF}</b></a></r>"
        let bytes = Array(text.utf8) + [0xFF, 0xFE, 0x1B, 0x24]
        for step in 1...60 {
            #expect(throws: XMLError.self) { try sample.read(bytes, step: step) }
        }
    }

    @Test func `records are found at any depth of a batch`() throws {
        let records = try sample.read(
            "<batch><page><r xmlns='urn:x'><a><b>1</b></a></r><r xmlns='urn:x'/></page><r xmlns='urn:x'><a><b>2</b></a></r></batch>"
        )
        #expect(records == [["1"], [], ["2"]])
    }

    @Test func `text around child elements is brought together`() throws {
        #expect(
            try sample.read("<r xmlns='urn:x'><a><b>un<c/> deux<a id='x'/> trois</b></a></r>") == [
                ["un deux trois"]
            ])
    }

    @Test func `the pieces' borders make no difference`() throws {
        let text =
            "<?xml version='1.0' encoding='UTF-8'?><s>"
            + (0..<20).map { "<r xmlns='urn:x'><a id='n\($0)'><b>été €\($0)</b></a></r>\n" }.joined() + "</s>"
        let whole = try sample.read(text)
        #expect(whole.count == 20)
        for step in [1, 2, 3, 7, 64, 101] { #expect(try sample.read(text, step: step) == whole) }
    }

    @Test func `the offsets of a record lead to its bytes`() throws {
        let text = "<s><r xmlns='urn:x'>1</r>  <r xmlns='urn:x' z='2'><a/></r></s>"
        let reader = try XMLRecordReader(sample.trie)
        var found: [String] = []
        func note(_ record: CapturedRecord) {
            let bytes = Array(text.utf8)
            let start = bytes[..<record.offsets.inStartTag].lastIndex(of: UInt8(ascii: "<")) ?? 0
            found.append(String(decoding: bytes[start..<record.offsets.end], as: UTF8.self))
        }
        try reader.feed(Array(text.utf8), note)
        try reader.finish(note)
        #expect(found == ["<r xmlns='urn:x'>1</r>", "<r xmlns='urn:x' z='2'><a/></r>"])
    }

    @Test func `legacy encodings and UTF-16 are read as declared`() throws {
        let latin: [UInt8] =
            Array("<?xml version='1.0' encoding='ISO-8859-1'?><r xmlns='urn:x'><a><b>caf".utf8) + [0xE9]
        #expect(try sample.read(latin + Array("</b></a></r>".utf8)) == [["café"]])
        let units = Array("<r xmlns='urn:x'><a><b>café</b></a></r>".utf16)
        #expect(
            try sample.read([0xFF, 0xFE] + units.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }) == [["café"]]
        )
    }

    // MARK: - Refusals

    private func code(_ text: String, limits: XMLLimits = XMLLimits()) -> String? {
        do {
            _ = try sample.read(text, step: 4096, limits: limits)
            return nil
        } catch {
            return (error as? XMLError)?.diagnostic.code
        }
    }

    @Test func `a DOCTYPE stops the reader before any entity is seen`() {
        #expect(
            code("<!DOCTYPE r [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><r xmlns='urn:x'>&e;</r>")
                == "XML-DOCTYPE")
        #expect(code("<!DOCTYPE r SYSTEM 'http://127.0.0.1:9/x.dtd'><r xmlns='urn:x'/>") == "XML-DOCTYPE")
        let entity = String(repeating: "x", count: 100_000)
        let uses = String(repeating: "&e;", count: 20_000)
        #expect(code("<!DOCTYPE r [<!ENTITY e '\(entity)'>]><r xmlns='urn:x'>\(uses)</r>") == "XML-DOCTYPE")
    }

    @Test func `a hundred thousand nested elements are stopped at the limit`() throws {
        let text = String(repeating: "<d>", count: 100_000) + String(repeating: "</d>", count: 100_000)
        #expect(code(text) == "XML-DEPTH")
    }

    @Test func `forty megabytes of text are stopped at the limit, attached files are not`() {
        let text = String(repeating: "0123456789abcdef", count: 40 << 16)
        #expect(code("<r xmlns='urn:x'><a><b>\(text)</b></a></r>") == "XML-TEXT")
        #expect(code("<r xmlns='urn:x'><z>\(text)</z></r>") == "XML-TEXT")
        #expect(code("<r xmlns='urn:x'><skip>\(text)</skip></r>") == nil)
        var limits = XMLLimits()
        limits.record = 1 << 20
        #expect(code("<r xmlns='urn:x'><skip>\(text)</skip></r>", limits: limits) == "XML-RECORD")
    }

    @Test func `the blanks between records and rows are no long text, however many there are`() throws {
        var limits = XMLLimits()
        limits.text = 1000
        let record =
            "<r xmlns='urn:x'>" + String(repeating: "<z/>\n          ", count: 200) + "<a><b>1</b></a></r>\n"
        let records = try sample.read(
            "<lot>" + String(repeating: record, count: 1200) + "</lot>", step: 4096, limits: limits)
        #expect(records.count == 1200)
    }

    @Test func `too many or too long attributes are refused`() {
        let many = (0..<65).map { "a\($0)='1'" }.joined(separator: " ")
        #expect(code("<r xmlns='urn:x'><a \(many)/></r>") == "XML-ATTRIBUTES")
        let long = String(repeating: "x", count: 70_000)
        #expect(code("<r xmlns='urn:x'><a id='\(long)'/></r>") == "XML-ATTRIBUTES")
    }

    @Test func `broken files are refused with their line`() throws {
        #expect(code("") == "XML-EMPTY")
        #expect(code("   \n") == "XML-EMPTY")
        #expect(code("<r xmlns='urn:x'><a>") == "XML-TRUNCATED")
        #expect(code("<r xmlns='urn:x'>&nope;</r>") == "XML-MALFORMED")
        #expect(code("<y:r>no prefix</y:r>") == "XML-MALFORMED")
        #expect(code("just text") != nil)
        let error = #expect(throws: XMLError.self) { try sample.read("<r xmlns='urn:x'>\n<a>\n</b></r>") }
        #expect(error?.diagnostic.place.line == 3)
        let invalid: [UInt8] =
            Array("<r xmlns='urn:x'><a><b>".utf8) + [0xE9, 0x20] + Array("</b></a></r>".utf8)
        #expect(throws: XMLError.self) { try sample.read(invalid) }
    }

    @Test func `records before a fault are delivered`() throws {
        let reader = try XMLRecordReader(sample.trie)
        var count = 0
        #expect(throws: XMLError.self) {
            try reader.feed(Array("<s><r xmlns='urn:x'/><r xmlns='urn:x'/><broken".utf8)) { _ in count += 1 }
            try reader.finish { _ in count += 1 }
        }
        #expect(count == 2)
    }

    @Test func `damaged bytes never crash the reader`() throws {
        let bytes = Array(
            "<s><r xmlns='urn:x'><a id='n'><b>texte &lt; <![CDATA[x]]></b></a><skip>y</skip></r><!-- c --><?p i?></s>"
                .utf8)
        var random = Seeded(2026)
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? sample.read(damaged, step: Int.random(in: 1...40, using: &random))
        }
    }
}

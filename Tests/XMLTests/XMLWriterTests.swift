// SPDX-License-Identifier: Apache-2.0
// The writer: what it writes is read back as it was.

import Testing
import XML

@Suite struct XMLWriterTests {
    @Test func `text and attributes are escaped so that they come back unchanged`() throws {
        let text = "a < b & \"c\" > 'd' ]]> é 💶\ttab\nligne\rretour"
        var writer = XMLWriter()
        try writer.element("r", ["xmlns": "urn:x"]) { writer in
            try writer.element("a", ["id": text], text: text)
        }
        var trie = PathTrie(records: [XMLName("r", namespace: "urn:x")])
        let a = trie.element(XMLName("a", namespace: "urn:x"), of: PathTrie.record)
        trie.keepText(of: a)
        let id = trie.attribute(XMLName("id"), of: a)
        var found: [Int: String] = [:]
        let reader = try XMLRecordReader(trie)
        func note(_ record: CapturedRecord) {
            for (node, text) in record.texts { found[node] = text }
        }
        try reader.feed(writer.bytes, note)
        try reader.finish(note)
        #expect(found[a] == text)
        #expect(found[id] == text)
    }

    @Test func `a document is laid out with one element a line`() throws {
        var writer = XMLWriter(indents: true)
        try writer.element("a") { writer in
            try writer.element("b", text: "1")
            try writer.element("c")
        }
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>\n  <b>1</b>\n  <c/>\n</a>")
    }

    @Test func `a character that XML cannot hold is refused`() {
        #expect(throws: XMLError.self) {
            var writer = XMLWriter()
            try writer.element("a", text: "\u{0}")
        }
    }
}

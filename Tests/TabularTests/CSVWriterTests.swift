// SPDX-License-Identifier: Apache-2.0
// The writer: what it writes is read back, and no cell of text is a formula.

import Tabular
import Testing

@Suite struct CSVWriterTests {
    private func rows(_ bytes: [UInt8]) throws -> [[String]] {
        var reader = CSVReader(CSVDialect(delimiter: UInt8(ascii: ";")), encoding: .utf8, mark: .utf8)
        try reader.append(bytes)
        var rows: [[String]] = []
        while try reader.next(isLast: true) {
            rows.append(try reader.fields.indices.map { try reader.text($0) })
        }
        return rows
    }

    @Test func `texts come back as they were, whatever is in them`() throws {
        let texts = ["é;è", "un \"mot\"", "deux\nlignes", "", "simple", "'déjà"]
        var writer = CSVWriter()
        writer.write(texts.map { .text($0) })
        #expect(try rows(writer.bytes) == [texts])
    }

    @Test(arguments: ["=1+1", "+33 1", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "=HYPERLINK(\"http://x\")"])
    func `a text that looks like a formula is only shown`(text: String) throws {
        var writer = CSVWriter()
        writer.write([.text(text), .literal("-2,50")])
        #expect(try rows(writer.bytes) == [["'" + text, "-2,50"]])
    }
}

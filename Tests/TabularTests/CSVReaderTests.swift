// SPDX-License-Identifier: Apache-2.0
// Delimited text: quoting, line ends, encodings, limits, and what is refused.

import Diagnostics
import RelaisTesting
import Tabular
import Testing

@Suite struct CSVReaderTests {
    private func read(
        _ bytes: [UInt8], step: Int = .max, dialect: CSVDialect = CSVDialect(),
        encodings: [TextEncoding] = [.utf8BOM, .utf8, .windows1252], limits: TableLimits = TableLimits()
    ) throws -> [[String]] {
        var probe = EncodingProbe()
        var rest = bytes[...]
        while !rest.isEmpty {
            probe.feed(Array(rest.prefix(step)))
            rest = rest.dropFirst(step)
        }
        probe.finish()
        var reader = CSVReader(
            dialect, encoding: try probe.choose(from: encodings), mark: probe.mark, limits: limits)
        var rows: [[String]] = []
        func note(isLast: Bool) throws {
            while try reader.next(isLast: isLast) {
                rows.append(try reader.fields.indices.map { try reader.text($0) })
            }
        }
        rest = bytes[...]
        while !rest.isEmpty {
            try reader.append(Array(rest.prefix(step)))
            try note(isLast: false)
            rest = rest.dropFirst(step)
        }
        try note(isLast: true)
        return rows
    }

    private func read(_ text: String) throws -> [[String]] { try read(Array(text.utf8)) }

    @Test func `quotes protect delimiters, line ends and quotes`() throws {
        let rows = try read("a,b\r\n\"1,5\",\"deux \"\"mots\"\"\"\r\n\"ligne 1\nligne 2\",\r\n\r\nfin,x")
        #expect(rows == [["a", "b"], ["1,5", "deux \"mots\""], ["ligne 1\nligne 2", ""], ["fin", "x"]])
    }

    @Test func `line ends of every make are taken off`() throws {
        #expect(try read("a,b\r\r\nc,\"d\"\r\r\ne,f\n") == [["a", "b"], ["c", "d"], ["e", "f"]])
        #expect(try read("a,") == [["a", ""]])
        #expect(try read(",\n") == [["", ""]])
    }

    @Test func `the pieces' borders make no difference`() throws {
        let text = "é,\"a\"\"b\"\r\n\"x\ny\",€\r\n1,2"
        let whole = try read(text)
        for step in 1...20 { #expect(try read(Array(text.utf8), step: step) == whole) }
        let units = text.utf16.flatMap { unit -> [UInt8] in [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
        let wide: [UInt8] = [0xFF, 0xFE] + units
        for step in 1...20 { #expect(try read(wide, step: step) == whole) }
    }

    @Test func `random tables are read as a reader of one character at a time reads them`() throws {
        var random = Seeded(7)
        let alphabet = Array("aaaabcdefgh1234567é€,,,,;\n\n\r\"\"".unicodeScalars)
        for _ in 0..<4_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...90, using: &random) {
                if let scalar = alphabet.randomElement(using: &random) { text.append(scalar) }
            }
            let step = [3, 8, 64, Int.max].randomElement(using: &random) ?? 1
            let found = try? read(Array(String(text).utf8), step: step)
            #expect(found == Self.rows(Array(text)), "\(String(text).debugDescription), \(step)")
        }
    }

    /// The rows of a table, character by character; nil where its quotes are wrong.
    private static func rows(_ text: [Unicode.Scalar]) -> [[String]]? {
        var rows: [[String]] = []
        var row: [String] = []
        var index = 0
        while index < text.count || !row.isEmpty {
            var field = String.UnicodeScalarView()
            let isQuoted = index < text.count && text[index] == "\""
            if isQuoted {
                index += 1
                while true {
                    guard index < text.count else { return nil }
                    if text[index] == "\"" {
                        index += 1
                        guard index < text.count, text[index] == "\"" else { break }
                    }
                    field.append(text[index])
                    index += 1
                }
                while index < text.count, text[index] == "\r" { index += 1 }
                guard index == text.count || text[index] == "," || text[index] == "\n" else { return nil }
            } else {
                while index < text.count, text[index] != ",", text[index] != "\n" {
                    field.append(text[index])
                    index += 1
                }
            }
            let endsRow = index == text.count || text[index] == "\n"
            if endsRow, !isQuoted { while field.last == "\r" { field.removeLast() } }
            row.append(String(field))
            index += 1
            guard endsRow else { continue }
            if row != [""] || isQuoted { rows.append(row) }
            row = []
        }
        return rows
    }

    @Test func `the encoding is the first that fits the whole file`() throws {
        #expect(try read([0xEF, 0xBB, 0xBF] + Array("é,b".utf8)) == [["é", "b"]])
        #expect(try read([0xE9, 0x2C, 0x80]) == [["é", "€"]])
        #expect(try read([0xE9, 0x2C, 0xA4], encodings: [.utf8, .iso8859_15]) == [["é", "€"]])
        #expect(try read([0x82, 0x2C, 0x9B], encodings: [.cp850]) == [["é", "ø"]])
        #expect(try read([0xFE, 0xFF, 0, 0x61, 0xD8, 0x3D, 0xDC, 0xB6]) == [["a💶"]])
    }

    private func fault(
        _ bytes: [UInt8], encodings: [TextEncoding] = [.utf8], limits: TableLimits = TableLimits()
    )
        -> Diagnostic?
    {
        do {
            _ = try read(bytes, encodings: encodings, limits: limits)
            return nil
        } catch {
            return (error as? TabularError)?.diagnostic
        }
    }

    @Test func `an encoding that does not fit is refused at the byte`() {
        let finding = fault(Array("a,b\nc,".utf8) + [0xE9])
        #expect(finding?.code == "CSV-ENCODING")
        #expect(finding?.place.line == 2)
        #expect(finding?.place.column == 3)
        #expect(finding?.place.value == "0xE9")
        #expect(fault([0x61, 0x81], encodings: [.windows1252])?.code == "CSV-ENCODING")
        #expect(fault(Array("a,b\n".utf8), encodings: [.utf8BOM])?.code == "CSV-ENCODING")
        #expect(fault([0xFF, 0xFE, 0x61])?.code == "CSV-ENCODING")
    }

    @Test func `a legacy encoding must have a character for every byte of the file`() throws {
        let controls = Array("a,b\nc,".utf8) + [0x92]
        #expect(fault(controls, encodings: [.iso8859_15])?.code == "CSV-ENCODING")
        #expect(try read(controls, encodings: [.iso8859_15, .windows1252]) == [["a", "b"], ["c", "’"]])
        #expect(fault([0x61, 0x8D], encodings: [.windows1252])?.place.value == "0x8D")
    }

    @Test func `lines of two encodings are refused, with both places`() throws {
        let mixed = Array("Été\n".utf8) + [0xC9, 0x74, 0xE9, 0x0A]
        let finding = fault(mixed, encodings: [.utf8, .windows1252])
        #expect(finding?.code == "CSV-MIXED-ENCODINGS")
        #expect(finding?.place.line == 2)
        #expect(finding?.facts["utf8"] == "1")
        #expect(try read(mixed, encodings: [.windows1252]).count == 2)
    }

    @Test func `a byte order mark in the middle is noticed`() {
        var probe = EncodingProbe()
        probe.feed(Array("\u{FEFF}a\nb\n\u{FEFF}c\n".utf8))
        probe.finish()
        #expect(probe.strayMark?.line == 3)
    }

    @Test(
        arguments: [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82], [0x80]]
            as [[UInt8]])
    func `bytes that Unicode forbids are not UTF-8`(bytes: [UInt8]) {
        #expect(fault(bytes)?.code == "CSV-ENCODING")
        #expect(String(validating: bytes, as: UTF8.self) == nil)
    }

    @Test func `faults name their line`() {
        #expect(fault([])?.code == "CSV-EMPTY")
        #expect(fault([0xEF, 0xBB, 0xBF])?.code == "CSV-EMPTY")
        #expect(fault(Array("a\0b".utf8))?.code == "CSV-NUL")
        let open = fault(Array("a,b\nc,\"d\ne\nf".utf8))
        #expect(open?.code == "CSV-OPEN-QUOTE")
        #expect(open?.place.line == 2)
        let stray = fault(Array("a,b\n\"c\"d,e\n".utf8))
        #expect(stray?.code == "CSV-STRAY-QUOTE")
        #expect(stray?.place.line == 2)
    }

    @Test func `a field or a row beyond its limit is refused`() {
        var limits = TableLimits()
        limits.field = 10
        #expect(fault(Array("abcdefghijkl,b\n".utf8), limits: limits)?.code == "CSV-FIELD")
        limits.field = 1 << 20
        limits.record = 10
        #expect(
            fault(Array("a,b,c,d,e,f,g,h,i,j".utf8) + Array(repeating: 44, count: 100), limits: limits)?.code
                == "CSV-RECORD")
        let open = Array("\"".utf8) + Array(repeating: 0x78, count: 2 << 20)
        #expect(fault(open)?.code == "CSV-OPEN-QUOTE")
    }

    @Test(arguments: [1, 7, 64, Int.max])
    func `lines of a length need no line ends, and are read as those that have them`(step: Int) throws {
        func lines(_ text: String, _ encoding: TextEncoding) throws -> [String] {
            var reader = LineReader(.lines, encoding: encoding, length: 10)
            var found: [String] = []
            func note(isLast: Bool) throws {
                while try reader.next(isLast: isLast) {
                    var bytes: [UInt8] = []
                    let row = reader.rowBytes
                    try reader.decoder.append(reader.fields[0], of: row.span, to: &bytes)
                    found.append(String(decoding: bytes, as: UTF8.self))
                }
            }
            var rest = (encoding == .utf8 ? Array(text.utf8) : text.unicodeScalars.map { UInt8($0.value) })[
                ...]
            while !rest.isEmpty {
                try reader.append(Array(rest.prefix(step)))
                try note(isLast: false)
                rest = rest.dropFirst(step)
            }
            try note(isLast: true)
            return found
        }
        let rows = (0..<12).map { "\($0 % 10)é345678é" + ($0.isMultiple(of: 2) ? "x" : "y") }
        for encoding in [TextEncoding.utf8, .windows1252] {
            for separator in ["", "\n", "\r\n"] {
                #expect(try lines(rows.joined(separator: separator), encoding) == rows)
                #expect(try lines(rows.joined(separator: separator) + separator, encoding) == rows)
            }
            #expect(try lines("court\nà peine\n", encoding) == ["court", "à peine"])
        }
    }

    @Test func `a table without quotes takes them as they are`() throws {
        let rows = try read(
            Array("a|\"b\n\"c|d\n".utf8), dialect: CSVDialect(delimiter: UInt8(ascii: "|"), quote: nil))
        #expect(rows == [["a", "\"b"], ["\"c", "d"]])
    }

    @Test func `damaged bytes never crash the reader`() {
        let bytes = Array("a;\"b;\"\"c\"\r\n\"x\ny\";é\r\n1;2;3\n".utf8)
        var random = Seeded(2026)
        for _ in 0..<2000 {
            var damaged = bytes
            for _ in 0..<3 {
                damaged[Int.random(in: damaged.indices, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            _ = try? read(damaged, step: Int.random(in: 1...30, using: &random))
        }
    }
}

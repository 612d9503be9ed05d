// SPDX-License-Identifier: Apache-2.0
// Reads delimited text in one pass: a field is a place in the read buffer, never a copy.

internal import Diagnostics

/// How rows and fields are separated.
package struct CSVDialect: Sendable, Hashable {
    /// Byte between fields; ASCII.
    package var delimiter: UInt8
    /// Byte around fields that hold delimiters; nil when quotes mean nothing.
    package var quote: UInt8?

    /// A dialect; RFC 4180 by default.
    package init(delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\"")) {
        self.delimiter = delimiter
        self.quote = quote
    }
}

/// A push reader of delimited text (RFC 4180, with any delimiter and LF, CR LF or CR CR LF line ends).
///
/// ``append(_:)`` takes bytes, ``next(isLast:)`` finds the next row, whose fields then stand in ``fields``.
/// Memory holds one piece and the longest row. A quote that is opened and never closed would swallow the rest
/// of the file: limits stop it, and the error names the line where it was opened.
package struct CSVReader: Sendable {
    /// The current row's fields, and what is left of longer rows behind them.
    private var found: [TextField] = []
    /// Number of the current row's fields.
    package private(set) var fieldCount = 0
    /// One-based line of the current row's first byte.
    package private(set) var line = 1
    /// The current row in the buffer, without its line end.
    private var row = 0..<0
    /// Whether the current row's bytes are all ASCII, and no quote in it is doubled.
    private var isPlain = true
    /// Turns fields into text.
    package let decoder: FieldDecoder
    private let scanner: CSVRowScanner
    private let limits: TableLimits
    private var buffer: RowBuffer

    /// A reader of one file.
    ///
    /// - Parameter mark: the file's byte order mark, as the probe found it.
    package init(
        _ dialect: CSVDialect, encoding: TextEncoding, mark: EncodingProbe.Mark = .none,
        limits: TableLimits = TableLimits()
    ) {
        decoder = FieldDecoder(encoding, quote: dialect.quote)
        scanner = CSVRowScanner(dialect: dialect, limits: limits)
        self.limits = limits
        buffer = RowBuffer(encoding, mark: mark)
    }

    /// A copy of the current row's fields, as places in the row.
    package var fields: [TextField] { Array(found[..<fieldCount]) }

    /// A copy of the current row's bytes.
    package var rowBytes: [UInt8] { Array(buffer.bytes[row]) }

    /// Appends the current row's bytes to others and gives its fields away, as places in the row: as texts, where
    /// they can be decoded (behind the row, where they are others than its bytes).
    ///
    /// The reader has no fields of this row afterwards.
    /// - Parameter fields: taken; what it is left with counts up to the result, the number of fields.
    package mutating func takeRow(into bytes: inout [UInt8], _ fields: inout [TextField]) -> Int {
        let base = bytes.count
        bytes.append(contentsOf: buffer.bytes[row])
        swap(&found, &fields)
        guard !isPlain else { return fieldCount }
        let row = buffer.bytes.span.extracting(row)
        for index in 0..<fieldCount where !fields[index].isPlain {
            let start = bytes.count
            if decoder.isText(fields[index]) {
                fields[index].isDecoded = true
            } else if (try? decoder.append(fields[index], of: row, to: &bytes)) != nil {
                fields[index].isDecoded = true
                fields[index].start = start - base
                fields[index].count = bytes.count - start
            }
        }
        return fieldCount
    }

    /// The current row's place in the file; of the text as UTF-8 when the file is UTF-16.
    package private(set) var place = 0..<0

    /// Takes the next bytes of the file.
    package mutating func append(_ next: [UInt8]) throws(TabularError) {
        try buffer.append(next)
    }

    /// Finds the next row; empty lines are no rows.
    ///
    /// - Parameter isLast: whether the file ends with what was appended; a last row without a line end counts.
    /// - Returns: false when there is none yet (or none any more).
    package mutating func next(isLast: Bool) throws(TabularError) -> Bool {
        if isLast { try buffer.finish() }
        // Taken out while the scanner fills them, and never copied.
        var found: [TextField] = []
        swap(&found, &self.found)
        defer { swap(&found, &self.found) }
        while buffer.position < buffer.bytes.count {
            let start = buffer.position
            let scanned = try scanner.scan(
                buffer.bytes.span, from: start, line: buffer.line, isLast: isLast, fields: &found)
            guard let scanned else {
                guard buffer.bytes.count - start <= limits.record else {
                    throw TabularError(
                        .record, ["limit": String(limits.record)], at: Place(line: buffer.line))
                }
                return false
            }
            line = buffer.line
            buffer.line += scanned.lines
            buffer.position = scanned.end
            if scanned.fields == 1, found[0].count == 0, !found[0].isQuoted { continue }
            fieldCount = scanned.fields
            isPlain = scanned.isPlain
            row = start..<scanned.contentEnd
            place = start + buffer.offset..<scanned.contentEnd + buffer.offset
            return true
        }
        return false
    }

    /// The text of a field of the current row.
    ///
    /// - Throws: `CSV-ENCODING` where the encoding has no character for a byte.
    package func text(_ index: Int) throws(TabularError) -> String {
        var text: [UInt8] = []
        try decoder.append(found[index], of: buffer.bytes.span.extracting(row), to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}

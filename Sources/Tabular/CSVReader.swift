// SPDX-License-Identifier: Apache-2.0
// Reads delimited text in one pass: a field is a place in the read buffer, never a copy.

internal import Diagnostics

/// How rows and fields are separated.
package struct CSVDialect: Sendable, Hashable {
    /// Byte between fields; ASCII.
    package var delimiter: UInt8
    /// Byte around fields that hold delimiters; nil when quotes mean nothing.
    package var quote: UInt8?

    package init(delimiter: UInt8 = UInt8(ascii: ","), quote: UInt8? = UInt8(ascii: "\"")) {
        self.delimiter = delimiter
        self.quote = quote
    }
}

/// What a broken table may cost at most.
package struct CSVLimits: Sendable, Hashable {
    /// Bytes of one field.
    package var field = 1 << 20
    /// Bytes of one row.
    package var record = 16 << 20

    package init() {}
}

/// A push reader of delimited text (RFC 4180, with any delimiter and LF, CR LF or CR CR LF line ends).
///
/// Memory holds one piece and the longest row. A quote that is opened and never closed would swallow the rest
/// of the file: limits stop it, and the error names the line where it was opened.
package struct CSVReader: Sendable {
    private let dialect: CSVDialect
    private let encoding: TextEncoding
    private let limits: CSVLimits
    private var utf16: UTF16Decoder?
    private var markBytes: Int
    /// The row that is not complete yet, and nothing before it.
    private var buffer: [UInt8] = []
    /// Line and offset of the buffer's first byte.
    private var line = 1
    private var offset: Int

    /// - Parameter mark: the file's byte order mark, as the probe found it.
    package init(
        _ dialect: CSVDialect, encoding: TextEncoding, mark: EncodingProbe.Mark = .none,
        limits: CSVLimits = CSVLimits()
    ) {
        self.dialect = dialect
        self.encoding = encoding
        self.limits = limits
        markBytes = mark.count
        offset = mark.count
        if encoding == .utf16 { utf16 = UTF16Decoder(bigEndian: mark == .utf16BigEndian) }
    }

    /// Reads the next bytes and hands over each row that ends in them; empty lines are no rows.
    package mutating func feed(_ bytes: [UInt8], _ body: (CSVRow) throws -> Void) throws {
        try append(bytes[...])
        try takeRows(isLast: false, body)
    }

    /// Ends the file; a last row without a line end counts.
    package mutating func finish(_ body: (CSVRow) throws -> Void) throws {
        if let utf16, !utf16.isComplete {
            throw TabularError(.encoding, encodingFacts, at: Place(line: line))
        }
        try takeRows(isLast: true, body)
    }

    private mutating func append(_ bytes: ArraySlice<UInt8>) throws(TabularError) {
        let rest = bytes.dropFirst(markBytes)
        markBytes -= bytes.count - rest.count
        guard utf16 != nil else { return buffer.append(contentsOf: rest) }
        guard let text = utf16?.decode(rest) else {
            throw TabularError(.encoding, encodingFacts, at: Place(line: line))
        }
        buffer.append(contentsOf: text)
    }

    private var encodingFacts: [String: String] { ["encodings": encoding.rawValue] }

    private mutating func takeRows(isLast: Bool, _ body: (CSVRow) throws -> Void) throws {
        let scanner = CSVRowScanner(dialect: dialect, limits: limits)
        var fields: [CSVRow.Field] = []
        var position = 0
        while position < buffer.count {
            fields.removeAll(keepingCapacity: true)
            let scanned = try scanner.scan(
                buffer.span, from: position, line: line, isLast: isLast, fields: &fields)
            guard let row = scanned else { break }
            let isBlank = fields.count == 1 && fields[0].count == 0 && !fields[0].isQuoted
            if !isBlank {
                try body(
                    CSVRow(
                        buffer: buffer, fields: fields, encoding: encoding, line: line,
                        bytes: offset + position..<offset + row.contentEnd))
            }
            line += row.lines
            position = row.end
        }
        guard buffer.count - position <= limits.record else {
            throw TabularError(.record, ["limit": String(limits.record)], at: Place(line: line))
        }
        buffer.removeFirst(position)
        offset += position
    }
}

// SPDX-License-Identifier: Apache-2.0
// Finds the fields of one row in a buffer, eight bytes at a time; bounds-checked spans, no copies.

internal import Diagnostics

/// The state machine of delimited text, one row at a time.
struct CSVRowScanner: Sendable {
    let dialect: CSVDialect
    let limits: TableLimits
    /// The bytes that end a field, eight times each.
    private let delimiters: UInt64
    private static let newlines = UInt64(repeating: UInt8(ascii: "\n"))
    private static let newline = UInt8(ascii: "\n")

    init(dialect: CSVDialect, limits: TableLimits) {
        self.dialect = dialect
        self.limits = limits
        delimiters = UInt64(repeating: dialect.delimiter)
    }

    /// Where a row ends: behind its content, behind its line end, the lines it spans and its fields.
    struct Row {
        var contentEnd: Int
        var end: Int
        var lines: Int
        var fields: Int
        var isComplete = false
    }

    /// Finds the fields of the row at `start`; nil where the buffer ends inside the row.
    ///
    /// - Parameter fields: taken for the row's fields from its start on; grows when it is too short.
    func scan(
        _ bytes: Span<UInt8>, from start: Int, line: Int, isLast: Bool, fields: inout [TextField]
    ) throws(TabularError) -> Row? {
        while true {
            var row = Row(contentEnd: start, end: start, lines: 0, fields: 0)
            var room = fields.mutableSpan
            if try scan(bytes, line: line, isLast: isLast, &row, &room) {
                return row.isComplete ? row : nil
            }
            try grow(&fields, line: line + row.lines)
        }
    }

    /// Finds the fields of the row that begins at the row's end; false where there is no room for all of them.
    private func scan(
        _ bytes: Span<UInt8>, line: Int, isLast: Bool, _ row: inout Row,
        _ fields: inout MutableSpan<TextField>
    ) throws(TabularError) -> Bool {
        while true {
            if row.fields == fields.count { return false }
            var field: TextField
            if let quote = dialect.quote, row.end < bytes.count, bytes[row.end] == quote {
                guard let quoted = try scanQuoted(quote, bytes, line: line, isLast: isLast, &row) else {
                    return true
                }
                field = quoted
            } else {
                field = scanPlain(bytes, from: row.end)
                row.end = field.start + field.count
            }
            fields[row.fields] = field
            row.fields += 1
            if field.count > limits.field { throw tooLong(row.fields, line: line + row.lines) }
            guard row.end < bytes.count else {
                if isLast { finish(&row, bytes, &fields) }
                return true
            }
            guard bytes[row.end] == Self.newline else {
                row.end += 1
                continue
            }
            finish(&row, bytes, &fields)
            row.end += 1
            row.lines += 1
            return true
        }
    }

    /// The unquoted field at a position, up to the delimiter or line end behind it.
    @inline(__always)
    private func scanPlain(_ bytes: Span<UInt8>, from start: Int) -> TextField {
        var position = start
        var seen: UInt64 = 0
        while position + 8 <= bytes.count {
            let word = bytes.word(at: position)
            let ends = (word ^ delimiters).zeroBytes | (word ^ Self.newlines).zeroBytes
            guard ends == 0 else {
                let count = ends.trailingZeroBitCount / 8
                seen |= word & ((1 << UInt64(count * 8)) &- 1)
                return TextField(
                    start: start, count: position + count - start, isASCII: seen & UInt64.highBits == 0)
            }
            seen |= word
            position += 8
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte == dialect.delimiter || byte == Self.newline { break }
            seen |= UInt64(byte)
            position += 1
        }
        return TextField(start: start, count: position - start, isASCII: seen & UInt64.highBits == 0)
    }

    /// The quoted field at the row's end, which moves to the delimiter or line end behind it; nil where the
    /// buffer ends inside it.
    private func scanQuoted(
        _ quote: UInt8, _ bytes: Span<UInt8>, line: Int, isLast: Bool, _ row: inout Row
    ) throws(TabularError) -> TextField? {
        let start = row.end
        let openedOn = line + row.lines
        var position = start + 1
        var seen: UInt8 = 0
        var hasDoubled = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == quote {
                guard position + 1 < bytes.count, bytes[position + 1] == quote else { break }
                hasDoubled = true
                position += 1
            } else if byte == Self.newline {
                row.lines += 1
            }
            seen |= byte
            position += 1
        }
        guard position < bytes.count else {
            guard isLast || position - start > limits.field else { return nil }
            throw TabularError(.openQuote, at: Place(line: openedOn))
        }
        let field = TextField(
            start: start + 1, count: position - start - 1, isASCII: seen < 0x80, isQuoted: true,
            hasDoubledQuotes: hasDoubled)
        position += 1
        while position < bytes.count, bytes[position] == UInt8(ascii: "\r") { position += 1 }
        row.end = position
        guard position < bytes.count else { return isLast ? field : nil }
        guard bytes[position] == dialect.delimiter || bytes[position] == Self.newline else {
            throw TabularError(
                .strayQuote, at: Place(line: line + row.lines, column: position - start, value: nil))
        }
        return field
    }

    /// Ends the row in front of its line end, whose carriage returns are no part of the last field.
    @inline(__always)
    private func finish(_ row: inout Row, _ bytes: Span<UInt8>, _ fields: inout MutableSpan<TextField>) {
        row.isComplete = true
        row.contentEnd = row.end
        var field = fields[row.fields - 1]
        guard !field.isQuoted else { return }
        while field.count > 0, bytes[field.start + field.count - 1] == UInt8(ascii: "\r") {
            field.count -= 1
        }
        fields[row.fields - 1] = field
    }

    private func grow(_ fields: inout [TextField], line: Int) throws(TabularError) {
        guard fields.count < limits.fields else {
            throw TabularError(.fields, ["limit": String(limits.fields)], at: Place(line: line))
        }
        let more = min(max(16, fields.count), limits.fields - fields.count)
        fields += repeatElement(TextField(start: 0, count: 0, isASCII: true), count: more)
    }

    private func tooLong(_ number: Int, line: Int) -> TabularError {
        TabularError(
            .field, ["limit": String(limits.field), "number": String(number)], at: Place(line: line))
    }
}

extension UInt64 {
    /// The highest bit of each byte.
    fileprivate static let highBits: UInt64 = 0x8080_8080_8080_8080

    /// One byte in all eight places.
    fileprivate init(repeating byte: UInt8) {
        self = UInt64(byte) * 0x0101_0101_0101_0101
    }

    /// The highest bit of each byte that is zero, exactly (no borrow from the byte beside it).
    @inline(__always) fileprivate var zeroBytes: UInt64 {
        let lowBits = ~Self.highBits
        return ~(((self & lowBits) &+ lowBits) | self) & Self.highBits
    }
}

extension Span<UInt8> {
    /// Eight bytes, the first in the lowest place. The span checks its bounds, and any bytes are a number.
    @inline(__always) fileprivate func word(at index: Int) -> UInt64 {
        UInt64(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
    }
}

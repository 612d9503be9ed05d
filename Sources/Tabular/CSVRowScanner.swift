// SPDX-License-Identifier: Apache-2.0
// Finds the fields of one row in a buffer, eight bytes at a time; bounds-checked spans, no copies.

internal import Bytes
internal import Diagnostics

/// The state machine of delimited text, one row at a time.
struct CSVRowScanner: Sendable {
    let dialect: CSVDialect
    let limits: TableLimits
    /// The bytes that end a field, eight times each.
    private let delimiters: ByteWord
    private static let newline = UInt8(ascii: "\n")

    init(dialect: CSVDialect, limits: TableLimits) {
        self.dialect = dialect
        self.limits = limits
        delimiters = ByteWord(repeating: dialect.delimiter)
    }

    /// Where a row begins and ends: its content, its line end, the lines it spans and its fields.
    struct Row {
        let start: Int
        var contentEnd: Int
        var end: Int
        var lines = 0
        var fields = 0
        /// Whether all bytes are ASCII and no quote is doubled.
        var isPlain = true
        var isComplete = false

        init(at start: Int) {
            self.start = start
            contentEnd = start
            end = start
        }
    }

    /// Finds the fields of the row at `start`; nil where the buffer ends inside the row.
    ///
    /// - Parameter fields: taken for the row's fields from its start on; grows when it is too short. They are
    ///   places in the row.
    func scan(
        _ bytes: Span<UInt8>, from start: Int, line: Int, isLast: Bool, fields: inout [TextField]
    ) throws(TabularError) -> Row? {
        while true {
            var row = Row(at: start)
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
            let first = row.fields
            let start = row.end
            if let quote = dialect.quote, row.end < bytes.count, bytes[row.end] == quote {
                guard let field = try scanQuoted(quote, bytes, line: line, isLast: isLast, &row) else {
                    return true
                }
                if !field.isPlain { row.isPlain = false }
                fields[row.fields] = field
                row.fields += 1
            } else {
                scanPlain(bytes, &row, &fields)
            }
            if row.end - start > limits.field {
                for index in first..<row.fields where fields[index].count > limits.field {
                    throw tooLong(index + 1, line: line + row.lines)
                }
            }
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

    /// Finds the unquoted fields from the row's end on, as many as there is room for; that moves to the delimiter or
    /// line end behind the last of them.
    @inline(__always)
    private func scanPlain(_ bytes: Span<UInt8>, _ row: inout Row, _ fields: inout MutableSpan<TextField>) {
        // No field begins with a byte of 0xFF where quotes mean nothing.
        let quote = dialect.quote ?? 0xFF
        let newlines = ByteWord(repeating: Self.newline)
        var start = row.end
        var position = start
        var seen: UInt64 = 0
        while position &+ 8 <= bytes.count {
            let word = bytes.word(at: position)
            var ends = word.marks(of: delimiters) | word.marks(of: newlines)
            var high = word.bits & ByteWord.highBits
            while ends != 0 {
                let end = position &+ ends.trailingZeroBitCount / 8
                let below = (ends & (0 &- ends)) &- 1
                seen |= high & below
                if seen != 0 { row.isPlain = false }
                fields[row.fields] = TextField(
                    start: start &- row.start, count: end &- start, isASCII: seen == 0)
                row.fields &+= 1
                row.end = end
                start = end &+ 1
                if row.fields == fields.count || bytes[end] == Self.newline || start == bytes.count
                    || bytes[start] == quote
                {
                    return
                }
                high &= ~below
                ends &= ends &- 1
                seen = 0
            }
            seen |= high
            position &+= 8
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte == dialect.delimiter || byte == Self.newline { break }
            seen |= UInt64(byte) & 0x80
            position += 1
        }
        if seen != 0 { row.isPlain = false }
        fields[row.fields] = TextField(start: start - row.start, count: position - start, isASCII: seen == 0)
        row.fields += 1
        row.end = position
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
            start: start + 1 - row.start, count: position - start - 1, isASCII: seen < 0x80, isQuoted: true,
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
        while field.count > 0, bytes[row.start + field.start + field.count - 1] == UInt8(ascii: "\r") {
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

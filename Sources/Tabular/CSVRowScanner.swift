// SPDX-License-Identifier: Apache-2.0
// Finds the fields of one row in a buffer; bounds-checked spans, no copies.

internal import Diagnostics

/// The state machine of delimited text, one row at a time.
struct CSVRowScanner: Sendable {
    let dialect: CSVDialect
    let limits: TableLimits

    /// Where a row ends: behind its content, behind its line end, and the lines it spans.
    struct Row {
        let contentEnd: Int
        let end: Int
        let lines: Int
    }

    /// Finds the fields of the row at `start`; nil where the buffer ends inside the row.
    func scan(
        _ bytes: Span<UInt8>, from start: Int, line: Int, isLast: Bool, fields: inout [TextField]
    ) throws(TabularError) -> Row? {
        let newline = UInt8(ascii: "\n")
        var position = start
        var lines = 0
        while true {
            if let quote = dialect.quote, position < bytes.count, bytes[position] == quote {
                guard
                    let end = try scanQuoted(
                        quote, bytes, from: position, line: line, isLast: isLast, lines: &lines,
                        fields: &fields)
                else { return nil }
                position = end
            } else {
                let fieldStart = position
                var seen: UInt8 = 0
                while position < bytes.count {
                    let byte = bytes[position]
                    if byte == dialect.delimiter || byte == newline { break }
                    seen |= byte
                    position += 1
                }
                fields.append(
                    TextField(start: fieldStart, count: position - fieldStart, isASCII: seen < 0x80))
            }
            try check(fields, line: line + lines)
            guard position < bytes.count else {
                guard isLast else { return nil }
                trimCarriageReturns(bytes, &fields)
                return Row(contentEnd: position, end: position, lines: lines)
            }
            guard bytes[position] == newline else {
                position += 1
                if position == bytes.count {
                    guard isLast else { return nil }
                    fields.append(TextField(start: position, count: 0, isASCII: true))
                    return Row(contentEnd: position, end: position, lines: lines)
                }
                continue
            }
            trimCarriageReturns(bytes, &fields)
            return Row(contentEnd: position, end: position + 1, lines: lines + 1)
        }
    }

    /// Finds the end of a quoted field; nil where the buffer ends inside it.
    ///
    /// - Returns: the position of the delimiter or line end behind it.
    private func scanQuoted(
        _ quote: UInt8, _ bytes: Span<UInt8>, from start: Int, line: Int, isLast: Bool, lines: inout Int,
        fields: inout [TextField]
    ) throws(TabularError) -> Int? {
        let openedOn = line + lines
        var position = start + 1
        var seen: UInt8 = 0
        var hasDoubled = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == quote {
                guard position + 1 < bytes.count, bytes[position + 1] == quote else { break }
                hasDoubled = true
                position += 1
            } else if byte == UInt8(ascii: "\n") {
                lines += 1
            }
            seen |= byte
            position += 1
        }
        guard position < bytes.count else {
            guard isLast || position - start > limits.field else { return nil }
            throw TabularError(.openQuote, at: Place(line: openedOn))
        }
        fields.append(
            TextField(
                start: start + 1, count: position - start - 1, isASCII: seen < 0x80, isQuoted: true,
                hasDoubledQuotes: hasDoubled))
        position += 1
        while position < bytes.count, bytes[position] == UInt8(ascii: "\r") { position += 1 }
        guard position < bytes.count else { return isLast ? position : nil }
        guard bytes[position] == dialect.delimiter || bytes[position] == UInt8(ascii: "\n") else {
            throw TabularError(
                .strayQuote, at: Place(line: line + lines, column: position - start, value: nil))
        }
        return position
    }

    private func check(_ fields: [TextField], line: Int) throws(TabularError) {
        guard fields.count <= limits.fields else {
            throw TabularError(.fields, ["limit": String(limits.fields)], at: Place(line: line))
        }
        guard let field = fields.last, field.count > limits.field else { return }
        throw TabularError(
            .field, ["limit": String(limits.field), "number": String(fields.count)], at: Place(line: line))
    }

    /// Takes the line end's carriage returns off the last field.
    private func trimCarriageReturns(_ bytes: Span<UInt8>, _ fields: inout [TextField]) {
        guard var field = fields.popLast() else { return }
        while !field.isQuoted, field.count > 0, bytes[field.start + field.count - 1] == UInt8(ascii: "\r") {
            field.count -= 1
        }
        fields.append(field)
    }
}

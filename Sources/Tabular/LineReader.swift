// SPDX-License-Identifier: Apache-2.0
// Reads files whose rows are lines (fixed width) or blocks of lines that begin with a tag (Sage).

internal import Diagnostics

/// A push reader of lines; the same use as ``CSVReader``.
package struct LineReader: Sendable {
    /// What a row is.
    package enum Shape: Sendable, Hashable {
        /// Each line is a row of one field.
        case lines
        /// A line that begins with `#` and the lines behind it are a row, a field each.
        case tagged
    }

    /// The current row's fields, as places in the row.
    package private(set) var fields: [TextField] = []
    /// One-based line of the current row's first byte.
    package private(set) var line = 1
    /// The current row in the buffer, without its line end.
    private var row = 0..<0
    /// Turns fields into text.
    package let decoder: FieldDecoder
    private let shape: Shape
    /// Characters of a line in files without line ends, as on magnetic tapes.
    private let length: Int?
    /// Whether lines end by their length; nil until the first bytes have told.
    private var endsByLength: Bool?
    private let limits: TableLimits
    private var buffer: RowBuffer

    /// A reader of one file.
    ///
    /// - Parameters:
    ///   - mark: the file's byte order mark, as the probe found it.
    ///   - length: so many characters are a line, where the first two such lines have no line end.
    package init(
        _ shape: Shape, encoding: TextEncoding, mark: EncodingProbe.Mark = .none, length: Int? = nil,
        limits: TableLimits = TableLimits()
    ) {
        self.shape = shape
        self.length = length
        decoder = FieldDecoder(encoding, quote: nil)
        self.limits = limits
        buffer = RowBuffer(encoding, mark: mark)
    }

    /// A copy of the current row's bytes.
    package var rowBytes: [UInt8] { Array(buffer.bytes[row]) }

    /// The current row's place in the file; of the text as UTF-8 when the file is UTF-16.
    package var place: Range<Int> { row.lowerBound + buffer.offset..<row.upperBound + buffer.offset }

    /// Takes the next bytes of the file.
    package mutating func append(_ next: [UInt8]) throws(TabularError) {
        try buffer.append(next)
    }

    /// Finds the next row; empty lines between rows are no rows.
    ///
    /// - Returns: false when there is none yet (or none any more).
    package mutating func next(isLast: Bool) throws(TabularError) -> Bool {
        if isLast { try buffer.finish() }
        guard decideLineEnds(isLast: isLast) else { return false }
        fields.removeAll(keepingCapacity: true)
        var position = buffer.position
        var lines = 0
        while let found = try lineEnd(from: position, isLast: isLast, line: buffer.line + lines) {
            let isTag = found.field.count > 0 && buffer.bytes[found.field.start] == UInt8(ascii: "#")
            if shape == .tagged, !fields.isEmpty, isTag { break }
            let isBlank = shape == .lines ? isBlank(found.field) : found.field.count == 0
            if !fields.isEmpty || !isBlank {
                if fields.isEmpty { line = buffer.line + lines }
                fields.append(found.field)
            }
            lines += 1
            position = found.end
            if shape == .lines, !fields.isEmpty { break }
            guard fields.count <= limits.fields else {
                throw TabularError(.record, ["limit": String(limits.fields)], at: Place(line: line))
            }
        }
        let isComplete = shape == .lines || isLast || position < buffer.bytes.count && nextIsTag(position)
        guard let first = fields.first, let last = fields.last, isComplete else {
            guard buffer.bytes.count - buffer.position <= limits.record else {
                throw TabularError(.record, ["limit": String(limits.record)], at: Place(line: buffer.line))
            }
            return false
        }
        buffer.position = position
        buffer.line += lines
        row = first.start..<last.start + last.count
        for index in fields.indices { fields[index].start -= row.lowerBound }
        return true
    }

    /// Whether a line is nothing but spaces, or the mark that old systems end a file with.
    private func isBlank(_ line: TextField) -> Bool {
        buffer.bytes[line.range].allSatisfy { $0 == UInt8(ascii: " ") || $0 == 0x1A }
    }

    private func nextIsTag(_ position: Int) -> Bool { buffer.bytes[position] == UInt8(ascii: "#") }

    /// The line at `position` and what is behind its end; nil where the buffer ends inside it.
    private func lineEnd(
        from position: Int, isLast: Bool, line: Int
    ) throws(TabularError) -> (field: TextField, end: Int)? {
        let bytes = buffer.bytes.span
        guard position < bytes.count else { return nil }
        var index = position
        var seen: UInt8 = 0
        let most = endsByLength == true ? length ?? .max : .max
        let continues: UInt8 = decoder.encoding.isLegacy ? 0 : 0x80
        var characters = 0
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            // Bytes inside a character of UTF-8 begin with the bits 10.
            if continues == 0 || bytes[index] & 0xC0 != continues {
                if characters == most { break }
                characters += 1
            }
            seen |= bytes[index]
            index += 1
        }
        if characters == most, index < bytes.count || isLast {
            var end = index
            while end < bytes.count, bytes[end] == UInt8(ascii: "\r") || bytes[end] == UInt8(ascii: "\n") {
                end += 1
            }
            return (TextField(start: position, count: index - position, isASCII: seen < 0x80), end)
        }
        guard index - position <= limits.field else {
            throw TabularError(.field, ["limit": String(limits.field), "number": "1"], at: Place(line: line))
        }
        guard index < bytes.count || isLast else { return nil }
        var count = index - position
        while count > 0, bytes[position + count - 1] == UInt8(ascii: "\r") { count -= 1 }
        return (
            TextField(start: position, count: count, isASCII: seen < 0x80), min(index + 1, bytes.count)
        )
    }

    /// Finds out whether lines end by their length; false where that takes more bytes.
    private mutating func decideLineEnds(isLast: Bool) -> Bool {
        guard let length, endsByLength == nil else { return true }
        // A character of UTF-8 takes four bytes at most.
        let wanted = length * 8
        guard buffer.bytes.count >= wanted || isLast else { return false }
        let first = buffer.bytes.prefix(decoder.encoding.isLegacy ? length * 2 : wanted)
        endsByLength = first.count > length && !first.dropLast(2).contains(UInt8(ascii: "\n"))
        return true
    }
}

// SPDX-License-Identifier: Apache-2.0
// One row of delimited text; its fields become text when somebody asks.

internal import Diagnostics

/// A row and the buffer its fields lie in.
package struct CSVRow: Sendable {
    /// A field's place in the buffer, without its quotes.
    struct Field: Sendable {
        var start: Int
        var count: Int
        var isASCII: Bool
        var isQuoted = false
        var hasDoubledQuotes = false
    }

    let buffer: [UInt8]
    let fields: [Field]
    let encoding: TextEncoding
    /// One-based line of the row's first byte.
    package let line: Int
    /// The row's place in the file, without its line end; of the text as UTF-8 when the file is UTF-16.
    package let bytes: Range<Int>

    /// Number of fields.
    package var count: Int { fields.count }

    /// Whether field `index` has no character at all.
    package func isEmpty(_ index: Int) -> Bool { fields[index].count == 0 }

    /// The field's bytes as they are in the file, without its quotes; doubled quotes are still doubled.
    package func raw(_ index: Int) -> ArraySlice<UInt8> {
        let field = fields[index]
        return buffer[field.start..<field.start + field.count]
    }

    /// Whether the field is plain ASCII without doubled quotes, so that ``raw(_:)`` is its text.
    package func isPlain(_ index: Int) -> Bool {
        fields[index].isASCII && !fields[index].hasDoubledQuotes
    }

    /// The field's text.
    ///
    /// - Throws: `CSV-ENCODING` where the encoding has no character for a byte.
    package func text(_ index: Int) throws(TabularError) -> String {
        let field = fields[index]
        if field.isASCII, !field.hasDoubledQuotes { return String(decoding: raw(index), as: UTF8.self) }
        guard let text = encoding.text(raw(index)) else {
            throw TabularError(
                .encoding, ["encodings": encoding.rawValue, "number": String(index + 1)],
                at: Place(line: line))
        }
        return field.hasDoubledQuotes ? text.replacing("\"\"", with: "\"") : text
    }
}

extension EncodingProbe.Position {
    /// The position as a place, the byte as its value.
    var place: Place {
        Place(line: line, column: column, value: "0x" + String(byte, radix: 16, uppercase: true))
    }
}

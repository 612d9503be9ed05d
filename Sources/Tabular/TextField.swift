// SPDX-License-Identifier: Apache-2.0
// A field of a table as a place in the read buffer; its bytes become text when somebody asks.

internal import Diagnostics

/// A field's place in its reader's buffer, without its quotes.
package struct TextField: Sendable, BitwiseCopyable {
    /// Offset of the first byte.
    package var start: Int
    /// Number of bytes.
    package var count: Int
    /// Whether all bytes are ASCII.
    package var isASCII: Bool
    /// Whether quotes stood around it.
    package var isQuoted = false
    /// Whether quotes inside it are doubled.
    package var hasDoubledQuotes = false

    /// Whether its bytes are its text in UTF-8 whatever the encoding is.
    package var isPlain: Bool { isASCII && !hasDoubledQuotes }

    /// A field at a place.
    package init(
        start: Int, count: Int, isASCII: Bool, isQuoted: Bool = false, hasDoubledQuotes: Bool = false
    ) {
        self.start = start
        self.count = count
        self.isASCII = isASCII
        self.isQuoted = isQuoted
        self.hasDoubledQuotes = hasDoubledQuotes
    }
}

/// How the bytes of fields become text.
package struct FieldDecoder: Sendable {
    /// The file's encoding.
    package let encoding: TextEncoding
    private let quote: UInt8?
    /// UTF-8 of the bytes 0x80...0xFF of a legacy encoding: length, then the bytes; length 0 where it has none.
    private let table: [(UInt8, UInt8, UInt8, UInt8)]

    /// A decoder of one file's fields; `quote` is what quotes are doubled of.
    package init(_ encoding: TextEncoding, quote: UInt8?) {
        self.encoding = encoding
        self.quote = quote
        table = (encoding.legacyTable ?? []).map { unit in
            guard unit != 0xFFFD, let scalar = Unicode.Scalar(unit) else { return (0, 0, 0, 0) }
            let bytes = Array(String(Character(scalar)).utf8)
            return (
                UInt8(bytes.count), bytes[0], bytes.count > 1 ? bytes[1] : 0, bytes.count > 2 ? bytes[2] : 0
            )
        }
    }

    /// Appends a field's text to some bytes, in UTF-8.
    ///
    /// - Parameter source: what the field is a place in.
    /// - Throws: `CSV-ENCODING` where the encoding has no character for a byte.
    package func append(_ field: TextField, of source: [UInt8], to bytes: inout [UInt8]) throws(TabularError)
    {
        var field = field
        let start = bytes.count
        bytes.append(contentsOf: source[field.start..<field.start + field.count])
        field.start = start
        try append(field, to: &bytes)
        bytes.removeSubrange(start..<start + field.count)
    }

    /// Appends the text of a field of some bytes to the same bytes, in UTF-8.
    ///
    /// - Throws: `CSV-ENCODING` where the encoding has no character for a byte.
    package func append(_ field: TextField, to bytes: inout [UInt8]) throws(TabularError) {
        var index = field.start
        let end = field.start + field.count
        while index < end {
            let byte = bytes[index]
            index += 1
            if byte == quote, field.hasDoubledQuotes { index += 1 }
            guard byte >= 0x80, !table.isEmpty else {
                bytes.append(byte)
                continue
            }
            let (count, first, second, third) = table[Int(byte) - 0x80]
            guard count > 0 else {
                let value = "0x" + String(byte, radix: 16, uppercase: true)
                throw TabularError(.encoding, ["encodings": encoding.rawValue], at: Place(value: value))
            }
            bytes.append(first)
            if count > 1 { bytes.append(second) }
            if count > 2 { bytes.append(third) }
        }
    }
}

extension EncodingProbe.Position {
    /// The position as a place, the byte as its value.
    var place: Place {
        Place(line: line, column: column, value: "0x" + String(byte, radix: 16, uppercase: true))
    }
}

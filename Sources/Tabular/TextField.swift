// SPDX-License-Identifier: Apache-2.0
// A field of a table as a place in the read buffer; its bytes become text when somebody asks.

internal import Diagnostics

/// A field's place in its reader's buffer, without its quotes.
public struct TextField: Sendable, BitwiseCopyable {
    /// Offset of the first byte.
    public var start: Int
    /// Number of bytes.
    public var count: Int
    /// Whether all bytes are ASCII.
    public var isASCII: Bool
    /// Whether quotes stood around it.
    public var isQuoted = false
    /// Whether quotes inside it are doubled.
    public var hasDoubledQuotes = false

    /// The offsets of its bytes.
    public var range: Range<Int> { start..<start + count }

    /// Whether its bytes were decoded already.
    public var isDecoded = false

    /// Whether its bytes are its text in UTF-8 whatever the encoding is.
    public var isPlain: Bool { isDecoded || isASCII && !hasDoubledQuotes }

    /// A field at a place.
    public init(
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
    /// UTF-8 of the bytes 0x80...0xFF of a legacy encoding, the first byte lowest; 0 where it has none.
    private let table: [UInt32]

    /// A decoder of one file's fields; `quote` is what quotes are doubled of.
    package init(_ encoding: TextEncoding, quote: UInt8?) {
        self.encoding = encoding
        self.quote = quote
        table = (encoding.legacyTable ?? []).map { unit in
            guard unit != 0xFFFD, let scalar = Unicode.Scalar(unit) else { return 0 }
            // By way of a string: the reversed view of `UTF8.encode`'s result never ends (Swift 6.3.1).
            return String(Character(scalar)).utf8.reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    /// Whether a field's bytes are its text in UTF-8 as they stand.
    func isText(_ field: TextField) -> Bool {
        field.isPlain || table.isEmpty && !field.hasDoubledQuotes
    }

    /// Appends a field's text to some bytes, in UTF-8.
    ///
    /// - Parameter source: what the field is a place in.
    /// - Throws: `CSV-ENCODING` where the encoding has no character for a byte; nothing is appended then.
    package func append(
        _ field: TextField, of source: Span<UInt8>, to bytes: inout [UInt8]
    ) throws(TabularError) {
        let start = bytes.count
        let text = source.extracting(field.range)
        // 0xFF is no quote (quotes are ASCII), and stands for none.
        let doubled = field.hasDoubledQuotes ? quote ?? 0xFF : 0xFF
        var unknown: UInt8?
        // A byte of a legacy encoding takes three in UTF-8 at most.
        bytes.append(addingCapacity: text.count * 3) { (output: inout OutputSpan<UInt8>) in
            var index = 0
            while index < text.count {
                let byte = text[index]
                index += 1
                guard byte >= 0x80, !table.isEmpty else {
                    if byte == doubled { index += 1 }
                    output.append(byte)
                    continue
                }
                var units = table[Int(byte) - 0x80]
                if units == 0 { unknown = byte }
                while units > 0 {
                    output.append(UInt8(truncatingIfNeeded: units))
                    units >>= 8
                }
            }
        }
        guard let unknown else { return }
        bytes.removeLast(bytes.count - start)
        let value = "0x" + String(unknown, radix: 16, uppercase: true)
        throw TabularError(.encoding, ["encodings": encoding.rawValue], at: Place(value: value))
    }
}

extension EncodingProbe.Position {
    /// The position as a place, the byte as its value.
    var place: Place {
        Place(line: line, column: column, value: "0x" + String(byte, radix: 16, uppercase: true))
    }
}

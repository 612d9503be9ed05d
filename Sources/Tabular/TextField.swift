// SPDX-License-Identifier: Apache-2.0
// A field of a table as a place in its row; its bytes become text when somebody asks.

internal import Bytes
internal import Diagnostics

/// A field's place in its row, without its quotes.
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
        let quotes = field.hasDoubledQuotes ? quote.map(ByteWord.init(repeating:)) : nil
        let highBits = table.isEmpty ? 0 : ByteWord.highBits
        var unknown: UInt8?
        // A byte of a legacy encoding takes three in UTF-8 at most; words are written whole.
        bytes.append(addingCapacity: text.count * 3 + 8) { (output: inout OutputSpan<UInt8>) in
            output.append(repeating: 0, count: text.count * 3 + 8)
            // Bytes are numbers whatever they hold, and the span checks its bounds.
            var room = output.mutableSpan
            var raw = unsafe room.mutableBytes
            var end = 0
            var index = 0
            while index < text.count {
                // The bytes that stay as they are, then one that does not.
                let size = min(8, text.count &- index)
                let word = text.word(at: index, count: size)
                var others = word.bits & highBits
                if let quotes { others |= word.marks(of: quotes) }
                raw.storeBytes(of: word.bits.littleEndian, toByteOffset: end, as: UInt64.self)
                let plain = min(size, others.trailingZeroBitCount / 8)
                index &+= plain
                end &+= plain
                guard plain < size else { continue }
                let byte = text[index]
                // A quote stands for itself and the one that it was doubled with.
                index &+= byte < 0x80 ? 2 : 1
                let units = byte < 0x80 ? UInt32(byte) : table[Int(byte) - 0x80]
                if units == 0 { unknown = byte }
                raw.storeBytes(of: units.littleEndian, toByteOffset: end, as: UInt32.self)
                end &+= 4 &- units.leadingZeroBitCount / 8
            }
            output.removeLast(output.count - end)
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

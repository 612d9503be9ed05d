// SPDX-License-Identifier: Apache-2.0
// One pass over a whole file that tells which encodings it can be in; nothing is guessed from a sample.

internal import Diagnostics

/// Watches a file go by: byte order mark, UTF-8 validity, zero bytes.
package struct EncodingProbe: Sendable {
    /// A position in the file.
    package struct Position: Sendable, Hashable {
        /// From the start, in bytes.
        package let offset: Int
        /// One-based, counting line feeds.
        package let line: Int
        /// One-based, in bytes.
        package let column: Int
        /// The byte found there.
        package let byte: UInt8
    }

    /// The mark at the start of the file.
    package enum Mark: Sendable, Hashable {
        case none, utf8, utf16BigEndian, utf16LittleEndian

        /// Its length in bytes.
        package var count: Int {
            switch self {
            case .none: 0
            case .utf8: 3
            case .utf16BigEndian, .utf16LittleEndian: 2
            }
        }
    }

    /// First byte that cannot be UTF-8.
    package private(set) var firstInvalid: Position?
    /// First zero byte.
    package private(set) var firstNUL: Position?
    /// First byte between 0x80 and 0xFF.
    package private(set) var firstHigh: Position?
    /// First byte between 0x80 and 0x9F, which ISO 8859 has control characters for: such a file is another one.
    package private(set) var firstC1: Position?
    /// First byte that Windows-1252 has no character for.
    package private(set) var firstUndefined: Position?
    /// First letter of two bytes in UTF-8 (`é`, `°`…), wherever else the file breaks UTF-8.
    package private(set) var firstMultibyte: Position?
    /// First UTF-8 byte order mark that does not stand at the start.
    package private(set) var strayMark: Position?
    /// Bytes seen.
    package private(set) var count = 0

    private var head: [UInt8] = []
    /// The last two bytes that are no ASCII, in a row.
    private var last: (UInt8, UInt8) = (0, 0)
    private var line = 1
    private var lineStart = 0
    /// Continuation bytes still expected, and the range of the next one.
    private var expected = 0
    private var range: ClosedRange<UInt8> = 0x80...0xBF
    /// First byte of the character that is being read.
    private var lead: Position?

    /// A probe that has seen nothing yet.
    package init() {}

    /// The byte order mark.
    package var mark: Mark {
        if head.starts(with: [0xEF, 0xBB, 0xBF]) { return .utf8 }
        if head.starts(with: [0xFE, 0xFF]) { return .utf16BigEndian }
        if head.starts(with: [0xFF, 0xFE]) { return .utf16LittleEndian }
        return .none
    }

    /// Looks at the next bytes of the file.
    package mutating func feed(_ bytes: [UInt8]) {
        if head.count < 3 { head.append(contentsOf: bytes.prefix(3 - head.count)) }
        for (index, byte) in bytes.enumerated() {
            if byte == 10 {
                line += 1
                lineStart = count + index + 1
            }
            if byte == 0, firstNUL == nil { firstNUL = position(count + index, byte) }
            if byte < 0x80, expected == 0 {
                last = (0, 0)
                continue
            }
            if byte >= 0x80 { noteHigh(byte, at: count + index) }
            noteLetter(byte, at: count + index)
            if firstInvalid == nil { check(byte, at: count + index) }
        }
        count += bytes.count
    }

    /// Says that the file ends here.
    package mutating func finish() {
        if expected > 0, firstInvalid == nil { firstInvalid = lead }
    }

    private func position(_ offset: Int, _ byte: UInt8) -> Position {
        Position(offset: offset, line: line, column: offset - lineStart + 1, byte: byte)
    }

    private mutating func noteHigh(_ byte: UInt8, at offset: Int) {
        if firstHigh == nil { firstHigh = position(offset, byte) }
        guard byte < 0xA0 else { return }
        if firstC1 == nil { firstC1 = position(offset, byte) }
        if firstUndefined == nil, [0x81, 0x8D, 0x8F, 0x90, 0x9D].contains(byte) {
            firstUndefined = position(offset, byte)
        }
    }

    /// Letters with accents in UTF-8, and marks where two files were joined.
    private mutating func noteLetter(_ byte: UInt8, at offset: Int) {
        if firstMultibyte == nil, last.1 == 0xC2 || last.1 == 0xC3, (0x80...0xBF).contains(byte) {
            firstMultibyte = position(offset - 1, last.1)
        }
        if strayMark == nil, last == (0xEF, 0xBB), byte == 0xBF, offset > 2 {
            strayMark = position(offset - 2, 0xEF)
        }
        last = (last.1, byte)
    }

    /// Source: Unicode 15, table 3-7.
    private mutating func check(_ byte: UInt8, at offset: Int) {
        if expected > 0 {
            guard range.contains(byte) else { return firstInvalid = lead }
            expected -= 1
            range = 0x80...0xBF
            return
        }
        lead = position(offset, byte)
        switch byte {
        case 0xC2...0xDF: expected = 1
        case 0xE0...0xEF: expected = 2
        case 0xF0...0xF4: expected = 3
        default: firstInvalid = lead
        }
        switch byte {
        case 0xE0: range = 0xA0...0xBF
        case 0xED: range = 0x80...0x9F
        case 0xF0: range = 0x90...0xBF
        case 0xF4: range = 0x80...0x8F
        default: range = 0x80...0xBF
        }
    }

    /// The first of the declared encodings that fits the whole file.
    ///
    /// A mark always wins: UTF-16 needs no declaration. Without one, UTF-8 must be valid to the last byte; a
    /// legacy encoding fits anything, so that it can only be declared behind it.
    /// - Throws: `CSV-EMPTY`, `CSV-NUL`, `CSV-ENCODING` with the first byte that does not fit, `CSV-MIXED-ENCODINGS`
    ///   where some lines are UTF-8 and others cannot be.
    package func choose(from declared: [TextEncoding]) throws(TabularError) -> TextEncoding {
        guard count > mark.count else { throw TabularError(.empty) }
        if mark == .utf16BigEndian || mark == .utf16LittleEndian { return .utf16 }
        if let firstNUL { throw TabularError(.nul, at: firstNUL.place) }
        if let firstInvalid, let firstMultibyte, mark == .none, declared.contains(.utf8) {
            throw TabularError(
                .mixedEncodings, ["utf8": String(firstMultibyte.line)], at: firstInvalid.place)
        }
        for encoding in declared {
            switch encoding {
            case .utf8 where firstInvalid == nil, .utf8BOM where firstInvalid == nil && mark == .utf8:
                return encoding
            case .windows1252 where mark == .none && firstUndefined == nil,
                .iso8859_15 where mark == .none && firstC1 == nil, .cp850 where mark == .none:
                return encoding
            case .windows1252, .iso8859_15, .cp850: continue
            case .utf8, .utf8BOM, .utf16: continue
            }
        }
        let facts = ["encodings": declared.map(\.rawValue).joined(separator: ", ")]
        let misfit =
            declared.contains(.windows1252) ? firstUndefined : declared.contains(.iso8859_15) ? firstC1 : nil
        throw TabularError(.encoding, facts, at: (misfit ?? firstInvalid ?? firstHigh)?.place ?? .init())
    }
}

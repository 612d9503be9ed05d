// SPDX-License-Identifier: Apache-2.0
// Tidying texts in place: bytes decide whether there is anything to do, since most texts are tidy already.

internal import Foundation
internal import Model

extension Span<UInt8> {
    /// Whether the bytes at two places are the same.
    func areEqual(_ left: TextRange, _ right: TextRange) -> Bool {
        guard left.count == right.count else { return false }
        for index in 0..<Int(left.count) where self[Int(left.start) + index] != self[Int(right.start) + index]
        {
            return false
        }
        return true
    }
}

extension TextRange {
    /// Offset behind the last byte. Here and not in `Model`: a getter of another module is a call, which counts in
    /// a loop over bytes.
    @inline(__always) var end: Int { Int(start) + Int(count) }

    /// Its offsets, for the same reason.
    @inline(__always) var offsets: Range<Int> { Int(start)..<end }

    /// Without white space at both ends.
    @inline(__always)
    func trimmed(in bytes: Span<UInt8>) -> TextRange {
        var text = self
        while text.count > 0, bytes[Int(text.start)].isBlank {
            text.start += 1
            text.count -= 1
        }
        while text.count > 0, bytes[Int(text.start + text.count) - 1].isBlank { text.count -= 1 }
        guard text.count > 0 else { return text }
        let ends = bytes[Int(text.start)] | bytes[Int(text.start + text.count) - 1]
        return ends < 0x80 ? text : text.trimmedOfUnicodeBlanks(in: bytes)
    }

    /// A no-break space, plain or narrow, is a blank too.
    private func trimmedOfUnicodeBlanks(in bytes: Span<UInt8>) -> TextRange {
        var text = self
        while text.count > 0, let width = bytes.blankWidth(at: Int(text.start), end: text.end) {
            text.start += Int32(width)
            text.count -= Int32(width)
        }
        while let width = (1...3).first(where: { width in
            width <= text.count
                && bytes.blankWidth(at: text.end - width, end: text.end) == width
        }) {
            text.count -= Int32(width)
        }
        return text
    }

    /// The first characters.
    func prefix(characters: Int, in bytes: [UInt8]) -> TextRange {
        let text = String(decoding: bytes[offsets], as: UTF8.self).prefix(characters)
        return TextRange(start: Int(start), count: text.utf8.count)
    }
}

extension UInt8 {
    /// ASCII white space.
    var isBlank: Bool { self == 32 || (self >= 9 && self <= 13) }
}

extension Span<UInt8> {
    /// Bytes of the white space (as Unicode has it) that stands at `index` in UTF-8; nil for anything else.
    func blankWidth(at index: Int, end: Int) -> Int? {
        let byte = self[index]
        if byte.isBlank { return 1 }
        guard byte >= 0xC2, index + 1 < end else { return nil }
        let second = self[index + 1]
        if byte == 0xC2 { return second == 0xA0 || second == 0x85 ? 2 : nil }
        guard byte >= 0xE1, index + 2 < end else { return nil }
        let third = self[index + 2]
        // A byte order mark inside a file is no character of any text.
        if byte == 0xEF { return second == 0xBB && third == 0xBF ? 3 : nil }
        switch (byte, second) {
        case (0xE1, 0x9A): return third == 0x80 ? 3 : nil
        case (0xE2, 0x80): return third <= 0x8A || third == 0xA8 || third == 0xA9 || third == 0xAF ? 3 : nil
        case (0xE2, 0x81): return third == 0x9F ? 3 : nil
        case (0xE3, 0x80): return third == 0x80 ? 3 : nil
        default: return nil
        }
    }
}

extension CleaningSet {
    /// The tidied text: the same place where it was tidy, or a new one behind the record's bytes.
    func apply(to text: TextRange, of record: inout Record) -> TextRange {
        var text = text
        if contains(.nospace) || contains(.squeeze) { text = withoutBlanks(text, &record.bytes) }
        if contains(.upper) || contains(.lower) || contains(.fold) { text = recased(text, &record) }
        return text
    }

    /// Takes blanks out (`nospace`), or brings each run of them to one space.
    private func withoutBlanks(_ text: TextRange, _ bytes: inout [UInt8]) -> TextRange {
        guard hasSuperfluousBlanks(text, bytes.span) else { return text }
        let start = bytes.count
        let end = text.end
        let dropsAll = contains(.nospace)
        var index = Int(text.start)
        var isAfterBlank = false
        while index < end {
            let byte = bytes[index]
            if byte <= 32 || byte >= 0xC2, let width = bytes.span.blankWidth(at: index, end: end) {
                isAfterBlank = true
                index += width
                continue
            }
            if isAfterBlank, !dropsAll, bytes.count > start { bytes.append(32) }
            isAfterBlank = false
            bytes.append(byte)
            index += 1
        }
        return TextRange(start: start, count: bytes.count - start)
    }

    /// Whether a text has blanks that cleaning takes out.
    func hasSuperfluousBlanks(_ text: TextRange, _ bytes: Span<UInt8>) -> Bool {
        var previous: UInt8 = 0
        for index in text.offsets {
            let byte = bytes[index]
            if byte.isBlank {
                if contains(.nospace) || byte != 32 || previous == 32 { return true }
            } else if byte >= 0xC2, bytes.blankWidth(at: index, end: text.end) != nil {
                return true
            }
            previous = byte
        }
        return false
    }

    private func recased(_ text: TextRange, _ record: inout Record) -> TextRange {
        var needsWork = false
        for index in text.offsets {
            let byte = record.bytes[index]
            if byte >= 0x80 { needsWork = true }
            if byte >= 97, byte <= 122, contains(.upper) { needsWork = true }
            if byte >= 65, byte <= 90, !contains(.upper) { needsWork = true }
        }
        guard needsWork else { return text }
        let table = contains(.upper) ? CaseTable.upper : contains(.fold) ? CaseTable.folded : CaseTable.lower
        return table.apply(to: text, &record.bytes) ?? record.append(table.apply(to: record.string(text)))
    }
}

/// What each letter becomes; letters beyond the table are left to Unicode's own rules.
private struct CaseTable {
    private let convert: @Sendable (String) -> String
    /// UTF-8 of what the scalars below ``end`` become, one after the other, and where each begins.
    private var bytes: [UInt8] = []
    private var starts: [Int32] = []

    /// All Latin letters with accents, and then some.
    private static let end: UInt32 = 0x250

    static let upper = CaseTable { $0.uppercased() }
    static let lower = CaseTable { $0.lowercased() }
    static let folded = CaseTable {
        $0.folding(options: [.diacriticInsensitive, .caseInsensitive], locale: nil)
    }

    private init(_ convert: @escaping @Sendable (String) -> String) {
        self.convert = convert
        for number in 0..<Self.end {
            starts.append(Int32(bytes.count))
            guard let scalar = Unicode.Scalar(number) else { continue }
            bytes.append(contentsOf: convert(String(Character(scalar))).utf8)
        }
        starts.append(Int32(bytes.count))
    }

    func apply(to text: String) -> String { convert(text) }

    /// The converted text behind `target`; nil where it has a letter beyond the table.
    func apply(to text: TextRange, _ target: inout [UInt8]) -> TextRange? {
        let start = target.count
        var index = Int(text.start)
        while index < text.end {
            let byte = target[index]
            var scalar = UInt32(byte)
            if byte >= 0x80 {
                guard byte >= 0xC2, byte < 0xCA, index + 1 < text.end else {
                    target.removeSubrange(start...)
                    return nil
                }
                scalar = (scalar & 0x1F) << 6 | UInt32(target[index + 1] & 0x3F)
                index += 1
            }
            index += 1
            guard scalar < Self.end else {
                target.removeSubrange(start...)
                return nil
            }
            for place in Int(starts[Int(scalar)])..<Int(starts[Int(scalar) + 1]) {
                target.append(bytes[place])
            }
        }
        return TextRange(start: start, count: target.count - start)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Tidying texts in place: bytes decide whether there is anything to do, since most texts are tidy already.

internal import Foundation
internal import Model

extension [UInt8] {
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
    /// Without white space at both ends.
    func trimmed(in bytes: [UInt8]) -> TextRange {
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
    private func trimmedOfUnicodeBlanks(in bytes: [UInt8]) -> TextRange {
        let scalars = String(decoding: bytes[range], as: UTF8.self).unicodeScalars
        let head = scalars.prefix { $0.properties.isWhitespace }
        let body = scalars.dropFirst(head.count)
        let tail = body.reversed().prefix { $0.properties.isWhitespace }
        let before = head.reduce(0) { $0 + UTF8.width($1) }
        let behind = tail.reduce(0) { $0 + UTF8.width($1) }
        return TextRange(start: Int(start) + before, count: Int(count) - before - behind)
    }

    /// The first characters.
    func prefix(characters: Int, in bytes: [UInt8]) -> TextRange {
        let text = String(decoding: bytes[range], as: UTF8.self).prefix(characters)
        return TextRange(start: Int(start), count: text.utf8.count)
    }
}

extension UInt8 {
    /// ASCII white space.
    var isBlank: Bool { self == 32 || (self >= 9 && self <= 13) }
}

extension CleaningSet {
    /// The tidied text: the same place where it was tidy, or a new one behind the record's bytes.
    func apply(to text: TextRange, of record: inout Record) -> TextRange {
        guard needsWork(record.bytes, text) else { return text }
        return record.append(tidied(record.string(text)))
    }

    private func needsWork(_ bytes: [UInt8], _ text: TextRange) -> Bool {
        var previous: UInt8 = 0
        for index in text.range {
            let byte = bytes[index]
            if byte >= 0x80 { return true }
            if byte.isBlank {
                if contains(.nospace) || contains(.squeeze) && (byte != 32 || previous == 32) { return true }
            } else if byte >= 97, byte <= 122 {
                if contains(.upper) { return true }
            } else if byte >= 65, byte <= 90 {
                if contains(.lower) || contains(.fold) { return true }
            }
            previous = byte
        }
        return false
    }

    private func tidied(_ text: String) -> String {
        var text = text
        if contains(.nospace) {
            text = text.filter { !$0.isWhitespace }
        } else if contains(.squeeze) {
            text = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        }
        if contains(.upper) { text = text.uppercased() }
        if contains(.lower) { text = text.lowercased() }
        if contains(.fold) {
            text = text.folding(options: [.diacriticInsensitive, .caseInsensitive], locale: nil)
        }
        return text
    }
}

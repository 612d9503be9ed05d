// SPDX-License-Identifier: Apache-2.0
// Unfolds lines: LF, CR LF and CR end one, a blank at the beginning continues the last one.

/// Logical lines of a document, one after the other.
///
/// - Source: RFC 5545, 3.1 (folding); vCard 2.1, 2.1.3 (the blank of a fold belongs to the text, and a soft
/// line   break ends in `=`).
struct ContentLineScanner {
    /// A logical line.
    struct Line {
        /// Its bytes, unfolded, without line ends and NUL.
        let bytes: [UInt8]
        /// Where it is in the document, line ends included.
        let place: Range<Int>
        /// Its one-based physical line.
        let number: Int
        /// Whether NUL was left out.
        let hasNUL: Bool
    }

    private let bytes: [UInt8]
    private var position: Int
    private var number = 1
    /// Whether a fold keeps its blank: in vCard 2.1.
    var keepsBlanks = false

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next line that is not blank; nil at the end.
    mutating func next() -> Line? {
        while position < bytes.count {
            let start = position
            let first = number
            var text: [UInt8] = []
            appendPhysical(to: &text)
            if text.allSatisfy({ $0 == 32 || $0 == 9 || $0 == 0 }) { continue }
            let isQuoted = Self.isQuotedPrintable(text)
            while position < bytes.count {
                if isQuoted, text.last == UInt8(ascii: "=") {
                    text.removeLast()
                    // Some writers fold soft line breaks as well.
                    if isBlank(bytes[position]), !keepsBlanks { position += 1 }
                } else if isBlank(bytes[position]) {
                    if !keepsBlanks { position += 1 }
                } else {
                    break
                }
                appendPhysical(to: &text)
            }
            let hasNUL = text.contains(0)
            if hasNUL { text.removeAll { $0 == 0 } }
            return Line(bytes: text, place: start..<position, number: first, hasNUL: hasNUL)
        }
        return nil
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }

    /// Appends the physical line at the position, and goes behind its end: CR, LF or any number of CR before
    /// LF.
    private mutating func appendPhysical(to text: inout [UInt8]) {
        var end = position
        while end < bytes.count, bytes[end] != 10, bytes[end] != 13 { end += 1 }
        text.append(contentsOf: bytes[position..<end])
        while end < bytes.count, bytes[end] == 13 { end += 1 }
        if end < bytes.count, bytes[end] == 10 { end += 1 }
        position = end
        number += 1
    }

    /// Whether the parameters of a line say that it is in quoted-printable.
    private static func isQuotedPrintable(_ text: [UInt8]) -> Bool {
        guard text.last == UInt8(ascii: "="), let colon = text.firstIndex(of: UInt8(ascii: ":")) else {
            return false
        }
        let head = String(decoding: text[..<min(colon, ContentLimits.head)], as: UTF8.self).uppercased()
        return head.hasSuffix("QUOTED-PRINTABLE") || head.contains("QUOTED-PRINTABLE;")
    }
}

// SPDX-License-Identifier: Apache-2.0
// Turns the lines of a part back into the bytes that the sender meant.

/// Decodes line by line.
///
/// - Source: RFC 2045, section 6.
struct TransferDecoder {
    /// How bytes are written as lines.
    enum Encoding: String {
        case base64, quotedPrintable = "quoted-printable"
        case sevenBit = "7bit"
        case eightBit = "8bit"
        case binary
    }

    private let encoding: Encoding
    private var bits: UInt32 = 0
    private var bitCount = 0
    private var isDamaged = false
    private var heldEnd: [UInt8] = []

    init(_ encoding: Encoding) {
        self.encoding = encoding
    }

    /// Decodes a line, or a piece of one, without its end. That counts only when another line follows: the last one's
    /// belongs to the boundary behind it.
    mutating func decode(_ line: [UInt8], end: [UInt8] = [], into bytes: inout [UInt8]) {
        switch encoding {
        case .base64: decodeBase64(line, into: &bytes)
        case .quotedPrintable:
            bytes += heldEnd
            let isSoft = Self.decodeQuoted(line, isWhole: !end.isEmpty, into: &bytes)
            heldEnd = isSoft ? [] : end
        case .sevenBit, .eightBit, .binary:
            bytes += heldEnd
            bytes += line
            heldEnd = end
        }
    }

    /// Whether the bytes may end here: of base64, behind whole groups.
    var isWhole: Bool {
        // A group of two or three digits without its padding is whole all the same; one digit alone is none.
        !isDamaged && bitCount < 6
    }

    /// Whatever is no digit means nothing (RFC 2045, section 6.8); padding ends the group.
    private mutating func decodeBase64(_ line: [UInt8], into bytes: inout [UInt8]) {
        for byte in line {
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit = byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): digit = byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"): digit = 62
            case UInt8(ascii: "/"): digit = 63
            case UInt8(ascii: "="):
                if bitCount == 6 { isDamaged = true }
                (bits, bitCount) = (0, 0)
                continue
            default: continue
            }
            bits = bits << 6 | UInt32(digit)
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(bitCount)))
        }
    }

    /// A line of quoted-printable; blanks at its end were added on the way.
    ///
    /// - Returns: whether the next line goes on with it.
    @discardableResult
    static func decodeQuoted(_ line: [UInt8], isWhole: Bool = false, into bytes: inout [UInt8]) -> Bool {
        var content = line[...]
        while isWhole, content.last == 0x20 || content.last == 0x09 { content.removeLast() }
        let isSoft = content.last == UInt8(ascii: "=")
        if isSoft { content.removeLast() }
        decodeEscaped(Array(content), escape: UInt8(ascii: "="), into: &bytes)
        return isSoft
    }

    /// Bytes some of which are an escape and two hexadecimal digits; others stay.
    static func decodeEscaped(_ text: [UInt8], escape: UInt8, into bytes: inout [UInt8]) {
        func digit(_ index: Int) -> UInt8? {
            index < text.count ? Character(UnicodeScalar(text[index])).hexDigitValue.map { UInt8($0) } : nil
        }
        var index = 0
        while index < text.count {
            if text[index] == escape, let high = digit(index + 1), let low = digit(index + 2) {
                bytes.append(high << 4 | low)
                index += 3
            } else {
                bytes.append(text[index])
                index += 1
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Reads amounts from bytes as each locale writes them; what does not follow it is no amount.

internal import Bytes
internal import Model

extension NumberLocale {
    /// The amount that a text writes; nil where it is not one in this locale.
    ///
    /// - Parameter decimals: digits behind the point of an amount without a point; −1 = none.
    func decimal(_ text: Span<UInt8>, decimals: Int8 = -1) -> Model.Decimal? {
        if self == .overpunch { return Self.overpunched(text, decimals: max(0, Int(decimals))) }
        if decimals <= 0, let plain = AmountReader.plain(text, point: point) { return plain }
        var reader = AmountReader(point: point, group: group, blanks: blanks)
        guard let decimal = reader.read(text) else { return nil }
        guard decimals > 0, !reader.pointSeen else { return decimal }
        return Model.Decimal(unscaled: decimal.unscaled, scale: Int(decimals))
    }

    /// The amount that at most eight digits and a point write; nil for anything else.
    @inline(__always)
    func shortDecimal(_ text: TextRange, _ bytes: Span<UInt8>) -> Model.Decimal? {
        guard self != .overpunch else { return nil }
        let isNegative = bytes[Int(text.start)] == UInt8(ascii: "-")
        let start = isNegative ? Int(text.start) &+ 1 : Int(text.start)
        let size = text.end &- start
        guard size <= 8 else { return nil }
        return AmountReader.short(bytes.word(at: start, count: size), size, isNegative, point)
    }

    /// An amount as this locale writes it.
    var form: String {
        switch self {
        case .plain: "1234.56"
        case .fr: "1 234,56"
        case .de: "1.234,56"
        case .en: "1,234.56"
        case .fec: "0000001234,56"
        case .overpunch: "000012345F"
        }
    }

    /// Which bytes are the point: the first always, the second where it cannot be a group mark.
    private var point: (UInt8, UInt8) {
        let comma = UInt8(ascii: ",")
        let full = UInt8(ascii: ".")
        return switch self {
        case .plain, .en, .overpunch: (full, full)
        case .fec: (comma, full)
        case .fr, .de: (comma, comma)
        }
    }

    private var group: UInt8? {
        switch self {
        case .en: UInt8(ascii: ",")
        case .de: UInt8(ascii: ".")
        default: nil
        }
    }

    private var blanks: AmountReader.Blanks { self == .fr ? .groups : self == .fec ? .anywhere : .none }

    /// A last byte that holds the sign: `{ABCDEFGHI` = +0…9, `}JKLMNOPQR` = −0…9 (CFONB, EBCDIC zoned).
    private static func overpunched(_ text: Span<UInt8>, decimals: Int) -> Model.Decimal? {
        guard !text.isEmpty else { return nil }
        let last = text[text.count - 1]
        let digit: Int
        let isNegative: Bool
        switch last {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): (digit, isNegative) = (Int(last) - 48, false)
        case UInt8(ascii: "{"): (digit, isNegative) = (0, false)
        case UInt8(ascii: "}"): (digit, isNegative) = (0, true)
        case UInt8(ascii: "A")...UInt8(ascii: "I"): (digit, isNegative) = (Int(last) - 64, false)
        case UInt8(ascii: "J")...UInt8(ascii: "R"): (digit, isNegative) = (Int(last) - 73, true)
        default: return nil
        }
        var unscaled: Int128 = 0
        for index in 0..<text.count - 1 {
            let byte = text[index]
            guard byte >= 48, byte <= 57, unscaled < Int128(1) << 110 else { return nil }
            unscaled = unscaled * 10 + Int128(byte - 48)
        }
        unscaled = unscaled * 10 + Int128(digit)
        return Model.Decimal(unscaled: isNegative ? -unscaled : unscaled, scale: decimals)
    }
}

/// Reads one amount, digit by digit.
private struct AmountReader {
    let point: (UInt8, UInt8)
    let group: UInt8?
    let blanks: Blanks
    var pointSeen = false
    private var value: Int64 = 0
    private var scale = 0
    private var digits = 0
    /// Digits since the last group mark; −1 before the first.
    private var sinceGroup = -1

    /// What a blank between digits is.
    enum Blanks { case none, groups, anywhere }

    init(point: (UInt8, UInt8), group: UInt8?, blanks: Blanks) {
        self.point = point
        self.group = group
        self.blanks = blanks
    }

    /// Digits with at most one point between them and a sign in front, as nearly all amounts are; nil for others.
    @inline(__always)
    static func plain(_ text: Span<UInt8>, point: (UInt8, UInt8)) -> Model.Decimal? {
        guard text.count > 0, text.count <= 18 else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        var value: Int64 = 0
        var pointAt = -1
        for index in (isNegative ? 1 : 0)..<text.count {
            let byte = text[index]
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10 {
                value = value &* 10 &+ Int64(digit)
            } else {
                guard pointAt < 0, index > 0, byte == point.0 || byte == point.1 else { return nil }
                pointAt = index
            }
        }
        guard text[text.count - 1] &- UInt8(ascii: "0") < 10 else { return nil }
        return Model.Decimal(
            small: isNegative ? -value : value, scale: pointAt < 0 ? 0 : text.count - pointAt - 1)
    }

    /// The amount in the first `size` bytes of a word, of at most one point and not at its ends.
    @inline(__always)
    static func short(
        _ word: ByteWord, _ size: Int, _ isNegative: Bool, _ point: (UInt8, UInt8)
    ) -> Model.Decimal? {
        let marks =
            word.marks(of: ByteWord(repeating: point.0)) | word.marks(of: ByteWord(repeating: point.1))
        var digits = word
        var count = size
        var scale = 0
        if marks != 0 {
            let place = marks.trailingZeroBitCount / 8
            scale = size &- place &- 1
            guard place > 0, scale > 0 else { return nil }
            // The digits behind the point move up to those before it.
            let before = (1 << UInt64(place &* 8)) &- 1 as UInt64
            let behind = (word.bits >> 8 | 0x30 << 56) & ~before
            digits = ByteWord(bits: word.bits & before | behind)
            count &-= 1
        }
        guard digits.areDigits, count > 0 else { return nil }
        let value = Int64(digits.movedToEnd(count: count).number)
        return Model.Decimal(small: isNegative ? -value : value, scale: scale)
    }

    mutating func read(_ text: Span<UInt8>) -> Model.Decimal? {
        guard !text.isEmpty else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        var index = isNegative || text[0] == UInt8(ascii: "+") ? 1 : 0
        while index < text.count {
            let byte = text[index]
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10 {
                guard digits < 18 else { return wide(text) }
                value = value * 10 + Int64(digit)
                digits += 1
                if pointSeen { scale += 1 } else if sinceGroup >= 0 { sinceGroup += 1 }
            } else if (byte == point.0 || byte == point.1), !pointSeen {
                guard sinceGroup < 0 || sinceGroup == 3 else { return nil }
                pointSeen = true
            } else if let group, byte == group, !pointSeen, digits > 0 {
                guard sinceGroup < 0 || sinceGroup == 3 else { return nil }
                sinceGroup = 0
            } else if blanks != .none, let width = Self.blankWidth(text, index) {
                if blanks == .groups {
                    guard !pointSeen, digits > 0, sinceGroup < 0 || sinceGroup == 3 else { return nil }
                    sinceGroup = 0
                }
                index += width - 1
            } else {
                return nil
            }
            index += 1
        }
        guard digits > 0, pointSeen || sinceGroup < 0 || sinceGroup == 3 else { return nil }
        return Model.Decimal(small: isNegative ? -value : value, scale: scale)
    }

    /// Length of a blank (space, no-break space, narrow no-break space) at `index`.
    private static func blankWidth(_ text: Span<UInt8>, _ index: Int) -> Int? {
        if text[index] == 32 { return 1 }
        if text[index] == 0xC2, index + 1 < text.count, text[index + 1] == 0xA0 { return 2 }
        guard text[index] == 0xE2, index + 2 < text.count else { return nil }
        return text[index + 1] == 0x80 && text[index + 2] == 0xAF ? 3 : nil
    }

    /// Amounts of more than 18 digits, zeros in front included, take the slower way.
    private mutating func wide(_ text: Span<UInt8>) -> Model.Decimal? {
        var plain: [UInt8] = []
        var index = 0
        pointSeen = false
        while index < text.count {
            let byte = text[index]
            if byte == point.0 || byte == point.1, !pointSeen {
                plain.append(UInt8(ascii: "."))
                pointSeen = true
            } else if blanks != .none, let width = Self.blankWidth(text, index) {
                index += width
                continue
            } else if byte != group {
                plain.append(byte)
            }
            index += 1
        }
        return Model.Decimal(ascii: plain)
    }
}

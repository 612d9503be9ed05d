// SPDX-License-Identifier: Apache-2.0
// Reads amounts from bytes as each locale writes them; what does not follow it is no amount.

internal import Model

extension NumberLocale {
    /// The amount written at a place; nil where it is not one in this locale.
    ///
    /// - Parameter decimals: digits behind the point of an amount without a point; −1 = none.
    func decimal(_ bytes: [UInt8], _ place: TextRange, decimals: Int8 = -1) -> Model.Decimal? {
        if self == .overpunch { return Self.overpunched(bytes, place, decimals: max(0, Int(decimals))) }
        var reader = AmountReader(point: point, group: group, blanks: blanks)
        guard let decimal = reader.read(bytes, place) else { return nil }
        guard decimals > 0, !reader.pointSeen else { return decimal }
        return Model.Decimal(unscaled: decimal.unscaled, scale: Int(decimals))
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
    private static func overpunched(_ bytes: [UInt8], _ place: TextRange, decimals: Int) -> Model.Decimal? {
        guard place.count > 1 || place.count == 1, let last = bytes[place.offsets].last else { return nil }
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
        for byte in bytes[place.offsets].dropLast() {
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

    mutating func read(_ bytes: [UInt8], _ place: TextRange) -> Model.Decimal? {
        var index = Int(place.start)
        let end = index + Int(place.count)
        guard index < end else { return nil }
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative || bytes[index] == UInt8(ascii: "+") { index += 1 }
        while index < end {
            let byte = bytes[index]
            let digit = byte &- UInt8(ascii: "0")
            if digit < 10 {
                guard digits < 18 else { return wide(bytes, place) }
                value = value * 10 + Int64(digit)
                digits += 1
                if pointSeen { scale += 1 } else if sinceGroup >= 0 { sinceGroup += 1 }
            } else if (byte == point.0 || byte == point.1), !pointSeen {
                guard sinceGroup < 0 || sinceGroup == 3 else { return nil }
                pointSeen = true
            } else if let group, byte == group, !pointSeen, digits > 0 {
                guard sinceGroup < 0 || sinceGroup == 3 else { return nil }
                sinceGroup = 0
            } else if blanks != .none, let width = Self.blankWidth(bytes, index, end) {
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
    private static func blankWidth(_ bytes: [UInt8], _ index: Int, _ end: Int) -> Int? {
        if bytes[index] == 32 { return 1 }
        if bytes[index] == 0xC2, index + 1 < end, bytes[index + 1] == 0xA0 { return 2 }
        if bytes[index] == 0xE2, index + 2 < end, bytes[index + 1] == 0x80, bytes[index + 2] == 0xAF {
            return 3
        }
        return nil
    }

    /// Amounts of more than 18 digits, zeros in front included, take the slower way.
    private mutating func wide(_ bytes: [UInt8], _ place: TextRange) -> Model.Decimal? {
        var plain: [UInt8] = []
        var rest = bytes[place.offsets]
        pointSeen = false
        while let byte = rest.first {
            if byte == point.0 || byte == point.1, !pointSeen {
                plain.append(UInt8(ascii: "."))
                pointSeen = true
            } else if blanks != .none,
                let width = Self.blankWidth(bytes, rest.startIndex, place.end)
            {
                rest = rest.dropFirst(width)
                continue
            } else if byte != group {
                plain.append(byte)
            }
            rest = rest.dropFirst()
        }
        return Model.Decimal(ascii: plain)
    }
}

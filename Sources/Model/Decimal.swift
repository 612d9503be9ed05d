// SPDX-License-Identifier: Apache-2.0
// Exact decimal numbers for amounts, rates and quantities: never a binary float.

/// A decimal number of at most 38 digits: `unscaled × 10^-scale`.
///
/// The scale is kept as written (`336.90` prints as `336.90`), but plays no part in comparisons. Operations
/// return nil where the result does not fit 38 digits.
public struct Decimal: Sendable, BitwiseCopyable {
    /// ``unscaled`` in two words: Swift 6.3 spills optionals of structs with an `Int128` to unaligned places of
    /// the stack and crashes there; and a decimal with its kind takes 24 bytes this way instead of 32.
    let high: Int64
    let low: UInt64
    /// ``scale`` in one byte.
    let digitsBehindPoint: Int8

    /// All digits as one integer, the sign included.
    public var unscaled: Int128 { Int128(high) << 64 | Int128(low) }
    /// Number of digits behind the point, 0...38.
    public var scale: Int { Int(digitsBehindPoint) }

    /// Most digits behind the point that a value can have.
    public static let maxScale = 38
    /// The number 0, without decimals.
    public static let zero = Decimal(0)

    /// A whole number.
    public init(_ integer: Int) {
        self.init(small: Int64(integer), scale: 0)
    }

    /// `unscaled × 10^-scale`; nil outside 38 digits.
    public init?(unscaled: Int128, scale: Int) {
        guard (0...Self.maxScale).contains(scale), unscaled.magnitude < Self.limit else { return nil }
        high = Int64(truncatingIfNeeded: unscaled >> 64)
        low = UInt64(truncatingIfNeeded: unscaled)
        digitsBehindPoint = Int8(scale)
    }

    /// The value behind an optional sign, digits and at most one point: `-12.50`, `.5`, `7.`.
    ///
    /// - Returns: nil for anything else (spaces, separators, exponents, no digit, more than 38 digits).
    public init?(_ text: String) {
        self.init(ascii: text.utf8)
    }

    /// Same as ``init(_:)-(String)``, from ASCII bytes.
    public init?(ascii bytes: some Sequence<UInt8>) {
        var magnitude: Int128 = 0
        var scale = 0
        var digits = 0
        var negative = false
        var pointSeen = false
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits += 1
                if pointSeen { scale += 1 }
                guard magnitude < Self.limit / 10 || digits < Self.maxScale else { return nil }
                magnitude = magnitude * 10 + Int128(byte - UInt8(ascii: "0"))
            case UInt8(ascii: ".") where !pointSeen: pointSeen = true
            case UInt8(ascii: "-") where index == 0: negative = true
            case UInt8(ascii: "+") where index == 0: break
            default: return nil
            }
        }
        guard digits > 0 else { return nil }
        self.init(unscaled: negative ? -magnitude : magnitude, scale: scale)
    }

    /// `unscaled × 10^-scale`, for a scale of at most 38: 64 bits always fit, so that nothing is left to check.
    public init(small unscaled: Int64, scale: Int) {
        high = unscaled >> 63
        low = UInt64(bitPattern: unscaled)
        digitsBehindPoint = Int8(truncatingIfNeeded: scale)
    }

    /// ``unscaled``, where it takes at most 62 bits: the sum of two such is exact in 64.
    @inline(__always) public var small: Int64? {
        let low = Int64(bitPattern: low)
        return high == low >> 63 && low >> 62 == high ? low : nil
    }

    /// 10^38: the first magnitude that does not fit.
    private static let limit: Int128 = 100_000_000_000_000_000_000_000_000_000_000_000_000

    /// 10^exponent, for 0...38.
    static func power(_ exponent: Int) -> Int128 {
        var result: Int128 = 1
        for _ in 0..<exponent { result *= 10 }
        return result
    }

    /// `value × 10^exponent`; nil where that takes more than 62 bits.
    private static func scaled(_ value: Int64, by exponent: Int) -> Int64? {
        var value = value
        for _ in 0..<exponent {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = product
        }
        return abs(value) < 1 << 62 ? value : nil
    }

    /// Both numbers' digits brought to one scale; nil when that needs more than 38 digits.
    private static func aligned(_ left: Decimal, _ right: Decimal) -> (Int128, Int128, Int)? {
        if left.digitsBehindPoint == right.digitsBehindPoint {
            return (left.unscaled, right.unscaled, left.scale)
        }
        let scale = max(left.scale, right.scale)
        let (leftDigits, leftOverflow) = left.unscaled.multipliedReportingOverflow(
            by: power(scale - left.scale))
        let (rightDigits, rightOverflow) = right.unscaled.multipliedReportingOverflow(
            by: power(scale - right.scale))
        return leftOverflow || rightOverflow ? nil : (leftDigits, rightDigits, scale)
    }

    /// The same value without zeros at the end of its decimals.
    public var reduced: Decimal {
        var scale = scale
        if var small {
            while scale > 0, small % 10 == 0 {
                small /= 10
                scale -= 1
            }
            return Decimal(small: small, scale: scale)
        }
        var unscaled = unscaled
        while scale > 0, unscaled % 10 == 0 {
            unscaled /= 10
            scale -= 1
        }
        return Decimal(unscaled: unscaled, scale: scale) ?? self
    }
}

extension Decimal {
    /// The sum, with the larger scale of the two; nil on overflow.
    public func adding(_ other: Decimal) -> Decimal? {
        if let left = small, let right = other.small {
            if digitsBehindPoint == other.digitsBehindPoint {
                return Decimal(small: left &+ right, scale: scale)
            }
            let scale = max(scale, other.scale)
            if let left = Self.scaled(left, by: scale - self.scale),
                let right = Self.scaled(right, by: scale - other.scale)
            {
                return Decimal(small: left &+ right, scale: scale)
            }
        }
        guard let (left, right, scale) = Self.aligned(self, other) else { return nil }
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? nil : Decimal(unscaled: sum, scale: scale)
    }

    /// The difference, with the larger scale of the two; nil on overflow.
    public func subtracting(_ other: Decimal) -> Decimal? { adding(other.negated) }

    /// The exact product; nil on overflow.
    public func multiplied(by other: Decimal) -> Decimal? {
        let left = reduced
        let right = other.reduced
        let (product, overflow) = left.unscaled.multipliedReportingOverflow(by: right.unscaled)
        return overflow ? nil : Decimal(unscaled: product, scale: left.scale + right.scale)
    }

    /// The quotient with at least 12 decimals more than the dividend, cut towards zero; nil for a zero divisor
    /// or on overflow.
    public func divided(by other: Decimal) -> Decimal? {
        let left = reduced
        let right = other.reduced
        guard right.unscaled != 0, right.scale + 12 <= Self.maxScale else { return nil }
        let (digits, overflow) = left.unscaled.multipliedReportingOverflow(by: Self.power(12 + right.scale))
        guard !overflow else { return nil }
        return Decimal(unscaled: digits / right.unscaled, scale: left.scale + 12)?.reduced
    }

    /// A hundredth of the value, exactly; nil where it has too many decimals.
    public var hundredth: Decimal? { Decimal(unscaled: unscaled, scale: scale + 2) }

    /// The value at `scale` decimals, halves towards +∞, as XPath 2.0 `fn:round` does: −0.005 gives 0.00.
    public func rounded(to scale: Int) -> Decimal {
        if scale == self.scale { return self }
        guard scale < self.scale else {
            let (digits, overflow) = unscaled.multipliedReportingOverflow(
                by: Self.power(min(scale, Self.maxScale) - self.scale))
            // A value too wide for more zeros is kept as it is: it is the same number.
            return overflow ? self : Decimal(unscaled: digits, scale: scale) ?? self
        }
        let divisor = Self.power(self.scale - scale)
        var (quotient, rest) = unscaled.quotientAndRemainder(dividingBy: divisor)
        if rest >= divisor - rest { quotient += 1 } else if -rest > divisor + rest { quotient -= 1 }
        return Decimal(unscaled: quotient, scale: max(scale, 0)) ?? self
    }

    /// The value with the other sign.
    public var negated: Decimal {
        if let small { return Decimal(small: -small, scale: scale) }
        return Decimal(unscaled: -unscaled, scale: scale) ?? self
    }
    /// The value without its sign.
    public var magnitude: Decimal { isNegative ? negated : self }
    private var isZero: Bool { high == 0 && low == 0 }
    private var isPositive: Bool { high >= 0 && !isZero }
    /// Whether the value is below zero.
    public var isNegative: Bool { high < 0 }
}

extension Decimal: Hashable, Comparable {
    public static func == (left: Decimal, right: Decimal) -> Bool {
        if left.scale == right.scale { return left.unscaled == right.unscaled }
        let (left, right) = (left.reduced, right.reduced)
        return left.scale == right.scale && left.unscaled == right.unscaled
    }

    public static func < (left: Decimal, right: Decimal) -> Bool {
        if left.digitsBehindPoint == right.digitsBehindPoint, let left = left.small, let right = right.small {
            return left < right
        }
        if left.isZero || right.isZero { return left.isZero ? right.isPositive : left.isNegative }
        if let (leftDigits, rightDigits, _) = aligned(left, right) { return leftDigits < rightDigits }
        if left.isNegative != right.isNegative { return left.isNegative }
        // Only one of the two overflows when it is scaled up, so it is the larger in magnitude.
        let leftIsLarger = left.scale < right.scale
        return leftIsLarger == left.isNegative
    }

    public func hash(into hasher: inout Hasher) {
        let value = reduced
        hasher.combine(value.unscaled)
        hasher.combine(value.scale)
    }
}

extension Decimal: CustomStringConvertible {
    /// Digits with a point, the scale as kept: `-12.50`.
    public var description: String {
        let digits = String(unscaled.magnitude)
        let sign = unscaled < 0 ? "-" : ""
        guard scale > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Eight bytes of a text at once: what readers of large files do in a loop over bytes costs most of their time.

/// Eight bytes, the first in the lowest place.
///
/// Everything here is inlinable: a call to another module for each word would cost more than the work.
@frozen
public struct ByteWord: Sendable, BitwiseCopyable {
    /// The bytes as a number.
    public let bits: UInt64

    /// The bytes of a number, the lowest first.
    @inlinable
    public init(bits: UInt64) {
        self.bits = bits
    }

    /// One byte in all eight places.
    @inlinable
    public init(repeating byte: UInt8) {
        bits = UInt64(byte) &* 0x0101_0101_0101_0101
    }

    /// The highest bit of each byte.
    @inlinable public static var highBits: UInt64 { 0x8080_8080_8080_8080 }

    /// Whether all bytes are ASCII.
    @inlinable public var isASCII: Bool { bits & Self.highBits == 0 }

    /// The highest bit of each byte that is the same as the other word's, exactly.
    @inlinable
    @inline(__always)
    public func marks(of other: ByteWord) -> UInt64 {
        let difference = bits ^ other.bits
        let lowBits = ~Self.highBits
        // No borrow from the byte beside, as the shorter form with a subtraction has.
        return ~(((difference & lowBits) &+ lowBits) | difference) & Self.highBits
    }

    /// Whether it has a byte in a range of ASCII characters.
    @inlinable
    @inline(__always)
    public func hasByte(from first: UInt8, through last: UInt8) -> Bool {
        let lowBits = bits & ~Self.highBits
        let reachesFirst = lowBits &+ ByteWord(repeating: 0x80 &- first).bits
        let exceedsLast = lowBits &+ ByteWord(repeating: 0x7F &- last).bits
        return reachesFirst & ~exceedsLast & ~bits & Self.highBits != 0
    }

    /// Whether no byte begins a character of UTF-8 other than ASCII and the letters from À to ÿ.
    @inlinable public var isWesternText: Bool {
        bits & bits << 1 & Self.highBits & ~marks(of: ByteWord(repeating: 0xC3)) == 0
    }

    /// Whether all bytes are the characters 0…9.
    @inlinable public var areDigits: Bool {
        let highHalves: UInt64 = 0xF0F0_F0F0_F0F0_F0F0
        let carried = (bits &+ 0x0606_0606_0606_0606) & highHalves
        return (bits & highHalves) | (carried >> 4) == 0x3333_3333_3333_3333
    }

    /// The number that eight digits write.
    @inlinable public var number: Int {
        var value = bits &- 0x3030_3030_3030_3030
        value = value &* 10 &+ (value >> 8)
        let pairs: UInt64 = 0x0000_00FF_0000_00FF
        let high = (value & pairs) &* 0x000F_4240_0000_0064
        let low = ((value >> 16) & pairs) &* 0x0000_2710_0000_0001
        return Int(truncatingIfNeeded: (high &+ low) >> 32)
    }

    /// The sum of Luhn's check over eight digits, the last of which is not doubled.
    @inlinable public var luhnSum: Int {
        let digits = bits &- 0x3030_3030_3030_3030
        let doubled = (digits & 0x00FF_00FF_00FF_00FF) &* 2
        // A doubled digit of two digits counts as their sum, which is nine less.
        let long = ((doubled &+ 0x0076_0076_0076_0076) >> 7) & 0x0001_0001_0001_0001
        let sums = (digits & 0xFF00_FF00_FF00_FF00) &+ doubled &- long &* 9
        return Int(truncatingIfNeeded: (sums &* 0x0101_0101_0101_0101) >> 56)
    }

    /// The first `count` bytes, of 1...8, moved to the end, with the character 0 in front.
    @inlinable
    @inline(__always)
    public func movedToEnd(count: Int) -> ByteWord {
        let shift = UInt64(truncatingIfNeeded: 8 &- count) &* 8
        let places = (1 &<< shift) &- 1 as UInt64
        return ByteWord(bits: bits &<< shift | places & 0x3030_3030_3030_3030)
    }
}

extension Span<UInt8> {
    /// The eight bytes at an index.
    @inlinable
    @inline(__always)
    public func word(at index: Int) -> ByteWord {
        ByteWord(
            bits: UInt64(
                littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)))
    }

    /// At most eight bytes from an index on; the places behind them hold the character 0.
    @inlinable
    @inline(__always)
    public func word(at index: Int, count: Int) -> ByteWord {
        let zeros = ByteWord(repeating: 0x30).bits
        if count >= 8 { return word(at: index) }
        let shift = UInt64(truncatingIfNeeded: count) &* 8 & 63
        let filler = zeros &<< shift
        if index &+ count >= 8 {
            return ByteWord(bits: word(at: index &+ count &- 8).bits >> (64 &- shift) | filler)
        }
        if index &+ 8 <= self.count {
            return ByteWord(bits: word(at: index).bits & ((1 &<< shift) &- 1) | filler)
        }
        var bits: UInt64 = 0
        var place = index &+ count
        while place > index {
            place &-= 1
            bits = bits << 8 | UInt64(self[place])
        }
        return ByteWord(bits: bits | filler)
    }

    /// Whether all bytes are the characters 0…9; so it is with none.
    @inlinable public var areDigits: Bool {
        var index = 0
        while index < count {
            guard word(at: index, count: count &- index).areDigits else { return false }
            index &+= 8
        }
        return true
    }

    /// The number that all bytes write in decimal digits; nil for anything else, for nothing, and for more than 18.
    @inlinable public var number: Int? {
        guard count > 0, count <= 18 else { return nil }
        var number = 0
        var index = 0
        while index < count {
            let size = Swift.min(count &- index, 8)
            let word = word(at: index, count: size)
            guard word.areDigits else { return nil }
            number = number &* Self.power(size) &+ word.movedToEnd(count: size).number
            index &+= 8
        }
        return number
    }

    /// 10^exponent.
    @inlinable
    static func power(_ exponent: Int) -> Int {
        switch exponent {
        case 0: 1
        case 1: 10
        case 2: 100
        case 3: 1000
        case 4: 10_000
        case 5: 100_000
        case 6: 1_000_000
        case 7: 10_000_000
        default: 100_000_000
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Eight bytes at once say what a loop over bytes says.

import Bytes
import RelaisTesting
import Testing

@Suite struct ByteWordTests {
    private static let alphabet =
        Array("0123456789AZaz ,;\"".utf8) + [0, 9, 31, 127, 0x80, 0xA9, 0xC2, 0xC3, 0xFF]

    private func text(_ length: Int, of alphabet: [UInt8], _ random: inout Seeded) -> [UInt8] {
        (0..<length).map { _ in alphabet.randomElement(using: &random) ?? 0 }
    }

    @Test func `marks and ranges are exact for any bytes`() {
        var random = Seeded(1)
        for _ in 0..<20_000 {
            let bytes = text(8, of: Self.alphabet, &random)
            let word = bytes.span.word(at: 0)
            let sought = Self.alphabet.randomElement(using: &random) ?? 0
            let marks = word.marks(of: ByteWord(repeating: sought))
            #expect((0..<8).allSatisfy { marks >> (8 * $0 + 7) & 1 == (bytes[$0] == sought ? 1 : 0) })
            #expect(word.hasByte(from: 0, through: 31) == bytes.contains { $0 < 32 })
            #expect(word.hasByte(from: 0x61, through: 0x7A) == bytes.contains { (0x61...0x7A).contains($0) })
            #expect(word.isASCII == bytes.allSatisfy { $0 < 0x80 })
            #expect(word.isWesternText == bytes.allSatisfy { $0 < 0xC0 || $0 == 0xC3 })
            #expect(word.areDigits == bytes.allSatisfy { (0x30...0x39).contains($0) })
        }
    }

    @Test func `a short text is filled with zeros, wherever it stands`() {
        var random = Seeded(2)
        for _ in 0..<5_000 {
            let bytes = text(Int.random(in: 0...20, using: &random), of: Self.alphabet, &random)
            let index = Int.random(in: 0...bytes.count, using: &random)
            let count = Int.random(in: 0...bytes.count - index, using: &random)
            let expected = (bytes[index..<index + count] + repeatElement(0x30, count: 8)).prefix(8)
            let word = bytes.span.word(at: index, count: count)
            #expect((0..<8).map { UInt8(truncatingIfNeeded: word.bits >> (8 * $0)) } == Array(expected))
        }
    }

    @Test func `digits are the number they write, up to 18 of them`() {
        var random = Seeded(3)
        for _ in 0..<5_000 {
            let digits = text(Int.random(in: 0...20, using: &random), of: Array("0123456789".utf8), &random)
            let expected = digits.count > 18 ? nil : Int(String(decoding: digits, as: UTF8.self))
            let (number, areDigits) = (digits.span.number, digits.span.areDigits)
            #expect(number == expected)
            #expect(areDigits)
            guard !digits.isEmpty else { continue }
            var broken = digits
            broken[Int.random(in: digits.indices, using: &random)] =
                [0x2F, 0x3A, 0xB5].randomElement(using: &random) ?? 0
            let (none, areBroken) = (broken.span.number, !broken.span.areDigits)
            #expect(none == nil)
            #expect(areBroken)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Checks of the identifiers of French companies: SIREN, SIRET and their check digits.

internal import Bytes

/// SIREN (company, 9 digits) and SIRET (establishment, 14 digits) as INSEE numbers them.
package enum CompanyIdentifier {
    /// Whether `text` is 9 digits whose Luhn check holds. All zeros is no company.
    package static func isSIREN(_ text: String) -> Bool { isSIREN(ascii: Array(text.utf8).span) }

    /// Same as ``isSIREN(_:)``, from bytes.
    package static func isSIREN(ascii bytes: Span<UInt8>) -> Bool {
        guard bytes.count == 9, passesLuhn(ascii: bytes) else { return false }
        return bytes.number != 0
    }

    /// Whether `text` is 14 digits that start with a valid SIREN and whose own check holds.
    ///
    /// La Poste's establishments (SIREN 356000000), its head office excepted, keep a digit sum divisible by 5
    /// in place of Luhn's check.
    package static func isSIRET(_ text: String) -> Bool { isSIRET(ascii: Array(text.utf8).span) }

    /// Same as ``isSIRET(_:)``, from bytes.
    package static func isSIRET(ascii bytes: Span<UInt8>) -> Bool {
        guard bytes.count == 14, let number = bytes.number, isSIREN(ascii: bytes.extracting(first: 9)) else {
            return false
        }
        guard number / 100_000 == 356_000_000, number != 35_600_000_000_048 else {
            return passesLuhn(ascii: bytes)
        }
        return bytes.indices.reduce(0) { $0 + Int(bytes[$1]) - 48 }.isMultiple(of: 5)
    }

    /// The decimal digits of `text` as numbers; other characters are left out.
    static func digits(_ text: String) -> [Int] {
        text.utf8.compactMap { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
        }
    }

    /// Whether the bytes are digits with a Luhn check (ISO/IEC 7812-1): every second digit from the right
    /// doubled, the sum of all digits divisible by 10.
    package static func passesLuhn(ascii bytes: Span<UInt8>) -> Bool {
        var sum = 0
        var end = bytes.count
        while end > 0 {
            let count = min(end, 8)
            let word = bytes.word(at: end &- count, count: count).movedToEnd(count: count)
            guard word.areDigits else { return false }
            sum &+= word.luhnSum
            end &-= count
        }
        return sum.isMultiple(of: 10) && !bytes.isEmpty
    }
}

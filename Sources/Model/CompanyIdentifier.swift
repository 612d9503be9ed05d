// SPDX-License-Identifier: Apache-2.0
// Checks of the identifiers of French companies: SIREN, SIRET and their check digits.

/// SIREN (company, 9 digits) and SIRET (establishment, 14 digits) as INSEE numbers them.
package enum CompanyIdentifier {
    /// Whether `text` is 9 digits whose Luhn check holds. All zeros is no company.
    package static func isSIREN(_ text: String) -> Bool { isSIREN(ascii: Array(text.utf8)[...]) }

    /// Same as ``isSIREN(_:)``, from bytes.
    package static func isSIREN(ascii bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count == 9 && passesLuhn(ascii: bytes) && bytes.contains { $0 != UInt8(ascii: "0") }
    }

    /// Whether `text` is 14 digits that start with a valid SIREN and whose own check holds.
    ///
    /// La Poste's establishments (SIREN 356000000), its head office excepted, keep a digit sum divisible by 5
    /// in place of Luhn's check.
    package static func isSIRET(_ text: String) -> Bool { isSIRET(ascii: Array(text.utf8)[...]) }

    /// Same as ``isSIRET(_:)``, from bytes.
    package static func isSIRET(ascii bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count == 14, isSIREN(ascii: bytes.prefix(9)) else { return false }
        if bytes.starts(with: "356000000".utf8), !bytes.elementsEqual("35600000000048".utf8) {
            return bytes.allSatisfy(isDigit) && bytes.reduce(0) { $0 + Int($1) - 48 }.isMultiple(of: 5)
        }
        return passesLuhn(ascii: bytes)
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    /// The decimal digits of `text` as numbers; other characters are left out.
    static func digits(_ text: String) -> [Int] {
        text.utf8.compactMap { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
        }
    }

    /// Whether the bytes are digits with a Luhn check (ISO/IEC 7812-1): every second digit from the right
    /// doubled, the sum of all digits divisible by 10.
    package static func passesLuhn(ascii bytes: ArraySlice<UInt8>) -> Bool {
        var sum = 0
        var isDoubled = false
        for byte in bytes.reversed() {
            let digit = Int(byte) - 48
            guard (0...9).contains(digit) else { return false }
            let value = isDoubled ? digit * 2 : digit
            sum += value > 9 ? value - 9 : value
            isDoubled.toggle()
        }
        return sum.isMultiple(of: 10) && !bytes.isEmpty
    }
}

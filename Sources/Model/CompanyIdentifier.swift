// SPDX-License-Identifier: Apache-2.0
// Checks of the identifiers of French companies: SIREN, SIRET and their check digits.

/// SIREN (company, 9 digits) and SIRET (establishment, 14 digits) as INSEE numbers them.
package enum CompanyIdentifier {
    /// Whether `text` is 9 digits whose Luhn check holds. All zeros is no company.
    package static func isSIREN(_ text: String) -> Bool {
        let digits = Self.digits(text)
        return digits.count == 9 && text.utf8.count == 9 && luhn(digits) && digits.contains { $0 != 0 }
    }

    /// Whether `text` is 14 digits that start with a valid SIREN and whose own check holds.
    ///
    /// La Poste's establishments (SIREN 356000000), its head office excepted, keep a digit sum divisible by 5
    /// in place of Luhn's check.
    package static func isSIRET(_ text: String) -> Bool {
        let digits = Self.digits(text)
        guard digits.count == 14, text.utf8.count == 14, isSIREN(String(text.prefix(9))) else { return false }
        if text.hasPrefix("356000000"), text != "35600000000048" {
            return digits.reduce(0, +).isMultiple(of: 5)
        }
        return luhn(digits)
    }

    /// The decimal digits of `text` as numbers; other characters are left out.
    static func digits(_ text: String) -> [Int] {
        text.utf8.compactMap { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) ? Int(byte - UInt8(ascii: "0")) : nil
        }
    }

    /// ISO/IEC 7812-1: every second digit from the right doubled, the sum of all digits divisible by 10.
    private static func luhn(_ digits: [Int]) -> Bool {
        let sum = digits.reversed().enumerated().reduce(0) { sum, digit in
            let doubled = digit.offset.isMultiple(of: 2) ? digit.element : digit.element * 2
            return sum + (doubled > 9 ? doubled - 9 : doubled)
        }
        return sum.isMultiple(of: 10)
    }
}

// SPDX-License-Identifier: Apache-2.0
// The check digits of international bank account numbers.

/// International bank account numbers (ISO 13616).
package enum IBAN {
    /// Whether the bytes are a country, two check digits and 11 to 30 letters or digits, without blanks, whose
    /// remainder modulo 97 is 1 (ISO 7064).
    package static func isValid(ascii bytes: ArraySlice<UInt8>) -> Bool {
        guard (15...34).contains(bytes.count) else { return false }
        let letters = UInt8(ascii: "A")...UInt8(ascii: "Z")
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard bytes.prefix(2).allSatisfy(letters.contains),
            bytes.dropFirst(2).prefix(2).allSatisfy(digits.contains)
        else { return false }
        var remainder = 0
        for byte in bytes.dropFirst(4) + bytes.prefix(4) {
            if digits.contains(byte) {
                remainder = (remainder * 10 + Int(byte) - 48) % 97
            } else if letters.contains(byte) {
                remainder = (remainder * 100 + Int(byte) - 55) % 97
            } else {
                return false
            }
        }
        return remainder == 1
    }
}

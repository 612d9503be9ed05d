// SPDX-License-Identifier: Apache-2.0
// The check digits of international bank account numbers.

internal import Bytes

/// International bank account numbers (ISO 13616).
package enum IBAN {
    /// Whether the bytes are a country, two check digits and 11 to 30 letters or digits, without blanks, whose
    /// remainder modulo 97 is 1 (ISO 7064).
    package static func isValid(ascii bytes: Span<UInt8>) -> Bool {
        guard (15...34).contains(bytes.count), letter(bytes[0]) != nil, letter(bytes[1]) != nil,
            bytes.extracting(2..<4).number != nil
        else { return false }
        var remainder = 0
        for index in bytes.indices {
            // The first four come last.
            let byte = bytes[(index + 4) % bytes.count]
            if let letter = letter(byte) {
                remainder = (remainder * 100 + letter) % 97
            } else {
                guard (48...57).contains(byte) else { return false }
                remainder = (remainder * 10 + Int(byte) - 48) % 97
            }
        }
        return remainder == 1
    }

    /// 10 for `A` to 35 for `Z`.
    private static func letter(_ byte: UInt8) -> Int? {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? Int(byte) - 55 : nil
    }
}

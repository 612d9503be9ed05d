// SPDX-License-Identifier: Apache-2.0
// Checks of VAT numbers: France in both styles, and the neighbours its customers invoice most.

/// A VAT number with its country prefix, without spaces, upper case.
package enum VATNumber {
    /// Whether the check digits of `text` hold.
    ///
    /// Countries whose algorithm is not known here are never valid: a number that cannot be checked identifies
    /// nobody. Monaco's numbers (`FR` key `000…`) keep the French key but have no SIREN.
    /// - Source: the European Commission's VIES number structures; DGFiP for the French keys.
    package static func isValid(_ text: String) -> Bool { isValid(ascii: Array(text.utf8)[...]) }

    /// Same as ``isValid(_:)``, from bytes.
    package static func isValid(ascii bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count > 2 else { return false }
        let body = bytes.dropFirst(2)
        switch (bytes[bytes.startIndex], bytes[bytes.startIndex + 1]) {
        case (UInt8(ascii: "F"), UInt8(ascii: "R")): return isFrench(body)
        case (UInt8(ascii: "B"), UInt8(ascii: "E")): return isBelgian(body)
        case (UInt8(ascii: "D"), UInt8(ascii: "E")): return isModulo11and10(body, count: 9)
        case (UInt8(ascii: "I"), UInt8(ascii: "T")): return isItalian(body)
        case (UInt8(ascii: "L"), UInt8(ascii: "U")): return isLuxembourgish(body)
        default: return false
        }
    }

    /// The SIREN inside a French number, when its shape has one; not checked.
    package static func siren(of text: String) -> String? {
        let siren = text.dropFirst(4)
        guard text.hasPrefix("FR"), siren.utf8.count == 9, CompanyIdentifier.digits(String(siren)).count == 9
        else { return nil }
        return siren.hasPrefix("000") ? nil : String(siren)
    }

    /// The place of a byte in the alphabet of French keys, which has no I and no O; nil outside it.
    private static func keyPlace(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte) - 48
        case UInt8(ascii: "I"), UInt8(ascii: "O"): nil
        case UInt8(ascii: "A")...UInt8(ascii: "Z"):
            Int(byte) - 55 - (byte > UInt8(ascii: "I") ? 1 : 0) - (byte > UInt8(ascii: "O") ? 1 : 0)
        default: nil
        }
    }

    private static func isFrench(_ body: ArraySlice<UInt8>) -> Bool {
        let siren = body.dropFirst(2)
        guard body.count == 11, let number = number(siren, count: 9) else { return false }
        let isMonaco = siren.starts(with: [48, 48, 48])
        guard isMonaco || CompanyIdentifier.isSIREN(ascii: siren) else { return false }
        if let numericKey = Self.number(body.prefix(2), count: 2) {
            return numericKey == (number * 100 + 12) % 97
        }
        guard let first = keyPlace(body[body.startIndex]), let second = keyPlace(body[body.startIndex + 1])
        else { return false }
        let check = first < 10 ? first * 24 + second - 10 : first * 34 + second - 100
        return (number + 1 + check / 11) % 11 == check % 11
    }

    /// Ten digits; the last two are 97 minus the rest modulo 97.
    private static func isBelgian(_ body: ArraySlice<UInt8>) -> Bool {
        guard let number = number(body, count: 10), number > 0 else { return false }
        return 97 - number / 100 % 97 == number % 100
    }

    /// ISO 7064 MOD 11,10, as Germany's `USt-IdNr.` uses it.
    private static func isModulo11and10(_ body: ArraySlice<UInt8>, count: Int) -> Bool {
        guard number(body, count: count) != nil, let first = body.first, let last = body.last else {
            return false
        }
        let product = body.dropLast().reduce(10) { product, digit in
            let sum = (product + Int(digit) - 48) % 10
            return (sum == 0 ? 10 : sum) * 2 % 11
        }
        return (11 - product) % 10 == Int(last) - 48 && first != 48
    }

    /// Eleven digits with Luhn's check, as SIREN has it.
    private static func isItalian(_ body: ArraySlice<UInt8>) -> Bool {
        guard let number = number(body, count: 11), number > 0 else { return false }
        return CompanyIdentifier.passesLuhn(ascii: body)
    }

    /// Eight digits; the last two are the first six modulo 89.
    private static func isLuxembourgish(_ body: ArraySlice<UInt8>) -> Bool {
        guard let number = number(body, count: 8), number > 0 else { return false }
        return number / 100 % 89 == number % 100
    }

    /// The number, when the bytes are exactly `count` decimal digits.
    private static func number(_ bytes: ArraySlice<UInt8>, count: Int) -> Int? {
        guard bytes.count == count else { return nil }
        var number = 0
        for byte in bytes {
            let digit = byte &- 48
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }
}

// SPDX-License-Identifier: Apache-2.0
// Checks of VAT numbers: France in both styles, and the neighbours its customers invoice most.

internal import Bytes

/// A VAT number with its country prefix, without spaces, upper case.
package enum VATNumber {
    /// Whether the check digits of `text` hold.
    ///
    /// Countries whose algorithm is not known here are never valid: a number that cannot be checked identifies
    /// nobody. Monaco's numbers (`FR` key `000…`) keep the French key but have no SIREN.
    /// - Source: the European Commission's VIES number structures; DGFiP for the French keys.
    package static func isValid(_ text: String) -> Bool { isValid(ascii: Array(text.utf8).span) }

    /// Same as ``isValid(_:)``, from bytes.
    package static func isValid(ascii bytes: Span<UInt8>) -> Bool {
        guard bytes.count > 2 else { return false }
        let body = bytes.extracting(droppingFirst: 2)
        switch (bytes[0], bytes[1]) {
        case (UInt8(ascii: "F"), UInt8(ascii: "R")): return isFrench(body)
        case (UInt8(ascii: "B"), UInt8(ascii: "E")): return isBelgian(body)
        case (UInt8(ascii: "D"), UInt8(ascii: "E")): return isModulo11and10(body)
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

    private static func isFrench(_ body: Span<UInt8>) -> Bool {
        guard body.count == 11, let number = body.extracting(droppingFirst: 2).number else { return false }
        let isMonaco = number < 1_000_000
        guard isMonaco || CompanyIdentifier.passesLuhn(ascii: body.extracting(droppingFirst: 2)) else {
            return false
        }
        if let numericKey = body.extracting(first: 2).number {
            return numericKey == (number * 100 + 12) % 97
        }
        guard let first = keyPlace(body[0]), let second = keyPlace(body[1]) else { return false }
        let check = first < 10 ? first * 24 + second - 10 : first * 34 + second - 100
        return (number + 1 + check / 11) % 11 == check % 11
    }

    /// Ten digits; the last two are 97 minus the rest modulo 97.
    private static func isBelgian(_ body: Span<UInt8>) -> Bool {
        guard body.count == 10, let number = body.number, number > 0 else { return false }
        return 97 - number / 100 % 97 == number % 100
    }

    /// ISO 7064 MOD 11,10 over nine digits, as Germany's `USt-IdNr.` uses it.
    private static func isModulo11and10(_ body: Span<UInt8>) -> Bool {
        guard body.count == 9, body.number != nil else { return false }
        let product = (0..<8).reduce(10) { product, index in
            let sum = (product + Int(body[index]) - 48) % 10
            return (sum == 0 ? 10 : sum) * 2 % 11
        }
        return (11 - product) % 10 == Int(body[8]) - 48 && body[0] != 48
    }

    /// Eleven digits with Luhn's check, as SIREN has it.
    private static func isItalian(_ body: Span<UInt8>) -> Bool {
        guard body.count == 11, let number = body.number, number > 0 else { return false }
        return CompanyIdentifier.passesLuhn(ascii: body)
    }

    /// Eight digits; the last two are the first six modulo 89.
    private static func isLuxembourgish(_ body: Span<UInt8>) -> Bool {
        guard body.count == 8, let number = body.number, number > 0 else { return false }
        return number / 100 % 89 == number % 100
    }
}

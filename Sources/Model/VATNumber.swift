// SPDX-License-Identifier: Apache-2.0
// Checks of VAT numbers: France in both styles, and the neighbours its customers invoice most.

/// A VAT number with its country prefix, without spaces, upper case.
package enum VATNumber {
    /// Whether the check digits of `text` hold.
    ///
    /// Countries whose algorithm is not known here are never valid: a number that cannot be checked identifies
    /// nobody. Monaco's numbers (`FR` key `000…`) keep the French key but have no SIREN.
    /// - Source: the European Commission's VIES number structures; DGFiP for the French keys.
    package static func isValid(_ text: String) -> Bool {
        let body = String(text.dropFirst(2))
        switch text.prefix(2) {
        case "FR": return isFrench(key: String(body.prefix(2)), siren: String(body.dropFirst(2)))
        case "BE": return isBelgian(body)
        case "DE": return isModulo11and10(body, count: 9)
        case "IT": return isItalian(body)
        case "LU": return isLuxembourgish(body)
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

    /// The alphabet of lettered French keys: no I and no O.
    private static let keyAlphabet = Array("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)

    private static func isFrench(key: String, siren: String) -> Bool {
        guard siren.utf8.count == 9, let number = digitsOnly(siren, count: 9) else { return false }
        guard siren.hasPrefix("000") || CompanyIdentifier.isSIREN(siren) else { return false }
        if let numericKey = digitsOnly(key, count: 2) { return numericKey == (number * 100 + 12) % 97 }
        let places = key.utf8.compactMap { keyAlphabet.firstIndex(of: $0) }
        guard places.count == 2, key.utf8.count == 2 else { return false }
        let check = places[0] < 10 ? places[0] * 24 + places[1] - 10 : places[0] * 34 + places[1] - 100
        return (number + 1 + check / 11) % 11 == check % 11
    }

    /// Ten digits; the last two are 97 minus the rest modulo 97.
    private static func isBelgian(_ body: String) -> Bool {
        guard let number = digitsOnly(body, count: 10), number > 0 else { return false }
        return 97 - number / 100 % 97 == number % 100
    }

    /// ISO 7064 MOD 11,10, as Germany's `USt-IdNr.` uses it.
    private static func isModulo11and10(_ body: String, count: Int) -> Bool {
        guard digitsOnly(body, count: count) != nil else { return false }
        let digits = CompanyIdentifier.digits(body)
        let product = digits.dropLast().reduce(10) { product, digit in
            let sum = (product + digit) % 10
            return (sum == 0 ? 10 : sum) * 2 % 11
        }
        return (11 - product) % 10 == digits[count - 1] && digits[0] != 0
    }

    /// Eleven digits with Luhn's check.
    private static func isItalian(_ body: String) -> Bool {
        guard let number = digitsOnly(body, count: 11), number > 0 else { return false }
        let digits = CompanyIdentifier.digits(body)
        let sum = digits.enumerated().reduce(0) { sum, digit in
            let doubled = digit.offset.isMultiple(of: 2) ? digit.element : digit.element * 2
            return sum + (doubled > 9 ? doubled - 9 : doubled)
        }
        return sum.isMultiple(of: 10)
    }

    /// Eight digits; the last two are the first six modulo 89.
    private static func isLuxembourgish(_ body: String) -> Bool {
        guard let number = digitsOnly(body, count: 8), number > 0 else { return false }
        return number / 100 % 89 == number % 100
    }

    /// The number, when `text` is exactly `count` decimal digits.
    private static func digitsOnly(_ text: String, count: Int) -> Int? {
        text.utf8.count == count && CompanyIdentifier.digits(text).count == count ? Int(text) : nil
    }
}

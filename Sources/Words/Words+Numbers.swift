// SPDX-License-Identifier: Apache-2.0
// Amounts and official numbers as people read them.

package import Model

extension Words {
    /// `1 234,56 €`, `−412,00 €`, `1 234,56 USD`; in English `€1,234.56`.
    package func money(_ value: Decimal, _ currency: String) -> String {
        let amount = amount(value, "")
        return sign(String(amount.dropLast()), currency)
    }

    /// An amount for a tile, without cents: `84 400 €`.
    package func moneyRounded(_ value: Decimal, _ currency: String) -> String {
        let text = amount(value.rounded(to: 0), "").dropLast()
        return sign(String(text.prefix { $0 != (language == .french ? "," : ".") }), currency)
    }

    private func sign(_ amount: String, _ currency: String) -> String {
        guard currency == "EUR" else { return "\(amount)\u{202F}\(currency)" }
        if language == .french { return "\(amount)\u{202F}€" }
        return amount.hasPrefix("−") ? "−€" + amount.dropFirst() : "€" + amount
    }

    /// `999 102 346`; anything but nine digits as it is.
    package func siren(_ text: String) -> String {
        Self.isDigits(text, 9) ? Self.grouped(text, [3, 3, 3]) : text
    }

    /// `999 102 346 00017`; anything but fourteen digits as it is.
    package func siret(_ text: String) -> String {
        Self.isDigits(text, 14) ? Self.grouped(text, [3, 3, 3, 5]) : text
    }

    /// `FR66 999 102 346`; a number of another form as it is.
    package func vat(_ text: String) -> String {
        guard text.hasPrefix("FR"), text.count == 13, Self.isDigits(String(text.dropFirst(4)), 9) else {
            return text
        }
        return "\(text.prefix(4))\u{A0}\(siren(String(text.dropFirst(4))))"
    }

    /// `04 65 71 20 14` for a French number, national or with +33; another as it is.
    package func phone(_ text: String) -> String {
        let digits = text.filter { $0.isNumber || $0 == "+" }
        let national = digits.hasPrefix("+33") ? "0" + digits.dropFirst(3) : digits
        guard Self.isDigits(national, 10), national.hasPrefix("0") else { return text }
        return Self.grouped(national, [2, 2, 2, 2, 2])
    }

    private static func isDigits(_ text: String, _ count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }

    private static func grouped(_ text: String, _ sizes: [Int]) -> String {
        var rest = Substring(text)
        return sizes.map { size in
            defer { rest = rest.dropFirst(size) }
            return String(rest.prefix(size))
        }.joined(separator: "\u{202F}")
    }
}

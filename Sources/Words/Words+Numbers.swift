// SPDX-License-Identifier: Apache-2.0
// Amounts, shares, sizes and official numbers as people read them.

package import Model

extension Words {
    /// `1 234,56 €`, `−412,00 €`, `1 234,56 USD`; in English `€1,234.56`, `−€412.00`, `1,234.56 USD`.
    ///
    /// Two decimals at least; more where the value has them, since tables never round.
    /// - Parameter currency: An ISO 4217 code.
    package func money(_ value: Decimal, _ currency: String) -> String {
        signed(decimals(value.reduced), currency)
    }

    /// An amount for a tile, to the nearest whole unit: `84 400 €`.
    /// - Parameter currency: An ISO 4217 code.
    package func moneyRounded(_ value: Decimal, _ currency: String) -> String {
        let mark: Character = language == .french ? "," : "."
        // The whole part is what `decimals` writes before the mark; French groups never use one.
        return signed(String(decimals(value.rounded(to: 0)).prefix { $0 != mark }), currency)
    }

    /// `62 %` (`62%` in English), to the nearest whole; `–` for a share of nothing.
    ///
    /// 0 and 100 are said only where they are exact: one record in a thousand is "moins de 1 %", 999 of them
    /// "plus de 99 %".
    package func percent(_ part: Int, of whole: Int) -> String {
        guard whole > 0 else { return "–" }
        let share = (Int128(part.magnitude) * 200 + Int128(whole)) / (2 * Int128(whole))
        if share == 0, part > 0 { return self("percent.under", ["percent": percentage(1)]) }
        if share == 100, part > 0, part < whole {
            return self("percent.over", ["percent": percentage(99)])
        }
        return percentage(Int(clamping: part < 0 ? -share : share))
    }

    /// A number of bytes on a page: `512 o`, `312 Ko`, `239,0 Mo`, `10,2 Go`; in English `312 kB`, `239.0 MB`.
    ///
    /// Decimal units, to the nearest, the decimal from mega on; ``size(_:)`` cuts instead, for commands.
    package func bytes(_ count: Int) -> String {
        let letter = language == .french ? "o" : "B"
        if count < 1000 { return "\(number(count))\u{A0}\(letter)" }
        let kilos = Self.nearest(count, 1000)
        if kilos < 1000 { return "\(kilos)\u{A0}\(language == .french ? "K" : "k")\(letter)" }
        // The unit is chosen by the rounded number: 999 960 000 bytes are 1,0 Go, not 1 000,0 Mo.
        var (tenths, unit) = (Self.nearest(count, 100_000), "M")
        if tenths >= 10_000 { (tenths, unit) = (Self.nearest(count, 100_000_000), "G") }
        if tenths >= 10_000 { (tenths, unit) = (Self.nearest(count, 100_000_000_000), "T") }
        let mark = language == .french ? "," : "."
        return "\(number(tenths / 10))\(mark)\(tenths % 10)\u{A0}\(unit)\(letter)"
    }

    /// `999 102 346`; anything but nine digits as it is.
    package func siren(_ text: String) -> String {
        Self.isDigits(text, 9) ? Self.grouped(text, [3, 3, 3]) : text
    }

    /// `999 102 346 00017`; anything but fourteen digits as it is.
    package func siret(_ text: String) -> String {
        Self.isDigits(text, 14) ? Self.grouped(text, [3, 3, 3, 5]) : text
    }

    /// `FR66 999 102 346`; a number of another form or country as it is.
    package func vat(_ text: String) -> String {
        guard text.hasPrefix("FR"), text.utf8.count == 13, Self.isDigits(String(text.suffix(9)), 9) else {
            return text
        }
        return Self.grouped(text, [4, 3, 3, 3])
    }

    /// `04 65 71 20 14` for a French number, national or with `+33`, `0033` or `+33 (0)`; another as it is.
    ///
    /// A number with a remark behind it (`poste 12`) is another, so that nothing of it is lost.
    package func phone(_ text: String) -> String {
        var digits = text.filter { !" \u{A0}\u{202F}.-/()".contains($0) }
        for country in ["+33", "0033"] where digits.hasPrefix(country) {
            digits.removeFirst(country.count)
            if !digits.hasPrefix("0") { digits = "0" + digits }
        }
        guard Self.isDigits(digits, 10), digits.hasPrefix("0"), !digits.hasPrefix("00") else { return text }
        return Self.grouped(digits, [2, 2, 2, 2, 2])
    }

    /// `1 234,50`: the number of ``amount(_:_:)`` without its space and currency.
    func decimals(_ value: Decimal) -> String { String(amount(value, "").dropLast()) }

    /// `1 234,5`: a number with the decimals that it was written with.
    func decimal(_ value: Decimal) -> String {
        let text = decimals(value)
        // An amount has two decimals at least.
        return value.scale < 2 ? String(text.dropLast(value.scale == 0 ? 3 : 1)) : text
    }

    private func signed(_ amount: String, _ currency: String) -> String {
        guard currency == "EUR" else { return "\(amount)\u{A0}\(currency)" }
        if language == .french { return "\(amount)\u{202F}€" }
        return amount.hasPrefix("−") ? "−€" + amount.dropFirst() : "€" + amount
    }

    private func percentage(_ share: Int) -> String {
        number(share) + (language == .french ? "\u{202F}%" : "%")
    }

    private static func nearest(_ value: Int, _ step: Int) -> Int {
        value / step + (value % step * 2 >= step ? 1 : 0)
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

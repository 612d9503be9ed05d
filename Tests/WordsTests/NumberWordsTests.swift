// SPDX-License-Identifier: Apache-2.0
// Amounts, shares, sizes and official numbers in both languages.

import Model
import Testing
import Words

@Suite struct NumberWordsTests {
    // Read once: every case of a table makes its own suite.
    private static let catalogues = Result { (try Words(.french), try Words(.english)) }
    private let french: Words
    private let english: Words

    init() throws {
        (french, english) = try Self.catalogues.get()
    }

    /// No-break spaces made visible: `␣` for U+00A0, `_` for the narrow U+202F.
    private func shown(_ text: String) -> String {
        String(text.map { $0 == "\u{A0}" ? "␣" : $0 == "\u{202F}" ? "_" : $0 })
    }

    @Test(
        arguments: [
            ("1234.56", "EUR", "1_234,56_€", "€1,234.56"),
            ("-412", "EUR", "−412,00_€", "−€412.00"),
            ("-1234567.5", "EUR", "−1_234_567,50_€", "−€1,234,567.50"),
            ("0", "EUR", "0,00_€", "€0.00"),
            ("-0.00", "EUR", "0,00_€", "€0.00"),
            ("0.05", "EUR", "0,05_€", "€0.05"),
            ("-0.05", "EUR", "−0,05_€", "−€0.05"),
            ("999.9", "EUR", "999,90_€", "€999.90"),
            ("1000", "EUR", "1_000,00_€", "€1,000.00"),
            // Zeros of a wide column go, digits that count stay.
            ("12.500000", "EUR", "12,50_€", "€12.50"),
            ("0.0375", "EUR", "0,0375_€", "€0.0375"),
            ("1234.56", "USD", "1_234,56␣USD", "1,234.56␣USD"),
            ("-412", "CHF", "−412,00␣CHF", "−412.00␣CHF"),
        ] as [(String, String, String, String)])
    func `an amount has two decimals at least and its currency`(
        _ text: String, _ currency: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        let value = try #require(Decimal(text))
        #expect(shown(french.money(value, currency)) == inFrench)
        #expect(shown(english.money(value, currency)) == inEnglish)
    }

    @Test(
        arguments: [
            ("84400", "EUR", "84_400_€", "€84,400"),
            ("84399.50", "EUR", "84_400_€", "€84,400"),
            ("84399.49", "EUR", "84_399_€", "€84,399"),
            ("999999.99", "EUR", "1_000_000_€", "€1,000,000"),
            ("-412.40", "EUR", "−412_€", "−€412"),
            ("-0.40", "EUR", "0_€", "€0"),
            ("0", "EUR", "0_€", "€0"),
            ("1234.56", "USD", "1_235␣USD", "1,235␣USD"),
        ] as [(String, String, String, String)])
    func `an amount of a tile has no decimals`(
        _ text: String, _ currency: String, _ inFrench: String, _ inEnglish: String
    ) throws {
        let value = try #require(Decimal(text))
        #expect(shown(french.moneyRounded(value, currency)) == inFrench)
        #expect(shown(english.moneyRounded(value, currency)) == inEnglish)
    }

    @Test(
        arguments: [
            (62, 100, "62_%", "62%"), (1, 3, "33_%", "33%"), (2, 3, "67_%", "67%"),
            (1, 200, "1_%", "1%"), (0, 10, "0_%", "0%"), (10, 10, "100_%", "100%"),
            (1, 1000, "moins de 1_%", "under 1%"), (999, 1000, "plus de 99_%", "over 99%"),
            (985, 1000, "99_%", "99%"), (1001, 1000, "100_%", "100%"), (15, 10, "150_%", "150%"),
            (25_000, 1000, "2_500_%", "2,500%"), (-1, 4, "−25_%", "−25%"), (-1, 1000, "0_%", "0%"),
            (0, 0, "–", "–"), (5, 0, "–", "–"), (.max, 1, "9_223_372_036_854_775_807_%", nil),
            (.max, .max, "100_%", "100%"), (.min, .max, "−100_%", "−100%"),
        ] as [(Int, Int, String, String?)])
    func `a share is whole, and 0 or 100 only where it is exactly that`(
        _ part: Int, _ whole: Int, _ inFrench: String, _ inEnglish: String?
    ) {
        #expect(shown(french.percent(part, of: whole)) == inFrench)
        if let inEnglish { #expect(shown(english.percent(part, of: whole)) == inEnglish) }
    }

    @Test(
        arguments: [
            (0, "0␣o", "0␣B"), (1, "1␣o", "1␣B"), (999, "999␣o", "999␣B"), (1000, "1␣Ko", "1␣kB"),
            (312_400, "312␣Ko", "312␣kB"), (999_499, "999␣Ko", "999␣kB"), (999_500, "1,0␣Mo", "1.0␣MB"),
            (3_456_789, "3,5␣Mo", "3.5␣MB"), (238_990_000, "239,0␣Mo", "239.0␣MB"),
            (999_949_999, "999,9␣Mo", "999.9␣MB"), (999_950_000, "1,0␣Go", "1.0␣GB"),
            (2_000_000_000, "2,0␣Go", "2.0␣GB"), (10_200_000_000, "10,2␣Go", "10.2␣GB"),
            (1_500_000_000_000, "1,5␣To", "1.5␣TB"), (.max, "9_223_372,0␣To", "9,223,372.0␣TB"),
        ] as [(Int, String, String)])
    func `a size has a decimal from mega on`(_ count: Int, _ inFrench: String, _ inEnglish: String) {
        #expect(shown(french.bytes(count)) == inFrench)
        #expect(shown(english.bytes(count)) == inEnglish)
    }

    @Test(
        arguments: [
            ("+33465712014", "04_65_71_20_14"), ("0465712014", "04_65_71_20_14"),
            ("04 65 71 20 14", "04_65_71_20_14"), ("04.65.71.20.14", "04_65_71_20_14"),
            ("04\u{A0}65\u{202F}71-20/14", "04_65_71_20_14"), ("+33 4 65 71 20 14", "04_65_71_20_14"),
            ("+33 (0)4 65 71 20 14", "04_65_71_20_14"), ("0033465712014", "04_65_71_20_14"),
            ("+33612345678", "06_12_34_56_78"),
            // Others stay as they came.
            ("", ""), ("3631", "3631"), ("+32 2 123 45 67", "+32 2 123 45 67"),
            ("+15551234567", "+15551234567"),
            ("046571201", "046571201"), ("0065712014", "0065712014"), ("+334657120", "+334657120"),
            ("04 65 71 20 14 poste 12", "04 65 71 20 14 poste 12"),
            ("04 65 71 20 14 (Mme Roux)", "04 65 71 20 14 (Mme Roux)"), ("٠٤٦٥٧١٢٠١٤", "٠٤٦٥٧١٢٠١٤"),
        ] as [(String, String)])
    func `a French phone number is read in pairs, another as it is`(_ text: String, _ expected: String) {
        #expect(shown(french.phone(text)) == expected)
        #expect(shown(english.phone(text)) == expected)
    }

    @Test(
        arguments: [
            ("999102346", "999_102_346"), ("99910234", "99910234"), ("9991023460", "9991023460"),
            ("99910234A", "99910234A"), ("999 102 346", "999 102 346"), ("", ""),
        ] as [(String, String)])
    func `a SIREN is read in threes, anything else as it is`(_ text: String, _ expected: String) {
        #expect(shown(french.siren(text)) == expected)
        #expect(shown(english.siren(text)) == expected)
    }

    @Test(
        arguments: [
            ("99910234600017", "999_102_346_00017"), ("9991023460001", "9991023460001"),
            ("9991023460001X", "9991023460001X"), ("", ""),
        ] as [(String, String)])
    func `a SIRET is its SIREN and five digits, anything else as it is`(
        _ text: String, _ expected: String
    ) {
        #expect(shown(french.siret(text)) == expected)
        #expect(shown(english.siret(text)) == expected)
    }

    @Test(
        arguments: [
            ("FR66999102346", "FR66_999_102_346"), ("FRAB999102346", "FRAB_999_102_346"),
            ("FR6699910234", "FR6699910234"), ("DE123456789", "DE123456789"),
            ("FR66ABCDEFGHI", "FR66ABCDEFGHI"),
            ("", ""),
        ] as [(String, String)])
    func `a French VAT number is read by its key and its SIREN, another as it is`(
        _ text: String, _ expected: String
    ) {
        #expect(shown(french.vat(text)) == expected)
        #expect(shown(english.vat(text)) == expected)
    }
}

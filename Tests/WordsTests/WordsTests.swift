// SPDX-License-Identifier: Apache-2.0
// Texts, plural forms, numbers and dates of both languages.

import Diagnostics
import Model
import Testing
import Words

@Suite struct WordsTests {
    private let french: Words
    private let english: Words

    init() throws {
        french = try Words(.french)
        english = try Words(.english)
    }

    @Test func `the locale chooses the language, French first`() {
        #expect(Language(locale: "en_GB.UTF-8") == .english)
        #expect(Language(locale: "fr_FR.UTF-8") == .french)
        #expect(Language(locale: "C") == .french)
        #expect(Language(locale: nil) == .french)
    }

    @Test func `French counts zero as one, English as many`() {
        #expect(french("ledger.inserted", count: 0) == "0 créé")
        #expect(french("ledger.inserted", count: 2) == "2 créés")
        #expect(english("ledger.read", count: 0) == "0 records read")
        #expect(english("ledger.read", count: 1) == "1 record read")
    }

    @Test func `amounts, dates and sizes are written as in each country`() throws {
        let amount = try #require(Decimal("-1234567.5"))
        #expect(french.amount(amount, "EUR") == "−1\u{202F}234\u{202F}567,50\u{A0}EUR")
        #expect(english.amount(amount, "EUR") == "−1,234,567.50\u{A0}EUR")
        let day = try #require(CalendarDate(year: 2026, month: 3, day: 1))
        #expect(french.date(day) == "01/03/2026")
        #expect(english.date(day) == "2026-03-01")
        #expect(french.size(3_456_789) == "3,4\u{A0}Mo")
    }

    @Test func `a part whose fact is missing is left out`() {
        let known = Diagnostic(code: "CSV-MISSING-COLUMN", facts: ["column": "nom", "suggestion": "noms"])
        #expect(french.message(known) == "La colonne « nom » manque ; vouliez-vous dire « noms » ?")
        let unknown = Diagnostic(code: "CSV-MISSING-COLUMN", facts: ["column": "nom"])
        #expect(french.message(unknown) == "La colonne « nom » manque")
    }

    @Test func `a rule of a mapping brings its own sentence`() {
        #expect(french.message(Diagnostic(code: "BR-CO-15", facts: ["message": "TTC faux"])) == "TTC faux")
        let facts = [
            "message": "TTC {number.1} ≠ HT {number.2} de {value.3} {x}", "number.1": "24507.79",
            "number.2": "-1234.5", "value.3": "2026.10",
        ]
        let check = Diagnostic(code: "TOTAL", facts: facts)
        #expect(french.message(check) == "TTC 24\u{202F}507,79 ≠ HT −1\u{202F}234,5 de 2026.10 {x}")
        #expect(english.message(check) == "TTC 24,507.79 ≠ HT −1,234.5 de 2026.10 {x}")
    }

    @Test func `amounts that a rule compares are written as in each country`() {
        let found = Diagnostic(code: "BR-CO-15", facts: ["actual": "1810", "expected": "1800.00"])
        #expect(
            french.message(found).hasSuffix("1\u{202F}810,00 au lieu de 1\u{202F}800,00"), "\(found)")
        #expect(english.message(found).contains("1,810.00"))
        // An expected form is no amount.
        let form = Diagnostic(code: "SETTING-VALUE", facts: ["setting": "port", "expected": "1"])
        #expect(french.hint(form)?.contains("1,00") == false)
    }

    @Test func `a sentence that waits for a value stands without one too`() {
        let formats = ["formats": "dd/MM/yyyy"]
        let bare = Diagnostic(code: "FIELD-NOT-DATE", facts: formats)
        #expect(french.sentence(bare) == "Ce n’est pas une date (jj/mm/aaaa)")
        #expect(english.sentence(bare) == "This is no date (dd/MM/yyyy)")
        let value = Diagnostic(code: "FIELD-NOT-DATE", facts: formats, place: Place(value: "31/02"))
        #expect(french.sentence(value) == "Ce n’est pas une date (jj/mm/aaaa) : «\u{A0}31/02\u{A0}»")
    }

    @Test func `a cause is a sentence, also that of a mapping's own check`() {
        #expect(french.cause("TOTAL") == "Contrôle «\u{A0}TOTAL\u{A0}» de la correspondance non satisfait")
        #expect(french.cause("FIELD-NOT-INTEGER") == "Ce n’est pas un entier")
    }
}

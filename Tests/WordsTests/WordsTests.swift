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
    }
}

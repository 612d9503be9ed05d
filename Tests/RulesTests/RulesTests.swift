// SPDX-License-Identifier: Apache-2.0
// The norm's rules on invoices made here: each right one is left alone, each wrong one is found.

import Diagnostics
import Model
import Rules
import Testing

@Suite struct RulesTests {
    /// An invoice of two rates that breaks no rule.
    private func invoice(_ changes: [String: Value?] = [:]) throws -> Record {
        var record = Record(schema: .invoice)
        func amount(_ text: String) throws -> Value { .decimal(try #require(Decimal(text))) }
        let texts = [
            "number": "FA-1", "type_code": "380", "currency": "EUR", "seller.name": "Vendeur",
            "buyer.name": "Acheteur", "seller.siren": "991002023", "seller.siret": "99100202300018",
            "seller.vat": "FR95991002015", "seller.country": "FR",
            "customization": "urn:cen.eu:en16931:2017#conformant#urn.cpro.gouv.fr:1p0:extended-ctc-fr",
        ]
        for (field, text) in texts { record[field] = .text(text) }
        record["issue_date"] = CalendarDate(year: 2026, month: 1, day: 5).map { .date($0) }
        for (field, text) in [
            ("line_total", "110.00"), ("allowance_total", "10.00"), ("net_total", "100.00"),
            ("tax_total", "15.50"),
            ("gross_total", "115.50"), ("prepaid", "15.50"), ("payable", "100.00"),
        ] { record[field] = try amount(text) }
        for (name, rows) in try rows() {
            for row in rows { record.append(row, to: try #require(EntitySchema.invoice.collection(name))) }
        }
        for (field, value) in changes { record[field] = value }
        return record
    }

    private func rows() throws -> [(String, [Values])] {
        func values(_ collection: String, _ pairs: [String: Value]) throws -> Values {
            let index = try #require(EntitySchema.invoice.collection(collection))
            return EntitySchema.invoice.collections[index].fields.map { pairs[$0.name] }
        }
        func decimal(_ text: String) throws -> Value { .decimal(try #require(Decimal(text))) }
        return [
            (
                "lines",
                [
                    try values(
                        "lines", ["net": decimal("60"), "category": .text("S"), "rate": decimal("20")]),
                    try values(
                        "lines", ["net": decimal("50"), "category": .text("S"), "rate": decimal("10")]),
                ]
            ),
            (
                "taxes",
                [
                    try values(
                        "taxes",
                        [
                            "category": .text("S"), "rate": decimal("20"), "base": decimal("55"),
                            "amount": decimal("11.00"),
                        ]),
                    try values(
                        "taxes",
                        [
                            "category": .text("S"), "rate": decimal("10"), "base": decimal("45"),
                            "amount": decimal("4.50"),
                        ]),
                ]
            ),
            (
                "adjustments",
                [
                    try values(
                        "adjustments",
                        [
                            "is_charge": .boolean(false), "amount": decimal("5"), "category": .text("S"),
                            "rate": decimal("20"),
                        ]),
                    try values(
                        "adjustments",
                        [
                            "is_charge": .boolean(false), "amount": decimal("5"), "category": .text("S"),
                            "rate": decimal("10"),
                        ]),
                ]
            ),
        ]
    }

    private func codes(_ changes: [String: Value?], _ rules: RuleSet = .en16931) throws -> [String] {
        rules.findings(try invoice(changes)).map(\.code)
    }

    private func decimal(_ text: String) throws -> Value { .decimal(try #require(Decimal(text))) }

    @Test func `a right invoice has no finding`() throws {
        #expect(try codes([:]) == [])
        #expect(try codes([:], .fr) == [])
    }

    @Test func `each wrong total is found by its rule, with both amounts`() throws {
        #expect(try codes(["line_total": try decimal("110.01")]).prefix(1) == ["BR-CO-10"])
        #expect(try codes(["allowance_total": try decimal("10.01")]) == ["BR-CO-11", "BR-CO-13"])
        #expect(try codes(["charge_total": try decimal("1")]) == ["BR-CO-12", "BR-CO-13"])
        #expect(try codes(["tax_total": try decimal("15.51")]) == ["BR-CO-15", "BR-CO-14"])
        #expect(try codes(["payable": try decimal("100.01")]) == ["BR-CO-16"])
        #expect(try codes(["gross_total": try decimal("115.500")]) == ["BR-DEC-14"])
        let finding = RuleSet.en16931.findings(try invoice(["payable": try decimal("99")]))[0]
        #expect(finding.facts == ["actual": "99", "expected": "100.00"])
        #expect(finding.severity == .error)
    }

    @Test func `presence and identity are asked for`() throws {
        #expect(
            try codes(["seller.name": nil, "buyer.name": nil, "type_code": nil]) == [
                "BR-04", "BR-06", "BR-07",
            ])
        let nobody: [String: Value?] = ["seller.siren": nil, "seller.siret": nil, "seller.vat": nil]
        #expect(try codes(nobody) == ["BR-CO-26"])
        #expect(try codes(["seller.vat": .text("12345")]) == ["BR-CO-09"])
    }

    @Test func `lines that stand in other lines are not added up`() throws {
        var record = try invoice()
        let lines = try #require(EntitySchema.invoice.collection("lines"))
        let slot = try #require(EntitySchema.invoice.collections[lines].slot(of: "parent"))
        let width = record.children[lines].width
        record.append(Array(record.rows(lines)[0]), to: lines)
        #expect(RuleSet.en16931.findings(record).map(\.code) == ["BR-CO-10", "BR-S-08"])
        record.children[lines].cells[2 * width + slot] = .text(record.append("1"))
        #expect(RuleSet.en16931.findings(record).isEmpty)
    }

    @Test(
        arguments: [
            ("L", "IGIC"), ("M", "IPSI"), ("Z", "09"), ("E", "09"), ("AE", "09"), ("K", "09"), ("G", "09"),
            ("O", "09"),
        ])
    func `each category has its own tax and base`(category: String, kind: String) throws {
        var record = try invoice()
        let taxes = try #require(EntitySchema.invoice.collection("taxes"))
        let slot = try #require(EntitySchema.invoice.collections[taxes].slot(of: "category"))
        let text = record.append(category)
        record.children[taxes].cells[slot] = .text(text)
        let code = ["L": "BR-AF", "M": "BR-AG", "K": "BR-IC"][category] ?? "BR-\(category)"
        // The lines stay standard rated, so that the base is wrong; and tax is right only where there is a rate.
        let codes = RuleSet.en16931.findings(record).map(\.code)
        #expect(codes == (kind == "09" ? ["\(code)-09", "\(code)-08"] : ["\(code)-08"]))
    }

    @Test func `codes outside their lists are remarks`() throws {
        #expect(try codes(["type_code": .text("999")]) == ["BR-CL-01"])
        #expect(try codes(["type_code": .text("3800")]) == ["BR-CL-01"])
        #expect(try codes(["currency": .text("EUX")]) == ["BR-CL-04"])
        #expect(
            try codes(["buyer.country": .text("ZZ"), "seller.country": .text("fr")]) == [
                "BR-CL-14", "BR-CL-14",
            ])
        for country in ["AD", "FR", "MC", "XI", "ZW"] {
            #expect(try codes(["buyer.country": .text(country)]) == [])
        }
        for (collection, rule) in [("taxes", "BR-CL-17"), ("lines", "BR-CL-18")] {
            var record = try invoice()
            let number = try #require(EntitySchema.invoice.collection(collection))
            let slot = try #require(EntitySchema.invoice.collections[number].slot(of: "category"))
            record.children[number].cells[slot] = .text(record.append("Q"))
            let finding = try #require(RuleSet.en16931.findings(record).first { $0.code == rule })
            #expect(finding.severity == .info)
            #expect(finding.facts == ["value": "Q"])
        }
    }

    @Test func `the smallest profiles promise no lines and no breakdown`() throws {
        for (profile, expected) in [
            ("urn:factur-x.eu:1p0:minimum", []), ("urn:factur-x.eu:1p0:basicwl", ["BR-CO-18"]),
            ("urn:cen.eu:en16931:2017", ["BR-16", "BR-CO-18"]), ("A2", ["BR-16", "BR-CO-18"]),
        ] {
            var record = Record(schema: .invoice)
            for (field, text) in [
                ("number", "1"), ("type_code", "380"), ("currency", "EUR"), ("seller.name", "a"),
                ("buyer.name", "b"),
                ("seller.siren", "991002023"), ("customization", profile),
            ] { record[field] = .text(text) }
            record["issue_date"] = CalendarDate(year: 2026, month: 1, day: 5).map { .date($0) }
            for field in ["net_total", "gross_total", "payable"] { record[field] = try decimal("10") }
            #expect(RuleSet.en16931.findings(record).map(\.code) == expected, "\(profile)")
        }
    }

    @Test func `sums are rounded with halves towards plus infinity`() throws {
        var record = Record(schema: .invoice)
        record["currency"] = .text("EUR")
        record["net_total"] = try decimal("-0.005")
        record["tax_total"] = try decimal("0")
        record["gross_total"] = try decimal("0.00")
        #expect(!RuleSet.en16931.findings(record).map(\.code).contains("BR-CO-15"))
        record["gross_total"] = try decimal("-0.01")
        #expect(RuleSet.en16931.findings(record).map(\.code).contains("BR-CO-15"))
    }

    @Test func `French rules are about French sellers`() throws {
        let long = String(repeating: "A", count: 36)
        #expect(try codes(["number": .text(long)], .fr) == ["BR-FR-01"])
        #expect(try codes(["number": .text("FA 1")], .fr) == ["BR-FR-02"])
        #expect(try codes(["seller.siret": .text("99100201500014")], .fr) == ["BR-FR-09"])
        #expect(try codes(["seller.siren": nil, "seller.siret": nil], .fr) == ["BR-FR-10"])
        #expect(try codes(["issue_date": .date(CalendarDate(daysSince1970: 0))], .fr) == ["BR-FR-03"])
        #expect(
            try codes(["process": .text("Z9")], .fr) == ["BR-FR-08", "BR-FR-05", "BR-FR-12", "BR-FR-13"])
        #expect(try codes(["seller.country": .text("DE"), "number": .text("FA 1")], .fr) == [])
    }
}

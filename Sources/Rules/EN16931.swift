// SPDX-License-Identifier: Apache-2.0
// Arithmetic and identity of EN 16931, by profile.
//
// Source of the tolerances: the official UBL and CII schematrons of ConnectingEurope/eInvoicing-EN16931. Sums are
// rounded to two decimals with halves towards +∞, as XPath does.

internal import Diagnostics
internal import Model

extension InvoiceUnderTest {
    /// Runs every rule of the norm that is implemented.
    mutating func checkEN16931() {
        checkPresence()
        checkTotals()
        checkTaxes()
        checkCategories()
        checkDecimals()
        checkCodeLists()
    }

    // MARK: - Presence and identity

    private mutating func checkPresence() {
        if !has(InvoiceSlots.typeCode) { note(.typeCode, .warning, field: "type_code") }
        for (rule, slot, field) in [
            (Rule.number, InvoiceSlots.number, "number"), (.issueDate, InvoiceSlots.issueDate, "issue_date"),
            (.currency, InvoiceSlots.currency, "currency"),
        ] where !has(slot) { note(rule, .error, field: field) }
        if !has(InvoiceSlots.seller.name) { note(.sellerName, .warning, field: "seller.name") }
        if !has(InvoiceSlots.buyer.name) { note(.buyerName, .warning, field: "buyer.name") }
        if profile.hasLines, count(Self.lines) == 0 { note(.lines, .error, field: "lines") }
        if profile.hasBreakdown, count(Self.taxes) == 0 { note(.breakdown, .warning, field: "taxes") }
        if !InvoiceSlots.seller.identities.contains(where: has) {
            note(.sellerIdentity, .error, field: "seller")
        }
        checkVATPrefix(InvoiceSlots.seller.vat, "seller.vat")
        checkVATPrefix(InvoiceSlots.representativeVAT, "tax_representative.vat")
        checkVATPrefix(InvoiceSlots.buyer.vat, "buyer.vat")
    }

    private mutating func checkVATPrefix(_ slot: Int, _ field: String) {
        guard case .text(let vat) = record.cells[slot] else { return }
        guard vat.count <= 2 || !isCountry(vat) else { return }
        note(.vatPrefix, .warning, field: field, ["value": record.string(vat)])
    }

    // MARK: - Totals

    private mutating func checkTotals() {
        let lineTotal = amount(InvoiceSlots.lineTotal)
        if profile.hasLines, count(Self.lines) > 0, !hasSubLines {
            let sum = sum(Self.lines, Self.lineSlots.net)?.rounded(to: 2)
            expect(.lineTotal, .error, field: "line_total", lineTotal, sum)
        }
        checkAdjustments()
        if let lineTotal {
            let net = lineTotal.subtracting(amount(InvoiceSlots.allowanceTotal) ?? .zero)?
                .adding(amount(InvoiceSlots.chargeTotal) ?? .zero)?.rounded(to: 2)
            expect(.netTotal, .error, field: "net_total", amount(InvoiceSlots.netTotal), net)
        }
        let tax = amount(InvoiceSlots.taxTotal) ?? .zero
        if has(InvoiceSlots.currency) { checkGross(tax) }
        guard profile.hasBreakdown, let gross = amount(InvoiceSlots.grossTotal) else { return }
        let payable = gross.subtracting(amount(InvoiceSlots.prepaid) ?? .zero)?
            .adding(amount(InvoiceSlots.rounding) ?? .zero)?.rounded(to: 2)
        expect(.payable, .error, field: "payable", amount(InvoiceSlots.payable), payable)
    }

    /// Of tax totals in the document's currency there is one: two make the gross total undecidable.
    private mutating func checkGross(_ tax: Decimal) {
        let currency = text(InvoiceSlots.currency)
        let sameCurrency = (0..<count(Self.taxTotals)).count { row in
            text(cell(Self.taxTotals, row, Self.taxTotalCurrency)) == currency
        }
        if sameCurrency > 1 {
            note(
                .grossTotal, .error, field: "tax_total", ["count": String(sameCurrency)])
            return
        }
        expect(
            .grossTotal, .error, field: "gross_total", amount(InvoiceSlots.grossTotal),
            amount(InvoiceSlots.netTotal)?.adding(tax)?.rounded(to: 2))
    }

    /// Whether lines stand in other lines (EXTENDED), so that their sum would count some twice.
    private var hasSubLines: Bool {
        (0..<count(Self.lines)).contains { cell(Self.lines, $0, Self.lineSlots.parent).isValue }
    }

    private mutating func checkAdjustments() {
        for (isCharge, rule, slot, field) in [
            (false, Rule.allowanceTotal, InvoiceSlots.allowanceTotal, "allowance_total"),
            (true, Rule.chargeTotal, InvoiceSlots.chargeTotal, "charge_total"),
        ] {
            let rows = (0..<count(Self.adjustments)).filter {
                cell(Self.adjustments, $0, Self.adjustmentSlots.isCharge) == .boolean(isCharge)
            }
            guard !rows.isEmpty || has(slot) else { continue }
            let sum = sum(Self.adjustments, Self.adjustmentSlots.amount) { rows.contains($0) }
            expect(rule, .warning, field: field, amount(slot) ?? .zero, sum?.rounded(to: 2))
        }
    }

    // MARK: - VAT

    private mutating func checkTaxes() {
        guard count(Self.taxes) > 0 else { return }
        let sum = sum(Self.taxes, Self.taxSlots.amount)?.rounded(to: 2)
        if profile.hasBreakdown {
            expect(.taxTotal, .error, field: "tax_total", amount(InvoiceSlots.taxTotal) ?? .zero, sum)
        }
        for row in 0..<count(Self.taxes) {
            let category = text(cell(Self.taxes, row, Self.taxSlots.category))
            let amount = cell(Self.taxes, row, Self.taxSlots.amount).decimal
            if let category, let rule = Self.zeroTaxRules[category] {
                expect(rule, .warning, field: "taxes", amount, .zero)
            }
            guard let base = cell(Self.taxes, row, Self.taxSlots.base).decimal,
                let rate = cell(Self.taxes, row, Self.taxSlots.rate).decimal
            else { continue }
            let expected = base.multiplied(by: rate)?.hundredth?.rounded(to: 2)
            expect(.categoryTax, .warning, field: "taxes", amount, expected, within: Decimal(1))
            if let category, let rule = Self.rateTaxRules[category] {
                expect(rule, .warning, field: "taxes", amount, expected, within: Decimal(1))
            }
        }
    }

    /// The base of each category is what its lines, charges and allowances add up to.
    private mutating func checkCategories() {
        // Lines that do not say their category cannot be added up by it, nor can lines and the lines in them.
        guard profile.hasLines, !hasSubLines,
            (0..<count(Self.lines)).contains(where: { line in
                cell(Self.lines, line, Self.lineSlots.category).isValue
            })
        else { return }
        for row in 0..<count(Self.taxes) {
            guard let category = text(cell(Self.taxes, row, Self.taxSlots.category)),
                let rule = Self.baseRules[category]
            else { continue }
            let rate = cell(Self.taxes, row, Self.taxSlots.rate).decimal
            let byRate = Self.rateTaxRules[category] != nil
            let lines = sum(Self.lines, Self.lineSlots.net) { line in
                text(cell(Self.lines, line, Self.lineSlots.category)) == category
                    && (!byRate || cell(Self.lines, line, Self.lineSlots.rate).decimal == rate)
            }
            func adjustments(_ isCharge: Bool) -> Decimal? {
                sum(Self.adjustments, Self.adjustmentSlots.amount) { other in
                    cell(Self.adjustments, other, Self.adjustmentSlots.isCharge) == .boolean(isCharge)
                        && text(cell(Self.adjustments, other, Self.adjustmentSlots.category)) == category
                        && (!byRate
                            || cell(Self.adjustments, other, Self.adjustmentSlots.rate).decimal == rate)
                }
            }
            let expected = lines?.adding(adjustments(true) ?? .zero)?.subtracting(adjustments(false) ?? .zero)
            expect(
                rule, .warning, field: "taxes", cell(Self.taxes, row, Self.taxSlots.base).decimal, expected,
                within: byRate ? Decimal(1) : nil)
        }
    }

    private static let baseRules: [String: Rule] = [
        "S": .standardBase, "Z": .zeroBase, "E": .exemptBase, "AE": .reverseBase, "K": .intraCommunityBase,
        "G": .exportBase, "O": .outsideBase, "L": .igicBase, "M": .ipsiBase,
    ]

    /// Categories with a rate: VAT, and the taxes of the Canaries (L) and of Ceuta and Melilla (M).
    private static let rateTaxRules: [String: Rule] = ["S": .standardTax, "L": .igicTax, "M": .ipsiTax]

    /// Categories without tax.
    private static let zeroTaxRules: [String: Rule] = [
        "Z": .zeroTax, "E": .exemptTax, "AE": .reverseTax, "K": .intraCommunityTax, "G": .exportTax,
        "O": .outsideTax,
    ]

    // MARK: - Decimals

    private mutating func checkDecimals() {
        for (rule, slot, field) in Self.amounts { checkDecimals(rule, amount(slot), field) }
        for row in 0..<count(Self.taxes) {
            checkDecimals(.taxBaseDecimals, cell(Self.taxes, row, Self.taxSlots.base).decimal, "taxes")
            checkDecimals(.taxAmountDecimals, cell(Self.taxes, row, Self.taxSlots.amount).decimal, "taxes")
        }
        for row in 0..<count(Self.lines) {
            checkDecimals(.lineNetDecimals, cell(Self.lines, row, Self.lineSlots.net).decimal, "lines")
        }
    }

    private mutating func checkDecimals(_ rule: Rule, _ amount: Decimal?, _ field: String) {
        guard let amount, amount.scale > 2 else { return }
        note(rule, .warning, field: field, ["actual": amount.description])
    }

    // MARK: - Slots

    /// Amounts of the whole invoice, which have two decimals at most.
    private static let amounts: [(Rule, Int, String)] = [
        (.lineTotalDecimals, InvoiceSlots.lineTotal, "line_total"),
        (.allowanceTotalDecimals, InvoiceSlots.allowanceTotal, "allowance_total"),
        (.chargeTotalDecimals, InvoiceSlots.chargeTotal, "charge_total"),
        (.netTotalDecimals, InvoiceSlots.netTotal, "net_total"),
        (.taxTotalDecimals, InvoiceSlots.taxTotal, "tax_total"),
        (.grossTotalDecimals, InvoiceSlots.grossTotal, "gross_total"),
        (.prepaidDecimals, InvoiceSlots.prepaid, "prepaid"),
        (.roundingDecimals, InvoiceSlots.rounding, "rounding"),
        (.payableDecimals, InvoiceSlots.payable, "payable"),
    ]

    private static let taxTotalCurrency = taxTotals["currency"]
    private static let lineSlots = (
        net: lines["net"], parent: lines["parent"], category: lines["category"], rate: lines["rate"]
    )
    private static let taxSlots = (
        category: taxes["category"], rate: taxes["rate"], base: taxes["base"], amount: taxes["amount"]
    )
    private static let adjustmentSlots = (
        isCharge: adjustments["is_charge"], amount: adjustments["amount"], category: adjustments["category"],
        rate: adjustments["rate"]
    )
}

// SPDX-License-Identifier: Apache-2.0
// An invoice as the rules look at it: fields by slot, sums, and what was found.

internal import Diagnostics
internal import Model

/// Slots of the invoice schema, looked up once.
struct InvoiceSlots {
    private static let schema = EntitySchema.invoice

    private static func slot(_ name: String) -> Int { schema.slot(of: name) ?? 0 }

    static let number = slot("number")
    static let issueDate = slot("issue_date")
    static let typeCode = slot("type_code")
    static let currency = slot("currency")
    static let customization = slot("customization")
    static let process = slot("process")
    static let lineTotal = slot("line_total")
    static let allowanceTotal = slot("allowance_total")
    static let chargeTotal = slot("charge_total")
    static let netTotal = slot("net_total")
    static let taxTotal = slot("tax_total")
    static let grossTotal = slot("gross_total")
    static let prepaid = slot("prepaid")
    static let rounding = slot("rounding")
    static let payable = slot("payable")
    static let dueDate = slot("due_date")
    static let representativeVAT = slot("tax_representative.vat")
    static let seller = PartySlots("seller")
    static let buyer = PartySlots("buyer")
}

/// Slots of one party's block.
struct PartySlots {
    /// `seller` or `buyer`.
    let block: String
    let name: Int
    let vat: Int
    let siren: Int
    let siret: Int
    let country: Int
    let endpoint: Int
    /// Fields of which one is enough to know who it is.
    let identities: [Int]

    init(_ block: String) {
        func slot(_ name: String) -> Int { EntitySchema.invoice.slot(of: "\(block).\(name)") ?? 0 }
        self.block = block
        name = slot("name")
        vat = slot("vat")
        siren = slot("siren")
        siret = slot("siret")
        country = slot("country")
        endpoint = slot("endpoint")
        identities = ["vat", "legal_id", "siren", "siret", "gln", "code"].map(slot)
    }
}

/// One collection of the invoice schema and the slots of its rows.
struct RowSlots {
    let collection: Int
    private let schema: CollectionSchema

    init(_ name: String) {
        collection = EntitySchema.invoice.collection(name) ?? 0
        schema = EntitySchema.invoice.collections[collection]
    }

    subscript(field: String) -> Int { schema.slot(of: field) ?? 0 }
}

/// What an invoice's profile promises to hold.
struct InvoiceProfile {
    let hasLines: Bool
    let hasBreakdown: Bool

    /// All there is, where the invoice names no profile.
    init() {
        (hasLines, hasBreakdown) = (true, true)
    }

    /// The profile of a BT-24; the last word tells, however it is spelt.
    init(customization: String) {
        let last = customization.split { !$0.isLetter && !$0.isNumber }.last?.lowercased() ?? ""
        hasBreakdown = last != "minimum"
        hasLines = last != "minimum" && last != "basicwl"
    }
}

struct InvoiceUnderTest {
    let record: Record
    let profile: InvoiceProfile
    private(set) var findings: [Diagnostic] = []

    static let lines = RowSlots("lines")
    static let taxes = RowSlots("taxes")
    static let adjustments = RowSlots("adjustments")
    static let taxTotals = RowSlots("tax_totals")
    static let notes = RowSlots("notes")

    init(_ record: Record) {
        self.record = record
        if case .text(let range) = record.cells[InvoiceSlots.customization] {
            profile = InvoiceProfile(customization: record.string(range))
        } else {
            profile = InvoiceProfile()
        }
    }

    /// An amount of the invoice; nil where there is none.
    func amount(_ slot: Int) -> Decimal? { record.cells[slot].decimal }

    /// Whether a field has a value.
    func has(_ slot: Int) -> Bool { record.cells[slot].isValue }

    /// A text of the invoice.
    func text(_ slot: Int) -> String? {
        guard case .text(let range) = record.cells[slot] else { return nil }
        return record.string(range)
    }

    /// Number of rows of a collection.
    func count(_ rows: RowSlots) -> Int { record.children[rows.collection].count }

    /// A cell of a row.
    func cell(_ rows: RowSlots, _ row: Int, _ slot: Int) -> Cell {
        let table = record.children[rows.collection]
        return table.cells[row * table.width + slot]
    }

    /// The text of a cell.
    func text(_ cell: Cell) -> String? {
        guard case .text(let range) = cell else { return nil }
        return record.string(range)
    }

    /// The sum of a column over the rows that are wanted; nil where it does not fit.
    func sum(_ rows: RowSlots, _ slot: Int, where isWanted: (Int) -> Bool = { _ in true }) -> Decimal? {
        var sum = Decimal.zero
        for row in 0..<count(rows) where isWanted(row) {
            guard let value = cell(rows, row, slot).decimal else { continue }
            guard let next = sum.adding(value) else { return nil }
            sum = next
        }
        return sum
    }

    /// Notes what a rule found.
    mutating func note(
        _ rule: Rule, _ severity: Diagnostic.Severity, field: String, _ facts: [String: String] = [:]
    ) {
        findings.append(
            Diagnostic(
                code: rule.rawValue, facts: facts, place: Place(line: record.origin.line, field: field),
                severity: severity))
    }

    /// Notes that an amount is not what it should be, unless one of the two is unknown.
    mutating func expect(
        _ rule: Rule, _ severity: Diagnostic.Severity, field: String, _ actual: Decimal?,
        _ expected: Decimal?,
        within tolerance: Decimal? = nil
    ) {
        guard let actual, let expected else { return }
        if let tolerance {
            guard let difference = actual.subtracting(expected)?.magnitude, difference >= tolerance else {
                return
            }
        } else if actual == expected {
            return
        }
        note(
            rule, severity, field: field,
            ["actual": actual.description, "expected": expected.description])
    }
}

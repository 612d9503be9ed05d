// SPDX-License-Identifier: Apache-2.0
// What France adds to EN 16931: the BR-FR rules of flow 2, as warnings, for French sellers.

internal import Diagnostics
internal import Model

extension InvoiceUnderTest {
    /// Runs the French rules on invoices of French sellers.
    mutating func checkFrench() {
        let seller = InvoiceSlots.seller
        guard text(seller.country).map({ $0 == "FR" }) ?? has(seller.siren) else { return }
        checkNumber()
        checkYear(InvoiceSlots.issueDate, "issue_date")
        checkYear(InvoiceSlots.dueDate, "due_date")
        checkSIRET(seller)
        checkSIRET(InvoiceSlots.buyer)
        if !has(seller.siren) { note(.frenchSellerSIREN, .warning, field: "seller.siren") }
        // The rest is asked of invoices that name the reform's business process (BT-23).
        if let process = text(InvoiceSlots.process) { checkReform(process) }
    }

    private mutating func checkYear(_ slot: Int, _ field: String) {
        guard case .date(let date) = record.cells[slot], !(2000...2099).contains(date.year) else { return }
        note(.frenchYears, .warning, field: field, ["value": date.description])
    }

    private mutating func checkSIRET(_ party: PartySlots) {
        guard let siret = text(party.siret), let siren = text(party.siren),
            !siret.hasPrefix(siren) || siret.utf8.count != 14
        else { return }
        note(.frenchSIRET, .warning, field: "\(party.block).siret", ["siren": siren, "value": siret])
    }

    private mutating func checkNumber() {
        guard let number = text(InvoiceSlots.number) else { return }
        if number.count > 35 {
            note(.frenchNumberLength, .warning, field: "number", ["count": String(number.count)])
        }
        let allowed = number.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || "-+_/".utf8.contains(byte)
        }
        if !allowed { note(.frenchNumberCharacters, .warning, field: "number", ["value": number]) }
    }

    private mutating func checkReform(_ process: String) {
        if !Self.processes.contains(process) {
            note(.frenchProcess, .warning, field: "process", ["value": process])
        }
        if let code = text(InvoiceSlots.typeCode), !Self.typeCodes.contains(code) {
            note(.frenchTypeCode, .warning, field: "type_code", ["value": code])
        }
        let notes = (0..<count(Self.notes)).map { row in
            (
                code: text(cell(Self.notes, row, Self.notes["code"])) ?? "",
                text: text(cell(Self.notes, row, Self.notes["text"])) ?? ""
            )
        }
        if !notes.contains(where: { $0.code == "PMT" }) {
            note(.frenchPaymentNote, .warning, field: "notes")
        }
        if notes.contains(where: { $0.code == "BAR" && $0.text == "B2B" }), !has(InvoiceSlots.buyer.siren) {
            note(.frenchBuyerSIREN, .warning, field: "buyer.siren")
        }
        if !has(InvoiceSlots.buyer.endpoint) { note(.frenchBuyerAddress, .warning, field: "buyer.endpoint") }
        if !has(InvoiceSlots.seller.endpoint) {
            note(.frenchSellerAddress, .warning, field: "seller.endpoint")
        }
    }

    /// Values of BT-23 (BR-FR-08).
    private static let processes: Set<String> = [
        "B1", "S1", "M1", "B2", "S2", "M2", "S3", "B4", "S4", "M4", "S5", "S6", "B7", "S7", "B8", "S8", "M8",
        "B9", "S9", "M9",
    ]

    /// Values of BT-3 (BR-FR-04).
    private static let typeCodes: Set<String> = [
        "261", "262", "380", "381", "384", "386", "389", "393", "396", "471", "472", "473", "500", "501",
        "502",
        "503",
    ]
}

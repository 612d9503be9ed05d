// SPDX-License-Identifier: Apache-2.0
// Invoices and credit notes of the ERP into mirrors with their lines and taxes.

internal import Diagnostics
package import Model
package import PostgreSQL

/// The import plan of invoices.
///
/// Seller and buyer are resolved to parties first, so that the key of a document (source, issuer, kind, number,
/// year) does not change when a SIREN appears later. An unknown party is made where the mapping allows it; who
/// names no seller means our own company.
package struct DocumentImport: ImportPlan {
    /// The plan; it holds no state.
    package init() {}

    package var schema: EntitySchema { .invoice }
    package var fieldOfColumn: [String: String] { SalesDocMirror.fieldOfColumn }

    private static let roles = [
        PartyResolver.Role("seller", prefix: "seller.", .invoice, status: "other", absent: .ownCompany),
        PartyResolver.Role("buyer", prefix: "buyer.", .invoice, status: "client", absent: .fault),
    ]

    package func key(of record: Record, _ key: [RecordKeyPart]) -> String? {
        guard let number = record.text("number") else { return nil }
        let seller = PartyReference(record, Self.roles[0].fields)
        let parts = [
            seller.identity ?? seller.name ?? "", record.text("kind") ?? "", number,
            record.date("issue_date").map { String($0.year) } ?? "",
        ]
        return parts.joined(separator: "\u{1F}")
    }

    package func prepare(
        _ records: [Record], _ context: ImportContext, _ foresight: inout Foresight, on connection: Connection
    ) async throws -> PreparedBatch {
        var decisions = records.map { record in
            foreignIssuer(record, context).map { RecordDecision(.skipped($0)) }
        }
        let wanted = records.indices.filter { decisions[$0] == nil }
        let answers = try await PartyResolver(context: context)
            .resolve(wanted.map { records[$0] }, Self.roles, &foresight, on: connection)
        var rows: [MirrorRow] = []
        for (index, answer) in zip(wanted, answers) {
            if let refusal = answer.refusal {
                decisions[index] = RecordDecision(.quarantined(refusal))
            } else if let issuer = answer.places[0], let buyer = answer.places[1] {
                rows.append(Self.row(records[index], index, issuer: issuer.party, buyer))
            }
        }
        var batch = MirrorBatch<SalesDocMirror>(records, context)
        try await batch.decide(rows, &decisions, on: connection)
        for (index, answer) in zip(wanted, answers) { decisions[index]?.explain(answer) }
        return PreparedBatch(decisions: decisions.map { $0 ?? RecordDecision(.unchanged) }) {
            [batch, foresight] connection in
            let numbers = try await foresight.takeNumbers(on: connection)
            try await PartyWriter(foresight, numbers, context).write(on: connection)
            try await batch.write(numbers, on: connection)
        }
    }

    /// Why a document that another company issued is left out, where only our own are wanted.
    private func foreignIssuer(_ record: Record, _ context: ImportContext) -> Diagnostic? {
        guard let own = context.onlyIssuer else { return nil }
        guard let siren = PartyReference(record, Self.roles[0].fields).siren, siren != own else { return nil }
        return ImportFinding.notOurSale.diagnostic(["siren": siren], field: "seller.siren", of: record)
    }

    private static func row(
        _ record: Record, _ index: Int, issuer: Int, _ buyer: PartyResolver.Place
    ) -> MirrorRow {
        MirrorRow(
            index: index,
            key: [
                .integer(issuer), .text(record.text("kind") ?? "invoice"), .text(record.text("number") ?? ""),
                .integer(record.date("issue_date")?.year ?? 0),
            ],
            given: [.integer(buyer.party), buyer.site.map { .integer($0) }])
    }
}

/// Invoices and credit notes as rows of `sales_doc`.
enum SalesDocMirror: MirrorTable {
    static let name = "sales_doc"
    static let schema = EntitySchema.invoice
    static let key = [
        MirrorColumn("issuer_id", .int, given: 0), MirrorColumn("kind"), MirrorColumn("number"),
        MirrorColumn("year", .int, given: 0, isInt4: true),
    ]
    static let columns =
        [
            MirrorColumn("party_id", .int, given: 0), MirrorColumn("bill_site_id", .int, given: 1),
            MirrorColumn("issued_on", .date, from: "issue_date"),
            MirrorColumn("due_on", .date, from: "due_date"),
            MirrorColumn("given_status", from: "billing_status"),
        ]
        + [
            "type_code", "customization", "process", "currency", "contract_ref", "order_ref",
            "preceding_invoice",
        ]
        .map { MirrorColumn($0) }
        + [
            "line_total", "allowance_total", "charge_total", "net_total", "tax_total", "gross_total",
            "prepaid",
            "rounding", "payable",
        ].map { MirrorColumn($0, .decimal) }
    static let children = [
        MirrorChild(
            name: "sales_doc_line", parent: "doc_id", collection: "lines",
            columns: [
                MirrorColumn("line_no"), MirrorColumn("label"), MirrorColumn("qty", .decimal),
                MirrorColumn("unit_price", .decimal), MirrorColumn("net", .decimal), MirrorColumn("parent"),
                MirrorColumn("category"), MirrorColumn("rate", .decimal),
            ]),
        MirrorChild(
            name: "sales_doc_tax", parent: "doc_id", collection: "taxes",
            columns: [
                MirrorColumn("category"), MirrorColumn("rate", .decimal), MirrorColumn("base", .decimal),
                MirrorColumn("amount", .decimal),
            ]),
    ]
}

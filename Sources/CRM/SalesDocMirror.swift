// SPDX-License-Identifier: Apache-2.0
// Invoices and credit notes of the ERP as rows of `sales_doc`, with their lines, taxes and instalment.

internal import Diagnostics
internal import Model
internal import PostgreSQL

/// Invoices and credit notes.
///
/// Seller and buyer are resolved to parties first, so that the key of a document (source, issuer, kind, number,
/// year) does not change when a SIREN appears later. Who names no seller means our own company.
enum SalesDocMirror: MirroredEntity {
    static let name = "sales_doc"
    static let schema = EntitySchema.invoice
    static let key = [
        MirrorColumn("issuer_id", .int, given: 0), MirrorColumn("kind"), MirrorColumn("number"),
        MirrorColumn("year", .int, given: 0, isInt4: true),
    ]
    static let columns =
        [
            MirrorColumn("party_id", .int, given: 0),
            MirrorColumn("bill_site_id", .int, given: 1, partOf: "party_id"),
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
            "prepaid", "rounding", "payable",
        ].map { MirrorColumn($0, .decimal) }
    static let derived = [
        MirrorColumn("billing_status", given: 2), MirrorColumn("open_amount", .decimal, given: 3),
    ]
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
    static let roles = [
        PartyResolver.Role("seller", prefix: "seller.", .invoice, status: "other", absent: .ownCompany),
        PartyResolver.Role("buyer", prefix: "buyer.", .invoice, status: "client", absent: .fault),
    ]

    /// Where records have what is asked of every one of them.
    private enum Slot {
        static let kind = schema.slot(of: "kind") ?? 0
        static let number = schema.slot(of: "number") ?? 0
        static let issuedOn = schema.slot(of: "issue_date") ?? 0
    }

    static func fileKey(of record: Record, _ key: [RecordKeyPart]) -> Int? {
        guard record.cells[Slot.number].isValue else { return nil }
        var hasher = Hasher()
        record.combine(Slot.number, into: &hasher)
        record.combine(Slot.kind, into: &hasher)
        if case .date(let day) = record.cells[Slot.issuedOn] { hasher.combine(day.year) }
        if roles[0].fields.hasValue(in: record) {
            let seller = PartyReference(record, roles[0].fields)
            hasher.combine(seller.identity ?? seller.name)
        }
        return hasher.finalize()
    }

    static func row(
        _ record: Record, _ index: Int, _ places: [PartyResolver.Place?], _ context: ImportContext
    ) -> MirrorRow? {
        guard let issuer = places[0], let buyer = places[1] else { return nil }
        let (status, open) = BillingStatus.atFirst(record, today: context.today)
        return MirrorRow(
            index: index,
            key: [
                .integer(issuer.party), record.value(of: record.cells[Slot.kind]) ?? .text("invoice"),
                record.value(of: record.cells[Slot.number]) ?? .text(""),
                .integer(record.value(of: record.cells[Slot.issuedOn])?.date?.year ?? 0),
            ],
            given: [
                .integer(buyer.party), buyer.site.map { .integer($0) }, .text(status), .decimal(open),
            ])
    }

    /// Documents of other companies are left out where only our own are wanted.
    static func leftOut(_ record: Record, _ context: ImportContext) -> Diagnostic? {
        guard let own = context.onlyIssuer else { return nil }
        guard let siren = PartyReference(record, roles[0].fields).siren, siren != own else { return nil }
        return ImportFinding.notOurSale.diagnostic(["siren": siren], field: "seller.siren", of: record)
    }

    static func settle(
        _ written: WrittenMirrors, _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws {
        var instalments = BinaryCopy()
        for (index, id) in written.inserted {
            let (_, open) = BillingStatus.atFirst(records[index], today: context.today)
            instalments.beginRow(columns: 5)
            instalments.append(id)
            instalments.append(Int32(1))
            instalments.append(records[index].date("due_date") ?? records[index].date("issue_date"))
            instalments.append(records[index].decimal("payable") ?? records[index].decimal("gross_total"))
            instalments.append(open)
        }
        try await connection.copy(
            instalments, to: "instalment", ["doc_id", "no", "due_on", "amount", "open_amount"])
        let linked =
            written.ids.isEmpty
            ? []
            : try await DocumentLinks.link(
                zip(written.indices, written.ids).map { (records[$0], $1) }, context, on: connection)
        // Payments, statuses and entries may have come before their document.
        let early = try await connection.run(MentionedBefore(ids: written.inserted.map(\.id)))
        let affected = Set(written.changed.map(\.id) + linked + early)
        try await BillingStatus.derive(affected, because: context.cause, on: connection)
    }
}

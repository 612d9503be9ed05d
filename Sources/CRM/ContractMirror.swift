// SPDX-License-Identifier: Apache-2.0
// Contracts and subscriptions as rows of `sales_doc`, issued by our own company.

internal import Diagnostics
internal import Model
internal import PostgreSQL

/// Contracts. A stub that an invoice named first becomes the contract.
enum ContractMirror: MirroredEntity {
    static let name = "sales_doc"
    static let schema = EntitySchema.contract
    static let key = [
        MirrorColumn("issuer_id", .int, given: 0), MirrorColumn("kind", given: 0), MirrorColumn("number"),
        MirrorColumn("year", .int, given: 0, isInt4: true),
    ]
    static let columns =
        [
            MirrorColumn("party_id", .int, given: 0),
            MirrorColumn("bill_site_id", .int, given: 1, partOf: "party_id"),
            MirrorColumn("is_stub", .bool, given: 2), MirrorColumn("notice_days", .int, isInt4: true),
            MirrorColumn("net_total", .decimal),
        ]
        + ["label", "status", "renewal", "period", "currency"].map { MirrorColumn($0) }
        + ["signed_on", "starts_on", "ends_on", "closed_on", "next_billing_on"].map {
            MirrorColumn($0, .date)
        }
    static let children = [
        MirrorChild(
            name: "sales_doc_line", parent: "doc_id", collection: "lines",
            columns: [
                MirrorColumn("ext_id", from: "id"), MirrorColumn("product_ref"), MirrorColumn("label"),
                MirrorColumn("qty", .decimal), MirrorColumn("unit_price", .decimal),
                MirrorColumn("net", .decimal), MirrorColumn("rate", .decimal, from: "tax_rate"),
                MirrorColumn("starts_on", .date), MirrorColumn("ends_on", .date),
                MirrorColumn("closed_on", .date),
            ])
    ]
    static let roles = [
        PartyResolver.Role("party", prefix: "party.", .contract, status: "client", absent: .fault)
    ]

    static func row(
        _ record: Record, _ index: Int, _ places: [PartyResolver.Place?], _ context: ImportContext
    ) -> MirrorRow? {
        guard let party = places[0], let company = context.company else { return nil }
        return MirrorRow(
            index: index,
            key: [
                .integer(company), .text("contract"), .text(record.text("number") ?? ""), .integer(0),
            ], given: [.integer(party.party), party.site.map { .integer($0) }, .boolean(false)])
    }

    static func settle(
        _ written: WrittenMirrors, _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws {
        try await connection.execute(LinkToContract(ids: written.ids))
    }
}

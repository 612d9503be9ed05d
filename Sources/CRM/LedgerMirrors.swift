// SPDX-License-Identifier: Apache-2.0
// Payments, lifecycle statuses, ledger entries and bank statements as the other systems hold them.

internal import Model
internal import PostgreSQL

/// The key that the mapping gives its records.
private let textKey = [MirrorColumn("ext_key", given: 0)]

/// Payments with what they settle.
enum PaymentMirror: MirroredEntity {
    static let name = "payment"
    static let schema = EntitySchema.payment
    static let key = textKey
    static let columns = [
        MirrorColumn("party_id", .int, given: 0), MirrorColumn("number"), MirrorColumn("paid_on", .date),
        MirrorColumn("amount", .decimal), MirrorColumn("currency"), MirrorColumn("method"),
        MirrorColumn("label"),
    ]
    static let children = [
        MirrorChild(
            name: "allocation", parent: "payment_id", collection: "allocations",
            columns: [MirrorColumn("invoice"), MirrorColumn("amount", .decimal)])
    ]
    static let roles = [
        PartyResolver.Role("party", prefix: "party.", .payment, status: "client", absent: .nobody)
    ]

    static func row(
        _ record: Record, _ index: Int, _ places: [PartyResolver.Place?], _ context: ImportContext
    ) -> MirrorRow? {
        MirrorRow(
            index: index, key: [MirrorKey.full(record, context.key)],
            given: [places[0].map { .integer($0.party) }])
    }

    static func settle(
        _ written: WrittenMirrors, _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws {
        try await BillingStatus.derive(
            """
            select invoice from allocation where payment_id = any($1::bigint[])
            union
            select e->>'invoice' from stage_payment s, jsonb_array_elements(
              case jsonb_typeof(s.before->'allocation') when 'array' then s.before->'allocation' else '[]' end) e
            """, of: written, because: context.cause, on: connection)
    }
}

/// What platforms say became of electronic invoices.
enum StatusMirror: MirroredEntity {
    static let name = "einvoice_event"
    static let schema = EntitySchema.invoiceStatus
    static let key = textKey
    static let columns = [
        MirrorColumn("invoice"), MirrorColumn("status_code"), MirrorColumn("status"),
        MirrorColumn("occurred_at", .datetime), MirrorColumn("invoice_date", .date),
        MirrorColumn("type_code"), MirrorColumn("issuer_siren", from: "issuer.siren"),
        MirrorColumn("sender_siren", from: "sender.siren"), MirrorColumn("sender_role", from: "sender.role"),
        MirrorColumn("recipient_siren", from: "recipient.siren"), MirrorColumn("amount", .decimal),
    ]
    static let children = [
        MirrorChild(
            name: "einvoice_reason", parent: "event_id", collection: "reasons",
            columns: [MirrorColumn("code"), MirrorColumn("text")])
    ]
    static let roles: [PartyResolver.Role] = []

    static func row(
        _ record: Record, _ index: Int, _ places: [PartyResolver.Place?], _ context: ImportContext
    ) -> MirrorRow? {
        MirrorRow(index: index, key: [MirrorKey.full(record, context.key)], given: [])
    }

    static func settle(
        _ written: WrittenMirrors, _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws {
        try await BillingStatus.derive(
            """
            select invoice from einvoice_event where id = any($1::bigint[])
            union
            select before->>'invoice' from stage_einvoice_event where before ? 'invoice'
            """, of: written, because: context.cause, on: connection)
    }
}

/// Entries of the accounting ledger; the customer's own account code names the party.
enum LedgerMirror: MirroredEntity {
    static let name = "ledger_entry"
    static let schema = EntitySchema.ledgerEntry
    static let key = textKey
    static let columns =
        [
            MirrorColumn("party_id", .int, given: 0), MirrorColumn("party_code", from: "party"),
            MirrorColumn("due_on", .date, from: "due_date"),
        ]
        + [
            "company_siren", "journal", "journal_name", "entry_no", "account", "account_name", "party_name",
            "doc_ref", "label", "letter", "foreign_currency", "payment_method",
        ].map { MirrorColumn($0) }
        + ["date", "doc_date", "lettered_on", "validated_on"].map { MirrorColumn($0, .date) }
        + ["debit", "credit", "foreign_amount"].map { MirrorColumn($0, .decimal) }
    static let roles = [
        PartyResolver.Role(
            "party", PartyReference.Fields(.ledgerEntry, named: ["code": "party", "name": "party_name"]),
            nameField: "party", status: "client", absent: .nobody)
    ]

    static func row(
        _ record: Record, _ index: Int, _ places: [PartyResolver.Place?], _ context: ImportContext
    ) -> MirrorRow? {
        MirrorRow(
            index: index, key: [MirrorKey.full(record, context.key)],
            given: [places[0].map { .integer($0.party) }])
    }

    static func settle(
        _ written: WrittenMirrors, _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws {
        try await BillingStatus.derive(
            """
            select doc_ref from ledger_entry where id = any($1::bigint[])
            union
            select before->>'doc_ref' from stage_ledger_entry where before ? 'doc_ref'
            """, of: written, because: context.cause, on: connection)
    }
}

/// Statements of bank accounts with their entries and details.
enum BankStatementMirror: MirroredEntity {
    static let name = "bank_statement"
    static let schema = EntitySchema.bankStatement
    static let key = textKey
    static let columns = [
        MirrorColumn("number", from: "id"), MirrorColumn("iban"), MirrorColumn("bank_account"),
        MirrorColumn("currency"), MirrorColumn("opened_on", .date),
        MirrorColumn("opening_balance", .decimal), MirrorColumn("closed_on", .date),
        MirrorColumn("closing_balance", .decimal),
    ]
    static let children = [
        MirrorChild(
            name: "bank_entry", parent: "statement_id", collection: "entries",
            columns: [
                MirrorColumn("ref"), MirrorColumn("booked_on", .date), MirrorColumn("value_on", .date),
                MirrorColumn("amount", .decimal), MirrorColumn("currency"), MirrorColumn("code"),
                MirrorColumn("label"), MirrorColumn("end_to_end_id"), MirrorColumn("counterparty"),
                MirrorColumn("counterparty_iban"), MirrorColumn("remittance"),
            ]),
        MirrorChild(
            name: "bank_detail", parent: "statement_id", collection: "details",
            columns: [
                MirrorColumn("entry_no", .int, isInt4: true), MirrorColumn("qualifier"),
                MirrorColumn("text"), MirrorColumn("amount", .decimal), MirrorColumn("counterparty"),
                MirrorColumn("end_to_end_id"),
            ]),
    ]
    static let roles: [PartyResolver.Role] = []

    static func row(
        _ record: Record, _ index: Int, _ places: [PartyResolver.Place?], _ context: ImportContext
    ) -> MirrorRow? {
        MirrorRow(index: index, key: [MirrorKey.full(record, context.key)], given: [])
    }

    static func settle(
        _ written: WrittenMirrors, _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws {}
}

extension BillingStatus {
    /// Works the status of the documents out again that written rows name, or named before.
    ///
    /// - Parameter sql: gives the numbers; `$1` = the rows. The temporary tables still have what changed.
    static func derive(
        _ sql: String, of written: WrittenMirrors, because cause: Cause, on connection: Connection
    ) async throws(PostgreSQLError) {
        let numbers: [String?] = try await connection.run(AdHoc(sql, [Parameter(written.ids)]))
        try await derive(numbers: numbers.compactMap(\.self), because: cause, on: connection)
    }

    /// Works the status of documents with some numbers out again.
    static func derive(
        numbers: [String], because cause: Cause, on connection: Connection
    ) async throws(PostgreSQLError) {
        guard !numbers.isEmpty else { return }
        let numbers = Set(numbers).sorted()
        let ids = try await connection.run(DocumentsByNumber(numbers: numbers))
        try await derive(Set(ids), because: cause, on: connection)
    }
}

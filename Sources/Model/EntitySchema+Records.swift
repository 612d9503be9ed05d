// SPDX-License-Identifier: Apache-2.0
// The vocabularies of what is exchanged beside invoices and accounts.

extension EntitySchema {
    /// People of accounts.
    package static let person = EntitySchema(
        name: "person",
        fields: [
            FieldSchema("code"), FieldSchema("civility"), FieldSchema("first_name"),
            FieldSchema("last_name", required: true), FieldSchema("job_title"), FieldSchema("email"),
            FieldSchema("phone"), FieldSchema("mobile"), FieldSchema("language"),
            FieldSchema("account.code"), FieldSchema("account.name"), FieldSchema("account.siren"),
            FieldSchema("account.siret"), FieldSchema("account.vat"), FieldSchema("account.postal_code"),
        ])

    /// Contracts and subscriptions with their lines.
    package static let contract = EntitySchema(
        name: "contract",
        fields: [
            FieldSchema("number", required: true), FieldSchema("label"),
            FieldSchema("status", words: ["draft", "active", "suspended", "closed"]),
            FieldSchema("signed_on", .date), FieldSchema("starts_on", .date), FieldSchema("ends_on", .date),
            FieldSchema("closed_on", .date), FieldSchema("next_billing_on", .date),
            FieldSchema("notice_days", .int),
            FieldSchema("renewal", words: ["tacit", "explicit", "none"]),
            FieldSchema("period", words: ["month", "quarter", "half_year", "year"]),
            FieldSchema("currency", .currency), FieldSchema("net_total", .decimal),
            FieldSchema("party.code"), FieldSchema("party.name"), FieldSchema("party.siren"),
            FieldSchema("party.siret"), FieldSchema("party.vat"), FieldSchema("party.postal_code"),
            FieldSchema("party.city"), FieldSchema("party.country"), FieldSchema("party.phone"),
        ],
        collections: [
            CollectionSchema(
                name: "lines",
                fields: [
                    FieldSchema("id"), FieldSchema("product_ref"), FieldSchema("label"),
                    FieldSchema("qty", .decimal), FieldSchema("unit_price", .decimal),
                    FieldSchema("net", .decimal), FieldSchema("tax_rate", .decimal),
                    FieldSchema("starts_on", .date), FieldSchema("ends_on", .date),
                ])
        ])

    /// Payments received, and the invoices they settle.
    package static let payment = EntitySchema(
        name: "payment",
        fields: [
            FieldSchema("number", required: true), FieldSchema("paid_on", .date),
            FieldSchema("amount", .decimal, required: true), FieldSchema("currency", .currency),
            FieldSchema("method"), FieldSchema("label"), FieldSchema("party.code"), FieldSchema("party.name"),
            FieldSchema("party.siren"), FieldSchema("party.postal_code"),
        ],
        collections: [
            CollectionSchema(
                name: "allocations", fields: [FieldSchema("invoice"), FieldSchema("amount", .decimal)])
        ])

    /// Statements of bank accounts. Amounts are signed: money received is positive.
    package static let bankStatement = EntitySchema(
        name: "bank_statement",
        fields: [
            FieldSchema("id", required: true), FieldSchema("iban"), FieldSchema("bank_account"),
            FieldSchema("currency", .currency), FieldSchema("opened_on", .date),
            FieldSchema("opening_balance", .decimal), FieldSchema("opening_direction", words: directions),
            FieldSchema("closed_on", .date), FieldSchema("closing_balance", .decimal),
            FieldSchema("closing_direction", words: directions),
        ],
        collections: [
            CollectionSchema(
                name: "entries",
                fields: [
                    FieldSchema("ref"), FieldSchema("booked_on", .date), FieldSchema("value_on", .date),
                    FieldSchema("direction", words: directions), FieldSchema("amount", .decimal),
                    FieldSchema("currency", .currency), FieldSchema("code"), FieldSchema("label"),
                    FieldSchema("end_to_end_id"), FieldSchema("counterparty"),
                    FieldSchema("counterparty_iban"), FieldSchema("remittance"),
                ]),
            CollectionSchema(
                name: "details",
                fields: [
                    FieldSchema("entry_no", .int), FieldSchema("qualifier"), FieldSchema("text"),
                    FieldSchema("amount", .decimal), FieldSchema("counterparty"),
                    FieldSchema("end_to_end_id"),
                ]),
        ])

    private static let directions = ["credit", "debit"]

    /// Entries of the accounting ledger.
    package static let ledgerEntry = EntitySchema(
        name: "ledger_entry",
        fields: [
            FieldSchema("company_siren"), FieldSchema("journal", required: true),
            FieldSchema("journal_name"), FieldSchema("entry_no"), FieldSchema("date", .date, required: true),
            FieldSchema("account", required: true), FieldSchema("account_name"), FieldSchema("party"),
            FieldSchema("party_name"), FieldSchema("doc_ref"), FieldSchema("doc_date", .date),
            FieldSchema("due_date", .date), FieldSchema("label"), FieldSchema("debit", .decimal),
            FieldSchema("credit", .decimal), FieldSchema("letter"), FieldSchema("lettered_on", .date),
            FieldSchema("validated_on", .date), FieldSchema("foreign_amount", .decimal),
            FieldSchema("foreign_currency"), FieldSchema("payment_method"),
        ])

    /// What became of an electronic invoice, as platforms report it.
    package static let invoiceStatus = EntitySchema(
        name: "invoice_status",
        fields: [
            FieldSchema("invoice", required: true), FieldSchema("status_code", required: true),
            FieldSchema("status"), FieldSchema("occurred_at", .datetime), FieldSchema("invoice_date", .date),
            FieldSchema("type_code"), FieldSchema("issuer.siren"), FieldSchema("sender.siren"),
            FieldSchema("sender.role"), FieldSchema("recipient.siren"), FieldSchema("amount", .decimal),
        ],
        collections: [
            CollectionSchema(name: "reasons", fields: [FieldSchema("code"), FieldSchema("text")])
        ])
}

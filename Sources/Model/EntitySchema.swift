// SPDX-License-Identifier: Apache-2.0
// The fields that records of each entity may have: one declaration for mappings, JSON and columns.

/// One field of an entity.
package struct FieldSchema: Sendable, Hashable {
    /// JSON name, with dots for blocks (`seller.vat`).
    package let name: String
    /// The type its values have.
    package let type: ValueType
    /// Whether a record without it cannot be applied.
    package let isRequired: Bool
    /// The words that its values are, where there is a list of them.
    package let words: [String]

    /// A field by its JSON name.
    package init(_ name: String, _ type: ValueType = .string, required: Bool = false, words: [String] = []) {
        self.name = name
        self.type = type
        isRequired = required
        self.words = words
    }
}

/// The child rows of an entity.
package struct CollectionSchema: Sendable, Hashable {
    /// JSON name (`lines`).
    package let name: String
    /// Fields of each row.
    package let fields: [FieldSchema]

    /// Position of a field in each row.
    package func slot(of field: String) -> Int? { fields.firstIndex { $0.name == field } }
}

/// The vocabulary of one entity: what a mapping may fill and what JSON shows.
package final class EntitySchema: Sendable {
    /// Name of the entity, as a mapping's `target` says it.
    package let name: String
    /// Scalar fields in the order they are shown.
    package let fields: [FieldSchema]
    /// Child rows.
    package let collections: [CollectionSchema]
    private let slots: [String: Int]

    /// An entity; the names of its fields must differ.
    package init(name: String, fields: [FieldSchema], collections: [CollectionSchema] = []) {
        self.name = name
        self.fields = fields
        self.collections = collections
        slots = Dictionary(uniqueKeysWithValues: fields.enumerated().map { ($1.name, $0) })
    }

    /// Position of a scalar field in ``Record/values``.
    package func slot(of field: String) -> Int? { slots[field] }

    /// Position of a collection in ``Record/children``.
    package func collection(_ name: String) -> Int? { collections.firstIndex { $0.name == name } }

    /// Every entity that a mapping may target.
    package static let all = [
        invoice, account, person, contract, payment, bankStatement, ledgerEntry, invoiceStatus,
    ]

    /// The entity called `name`.
    package static func named(_ name: String) -> EntitySchema? { all.first { $0.name == name } }
}

extension EntitySchema {
    /// Invoices and credit notes, with the terms of EN 16931.
    package static let invoice = EntitySchema(
        name: "invoice",
        fields: [
            FieldSchema("kind", required: true, words: ["invoice", "credit_note"]),
            FieldSchema("customization"), FieldSchema("process"),
            FieldSchema("type_code"),
            FieldSchema("number", required: true), FieldSchema("issue_date", .date, required: true),
            FieldSchema("due_date", .date), FieldSchema("currency", .currency, required: true),
        ] + party("seller") + party("buyer") + [
            FieldSchema("tax_representative.name"), FieldSchema("tax_representative.vat"),
            FieldSchema("contract_ref"), FieldSchema("order_ref"), FieldSchema("preceding_invoice"),
            FieldSchema("line_total", .decimal), FieldSchema("allowance_total", .decimal),
            FieldSchema("charge_total", .decimal), FieldSchema("net_total", .decimal),
            FieldSchema("tax_total", .decimal), FieldSchema("gross_total", .decimal, required: true),
            FieldSchema("prepaid", .decimal), FieldSchema("rounding", .decimal),
            FieldSchema("payable", .decimal),
            FieldSchema(
                "billing_status", words: ["open", "partly_paid", "paid", "overdue", "disputed", "cancelled"]),
        ],
        collections: [
            CollectionSchema(
                name: "taxes",
                fields: [
                    FieldSchema("category"), FieldSchema("rate", .decimal), FieldSchema("base", .decimal),
                    FieldSchema("amount", .decimal),
                ]),
            CollectionSchema(
                name: "lines",
                fields: [
                    FieldSchema("line_no"), FieldSchema("label"), FieldSchema("qty", .decimal),
                    FieldSchema("unit_price", .decimal), FieldSchema("net", .decimal),
                    FieldSchema("parent"), FieldSchema("category"), FieldSchema("rate", .decimal),
                ]),
            CollectionSchema(
                name: "tax_totals", fields: [FieldSchema("amount", .decimal), FieldSchema("currency")]),
            CollectionSchema(name: "notes", fields: [FieldSchema("code"), FieldSchema("text")]),
            CollectionSchema(
                name: "adjustments",
                fields: [
                    FieldSchema("is_charge", .bool), FieldSchema("amount", .decimal),
                    FieldSchema("category"), FieldSchema("rate", .decimal), FieldSchema("reason"),
                ]),
        ])

    /// Accounts: organisations with one establishment a record.
    package static let account = EntitySchema(
        name: "account",
        fields: [
            FieldSchema("code"), FieldSchema("name", required: true), FieldSchema("siren"),
            FieldSchema("siret"), FieldSchema("vat"), FieldSchema("street"), FieldSchema("postal_code"),
            FieldSchema("city"), FieldSchema("country"), FieldSchema("phone"), FieldSchema("email"),
            FieldSchema("email_domain"), FieldSchema("iban"),
        ])

    /// The fields of a party block of an invoice.
    private static func party(_ prefix: String) -> [FieldSchema] {
        [
            "code", "name", "trade_name", "vat", "legal_id", "siren", "siret", "gln", "endpoint", "street",
            "city", "postal_code", "country",
        ].map { FieldSchema("\(prefix).\($0)") }
    }
}

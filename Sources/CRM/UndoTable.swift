// SPDX-License-Identifier: Apache-2.0
// The tables that a run writes, and what stands against taking a row of theirs away.

/// A table that an undo restores.
struct UndoTable: Sendable {
    /// A reason not to take a row away: something else refers to it.
    struct Reference: Sendable {
        /// Table whose rows refer to it, and the SQL of the reference from `r` to `t`.
        let table: String
        let condition: String
        /// The column of `r` that numbers its rows.
        var id = "id"
    }

    let name: String
    /// What its rows are numbered by.
    var id = "id"
    /// The columns that tell its rows apart, with their types, where these are more than the number.
    var key: [(name: String, type: String)] = []
    var hasVersion = true
    /// What no two rows share: SQL of a row `t` that has it, given the image `c.before` of another.
    var natural: String?
    /// A value that no two rows share though they are no other's row: its field, and where it is kept.
    var unique: (field: String, table: String, owner: String)?
    /// The rows that its rows cannot be without, by the column that names them.
    var needs: [(table: String, column: String)] = []
    /// Tables whose rows are part of its rows, with the column that says so.
    var children: [(name: String, parent: String)] = []
    var references: [Reference] = []
    /// The tables of the rows that its rows describe, where these have no life of their own.
    var parents: [(table: String, condition: String)] = []

    private static let externalKey =
        "t.source_id = (c.before->>'source_id')::int and t.ext_key = c.before->>'ext_key'"

    /// Every table, those that refer to others before those they refer to.
    static let all = [
        UndoTable(
            name: "sales_doc",
            natural: """
                t.issuer_id = (c.before->>'issuer_id')::bigint and t.source_id = (c.before->>'source_id')::int
                  and t.kind = c.before->>'kind' and t.number = c.before->>'number'
                  and t.year = (c.before->>'year')::int
                """,
            needs: [("party", "party_id"), ("party", "issuer_id"), ("site", "bill_site_id")],
            children: [
                ("sales_doc_line", "doc_id"), ("sales_doc_tax", "doc_id"), ("instalment", "doc_id"),
            ],
            references: [
                Reference(table: "sales_doc", condition: "r.contract_id = t.id")
            ]),
        UndoTable(
            name: "payment", natural: externalKey, needs: [("party", "party_id")],
            children: [("allocation", "payment_id")]),
        UndoTable(
            name: "einvoice_event", natural: externalKey, children: [("einvoice_reason", "event_id")]),
        UndoTable(name: "ledger_entry", natural: externalKey, needs: [("party", "party_id")]),
        UndoTable(
            name: "bank_statement", natural: externalKey,
            children: [("bank_entry", "statement_id"), ("bank_detail", "statement_id")]),
        UndoTable(
            name: "contact_point", id: "party_id",
            key: [("party_id", "bigint"), ("kind", "text"), ("value_norm", "text")],
            hasVersion: false, needs: [("party", "party_id")],
            parents: [("party", "p.id = t.party_id")]),
        UndoTable(
            name: "external_identity", id: "entity_id",
            key: [("source_id", "int"), ("ext_type", "text"), ("ext_id", "text")],
            hasVersion: false,
            parents: [
                ("site", "p.id = t.entity_id and t.entity = 'site'"),
                ("party", "p.id = t.entity_id and t.entity = 'party'"),
            ]),
        UndoTable(name: "relation", needs: [("party", "from_id"), ("party", "to_id")]),
        UndoTable(
            name: "site", natural: "t.siret = c.before->>'siret'", unique: ("siret", "site", "id"),
            needs: [("party", "party_id")],
            references: [
                Reference(table: "sales_doc", condition: "r.bill_site_id = t.id"),
                Reference(
                    table: "external_identity", condition: "r.entity = 'site' and r.entity_id = t.id",
                    id: "entity_id"),
            ]),
        UndoTable(
            name: "party",
            natural: "t.id = (select o.party_id from org o where o.siren = c.before->'org'->0->>'siren')",
            unique: ("siren", "org", "party_id"), children: [("org", "party_id"), ("person", "party_id")],
            references: [
                Reference(table: "sales_doc", condition: "r.party_id = t.id"),
                Reference(table: "sales_doc", condition: "r.issuer_id = t.id"),
                Reference(table: "payment", condition: "r.party_id = t.id"),
                Reference(table: "ledger_entry", condition: "r.party_id = t.id"),
                Reference(table: "site", condition: "r.party_id = t.id"),
                Reference(table: "company", condition: "r.party_id = t.id", id: "party_id"),
                Reference(table: "contact_point", condition: "r.party_id = t.id", id: "party_id"),
                Reference(table: "relation", condition: "t.id in (r.from_id, r.to_id)"),
                // People have worked on it.
                Reference(
                    table: "interaction_party", condition: "r.party_id = t.id", id: "interaction_id"),
                Reference(table: "party_team", condition: "r.party_id = t.id", id: "team_id"),
            ]),
    ]
}

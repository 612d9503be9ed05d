// SPDX-License-Identifier: Apache-2.0
// The statements that find and write commercial documents; every list travels as an array.

internal import Model
internal import PostgreSQL

/// The columns of `sales_doc` that an import writes, each with the field it comes from.
private enum DocumentColumns {
    static let texts = [
        "type_code", "customization", "currency", "contract_ref", "order_ref", "preceding_invoice",
    ]
    static let dates = [("issued_on", "issue_date"), ("due_on", "due_date")]
    static let amounts = [
        "line_total", "net_total", "tax_total", "gross_total", "prepaid", "rounding", "payable",
    ]
    static let names =
        [
            "id", "issuer_id", "kind", "number", "year", "party_id", "bill_site_id", "content_hash",
            "ordinal", "line",
        ]
        + texts + dates.map(\.0) + amounts
    static let types =
        [
            "bigint", "bigint", "text", "text", "bigint", "bigint", "bigint", "bytea", "bigint", "bigint",
        ] + texts.map { _ in "text" } + dates.map { _ in "date" } + amounts.map { _ in "numeric" }

    /// `unnest($1::bigint[], …) as i(id, …)`.
    static let unnest: String = {
        let arrays = types.enumerated().map { "$\($0 + 1)::\($1)[]" }.joined(separator: ", ")
        return "unnest(\(arrays)) as i(\(names.joined(separator: ", ")))"
    }()

    static func parameters(_ documents: [Document]) -> [Parameter] {
        let records = documents.map(\.record)
        let identity: [Parameter] = [
            Parameter(documents.map(\.id)), Parameter(documents.map(\.key.issuer)),
            Parameter(documents.map(\.key.kind)), Parameter(documents.map(\.key.number)),
            Parameter(documents.map(\.key.year)), Parameter(documents.map(\.party)),
            Parameter(documents.map(\.site)), Parameter(documents.map { Bytes($0.contentHash) }),
            Parameter(records.map(\.origin.ordinal)), Parameter(records.map(\.origin.line)),
        ]
        return identity + texts.map { field in Parameter(records.map { $0.text(field) }) }
            + dates.map { _, field in Parameter(records.map { $0.date(field) }) }
            + amounts.map { field in Parameter(records.map { $0.decimal(field) }) }
    }
}

/// The document that each key names already; one row a key, in their order.
struct KnownDocuments: Statement {
    struct Known: Sendable {
        let id: Int
        let contentHash: [UInt8]
    }

    let documents: [Document]
    let source: Int

    static let sql = """
        select d.id, d.content_hash
        from unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[]) with ordinality
          as k(issuer_id, kind, number, year, no)
        left join lateral (
          select d.id, d.content_hash
          from sales_doc d
          where d.source_id = $1::bigint and d.issuer_id = k.issuer_id and d.kind = k.kind
            and d.number = k.number and d.year = k.year
          limit 1
        ) d on true
        order by k.no
        """
    var parameters: [Parameter] {
        [
            Parameter(source), Parameter(documents.map(\.key.issuer)), Parameter(documents.map(\.key.kind)),
            Parameter(documents.map(\.key.number)), Parameter(documents.map(\.key.year)),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Known? {
        let id = try row.next(Int?.self)
        let hash = try row.next(Bytes?.self)
        guard let id, let hash else { return nil }
        return Known(id: id, contentHash: hash.array)
    }
}

struct InsertDocuments: Statement {
    let documents: [Document]
    let context: ImportContext

    static let sql = """
        insert into sales_doc (\(DocumentColumns.names.joined(separator: ", ")), origin, source_id, artifact_id, created_run)
        select i.*, 'erp', $26::bigint, $27::bigint, $28::bigint
        from \(DocumentColumns.unnest)
        """
    var parameters: [Parameter] {
        DocumentColumns.parameters(documents)
            + [Parameter(context.source), Parameter(context.artifact), Parameter(context.run)]
    }
}

/// Writes another version of known documents; what was there before goes to `run_change`, child rows included.
struct UpdateDocuments: Statement {
    let documents: [Document]
    let context: ImportContext

    private static let written = DocumentColumns.names.filter {
        !["id", "issuer_id", "kind", "number", "year"].contains($0)
    }

    static let sql = """
        with i as (
          select * from \(DocumentColumns.unnest)
        ), old as (
          select d.id, to_jsonb(d) || jsonb_build_object(
            'lines', coalesce((select jsonb_agg(to_jsonb(l) order by l.no) from sales_doc_line l where l.doc_id = d.id), '[]'),
            'taxes', coalesce((select jsonb_agg(to_jsonb(t) order by t.no) from sales_doc_tax t where t.doc_id = d.id), '[]')
          ) as before
          from sales_doc d join i using (id)
        ), changed as (
          update sales_doc d
          set \(written.map { "\($0) = i.\($0)" }.joined(separator: ", ")),
            artifact_id = $26::bigint, version = d.version + 1
          from i where d.id = i.id
          returning d.id, d.version
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $27::bigint, 'sales_doc', old.id, 'update', old.before, changed.version
        from old join changed using (id)
        """
    var parameters: [Parameter] {
        DocumentColumns.parameters(documents) + [Parameter(context.artifact), Parameter(context.run)]
    }
}

struct DeleteDocumentRows: Statement {
    let ids: [Int]

    static let sql = """
        with lines as (delete from sales_doc_line where doc_id = any($1::bigint[]))
        delete from sales_doc_tax where doc_id = any($1::bigint[])
        """
    var parameters: [Parameter] { [Parameter(ids)] }
}

/// The child rows of many documents as arrays.
private struct ChildRows {
    let documents: [Int]
    let numbers: [Int]
    private let rows: [Values]
    private let schema: CollectionSchema

    init(_ name: String, of all: [Document]) {
        let collection = EntitySchema.invoice.collection(name) ?? 0
        schema = EntitySchema.invoice.collections[collection]
        var documents: [Int] = []
        var numbers: [Int] = []
        var rows: [Values] = []
        for document in all {
            for (index, row) in document.record.rows(collection).enumerated() {
                documents.append(document.id)
                numbers.append(index + 1)
                rows.append(row)
            }
        }
        (self.documents, self.numbers, self.rows) = (documents, numbers, rows)
    }

    private func values(_ field: String) -> [Value?] {
        guard let slot = schema.slot(of: field) else { return [] }
        return rows.map { $0[slot] }
    }

    func texts(_ field: String) -> Parameter { Parameter(values(field).map { $0?.text }) }
    func decimals(_ field: String) -> Parameter { Parameter(values(field).map { $0?.decimal }) }
}

struct InsertDocumentLines: Statement {
    let documents: [Document]

    static let sql = """
        insert into sales_doc_line (doc_id, no, line_no, label, qty, unit_price, net)
        select *
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::numeric[], $6::numeric[], $7::numeric[])
        """
    var parameters: [Parameter] {
        let rows = ChildRows("lines", of: documents)
        return [
            Parameter(rows.documents), Parameter(rows.numbers), rows.texts("line_no"), rows.texts("label"),
            rows.decimals("qty"), rows.decimals("unit_price"), rows.decimals("net"),
        ]
    }
}

struct InsertDocumentTaxes: Statement {
    let documents: [Document]

    static let sql = """
        insert into sales_doc_tax (doc_id, no, category, rate, base, amount)
        select *
        from unnest($1::bigint[], $2::bigint[], $3::text[], $4::numeric[], $5::numeric[], $6::numeric[])
        """
    var parameters: [Parameter] {
        let rows = ChildRows("taxes", of: documents)
        return [
            Parameter(rows.documents), Parameter(rows.numbers), rows.texts("category"), rows.decimals("rate"),
            rows.decimals("base"), rows.decimals("amount"),
        ]
    }
}

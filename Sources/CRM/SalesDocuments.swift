// SPDX-License-Identifier: Apache-2.0
// Reading commercial documents.

package import Model
package import PostgreSQL

/// A document in a list.
package struct DocumentSummary: Sendable {
    /// Number of the row.
    package let id: Int
    /// `invoice`, `credit_note` or `contract`.
    package let kind: String
    /// Number as the issuer gave it.
    package let number: String
    /// Day of issue; of a contract, of signature or beginning.
    package let issuedOn: CalendarDate?
    /// Day by which it is to be paid.
    package let dueOn: CalendarDate?
    /// Number of the account it is addressed to.
    package let account: Int
    /// Name of that account.
    package let accountName: String
    /// Name of the party that issued it.
    package let issuerName: String
    /// ISO 4217 code.
    package let currency: String?
    /// Total without tax, in the currency.
    package let net: Decimal?
    /// Total with tax, in the currency; of a contract, without.
    package let gross: Decimal?
    /// What is still to be paid.
    package let open: Decimal?
    /// `open`, `partly_paid`, `paid`, `overdue`, `disputed` or `cancelled`; of a contract, its own status.
    package let status: String?
    /// Number of lines.
    package let lines: Int
    /// The file it was read from.
    package let file: String?
}

/// Reads commercial documents; every list is bounded.
package enum SalesDocuments {
    /// Documents, the latest first, at most `limit`; of one account when it is given.
    ///
    /// - Parameter kind: `contract`, or nil for invoices and credit notes.
    package static func list(
        account: Int? = nil, kind: String? = nil, limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [DocumentSummary] {
        try await connection.run(ListDocuments(account: account, kind: kind, limit: limit))
    }
}

struct ListDocuments: Statement {
    let account: Int?
    let kind: String?
    let limit: Int

    static let sql = """
        select \(DocumentSummary.columns)
        from sales_doc d
        join party p on p.id = d.party_id
        join party i on i.id = d.issuer_id
        left join artifact a on a.id = d.artifact_id
        where ($1::bigint is null or d.party_id = $1)
          and case when $3::text is null then d.kind in ('invoice', 'credit_note') else d.kind = $3 end
        order by d.issued_on desc, d.id desc
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(account), Parameter(limit), Parameter(kind)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DocumentSummary {
        try DocumentSummary(&row)
    }
}

extension DocumentSummary {
    fileprivate static let columns = """
        d.id, d.kind, d.number, coalesce(d.issued_on, d.signed_on, d.starts_on), coalesce(d.due_on, d.ends_on),
          d.party_id, p.name, i.name, d.currency, d.net_total, coalesce(d.gross_total, d.net_total), d.open_amount,
          coalesce(d.billing_status, d.status), (select count(*) from sales_doc_line l where l.doc_id = d.id), a.name
        """

    fileprivate init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        kind = try row.next()
        number = try row.next()
        issuedOn = try row.next()
        dueOn = try row.next()
        account = try row.next()
        accountName = try row.next()
        issuerName = try row.next()
        currency = try row.next()
        net = try row.next()
        gross = try row.next()
        open = try row.next()
        status = try row.next()
        lines = try row.next()
        file = try row.next()
    }
}

/// The latest documents of an account, contracts among them: one range of an index.
struct DocumentsOfAccount: Statement {
    let account: Int
    let limit: Int

    static let sql = """
        select \(DocumentSummary.columns)
        from sales_doc d
        join party p on p.id = d.party_id
        join party i on i.id = d.issuer_id
        left join artifact a on a.id = d.artifact_id
        where d.party_id = $1::bigint
        order by coalesce(d.issued_on, d.signed_on, d.starts_on) desc, d.id desc
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(account), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DocumentSummary {
        try DocumentSummary(&row)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Reading commercial documents.

package import Model
package import PostgreSQL

/// A document in a list.
package struct DocumentSummary: Sendable {
    /// Number of the row.
    package let id: Int
    /// `invoice` or `credit_note`.
    package let kind: String
    /// Number as the issuer gave it.
    package let number: String
    /// Day of issue.
    package let issuedOn: CalendarDate
    /// Day by which it is to be paid.
    package let dueOn: CalendarDate?
    /// Number of the account it is addressed to.
    package let account: Int
    /// Name of that account.
    package let accountName: String
    /// Name of the party that issued it.
    package let issuerName: String
    /// ISO 4217 code.
    package let currency: String
    /// Total without tax, in the currency.
    package let net: Decimal?
    /// Total with tax, in the currency.
    package let gross: Decimal
    /// Number of lines.
    package let lines: Int
    /// The file it was read from.
    package let file: String?
}

/// Reads commercial documents; every list is bounded.
package enum SalesDocuments {
    /// Documents, the latest first, at most `limit`; of one account when it is given.
    package static func list(
        account: Int? = nil, limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [DocumentSummary] {
        try await connection.run(ListDocuments(account: account, limit: limit))
    }
}

struct ListDocuments: Statement {
    let account: Int?
    let limit: Int

    static let sql = """
        select d.id, d.kind, d.number, d.issued_on, d.due_on, d.party_id, p.name, i.name, d.currency, d.net_total,
          d.gross_total, (select count(*) from sales_doc_line l where l.doc_id = d.id), a.name
        from sales_doc d
        join party p on p.id = d.party_id
        join party i on i.id = d.issuer_id
        left join artifact a on a.id = d.artifact_id
        where $1::bigint is null or d.party_id = $1
        order by d.issued_on desc, d.id desc
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(account), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DocumentSummary {
        DocumentSummary(
            id: try row.next(), kind: try row.next(), number: try row.next(), issuedOn: try row.next(),
            dueOn: try row.next(), account: try row.next(), accountName: try row.next(),
            issuerName: try row.next(), currency: try row.next(), net: try row.next(), gross: try row.next(),
            lines: try row.next(), file: try row.next())
    }
}

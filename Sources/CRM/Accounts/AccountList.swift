// SPDX-License-Identifier: Apache-2.0
// The list of accounts as one user sees it: one range of one index, at any depth.

package import Model
package import PostgreSQL

/// An account in a user's list.
package struct AccountRow: Sendable {
    /// Number of the row.
    package let id: Int
    /// Registered name.
    package let name: String
    /// `suspect`, `prospect`, `client` or `former`.
    package let status: String
    /// Nine digits, as imported.
    package let siren: String?
    /// Town of the main site.
    package let city: String?
    /// Who looks after it.
    package let owner: String?
    /// What it still has to pay.
    package let open: Decimal?
    /// Whether some of that is overdue.
    package let isLate: Bool
    /// What the list is ordered by.
    package let nameNorm: String
}

/// Where a page of a list begins.
package struct AccountCursor: Sendable {
    /// The last row's order.
    package let nameNorm: String
    /// The last row's number.
    package let id: Int

    /// Behind a row.
    package init(nameNorm: String, id: Int) {
        (self.nameNorm, self.id) = (nameNorm, id)
    }
}

extension Accounts {
    /// What a user sees, by name.
    ///
    /// - Parameters:
    ///   - scope: whose eyes (``AppUser/scope``).
    ///   - prefix: the beginning of the name, accents and case apart; nil for all.
    ///   - status: of this status only.
    package static func page(
        scope: Int, prefix: String? = nil, status: String? = nil, after: AccountCursor? = nil,
        limit: Int = 50,
        on connection: Connection
    ) async throws(PostgreSQLError) -> [AccountRow] {
        try await connection.run(
            PageOfAccounts(scope: scope, prefix: prefix ?? "", status: status, after: after, limit: limit))
    }

    /// Whether a user sees a party.
    package static func sees(
        _ party: Int, scope: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Bool {
        try await connection.run(SeesParty(party: party, scope: scope)).first ?? false
    }

    /// The next thousand accounts of a list as CSV: name, status, SIREN, VAT, address of the main site. A text that a
    /// spreadsheet would take for a formula gets an apostrophe before it.
    ///
    /// - Parameter after: where the piece before ended; nil for the first, which begins with the header.
    /// - Returns: the bytes and where they end; nil behind the last piece.
    package static func exportPiece(
        scope: Int, after: AccountCursor?, on connection: Connection
    ) async throws -> (bytes: [UInt8], last: AccountCursor)? {
        guard let last = try await connection.run(EndOfPiece(scope: scope, after: after)).first else {
            return nil
        }
        let texts = ["p.name", "o.vat", "t.street", "t.city"].map { column in
            "case when \(column) ~ '^[=+@-]' then chr(39) || \(column) else \(column) end"
        }
        func place(_ cursor: AccountCursor) -> String {
            "('\(cursor.nameNorm.replacing("'", with: "''"))', \(cursor.id))"
        }
        let start = after.map { "and (s.name_norm, s.party_id) > \(place($0))" } ?? ""
        let sql = """
            copy (
              select p.id, \(texts[0]) as name, p.status, o.siren, \(texts[1]) as vat, \(texts[2]) as street,
                t.postal_code, \(texts[3]) as city, t.country
              from party_scope s
              join party p on p.id = s.party_id
              left join org o on o.party_id = p.id
              left join site t on t.party_id = p.id and t.is_main
              where s.scope_id = \(scope) and s.is_account \(start) and (s.name_norm, s.party_id) <= \(place(last))
              order by s.name_norm, s.party_id
            ) to stdout (format csv, header \(after == nil), delimiter ';')
            """
        var bytes: [UInt8] = []
        try await connection.copyOut(sql) { bytes += $0 }
        return (bytes, last)
    }
}

/// The last account of the next thousand.
struct EndOfPiece: Statement {
    let scope: Int
    let after: AccountCursor?

    static let sql = """
        select name_norm, party_id
        from (
          select s.name_norm, s.party_id from party_scope s
          where s.scope_id = $1::bigint and s.is_account
            and (s.name_norm, s.party_id) > ($2::text collate "C", $3::bigint)
          order by s.name_norm, s.party_id
          limit 1000
        ) s
        order by name_norm desc, party_id desc
        limit 1
        """
    var parameters: [Parameter] {
        [Parameter(scope), Parameter(after?.nameNorm ?? ""), Parameter(after?.id ?? 0)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountCursor {
        AccountCursor(nameNorm: try row.next(), id: try row.next())
    }
}

/// The lateral join keeps the plan: first the range of the scope, then the few rows' own values.
struct PageOfAccounts: Statement {
    let scope: Int
    let prefix: String
    let status: String?
    let after: AccountCursor?
    let limit: Int

    static let sql = """
        select p.id, p.name, p.status, o.siren, t.city, u.name, d.open, coalesce(d.is_late, false), s.name_norm
        from party_scope s
        join party p on p.id = s.party_id
        left join org o on o.party_id = p.id
        left join site t on t.party_id = p.id and t.is_main
        left join app_user u on u.id = p.owner_id
        left join lateral (
          select sum(case when d.kind = 'credit_note' then -abs(d.open_amount) else d.open_amount end) as open,
            bool_or(d.billing_status = 'overdue') as is_late
          from sales_doc d
          where d.party_id = p.id and d.open_amount <> 0 and d.kind in ('invoice', 'credit_note')
        ) d on true
        where s.scope_id = $1::bigint and s.is_account
          and (s.name_norm, s.party_id) > ($2::text collate "C", $3::bigint)
          and s.name_norm >= name_norm($4::text) collate "C"
          and s.name_norm < (name_norm($4::text) || chr(1114111)) collate "C"
          and ($5::text is null or p.status = $5)
        order by s.name_norm, s.party_id
        limit $6::bigint
        """
    var parameters: [Parameter] {
        [
            Parameter(scope), Parameter(after?.nameNorm ?? ""), Parameter(after?.id ?? 0), Parameter(prefix),
            Parameter(status), Parameter(limit),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountRow {
        AccountRow(
            id: try row.next(), name: try row.next(), status: try row.next(), siren: try row.next(),
            city: try row.next(), owner: try row.next(), open: try row.next(), isLate: try row.next(),
            nameNorm: try row.next())
    }
}

struct SeesParty: Statement {
    let party: Int
    let scope: Int

    static let sql = """
        select exists (select from party_scope where party_id = $1::bigint and scope_id = $2::bigint)
        """
    var parameters: [Parameter] { [Parameter(party), Parameter(scope)] }
    typealias Row = Bool
}

// SPDX-License-Identifier: Apache-2.0
// The columns of a list of accounts, and the list as a file for spreadsheets.

package import PostgreSQL

/// A column of the list of accounts beside its name, which is always there.
package enum AccountColumn: String, Sendable, CaseIterable {
    case status
    case postalCode = "postal_code"
    case city, country, street, siren, vat, owner, territory
    case openAmount = "open_amount"
    case overdueAmount = "overdue_amount"
    case lastInteraction = "last_interaction"
    case lastInvoice = "last_invoice"

    /// What a user sees who has chosen nothing.
    package static let usual: [AccountColumn] = [.status, .city, .siren, .owner, .openAmount]

    /// SQL of its value as programs read it, from a row of `party` as `p` and what ``join`` adds: days and moments as
    /// ISO 8601, amounts with a point.
    fileprivate var value: String {
        switch self {
        case .status: "p.status"
        case .postalCode, .city, .country, .street: spreadsheetText("t.\(rawValue)")
        case .siren, .vat: spreadsheetText("o.\(rawValue)")
        case .owner: spreadsheetText("u.name")
        case .territory: spreadsheetText("y.name")
        case .openAmount: "d.open"
        case .overdueAmount: "d.overdue"
        case .lastInteraction:
            """
            (
              select to_char(max(i.occurred_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
              from interaction_party i where i.party_id = p.id
            )
            """
        case .lastInvoice:
            """
            (
              select to_char(max(f.issued_on), 'YYYY-MM-DD')
              from sales_doc f where f.party_id = p.id and f.kind = 'invoice'
            )
            """
        }
    }

    /// What its value is read from beside the account itself.
    fileprivate var join: String? {
        switch self {
        case .status, .lastInteraction, .lastInvoice: nil
        case .postalCode, .city, .country, .street:
            "left join site t on t.party_id = p.id and t.is_main"
        case .siren, .vat: "left join org o on o.party_id = p.id"
        case .owner: "left join app_user u on u.id = p.owner_id"
        case .territory: "left join territory y on y.id = p.territory_id"
        case .openAmount, .overdueAmount:
            """
            left join lateral (
              select sum(case when d.kind = 'credit_note' then -abs(d.open_amount) else d.open_amount end) as open,
                sum(d.open_amount) filter (where d.billing_status = 'overdue') as overdue
              from sales_doc d
              where d.party_id = p.id and d.open_amount <> 0 and d.kind in ('invoice', 'credit_note')
            ) d on true
            """
        }
    }
}

extension Accounts {
    private static let pieceSize = 5000

    /// The names of the columns of ``exportPiece(scope:user:_:columns:after:on:)``.
    package static func exportHeader(_ columns: [AccountColumn]) -> [String] {
        ["id", "name"] + columns.map(\.rawValue)
    }

    /// The next accounts of a list as CSV with semicolons, at most five thousand: number, name and the chosen columns,
    /// and nothing else is asked for.
    ///
    /// Which accounts these are is what the list itself asks, with its parameters; COPY, which takes none, finds their
    /// numbers in a setting of the transaction. Each piece is a transaction of its own: however slowly a file is read,
    /// the database keeps no old rows for it.
    /// - Parameter after: where the piece before ended; nil for the first.
    /// - Returns: the bytes and where they end; nil behind the last piece.
    package static func exportPiece(
        scope: Int, user: Int = 0, _ filter: AccountFilter = AccountFilter(),
        columns: [AccountColumn] = AccountColumn.usual, after: AccountCursor?, on connection: Connection
    ) async throws -> (bytes: [UInt8], last: AccountCursor)? {
        let range = AccountRange(scope: scope, user: user, filter: filter, after: after, limit: pieceSize)
        return try await connection.transaction { connection in
            // A range of an index in its order, whatever part of the accounts the planner takes a piece for.
            try await connection.script(
                """
                set transaction isolation level repeatable read, read only;
                set local enable_seqscan = off;
                set local enable_sort = off
                """)
            guard let last = try await choose(range, on: connection) else { return nil }
            var bytes: [UInt8] = []
            try await connection.copyOut(copy(columns)) { bytes += $0 }
            return (bytes, last)
        }
    }

    /// Chooses the accounts of a piece.
    ///
    /// - Returns: the last one; nil where there is none.
    private static func choose(
        _ range: AccountRange, on connection: Connection
    ) async throws(PostgreSQLError) -> AccountCursor? {
        switch (range.filter.whose, range.filter.status) {
        case (.all, nil):
            try await connection.run(ChooseAccounts(page: PageOfAccounts(range: range))).first
        case (.all, _): try await connection.run(ChooseAccounts(page: PageOfStatus(range: range))).first
        case (.mine, _), (.overdue, _):
            try await connection.run(ChooseAccounts(page: PageOfOwnAccounts(range: range))).first
        }
    }

    /// The chosen accounts' values; nothing in this text comes from outside.
    private static func copy(_ columns: [AccountColumn]) -> String {
        var joins: [String] = []
        for join in columns.compactMap(\.join) where !joins.contains(join) { joins.append(join) }
        let values = ["p.id", spreadsheetText("p.name")] + columns.map(\.value)
        return """
            copy (
              select \(values.joined(separator: ", "))
              from unnest(current_setting('\(chosenAccounts)')::bigint[]) with ordinality as n(id, place)
              join party p on p.id = n.id
              \(joins.joined(separator: " "))
              order by n.place
            ) to stdout (format csv, delimiter ';')
            """
    }

    static let exportStatements: [any Statement.Type] = [
        ChooseAccounts<PageOfAccounts>.self, ChooseAccounts<PageOfStatus>.self,
        ChooseAccounts<PageOfOwnAccounts>.self,
    ]
}

/// The setting that names the accounts of a piece.
private let chosenAccounts = "relais.accounts"

/// Puts the numbers of a list's next accounts into a setting that lasts as long as the transaction, and answers where
/// they end. The list's own statement says which they are; what it shows of them is not asked for, and so not read.
struct ChooseAccounts<Page: Statement>: Statement {
    let page: Page

    static var sql: String {
        """
        with piece as (
          select array_agg(id order by name_norm collate "C", id) as ids, max(name_norm collate "C") as last
          from (\(Page.sql)) l
        )
        select last, ids[cardinality(ids)], set_config('\(chosenAccounts)', ids::text, true) = ''
        from piece
        where ids is not null
        """
    }
    var parameters: [Parameter] { page.parameters }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountCursor {
        let cursor = AccountCursor(nameNorm: try row.next(), id: try row.next())
        _ = try row.next(Bool.self)
        return cursor
    }
}

/// SQL of a text in a file for spreadsheets: one that they would take for a formula gets an apostrophe before it.
func spreadsheetText(_ text: String) -> String {
    "case when \(text) ~ '^[-=+@\\t\\r\\n]' then chr(39) || \(text) else nullif(\(text), '') end"
}

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
    /// VAT number with country prefix.
    package let vat: String?
    /// Street of the main site.
    package let street: String?
    /// Postal code of the main site.
    package let postalCode: String?
    /// Town of the main site.
    package let city: String?
    /// Country of the main site.
    package let country: String?
    /// Who looks after it.
    package let owner: String?
    /// Where it belongs.
    package let territory: String?
    /// What it still has to pay.
    package let open: Decimal?
    /// What of that is overdue.
    package let overdue: Decimal?
    /// Whether some of that is overdue.
    package let isLate: Bool
    /// When something happened with it last.
    package let lastInteraction: Timestamp?
    /// Day of its last invoice.
    package let lastInvoice: CalendarDate?
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

/// Which accounts of a list are wanted; each choice is served by an index, however few it leaves.
package struct AccountFilter: Sendable, Hashable {
    /// Whose accounts.
    package enum Whose: String, Sendable, CaseIterable {
        /// All that the user sees.
        case all
        /// Those that he looks after.
        case mine
        /// Those of his own that have something overdue: to ask that of all accounts would walk all of them.
        case overdue
    }

    /// The beginning of the name, accents and case apart; empty for all.
    package var prefix: String
    /// Of this status only.
    package var status: String?
    /// Whose accounts.
    package var whose: Whose

    /// A filter; without anything, none.
    package init(prefix: String = "", status: String? = nil, whose: Whose = .all) {
        (self.prefix, self.status, self.whose) = (prefix, status, whose)
    }
}

extension Accounts {
    /// What a user sees, by name.
    ///
    /// - Parameter scope: whose eyes (``AppUser/scope``); whose own accounts are meant too.
    package static func page(
        scope: Int, user: Int = 0, _ filter: AccountFilter = AccountFilter(), after: AccountCursor? = nil,
        limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [AccountRow] {
        let range = AccountRange(scope: scope, user: user, filter: filter, after: after, limit: limit)
        switch (filter.whose, filter.status) {
        case (.all, nil): return try await connection.run(PageOfAccounts(range: range))
        case (.all, _): return try await connection.run(PageOfStatus(range: range))
        case (.mine, _), (.overdue, _): return try await connection.run(PageOfOwnAccounts(range: range))
        }
    }

    /// Whether a user sees a party.
    package static func sees(
        _ party: Int, scope: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Bool {
        try await connection.run(SeesParty(party: party, scope: scope)).first ?? false
    }

    static let listStatements: [any Statement.Type] = [
        PageOfAccounts.self, PageOfStatus.self, PageOfOwnAccounts.self, SeesParty.self,
    ]
}

/// What every page of accounts asks, and what it answers.
struct AccountRange {
    let scope: Int
    let user: Int
    let filter: AccountFilter
    let after: AccountCursor?
    let limit: Int

    /// Rows of `s`, with `party_id` and `name_norm`, as accounts. The lateral join keeps the plan: first the range of an
    /// index, then the few rows' own values.
    ///
    /// - Parameter condition: beside the place in the order, `$1` to `$4`.
    static func page(of range: String, where condition: String, limit: String) -> String {
        """
        select p.id, p.name, p.status, o.siren, o.vat, t.street, t.postal_code, t.city, t.country, u.name, y.name,
          d.open, d.overdue, coalesce(d.is_late, false),
          (select max(i.occurred_at) from interaction_party i where i.party_id = p.id),
          (select max(f.issued_on) from sales_doc f where f.party_id = p.id and f.kind = 'invoice'), s.name_norm
        from \(range) s
        join party p on p.id = s.party_id
        left join org o on o.party_id = p.id
        left join site t on t.party_id = p.id and t.is_main
        left join app_user u on u.id = p.owner_id
        left join territory y on y.id = p.territory_id
        left join lateral (
          select sum(case when d.kind = 'credit_note' then -abs(d.open_amount) else d.open_amount end) as open,
            sum(d.open_amount) filter (where d.billing_status = 'overdue') as overdue,
            bool_or(d.billing_status = 'overdue') as is_late
          from sales_doc d
          where d.party_id = p.id and d.open_amount <> 0 and d.kind in ('invoice', 'credit_note')
        ) d on true
        where \(condition)
          and (s.name_norm, s.party_id) > ($2::text collate "C", $3::bigint)
          and s.name_norm >= name_norm($4::text) collate "C"
          and s.name_norm < (name_norm($4::text) || chr(1114111)) collate "C"
        order by s.name_norm, s.party_id
        limit \(limit)::bigint
        """
    }

    /// `$1` to `$4`.
    var parameters: [Parameter] {
        [
            Parameter(scope), Parameter(after?.nameNorm ?? ""), Parameter(after?.id ?? 0),
            Parameter(filter.prefix),
        ]
    }
}

extension AccountRow {
    fileprivate init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        name = try row.next()
        status = try row.next()
        siren = try row.next()
        vat = try row.next()
        street = try row.next()
        postalCode = try row.next()
        city = try row.next()
        country = try row.next()
        owner = try row.next()
        territory = try row.next()
        open = try row.next()
        overdue = try row.next()
        isLate = try row.next()
        lastInteraction = try row.next()
        lastInvoice = try row.next()
        nameNorm = try row.next()
    }
}

/// Everything that a scope sees.
struct PageOfAccounts: Statement {
    let range: AccountRange

    static let sql = AccountRange.page(
        of: "party_scope", where: "s.scope_id = $1::bigint and s.is_account", limit: "$5")
    var parameters: [Parameter] { range.parameters + [Parameter(range.limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountRow { try AccountRow(&row) }
}

/// What a scope sees of one status.
struct PageOfStatus: Statement {
    let range: AccountRange

    static let sql = AccountRange.page(
        of: "party_scope", where: "s.scope_id = $1::bigint and s.is_account and s.status = $6::text",
        limit: "$5")
    var parameters: [Parameter] {
        range.parameters + [Parameter(range.limit), Parameter(range.filter.status)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountRow { try AccountRow(&row) }
}

/// What a user looks after: a few thousand accounts, of which any may be left out.
struct PageOfOwnAccounts: Statement {
    let range: AccountRange

    static let sql = AccountRange.page(
        of: """
            (
              select id as party_id, name_norm collate "C" as name_norm
              from party
              where owner_id = $7::bigint and kind = 'organisation' and status <> 'other' and merged_into is null
                and ($6::text is null or status = $6)
            )
            """,
        where: """
            exists (select from party_scope v where v.party_id = s.party_id and v.scope_id = $1::bigint)
              and (not $8::boolean or exists (
                select from sales_doc l
                where l.party_id = s.party_id and l.open_amount <> 0 and l.billing_status = 'overdue'
              ))
            """, limit: "$5")
    var parameters: [Parameter] {
        range.parameters + [
            Parameter(range.limit), Parameter(range.filter.status), Parameter(range.user),
            Parameter(range.filter.whose == .overdue),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountRow { try AccountRow(&row) }
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

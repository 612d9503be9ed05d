// SPDX-License-Identifier: Apache-2.0
// Accounts that somebody may be about to make a second time.

package import PostgreSQL

/// An account that may be the one whose fields somebody types.
package struct LikelyAccount: Sendable, Hashable {
    /// What it has in common with what was typed.
    package enum Reason: String, Sendable {
        /// The same number, which no two accounts have.
        case siren, siret
        /// The same VAT number, which a group may share.
        case vat
        /// A name like it.
        case name
    }

    /// Number of the row.
    package let id: Int
    /// Registered name.
    package let name: String
    /// Town of the main site.
    package let city: String?
    /// Nine digits, as imported.
    package let siren: String?
    /// The strongest of what it has in common.
    package let reason: Reason

    /// The field that no second account can have.
    package var takenField: AccountField? {
        switch reason {
        case .siren: .siren
        case .siret: .siret
        case .vat, .name: nil
        }
    }
}

extension AccountEdits {
    /// Accounts like the one that is being typed, the likeliest first, at most five; only those that the user sees.
    ///
    /// - Parameters:
    ///   - fields: what was typed; what is missing or empty is not looked for.
    ///   - account: the account that is being changed, which is like itself.
    package static func likely(
        _ fields: [AccountField: String], except account: Int? = nil, for user: AppUser,
        on connection: Connection
    ) async throws -> [LikelyAccount] {
        func text(_ field: AccountField) -> String? { fields[field].flatMap { $0.isEmpty ? nil : $0 } }
        let statement = LikelyAccounts(
            scope: user.scope, account: account, name: text(.name), siren: text(.siren), siret: text(.siret),
            vat: text(.vat))
        guard statement.isAsking else { return [] }
        return try await connection.transaction { connection in
            _ = try await connection.run(RaiseSimilarity())
            return try await connection.run(statement)
        }
    }
}

/// What names have in common counts from half of their trigrams on: with the usual third, every second name of a trade
/// is like every other. The index is asked whatever the planner guesses, which knows nothing of names.
struct RaiseSimilarity: Statement {
    static let sql = """
        select set_config('pg_trgm.similarity_threshold', '0.5', true) || set_config('enable_seqscan', 'off', true)
        """
    typealias Row = String
}

struct LikelyAccounts: Statement {
    let scope: Int
    let account: Int?
    let name: String?
    let siren: String?
    let siret: String?
    let vat: String?

    var isAsking: Bool { [name, siren, siret, vat].contains { $0 != nil } }

    static let sql = """
        with hit as materialized (
          select party_id, 'siren' as reason, 1 as rank, 1::real as likeness from org where siren = $4::text
          union all
          select party_id, 'siret', 2, 1 from site where siret = $5::text
          union all
          (select party_id, 'vat', 3, 1 from org where vat collate "C" = $6::text limit 8)
          union all
          select id, 'name', 4, similarity(name_norm, name_norm($3::text)) from party
          where name_norm % name_norm($3::text)
        ), best as (
          select distinct on (h.party_id) h.*
          from hit h
          join party_scope v on v.party_id = h.party_id and v.scope_id = $1::bigint and v.is_account
          where h.party_id is distinct from $2::bigint
          order by h.party_id, h.rank
        )
        select p.id, p.name, t.city, o.siren, b.reason
        from best b
        join party p on p.id = b.party_id
        left join org o on o.party_id = p.id
        left join site t on t.party_id = p.id and t.is_main
        order by b.rank, b.likeness desc, p.id
        limit 5
        """
    var parameters: [Parameter] {
        [
            Parameter(scope), Parameter(account), Parameter(name), Parameter(siren), Parameter(siret),
            Parameter(vat),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> LikelyAccount {
        LikelyAccount(
            id: try row.next(), name: try row.next(), city: try row.next(), siren: try row.next(),
            reason: LikelyAccount.Reason(rawValue: try row.next(String.self)) ?? .name)
    }
}

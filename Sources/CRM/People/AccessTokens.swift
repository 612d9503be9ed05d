// SPDX-License-Identifier: Apache-2.0
// Passwords of devices and tokens of programs: shown once, revoked one by one.

internal import Diagnostics
package import Model
package import PostgreSQL

/// Something that signs in for a user.
package struct AccessToken: Sendable {
    /// What a token opens.
    package enum Kind: String, Sendable {
        /// Calendars and contacts of a device.
        case appPassword = "app_password"
        /// The API.
        case api
    }

    /// Number of the row.
    package let id: Int
    /// What it opens.
    package let kind: Kind
    /// What the user calls it.
    package let label: String
    /// What it may do (API).
    package let scopes: [String]
    /// When it was made.
    package let madeAt: Timestamp
    /// When it was shown last.
    package let usedAt: Timestamp?
}

/// Keeps tokens.
package enum AccessTokens {
    /// Makes one; the text is shown now and never again.
    ///
    /// - Throws: `TOKEN-LABEL` for an empty label or one of more than 100 characters.
    package static func make(
        _ kind: AccessToken.Kind, label: String, scopes: [String] = [], for user: Int,
        on connection: Connection
    ) async throws -> SecretToken {
        guard 1...100 ~= label.count else { throw PeopleError(.label) }
        let token = SecretToken()
        try await connection.execute(
            MakeToken(user: user, kind: kind, label: label, hash: token.hash, scopes: scopes))
        return token
    }

    /// The tokens of a user, newest first.
    package static func list(of user: Int, on connection: Connection) async throws(PostgreSQLError)
        -> [AccessToken]
    {
        try await connection.run(ListTokens(user: user))
    }

    /// Ends a token of a user; false when there is none with this number.
    package static func revoke(
        _ id: Int, of user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Bool {
        try await connection.run(RevokeToken(id: id, user: user)).first != nil
    }

    /// Whose token this is, and what it may do; nil where it is unknown or revoked.
    package static func find(
        _ token: SecretToken, _ kind: AccessToken.Kind, on connection: Connection
    ) async throws(PostgreSQLError) -> (user: AppUser, scopes: [String])? {
        try await connection.run(FindToken(hash: token.hash, kind: kind)).first
    }

    static let statements: [any Statement.Type] = [
        MakeToken.self, ListTokens.self, RevokeToken.self, FindToken.self,
    ]
}

struct MakeToken: Statement {
    let user: Int
    let kind: AccessToken.Kind
    let label: String
    let hash: Bytes
    let scopes: [String]

    static let sql = """
        insert into access_token (user_id, kind, label, token_hash, scopes)
        values ($1::bigint, $2, $3, $4, $5::text[])
        """
    var parameters: [Parameter] {
        [
            Parameter(user), Parameter(kind.rawValue), Parameter(label), Parameter(hash), Parameter(scopes),
        ]
    }
}

struct ListTokens: Statement {
    let user: Int

    static let sql = """
        select id, kind, label, scopes, made_at, used_at
        from access_token
        where user_id = $1::bigint and revoked_at is null
        order by id desc
        limit 100
        """
    var parameters: [Parameter] { [Parameter(user)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccessToken {
        AccessToken(
            id: try row.next(), kind: AccessToken.Kind(rawValue: try row.next(String.self)) ?? .api,
            label: try row.next(), scopes: try row.next(), madeAt: try row.next(), usedAt: try row.next())
    }
}

struct RevokeToken: Statement {
    let id: Int
    let user: Int

    static let sql = """
        update access_token set revoked_at = now()
        where id = $1::bigint and user_id = $2::bigint and revoked_at is null
        returning true
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(user)] }
    typealias Row = Bool
}

/// Reads a token; that it was used is written at most every five minutes.
struct FindToken: Statement {
    let hash: Bytes
    let kind: AccessToken.Kind

    static let sql = """
        with used as (
          update access_token set used_at = now()
          where token_hash = $1 and coalesce(used_at, made_at) < now() - interval '5 minutes'
        )
        select \(AppUser.columns), k.scopes
        from access_token k
        join app_user u on u.id = k.user_id
        where k.token_hash = $1 and k.kind = $2 and k.revoked_at is null and u.disabled_at is null
        """
    var parameters: [Parameter] { [Parameter(hash), Parameter(kind.rawValue)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> (user: AppUser, scopes: [String]) {
        (user: try AppUser(&row), scopes: try row.next())
    }
}

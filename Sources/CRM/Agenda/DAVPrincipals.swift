// SPDX-License-Identifier: Apache-2.0
// People as programs of agendas know them: who may be invited, by name and address.

package import PostgreSQL

/// Somebody who has an agenda.
package struct DAVPrincipal: Sendable, Hashable {
    /// Number of the user.
    package let id: Int
    /// What is typed to sign in, and the name in addresses.
    package let login: String
    /// What others read.
    package let name: String
    /// E-mail address.
    package let email: String?

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        (id, login) = (try row.next(), try row.next())
        (name, email) = (try row.next(), try row.next())
    }
}

/// Finds people.
package enum DAVPrincipals {
    /// One by login; nil where there is none who may sign in.
    package static func find(
        _ login: String, on connection: Connection
    ) async throws(PostgreSQLError) -> DAVPrincipal? {
        try await connection.run(FindPrincipal(login: login)).first
    }

    /// Whose name or address has a text in it, by name, at most 100.
    package static func search(
        name: String?, email: String?, on connection: Connection
    ) async throws(PostgreSQLError) -> [DAVPrincipal] {
        try await connection.run(SearchPrincipals(name: name, email: email))
    }

    static let statements: [any Statement.Type] = [FindPrincipal.self, SearchPrincipals.self]
}

struct FindPrincipal: Statement {
    let login: String

    static let sql = "select id, login, name, email from app_user where login = $1 and disabled_at is null"
    var parameters: [Parameter] { [Parameter(login)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVPrincipal {
        try DAVPrincipal(&row)
    }
}

struct SearchPrincipals: Statement {
    let name: String?
    let email: String?

    static let sql = """
        select id, login, name, email
        from app_user
        where disabled_at is null
          and ($1::text is null or position(lower(unaccent($1)) in lower(unaccent(name))) > 0)
          and ($2::text is null or position(lower($2) in email) > 0)
        order by name, id
        limit 100
        """
    var parameters: [Parameter] { [Parameter(name), Parameter(email)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVPrincipal {
        try DAVPrincipal(&row)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Signing in whom a provider of OpenID Connect vouches for.

internal import Diagnostics
package import PostgreSQL

/// Somebody, as a provider knows him.
package struct OpenIDIdentity: Sendable, Hashable {
    /// The provider.
    package let issuer: String
    /// Its name for him, which never changes.
    package let subject: String
    /// His address; nil unless the provider has verified it.
    package let email: String?

    /// Somebody whom a provider vouches for.
    package init(issuer: String, subject: String, email: String?) {
        (self.issuer, self.subject, self.email) = (issuer, subject, email)
    }
}

extension SignIn {
    /// What becomes of somebody whom a provider vouches for.
    private enum Entrance {
        case session(SecretToken)
        case refused(PeopleError.Code, user: Int?)
    }

    /// Begins a session for the user of an identity. The first time, that is the user with its address, who is linked
    /// to it from then on; nobody is made.
    ///
    /// - Throws: `SIGN-IN-NO-ACCOUNT`, `SIGN-IN-EMAIL` where the provider has verified no address, `SIGN-IN-LINKED`
    ///   where the user is another identity's already, `SIGN-IN-DISABLED`.
    package static func enter(_ identity: OpenIDIdentity, in pool: Pool) async throws -> SecretToken {
        let entrance = try await pool.transaction { connection in
            _ = try await connection.run(LockUsers())
            return try await enter(identity, on: connection)
        }
        switch entrance {
        case .session(let token): return token
        case .refused(let code, let user):
            // Outside of what is rolled back.
            if let user {
                try await pool.withConnection { try await Audit.write("sign-in.refused", by: user, on: $0) }
            }
            throw PeopleError(code, ["email": identity.email ?? ""])
        }
    }

    private static func enter(
        _ identity: OpenIDIdentity, on connection: Connection
    ) async throws -> Entrance {
        let (issuer, subject) = (identity.issuer, identity.subject)
        if let user = try await connection.run(FindOpenIDLink(issuer: issuer, subject: subject)).first {
            return user.isDisabled
                ? .refused(.disabled, user: user.id)
                : .session(try await begin(user.id, on: connection, by: "sign-in.openid"))
        }
        // Letters beyond ASCII may become others in lower case.
        guard let email = identity.email, email.utf8.allSatisfy({ $0 < 128 }) else {
            return .refused(.unverified, user: nil)
        }
        let found = try await connection.run(FindUserByEmail(email: email.lowercased(), issuer: issuer)).first
        guard let user = found else { return .refused(.noAccount, user: nil) }
        guard !user.isDisabled else { return .refused(.disabled, user: user.id) }
        guard !user.isLinked else { return .refused(.linked, user: user.id) }
        try await connection.execute(LinkOpenID(issuer: issuer, subject: subject, user: user.id))
        try await Audit.write("user.linked", by: user.id, of: "user", user.id, on: connection)
        return .session(try await begin(user.id, on: connection, by: "sign-in.openid"))
    }
}

/// Which users providers may sign in.
package enum OpenIDLinks {
    /// Sets the address by which providers know a user, in a transaction; nil = only by the login.
    ///
    /// - Throws: `USER-UNKNOWN`, `USER-EMAIL`, `USER-EMAIL-TAKEN`.
    package static func setEmail(
        _ email: String?, of login: String, on connection: Connection
    ) async throws {
        let user = try await AppUsers.show(login, on: connection)
        let email = email?.lowercased()
        if let email, email.wholeMatch(of: #/[!-~]+@[!-~]+/#) == nil || email.utf8.count > 254 {
            throw PeopleError(.email, ["email": email])
        }
        _ = try await connection.run(LockUsers())
        guard try await connection.run(SetEmail(id: user.id, email: email)).first != nil else {
            throw PeopleError(.emailTaken, ["email": email ?? ""])
        }
    }

    /// Forgets whom providers took a user for: the next one whom they vouch for with the user's address is linked.
    ///
    /// - Returns: whether there was anything to forget.
    /// - Throws: `USER-UNKNOWN`.
    package static func unlink(_ login: String, on connection: Connection) async throws -> Bool {
        let user = try await AppUsers.show(login, on: connection)
        return try await !connection.run(UnlinkOpenID(user: user.id)).isEmpty
    }

    static let statements: [any Statement.Type] = [
        FindOpenIDLink.self, FindUserByEmail.self, LinkOpenID.self, UnlinkOpenID.self, SetEmail.self,
    ]
}

struct FindOpenIDLink: Statement {
    let issuer: String
    let subject: String

    static let sql = """
        select u.id, u.disabled_at is not null
        from openid_link l
        join app_user u on u.id = l.user_id
        where l.issuer = $1 and l.subject = $2
        """
    var parameters: [Parameter] { [Parameter(issuer), Parameter(subject)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> (id: Int, isDisabled: Bool) {
        (id: try row.next(), isDisabled: try row.next())
    }
}

/// The user with an address: whose it is said to be, before whose login it is.
struct FindUserByEmail: Statement {
    let email: String
    let issuer: String

    static let sql = """
        select u.id, u.disabled_at is not null,
          exists (select from openid_link l where l.user_id = u.id and l.issuer = $2)
        from app_user u
        where u.email = $1 or u.login = $1
        order by u.email = $1 desc nulls last
        limit 1
        """
    var parameters: [Parameter] { [Parameter(email), Parameter(issuer)] }
    static func decode(
        _ row: inout RowReader
    ) throws(PostgreSQLError) -> (id: Int, isDisabled: Bool, isLinked: Bool) {
        (id: try row.next(), isDisabled: try row.next(), isLinked: try row.next())
    }
}

struct LinkOpenID: Statement {
    let issuer: String
    let subject: String
    let user: Int

    static let sql = "insert into openid_link (issuer, subject, user_id) values ($1, $2, $3::bigint)"
    var parameters: [Parameter] { [Parameter(issuer), Parameter(subject), Parameter(user)] }
}

struct UnlinkOpenID: Statement {
    let user: Int

    static let sql = "delete from openid_link where user_id = $1::bigint returning true"
    var parameters: [Parameter] { [Parameter(user)] }
    typealias Row = Bool
}

struct SetEmail: Statement {
    let id: Int
    let email: String?

    static let sql = """
        update app_user
        set email = $2, version = version + 1
        where id = $1::bigint and not exists (select from app_user o where o.email = $2 and o.id <> $1)
        returning true
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(email)] }
    typealias Row = Bool
}

// SPDX-License-Identifier: Apache-2.0
// Signing in: passwords, one-time links, sessions; whoever fails often waits.

internal import Diagnostics
package import PostgreSQL

/// Lets people in.
package struct SignIn: Sendable {
    /// How long a session lasts, and how long without a request.
    private static let lifetime = "12 hours"
    /// Failures that cost nothing.
    private static let patience = 5

    private let passwords: Passwords

    /// Compares passwords with the hashes of users.
    package init(passwords: Passwords) {
        self.passwords = passwords
    }

    /// Begins a session for whoever knows the password; a new token each time, so that nobody can prepare one.
    ///
    /// - Parameter address: where the request comes from; nil where that is not known.
    /// - Throws: `SIGN-IN-REFUSED` without saying which of login and password is wrong, `SIGN-IN-BLOCKED` with the
    ///   seconds to wait, even for the right password.
    package func enter(
        _ login: String, _ password: String, from address: String?, in pool: Pool
    ) async throws -> SecretToken {
        let login = String(login.lowercased().prefix(100))
        let keys = ["login:" + login] + (address.map { ["address:" + $0] } ?? [])
        // Counted before it is compared, and refused while blocked, so that many at once do not all pass; the right one
        // takes it back.
        let waits = try await pool.withConnection {
            try await $0.run(CountTry(keys: keys, patience: Self.patience))
        }
        guard waits.count == keys.count else {
            let wait = try await pool.withConnection { try await $0.run(SignInWait(keys: keys)).first }
            throw Self.blocked((wait ?? nil) ?? 1)
        }
        let found = try await pool.withConnection { try await $0.run(FindPassword(login: login)).first }
        guard try await passwords.verify(password, against: found?.hash), let user = found?.id else {
            if let user = found?.id {
                try await pool.withConnection { try await Audit.write("sign-in.refused", by: user, on: $0) }
            }
            if let wait = waits.compactMap(\.self).max(), wait > 0 { throw Self.blocked(wait) }
            throw PeopleError(.signInRefused)
        }
        return try await pool.withConnection { connection in
            try await connection.execute(ForgiveTry(keys: keys))
            return try await Self.begin(user, on: connection)
        }
    }

    private static func blocked(_ seconds: Int) -> PeopleError {
        PeopleError(.signInBlocked, ["seconds": String(seconds)], retry: .after(.seconds(seconds)))
    }

    /// Begins a session.
    ///
    /// - Parameter action: how, for the audit.
    static func begin(
        _ user: Int, on connection: Connection, by action: String = "sign-in"
    ) async throws -> SecretToken {
        let token = SecretToken()
        try await connection.execute(BeginSession(hash: token.hash, user: user, lifetime: lifetime))
        try await Audit.write(action, by: user, on: connection)
        return token
    }

    /// The user of a session; nil where it is unknown or over.
    package static func user(_ token: SecretToken, on connection: Connection) async throws(PostgreSQLError)
        -> AppUser?
    {
        try await connection.run(FindSession(hash: token.hash)).first
    }

    /// Ends a session.
    package static func leave(_ token: SecretToken, on connection: Connection) async throws(PostgreSQLError) {
        try await connection.execute(EndSession(hash: token.hash))
    }

    /// A link for the first administrator, good for a day; nil when there is one already. Earlier links are void.
    package static func firstLink(on connection: Connection) async throws -> SecretToken? {
        try await connection.transaction { connection in
            _ = try await connection.run(LockUsers())
            guard try await connection.run(CountAdmins(besides: 0)).first == 0 else { return nil }
            return try await link(for: nil, on: connection)
        }
    }

    /// A link by which a user sets a password, once, within a day; earlier links of the user are void.
    package static func link(for user: Int?, on connection: Connection) async throws(PostgreSQLError)
        -> SecretToken
    {
        let token = SecretToken()
        try await connection.execute(MakeLink(hash: token.hash, user: user))
        return token
    }

    /// Whom a link is for: a user, or the first administrator to be.
    ///
    /// - Throws: `SIGN-IN-LINK` when it is unknown, used or too old, or its user was shut out meanwhile.
    package static func open(_ link: SecretToken?, on connection: Connection) async throws -> AppUser? {
        guard let link, let found = try await connection.run(FindLink(hash: link.hash)).first else {
            throw PeopleError(.link)
        }
        guard let id = found else { return nil }
        guard let user = try await connection.run(FindUser(id: id)).first else { throw PeopleError(.link) }
        return user
    }

    /// Uses a link: sets the password, or makes the first administrator, and begins a session.
    ///
    /// - Throws: `SIGN-IN-LINK`, `USER-LOGIN`, `USER-NAME`, `USER-TAKEN`, `PASSWORD-SHORT`, `SIGN-IN-BUSY`.
    package func use(
        _ link: SecretToken?, login: String, name: String, password: String, in pool: Pool
    ) async throws -> SecretToken {
        // Whoever has no link costs nothing; and hashing holds no connection.
        _ = try await pool.withConnection { try await Self.open(link, on: $0) }
        let hash = try await passwords.hash(password)
        return try await pool.transaction { connection in
            _ = try await connection.run(LockUsers())
            let known = try await Self.open(link, on: connection)
            guard let link, try await connection.run(UseLink(hash: link.hash)).first != nil else {
                throw PeopleError(.link)
            }
            if let user = known {
                try await AppUsers.setPassword(hash, of: user.id, on: connection)
                return try await Self.begin(user.id, on: connection)
            }
            guard try await connection.run(CountAdmins(besides: 0)).first == 0 else {
                throw PeopleError(.link)
            }
            var draft = AppUsers.Draft(login: login, name: name, role: .it)
            (draft.isAdmin, draft.seesClients) = (true, true)
            let user = try await AppUsers.add(draft, passwordHash: hash, on: connection)
            return try await Self.begin(user.id, on: connection)
        }
    }

    static let statements: [any Statement.Type] = [
        SignInWait.self, FindPassword.self, CountTry.self, ForgiveTry.self, BeginSession.self,
        FindSession.self, EndSession.self, MakeLink.self, FindLink.self, UseLink.self, FindUser.self,
    ]
}

/// Seconds until these keys may try again; null when they may now.
struct SignInWait: Statement {
    let keys: [String]

    static let sql = """
        select ceil(extract(epoch from max(blocked_until) - now()))::bigint
        from sign_in_failure
        where key = any($1::text[]) and blocked_until > now()
        """
    var parameters: [Parameter] { [Parameter(keys)] }
    typealias Row = Int?
}

struct FindPassword: Statement {
    let login: String

    static let sql = "select id, password from app_user where login = $1 and disabled_at is null"
    var parameters: [Parameter] { [Parameter(login)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> (id: Int, hash: String?) {
        (id: try row.next(), hash: try row.next())
    }
}

/// Counts a try, unless its key is blocked: then there is no row. Behind the sixth, whoever comes waits 2 s, behind each
/// further one twice as long, up to 15 minutes. A day without one clears it. Many people may share one address: it has ten
/// times the patience.
struct CountTry: Statement {
    let keys: [String]
    let patience: Int

    /// Tries so far with this one, by the row that others may just have written; and the patience with its key.
    private static let known =
        "(case when f.last_at < now() - interval '1 day' then 0 else f.failures end + 1)"
    private static let patience = "($2::bigint * case when excluded.key like 'address:%' then 10 else 1 end)"

    static let sql = """
        with swept as (
          delete from sign_in_failure where last_at < now() - interval '1 day' and key <> all($1::text[])
        )
        insert into sign_in_failure as f (key, failures, last_at)
        select key, 1, now() from unnest($1::text[]) as k(key) order by key
        on conflict (key) do update set
          failures = \(known), last_at = now(),
          blocked_until = case when \(known) > \(patience) then now() + least(
            interval '15 minutes', interval '1 second' * power(2, least(20, \(known) - \(patience)))) end
        where f.blocked_until is null or f.blocked_until <= now()
        returning ceil(extract(epoch from blocked_until - now()))::bigint
        """
    var parameters: [Parameter] { [Parameter(keys), Parameter(patience)] }
    typealias Row = Int?
}

/// The right password: the login's tries are forgotten, the address' loses this one.
struct ForgiveTry: Statement {
    let keys: [String]

    static let sql = """
        with forgotten as (
          delete from sign_in_failure where key = any($1::text[]) and key like 'login:%'
        )
        update sign_in_failure set failures = greatest(0, failures - 1), blocked_until = null
        where key = any($1::text[]) and key like 'address:%'
        """
    var parameters: [Parameter] { [Parameter(keys)] }
}

struct BeginSession: Statement {
    let hash: Bytes
    let user: Int
    let lifetime: String

    static let sql = """
        with swept as (delete from session where expires_at < now())
        insert into session (token_hash, user_id, expires_at)
        values ($1, $2::bigint, now() + $3::text::interval)
        """
    var parameters: [Parameter] { [Parameter(hash), Parameter(user), Parameter(lifetime)] }
}

/// Reads a session; that it was used is written at most every five minutes, and a session that is used goes on.
struct FindSession: Statement {
    let hash: Bytes

    static let sql = """
        with seen as (
          update session set seen_at = now(), expires_at = greatest(expires_at, now() + interval '4 hours')
          where token_hash = $1 and expires_at > now() and seen_at < now() - interval '5 minutes'
            and made_at > now() - interval '7 days'
        )
        select \(AppUser.columns)
        from session s
        join app_user u on u.id = s.user_id
        where s.token_hash = $1 and s.expires_at > now() and u.disabled_at is null
        """
    var parameters: [Parameter] { [Parameter(hash)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AppUser { try AppUser(&row) }
}

struct EndSession: Statement {
    let hash: Bytes

    static let sql = "delete from session where token_hash = $1"
    var parameters: [Parameter] { [Parameter(hash)] }
}

struct MakeLink: Statement {
    let hash: Bytes
    let user: Int?

    static let sql = """
        with void as (
          delete from sign_in_link where user_id is not distinct from $2::bigint or expires_at < now()
        )
        insert into sign_in_link (token_hash, user_id, expires_at) values ($1, $2, now() + interval '1 day')
        """
    var parameters: [Parameter] { [Parameter(hash), Parameter(user)] }
}

struct FindLink: Statement {
    let hash: Bytes

    static let sql = "select user_id from sign_in_link where token_hash = $1 and expires_at > now()"
    var parameters: [Parameter] { [Parameter(hash)] }
    typealias Row = Int?
}

struct UseLink: Statement {
    let hash: Bytes

    static let sql = "delete from sign_in_link where token_hash = $1 and expires_at > now() returning true"
    var parameters: [Parameter] { [Parameter(hash)] }
    typealias Row = Bool
}

struct FindUser: Statement {
    let id: Int

    static let sql = """
        select \(AppUser.columns) from app_user u where u.id = $1::bigint and u.disabled_at is null
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AppUser { try AppUser(&row) }
}

// SPDX-License-Identifier: Apache-2.0
// The people who use Relais.

internal import Diagnostics
package import Model
package import PostgreSQL

/// Somebody who uses Relais.
package struct AppUser: Sendable, Hashable {
    /// What somebody works on.
    package enum Role: String, Sendable, CaseIterable {
        case rep
        case backOffice = "back_office"
        case manager
        case it
    }

    /// Number of the row.
    package let id: Int
    /// What is typed to sign in.
    package let login: String
    /// What others read.
    package let name: String
    /// What the user works on.
    package let role: Role
    /// Whether people and settings are the user's business too.
    package let isAdmin: Bool
    /// Whether somebody of IT sees clients.
    package let seesClients: Bool
    /// Name of the team.
    package let team: String?
    /// `fr` or `en`; nil = as the browser asks.
    package let language: String?
    /// `auto`, `light` or `dark`.
    package let theme: String
    /// Whether single letters are shortcuts.
    package let hasSingleKeys: Bool
    /// Since when the user may not sign in.
    package let disabledAt: Timestamp?

    /// Which parties the user sees (`party_scope.scope_id`): 0 = all, -1 = none.
    package var scope: Int {
        switch role {
        case .backOffice: 0
        case .it: seesClients ? 0 : -1
        case .rep, .manager: id
        }
    }

    /// Whether flows, runs and quarantine are the user's business.
    package var mayOperate: Bool { role == .it || role == .backOffice || isAdmin }

    /// Whether what comes in is shown with its content: files hold clients of everybody.
    package var mayHandle: Bool { mayOperate && scope == 0 }
}

extension AppUser {
    static let columns = """
        u.id, u.login, u.name, u.role, u.is_admin, u.sees_clients,
          (select t.name from team t where t.id = u.team_id), u.language, u.theme, u.single_keys, u.disabled_at
        """

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        login = try row.next()
        name = try row.next()
        role = Role(rawValue: try row.next(String.self)) ?? .rep
        isAdmin = try row.next()
        seesClients = try row.next()
        team = try row.next()
        language = try row.next()
        theme = try row.next()
        hasSingleKeys = try row.next()
        disabledAt = try row.next()
    }
}

/// Keeps users.
package enum AppUsers {
    /// Who somebody is going to be.
    package struct Draft: Sendable {
        /// Lower-case letters, digits, `.`, `_`, `@`, `-`.
        package var login: String
        /// What others read; the login where nothing is given.
        package var name: String
        /// What the user works on.
        package var role: AppUser.Role
        /// Whether people and settings are the user's business too.
        package var isAdmin = false
        /// Whether somebody of IT sees clients.
        package var seesClients = false
        /// Name of the team, made where there is none.
        package var team: String?

        /// Somebody without rights beyond the role's.
        package init(login: String, name: String, role: AppUser.Role) {
            (self.login, self.name, self.role) = (login, name, role)
        }
    }

    /// All users by login, at most a thousand.
    package static func list(on connection: Connection) async throws(PostgreSQLError) -> [AppUser] {
        try await connection.run(ListUsers(login: nil))
    }

    /// One user.
    ///
    /// - Throws: `USER-UNKNOWN`.
    package static func show(_ login: String, on connection: Connection) async throws -> AppUser {
        guard let user = try await connection.run(ListUsers(login: login.lowercased())).first else {
            throw PeopleError(.unknown, ["login": login])
        }
        return user
    }

    /// Makes a user, who cannot sign in without a password or a link.
    ///
    /// - Parameter hash: of the password (``Passwords/hash(_:)``); nil for none.
    /// - Throws: `USER-LOGIN`, `USER-TAKEN`.
    package static func add(
        _ draft: Draft, passwordHash hash: String?, on connection: Connection
    ) async throws -> AppUser {
        var draft = draft
        draft.login = draft.login.lowercased()
        let isPlain = draft.login.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "-"): true
            default: false
            }
        }
        guard isPlain, 1...63 ~= draft.login.utf8.count, !".@_-".contains(draft.login.first ?? ".") else {
            throw PeopleError(.login, ["login": draft.login])
        }
        guard !draft.name.isEmpty, draft.name.count <= 100 else { throw PeopleError(.name) }
        if let team = draft.team { try await connection.execute(EnsureTeam(name: team)) }
        guard try await connection.run(AddUser(draft: draft, hash: hash)).first != nil else {
            throw PeopleError(.taken, ["login": draft.login])
        }
        return try await show(draft.login, on: connection)
    }

    /// Lets somebody sign in no more, or again; sessions end at once.
    ///
    /// - Throws: `USER-UNKNOWN`, `USER-LAST-ADMIN`.
    package static func disable(
        _ login: String, _ isDisabled: Bool = true, on connection: Connection
    ) async throws {
        let user = try await show(login, on: connection)
        try await connection.transaction { connection in
            _ = try await connection.run(LockUsers())
            if isDisabled, user.isAdmin {
                guard try await connection.run(CountAdmins(besides: user.id)).first ?? 0 > 0 else {
                    throw PeopleError(.lastAdmin, ["login": user.login])
                }
            }
            try await connection.execute(DisableUser(id: user.id, isDisabled: isDisabled))
        }
    }

    /// Gives a user another password; all his sessions end.
    package static func setPassword(
        _ hash: String, of user: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(SetPassword(id: user, hash: hash))
    }

    /// Keeps how a user wants to see pages.
    package static func setPreferences(
        theme: String, language: String?, hasSingleKeys: Bool, of user: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(
            SetPreferences(id: user, theme: theme, language: language, hasSingleKeys: hasSingleKeys))
    }

    static let statements: [any Statement.Type] = [
        ListUsers.self, EnsureTeam.self, AddUser.self, LockUsers.self, CountAdmins.self, DisableUser.self,
        SetPassword.self, SetPreferences.self,
    ]
}

struct ListUsers: Statement {
    let login: String?

    static let sql = """
        select \(AppUser.columns)
        from app_user u
        where $1::text is null or u.login = $1
        order by u.login
        limit 1000
        """
    var parameters: [Parameter] { [Parameter(login)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AppUser { try AppUser(&row) }
}

struct EnsureTeam: Statement {
    let name: String

    static let sql = "insert into team (name) values ($1) on conflict do nothing"
    var parameters: [Parameter] { [Parameter(name)] }
}

struct AddUser: Statement {
    let draft: AppUsers.Draft
    let hash: String?

    static let sql = """
        insert into app_user (login, name, role, is_admin, sees_clients, team_id, password)
        values ($1, $2, $3, $4::boolean, $5::boolean, (select id from team where name = $6), $7)
        on conflict do nothing
        returning id
        """
    var parameters: [Parameter] {
        [
            Parameter(draft.login), Parameter(draft.name), Parameter(draft.role.rawValue),
            Parameter(draft.isAdmin), Parameter(draft.seesClients), Parameter(draft.team), Parameter(hash),
        ]
    }
    typealias Row = Int
}

/// Held until the transaction ends; 29306 follows the lock of uploads.
struct LockUsers: Statement {
    static let sql = "select pg_advisory_xact_lock(29306, 0) is null"
    typealias Row = Bool
}

struct CountAdmins: Statement {
    let besides: Int

    static let sql = """
        select count(*) from app_user where is_admin and disabled_at is null and id <> $1::bigint
        """
    var parameters: [Parameter] { [Parameter(besides)] }
    typealias Row = Int
}

struct DisableUser: Statement {
    let id: Int
    let isDisabled: Bool

    static let sql = """
        with ended as (
          delete from session where user_id = $1::bigint and $2::boolean
        ), revoked as (
          update access_token set revoked_at = now() where user_id = $1::bigint and $2 and revoked_at is null
        )
        update app_user
        set disabled_at = case when $2 then coalesce(disabled_at, now()) end, version = version + 1
        where id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(isDisabled)] }
}

struct SetPassword: Statement {
    let id: Int
    let hash: String

    static let sql = """
        with ended as (delete from session where user_id = $1::bigint)
        update app_user set password = $2, version = version + 1 where id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(hash)] }
}

struct SetPreferences: Statement {
    let id: Int
    let theme: String
    let language: String?
    let hasSingleKeys: Bool

    static let sql = """
        update app_user set theme = $2, language = $3, single_keys = $4::boolean where id = $1::bigint
        """
    var parameters: [Parameter] {
        [Parameter(id), Parameter(theme), Parameter(language), Parameter(hasSingleKeys)]
    }
}

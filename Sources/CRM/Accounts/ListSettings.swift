// SPDX-License-Identifier: Apache-2.0
// How a user wants his list of accounts: filters with a name, and columns.

internal import Diagnostics
package import PostgreSQL

/// A filter of a user's that has a name.
package struct SavedFilter: Sendable {
    /// Number of the row.
    package let id: Int
    /// What the user calls it.
    package let name: String
    /// Which accounts it leaves.
    package let filter: AccountFilter
}

/// Keeps what users want of their lists.
package enum ListSettings {
    /// Filters that a user may keep.
    package static let mostFilters = 30
    /// Letters of a filter's name.
    package static let longestName = 60

    /// What became of a name that was given.
    package enum Naming: Sendable, Equatable {
        /// Given to this filter.
        case done(Int)
        /// Empty, or too long.
        case bad
        /// Another filter of the user has it.
        case taken
        /// The user has as many filters as he may.
        case full
        /// There is no such filter of his.
        case unseen
    }

    /// What a list needs of its user: his filters by name, and his columns.
    package static func read(
        _ user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> (filters: [SavedFilter], columns: [AccountColumn]) {
        let columns = try await connection.run(ColumnsOfUser(user: user)).first ?? []
        let known = columns.compactMap(AccountColumn.init(rawValue:))
        return (
            try await connection.run(FiltersOfUser(user: user)), known.isEmpty ? AccountColumn.usual : known
        )
    }

    /// The columns that a user sees from now on, in this order; the usual ones where there are none.
    package static func choose(
        _ columns: [AccountColumn], for user: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(ChooseColumns(user: user, columns: columns.map(\.rawValue)))
    }

    /// Keeps a filter under a name; what the user deleted more than a day ago goes for good.
    package static func save(
        _ filter: AccountFilter, as name: String, for user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Naming {
        guard isName(name) else { return .bad }
        try await connection.execute(ForgetFilters(user: user))
        do throws(PostgreSQLError) {
            let made = try await connection.run(SaveFilter(user: user, name: name, filter: filter)).first
            return made.map { .done($0) } ?? .full
        } catch  where error.has(.constraint) {
            return .taken
        }
    }

    /// Gives a filter another name, which ``restore(_:of:on:)`` takes back.
    package static func rename(
        _ filter: Int, to name: String, of user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Naming {
        guard isName(name) else { return .bad }
        do throws(PostgreSQLError) {
            let renamed = try await connection.run(RenameFilter(id: filter, user: user, name: name)).first
            return renamed.map { .done($0) } ?? .unseen
        } catch  where error.has(.constraint) {
            return .taken
        }
    }

    /// Deletes a filter, which ``restore(_:of:on:)`` brings back.
    ///
    /// - Returns: its name; nil where there is no such filter of his.
    package static func delete(
        _ filter: Int, of user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> String? {
        try await connection.run(DeleteFilter(id: filter, user: user)).first
    }

    /// Takes back that a filter was deleted, or that it got another name.
    package static func restore(
        _ filter: Int, of user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Naming {
        do throws(PostgreSQLError) {
            let restored = try await connection.run(RestoreFilter(id: filter, user: user)).first
            return restored.map { .done($0) } ?? .unseen
        } catch  where error.has(.constraint) {
            return .taken
        }
    }

    private static func isName(_ text: String) -> Bool { !text.isEmpty && text.count <= longestName }

    static let statements: [any Statement.Type] = [
        ColumnsOfUser.self, FiltersOfUser.self, ChooseColumns.self, ForgetFilters.self, SaveFilter.self,
        RenameFilter.self, DeleteFilter.self, RestoreFilter.self,
    ]
}

struct ColumnsOfUser: Statement {
    let user: Int

    static let sql = "select coalesce(account_columns, '{}') from app_user where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(user)] }
    typealias Row = [String]
}

struct FiltersOfUser: Statement {
    let user: Int

    static let sql = """
        select id, name, prefix, status, whose
        from saved_filter
        where user_id = $1::bigint and deleted_at is null
        order by name
        """
    var parameters: [Parameter] { [Parameter(user)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SavedFilter {
        SavedFilter(
            id: try row.next(), name: try row.next(),
            filter: AccountFilter(
                prefix: try row.next(), status: try row.next(),
                whose: AccountFilter.Whose(rawValue: try row.next(String.self)) ?? .all))
    }
}

struct ChooseColumns: Statement {
    let user: Int
    let columns: [String]

    static let sql = "update app_user set account_columns = $2::text[] where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(user), Parameter(columns)] }
}

struct ForgetFilters: Statement {
    let user: Int

    static let sql = """
        delete from saved_filter where user_id = $1::bigint and deleted_at < now() - interval '1 day'
        """
    var parameters: [Parameter] { [Parameter(user)] }
}

struct SaveFilter: Statement {
    let user: Int
    let name: String
    let filter: AccountFilter

    static let sql = """
        insert into saved_filter (user_id, name, prefix, status, whose)
        select $1::bigint, $2::text, $3::text, $4::text, $5::text
        where (select count(*) from saved_filter where user_id = $1) < \(ListSettings.mostFilters)
        returning id
        """
    var parameters: [Parameter] {
        [
            Parameter(user), Parameter(name), Parameter(filter.prefix), Parameter(filter.status),
            Parameter(filter.whose.rawValue),
        ]
    }
    typealias Row = Int
}

struct RenameFilter: Statement {
    let id: Int
    let user: Int
    let name: String

    static let sql = """
        update saved_filter set name_before = name, name = $3
        where id = $1::bigint and user_id = $2::bigint and deleted_at is null
        returning id
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(user), Parameter(name)] }
    typealias Row = Int
}

struct DeleteFilter: Statement {
    let id: Int
    let user: Int

    static let sql = """
        update saved_filter set deleted_at = now(), name_before = null
        where id = $1::bigint and user_id = $2::bigint and deleted_at is null
        returning name
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(user)] }
    typealias Row = String
}

struct RestoreFilter: Statement {
    let id: Int
    let user: Int

    static let sql = """
        update saved_filter set name = coalesce(name_before, name), name_before = null, deleted_at = null
        where id = $1::bigint and user_id = $2::bigint
        returning id
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(user)] }
    typealias Row = Int
}

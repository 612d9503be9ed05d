// SPDX-License-Identifier: Apache-2.0
// Brings a database to the schema this program was built for: forward only, each file once, never changed.

internal import Bytes
package import Foundation
internal import Crypto
internal import Diagnostics

/// One step of the schema.
package struct Migration: Sendable, Hashable {
    /// Position in the one sequence, from 1.
    package let number: Int
    /// File name without its ending, such as `0001_parties`.
    package let name: String
    /// The SQL commands.
    package let sql: String

    /// A migration; numbers have no gaps, and the text never changes once it was applied.
    package init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// SHA-256 of the SQL, in hexadecimal.
    var checksum: String {
        SHA256.hash(data: Array(sql.utf8)).hexadecimal
    }

    /// Reads the files `NNNN_name.sql` of a folder, in order.
    package static func inFolder(_ folder: URL) throws -> [Migration] {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "sql" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { file in
                let name = file.deletingPathExtension().lastPathComponent
                let sql = try String(contentsOf: file, encoding: .utf8)
                return Migration(number: Int(name.prefix(4)) ?? 0, name: name, sql: sql)
            }
    }
}

/// Applies migrations under an advisory lock, so that several processes may start at once.
package struct Migrator: Sendable {
    private let migrations: [Migration]

    /// - Parameter migrations: all of them, ordered by number.
    package init(_ migrations: [Migration]) {
        self.migrations = migrations
    }

    /// Where a database stands.
    package struct Status: Sendable, Hashable {
        /// Names of the migrations in the database, oldest first.
        package let applied: [String]
        /// Names of those still to come.
        package let pending: [String]
    }

    /// Advisory lock number, `relais` in ASCII.
    private static let lock = 0x7265_6c61_6973

    /// Compares the database with this program, writing nothing.
    ///
    /// - Throws: `PG-SCHEMA-NEWER`, `PG-MIGRATION-CHANGED`.
    package func status(_ connection: Connection) async throws -> Status {
        let exists = try await connection.run(
            AdHoc<Bool>("select to_regclass('schema_migration') is not null"))
        let rows = exists == [true] ? try await connection.run(AppliedMigrations()) : []
        for row in rows {
            guard let known = migrations.first(where: { $0.number == row.number }) else {
                throw PostgreSQLError(.schemaNewer, ["migration": row.name])
            }
            guard known.checksum == row.checksum else {
                throw PostgreSQLError(.migrationChanged, ["migration": row.name])
            }
        }
        let applied = Set(rows.map(\.number))
        return Status(
            applied: rows.map(\.name),
            pending: migrations.filter { !applied.contains($0.number) }.map(\.name))
    }

    /// Applies what is missing, each migration in a transaction of its own.
    ///
    /// - Returns: the names of those applied now.
    @discardableResult
    package func migrate(_ connection: Connection) async throws -> [String] {
        guard try await !status(connection).pending.isEmpty else { return [] }
        try await connection.script("set lock_timeout = '120s'")
        _ = try await connection.run(AdHoc<Bool>("select pg_advisory_lock(\(Self.lock)) is null"))
        do {
            let applied = try await applyPending(connection)
            try await connection.script("reset lock_timeout; select pg_advisory_unlock(\(Self.lock))")
            return applied
        } catch {
            // A cancelled task can run no statement: only the end of the session surely frees the lock.
            await connection.close()
            throw error
        }
    }

    private func applyPending(_ connection: Connection) async throws -> [String] {
        try await connection.script(
            """
            create table if not exists schema_migration (
              number int primary key,
              name text not null,
              checksum text not null,
              applied_at timestamptz not null default now()
            )
            """)
        // Another process may have been faster while this one waited for the lock.
        let pending = try await status(connection).pending
        for migration in migrations where pending.contains(migration.name) {
            try await connection.transaction { connection in
                try await connection.script(migration.sql)
                try await connection.execute(RecordMigration(migration: migration))
            }
        }
        try await connection.script("analyze")
        return pending
    }
}

private struct AppliedMigrations: Statement {
    struct Row {
        let number: Int
        let name: String
        let checksum: String
    }

    static let sql = "select number, name, checksum from schema_migration order by number"

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(number: try row.next(), name: try row.next(), checksum: try row.next())
    }
}

private struct RecordMigration: Statement {
    let migration: Migration

    static let sql = "insert into schema_migration (number, name, checksum) values ($1::bigint, $2, $3)"

    var parameters: [Parameter] {
        [Parameter(migration.number), Parameter(migration.name), Parameter(migration.checksum)]
    }
}

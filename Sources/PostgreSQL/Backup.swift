// SPDX-License-Identifier: Apache-2.0
// One file that holds the whole database, and the way back from it.

internal import Bytes
package import Foundation
internal import Crypto
internal import Diagnostics
internal import Glibc
package import Model

/// What a backup file says about itself.
package struct BackupManifest: Sendable, Hashable, Codable {
    /// Version of the file's layout.
    package var format = 1
    /// UTC, ISO 8601.
    package var createdAt: String
    /// Major version of the server that was dumped.
    package var postgresql: Int
    /// Names of the migrations in the dump.
    package var migrations: [String]
    /// Size of the dump in bytes.
    package var dumpBytes: Int
    /// SHA-256 of the dump, hexadecimal.
    package var dumpSHA256: String
    /// Rows by table, counted in the dump's own snapshot.
    package var rows: [String: Int]
}

/// Dumps a database into one tar file (`manifest.json`, `database.dump`) and restores it.
///
/// Restoring fills a new database beside the old one, compares it with the manifest and only then swaps the
/// names: a bad file never costs the data that is there.
package struct Backup: Sendable {
    private let connectionString: String
    private let installation: Installation
    /// Tables that migrations fill: their rows are no data of anybody.
    private static let seeded: Set<String> = ["schema_migration", "source_system"]

    /// - Parameter installation: PostgreSQL's programs, at least as new as the server.
    package init(_ connectionString: String, installation: Installation) {
        self.connectionString = connectionString
        self.installation = installation
    }

    private static func unwritable(_ file: URL) -> PostgreSQLError {
        PostgreSQLError(.backupTarget, at: Place(file: file.path))
    }

    // MARK: - Writing

    /// Writes a backup of everything that is committed now.
    ///
    /// - Returns: the manifest that is in the file.
    /// - Throws: `PG-BACKUP-TARGET` for a folder, a device or a place that cannot be written.
    package func write(to file: URL, at now: Timestamp) async throws -> BackupManifest {
        var status = stat()
        if unsafe lstat(file.path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Self.unwritable(file)
        }
        guard FileManager.default.isWritableFile(atPath: file.deletingLastPathComponent().path) else {
            throw Self.unwritable(file)
        }
        return try await withScratchFolder(beside: file) { folder in
            let dump = folder.appending(path: "database.dump")
            var manifest = try await dumpDatabase(to: dump, at: now)
            (manifest.dumpBytes, manifest.dumpSHA256) = try Self.digest(of: dump)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try encoder.encode(manifest).write(to: folder.appending(path: "manifest.json"))
            let archive = folder.appending(path: "backup.tar")
            try await Self.tar([
                "--create", "--file", archive.path, "-C", folder.path, "manifest.json", "database.dump",
            ])
            // One step: the backup that was there is whole until the new one has its name.
            guard unsafe rename(archive.path, file.path) == 0 else { throw Self.unwritable(file) }
            return manifest
        }
    }

    /// Dumps and counts in one snapshot.
    private func dumpDatabase(to dump: URL, at now: Timestamp) async throws -> BackupManifest {
        let connection = try await Connection.open(connectionString)
        try await connection.script("begin isolation level repeatable read read only")
        let snapshot = try await connection.run(AdHoc<String>("select pg_export_snapshot()")).joined()
        let major = try await connection.run(
            AdHoc<Int>("select current_setting('server_version_num')::int / 10000"))
        let rows = try await Self.countRows(connection)
        let migrations =
            rows["schema_migration"] == nil
            ? []
            : try await connection.run(AdHoc<String>("select name from schema_migration order by number"))
        try await installation.run(
            "pg_dump",
            [
                "--format=custom", "--no-owner", "--snapshot=\(snapshot)", "--file=\(dump.path)",
                "--dbname=\(try ConnectionString.withoutPassword(connectionString))",
            ], environment: try ConnectionString.passwordEnvironment(connectionString))
        await connection.close()
        return BackupManifest(
            createdAt: now.description, postgresql: major.first ?? 0, migrations: migrations, dumpBytes: 0,
            dumpSHA256: "", rows: rows)
    }

    private static func countRows(_ connection: Connection) async throws -> [String: Int] {
        let tables = try await connection.run(
            AdHoc<String>(
                """
                select quote_ident(relname)
                from pg_class
                where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
                order by 1
                """))
        var counts: [String: Int] = [:]
        for table in tables {
            counts[table] = try await connection.run(AdHoc<Int>("select count(*) from public.\(table)")).first
        }
        return counts
    }

    // MARK: - Restoring

    /// Puts a backup's content in place of the database, all or nothing.
    ///
    /// - Parameter replacing: allows a database that has rows; otherwise `PG-RESTORE-TARGET`.
    /// - Throws: `PG-BACKUP-INVALID` for a file that is not a backup, is cut or does not match its manifest.
    package func restore(from file: URL, replacing: Bool) async throws -> BackupManifest {
        try await withScratchFolder(beside: nil) { folder in
            let manifest = try await unpack(file, into: folder)
            let name = try await databaseName()
            if !replacing { try await requireEmpty() }
            let fresh = "\(name)_restore"
            try await administer { connection in
                try await connection.script("drop database if exists \"\(fresh)\"")
                try await connection.script("create database \"\(fresh)\"")
            }
            do {
                try await fill(fresh, from: folder.appending(path: "database.dump"), expecting: manifest)
            } catch {
                try? await administer { try await $0.script("drop database if exists \"\(fresh)\"") }
                throw error
            }
            try await swap(fresh, into: name)
            return manifest
        }
    }

    /// Checks a backup file against its own manifest.
    private func unpack(_ file: URL, into folder: URL) async throws -> BackupManifest {
        func invalid(_ reason: String) -> PostgreSQLError {
            PostgreSQLError(.backupInvalid, ["reason": reason], at: Place(file: file.path))
        }
        guard FileManager.default.isReadableFile(atPath: file.path) else { throw invalid("missing") }
        do {
            try await Self.tar([
                "--extract", "--file", file.path, "-C", folder.path, "manifest.json", "database.dump",
            ])
        } catch {
            throw invalid("archive")
        }
        guard
            let data = try? Data(contentsOf: folder.appending(path: "manifest.json")),
            let manifest = try? JSONDecoder().decode(BackupManifest.self, from: data), manifest.format == 1
        else { throw invalid("manifest") }
        let (bytes, digest) = try Self.digest(of: folder.appending(path: "database.dump"))
        guard bytes == manifest.dumpBytes, digest == manifest.dumpSHA256 else { throw invalid("digest") }
        return manifest
    }

    /// The name of the database, as its server says it; of one that does not exist yet, as it is asked for.
    private func databaseName() async throws -> String {
        do throws(PostgreSQLError) {
            let connection = try await Connection.open(connectionString)
            let name = try await connection.run(AdHoc<String>("select current_database()")).first
            await connection.close()
            return name ?? PrivateCluster.databaseName
        } catch {
            guard error.has(.noDatabase) else { throw error }
            return try ConnectionString.parts(connectionString)["dbname"] ?? PrivateCluster.databaseName
        }
    }

    private func requireEmpty() async throws {
        let connection: Connection
        do throws(PostgreSQLError) {
            connection = try await Connection.open(connectionString)
        } catch {
            guard error.has(.noDatabase) else { throw error }
            return
        }
        let counts = try await Self.countRows(connection)
        await connection.close()
        let filled = counts.filter { !Self.seeded.contains($0.key) && $0.value > 0 }
        guard filled.isEmpty else {
            throw PostgreSQLError(.restoreTarget, ["rows": String(filled.values.reduce(0, +))])
        }
    }

    private func fill(_ database: String, from dump: URL, expecting manifest: BackupManifest) async throws {
        let target = try ConnectionString.replacing(database: database, in: connectionString)
        try await installation.run(
            "pg_restore",
            [
                "--no-owner", "--single-transaction", "--exit-on-error",
                "--dbname=\(try ConnectionString.withoutPassword(target))",
                dump.path,
            ], environment: try ConnectionString.passwordEnvironment(target))
        let connection = try await Connection.open(target)
        try await connection.script("analyze")
        let rows = try await Self.countRows(connection)
        if rows == manifest.rows { try await connection.script(Self.settleLog) }
        await connection.close()
        guard rows == manifest.rows else { throw PostgreSQLError(.backupInvalid, ["reason": "rows"]) }
    }

    /// Numbers of transactions mean nothing in another cluster: a schema that keeps any puts them right.
    private static let settleLog = """
        do $$
        begin
          if to_regproc('settle_change_log') is not null then perform settle_change_log(); end if;
        end
        $$
        """

    /// Gives the fresh database the name of the old one, which is dropped last.
    private func swap(_ fresh: String, into name: String) async throws {
        try await administer { connection in
            let exists = try await connection.run(
                AdHoc<Bool>("select exists (select from pg_database where datname = $1)", [Parameter(name)]))
            guard exists == [true] else {
                return try await connection.script("alter database \"\(fresh)\" rename to \"\(name)\"")
            }
            try await connection.script("drop database if exists \"\(name)_old\"")
            try await connection.script(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname in ('\(name)', '\(fresh)')"
            )
            // Together: at no moment is there no database of this name.
            try await connection.script(
                """
                begin;
                alter database "\(name)" rename to "\(name)_old";
                alter database "\(fresh)" rename to "\(name)";
                commit
                """)
            try await connection.script("drop database \"\(name)_old\" with (force)")
        }
    }

    private func administer(_ body: (Connection) async throws -> Void) async throws {
        let target = try ConnectionString.replacing(database: "postgres", in: connectionString)
        let connection = try await Connection.open(target)
        try await body(connection)
        await connection.close()
    }

    // MARK: - Files

    private static func tar(_ arguments: [String]) async throws {
        let system = Installation(major: 0, programs: URL(filePath: "/usr/bin"))
        try await system.run("tar", arguments)
    }

    /// Size and SHA-256, read in pieces.
    private static func digest(of file: URL) throws -> (Int, String) {
        let handle = try FileHandle(forReadingFrom: file)
        var hash = SHA256()
        var bytes = 0
        while let piece = try handle.read(upToCount: 1 << 20), !piece.isEmpty {
            hash.update(data: piece)
            bytes += piece.count
        }
        try handle.close()
        return (bytes, hash.finalize().hexadecimal)
    }

    /// A private folder that is gone afterwards; on the disk of `file`, so that the result is renamed into place.
    private func withScratchFolder<Value>(beside file: URL?, _ body: (URL) async throws -> Value) async throws
        -> Value
    {
        let parent = file?.deletingLastPathComponent() ?? FileManager.default.temporaryDirectory
        let folder = parent.appending(path: ".relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder)
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais db`: the database under Relais: its state, schema, backups and major version.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import Foundation
internal import Glibc
internal import Hub
internal import PostgreSQL
internal import Words

/// Looks after the database.
struct DatabaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db", abstract: words("command.db"), discussion: words("command.db.discussion"),
        subcommands: [
            Status.self, Migrate.self, Psql.self, BackupFile.self, Restore.self, Upgrade.self, Stop.self,
        ], defaultSubcommand: Status.self)

    /// The programs for a database: those of the private cluster, or the newest.
    static func installation(_ options: DatabaseOptions) throws -> Installation {
        if let cluster = try options.cluster() { return try cluster.installation() }
        guard let newest = Installation.all().first else {
            throw PostgreSQLError(.notInstalled, ["detail": "postgresql"])
        }
        return newest
    }

    /// A backup's manifest for programs.
    private static func json(_ manifest: BackupManifest, _ file: String) -> JSONValue {
        [
            "created_at": .text(manifest.createdAt), "dump_bytes": .number(manifest.dumpBytes),
            "dump_sha256": .text(manifest.dumpSHA256), "file": .text(file),
            "migrations": .list(manifest.migrations.map { .text($0) }),
            "postgresql": .number(manifest.postgresql),
            "rows": .object(manifest.rows.mapValues { .number($0) }),
        ]
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: words("command.db.status"),
            discussion: words("command.db.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let cluster = try database.cluster()
            if let cluster, await !cluster.answers() {
                return show(server: nil, size: nil, status: nil, cluster)
            }
            let connection = try await Connection.open(try await database.connectionString())
            let server = try await connection.run(AdHoc<String>("select current_setting('server_version')"))
                .first
            let size = try await connection.run(AdHoc<Int>("select pg_database_size(current_database())"))
                .first
            let status = try await Migrator(try Schema.migrations()).status(connection)
            await connection.close()
            show(server: server, size: size, status: status, cluster)
        }

        private func show(server: String?, size: Int?, status: Migrator.Status?, _ cluster: PrivateCluster?) {
            if output.asJSON {
                return Console.printJSON([
                    "applied": .list((status?.applied ?? []).map { .text($0) }),
                    "folder": JSONValue(cluster?.folder.path),
                    "pending": .list((status?.pending ?? []).map { .text($0) }),
                    "private": .boolean(cluster != nil), "running": .boolean(server != nil),
                    "size": JSONValue(size), "socket": JSONValue(cluster?.socketFolder.path),
                    "version": JSONValue(server),
                ])
            }
            if let cluster {
                Console.print(
                    words("db.private", ["folder": cluster.folder.path, "socket": cluster.socketFolder.path]))
            } else {
                Console.print(words("db.own"))
            }
            guard let server, let status else { return Console.print(words("db.stopped")) }
            Console.print(words("db.running", ["size": words.size(size ?? 0), "version": server]))
            Console.print(
                words("db.applied", count: status.applied.count, ["last": status.applied.last ?? ""]))
            if !status.pending.isEmpty {
                Console.print(words("db.pending", count: status.pending.count))
            }
        }
    }

    struct Migrate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "migrate", abstract: words("command.db.migrate"),
            discussion: words("command.db.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let connection = try await Connection.open(try await database.connectionString())
            let applied = try await Migrator(try Schema.migrations()).migrate(connection)
            await connection.close()
            if output.asJSON { return Console.printJSON(["applied": .list(applied.map { .text($0) })]) }
            for name in applied { Console.print(name) }
            Console.print(words("db.migrated", count: applied.count))
        }
    }

    struct Psql: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "psql", abstract: words("command.db.psql"),
            discussion: words("command.db.discussion"))
        @OptionGroup var database: DatabaseOptions
        @Argument(parsing: .postTerminator, help: ArgumentHelp(words("argument.psql"), valueName: "ARGUMENT"))
        var arguments: [String] = []

        /// Becomes psql, so that the terminal is all its own.
        func run() async throws {
            let target = try await database.connectionString()
            let program = try DatabaseCommand.installation(database).programs.appending(path: "psql").path
            for (name, password) in try ConnectionString.passwordEnvironment(target) {
                unsafe setenv(name, password, 1)
            }
            let words = [program, try ConnectionString.withoutPassword(target)] + arguments
            var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
            unsafe execv(program, &pointers)
            throw PostgreSQLError(.notInstalled, ["detail": program])
        }
    }

    struct BackupFile: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup", abstract: words("command.db.backup"),
            discussion: words("command.db.discussion"))
        @Argument(help: ArgumentHelp(words("argument.backup"), valueName: "FILE"))
        var file: String
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let backup = Backup(
                try await database.connectionString(),
                installation: try DatabaseCommand.installation(database))
            let manifest = try await backup.write(to: URL(filePath: file).absoluteURL, at: Surroundings.now)
            if output.asJSON { return Console.printJSON(DatabaseCommand.json(manifest, file)) }
            Console.print(
                words(
                    "db.backed-up", count: manifest.rows.values.reduce(0, +),
                    ["file": file, "size": words.size(manifest.dumpBytes)]))
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore", abstract: words("command.db.restore"),
            discussion: words("command.db.discussion"))
        @Argument(help: ArgumentHelp(words("argument.backup"), valueName: "FILE"))
        var file: String
        @Flag(name: .customLong("replace"), help: ArgumentHelp(words("option.replace")))
        var replacing = false
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let backup = Backup(
                try await database.connectionString(),
                installation: try DatabaseCommand.installation(database))
            let manifest = try await backup.restore(
                from: URL(filePath: file).absoluteURL, replacing: replacing)
            if output.asJSON { return Console.printJSON(DatabaseCommand.json(manifest, file)) }
            Console.print(
                words(
                    "db.restored", count: manifest.rows.values.reduce(0, +),
                    ["at": manifest.createdAt, "file": file]))
        }
    }

    struct Upgrade: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "upgrade", abstract: words("command.db.upgrade"),
            discussion: words("command.db.discussion"))
        @Flag(name: .customLong("rebuild"), help: ArgumentHelp(words("option.rebuild")))
        var rebuild = false
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let cluster = try database.cluster() else {
                throw Diagnostic(code: "DB-NOT-PRIVATE")
            }
            let major = cluster.major ?? cluster.newest.major
            guard rebuild || cluster.newest.major > major else {
                if output.asJSON { return Console.printJSON(["from": .number(major), "to": .number(major)]) }
                return Console.print(words("db.newest", ["major": String(major)]))
            }
            let upgrade = try await cluster.upgrade(at: Surroundings.now)
            if output.asJSON {
                return Console.printJSON([
                    "from": .number(upgrade.from), "old_files": .text(upgrade.oldFiles.path),
                    "to": .number(upgrade.to),
                ])
            }
            Console.print(
                words(
                    "db.upgraded", count: upgrade.manifest.rows.values.reduce(0, +),
                    ["from": String(upgrade.from), "old": upgrade.oldFiles.path, "to": String(upgrade.to)]))
        }
    }

    struct Stop: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stop", abstract: words("command.db.stop"),
            discussion: words("command.db.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let cluster = try database.cluster() else {
                throw Diagnostic(code: "DB-NOT-PRIVATE")
            }
            let stopped = try await cluster.stop()
            if output.asJSON { return Console.printJSON(["stopped": .boolean(stopped)]) }
            Console.print(words(stopped ? "db.now-stopped" : "db.stopped"))
        }
    }
}

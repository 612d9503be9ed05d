// SPDX-License-Identifier: Apache-2.0
// The PostgreSQL server that Relais owns: one cluster in the data folder, reached by a unix socket only.

package import Foundation
internal import Crypto
internal import Diagnostics
internal import Glibc

/// A database cluster inside Relais' data folder.
///
/// Any command starts it when it is down, under a file lock, and leaves it running; ``stop()`` ends it. As root
/// it runs as Debian's `postgres` account, which then owns the data folder.
package struct PrivateCluster: Sendable {
    /// Relais' data folder.
    package let folder: URL
    private let account: ServerAccount
    private let installations: [Installation]
    private let settings: [String: String]
    /// Where the socket is while nobody else may connect.
    private let socketOverride: URL?

    /// The database and the role that Relais uses in it.
    package static let databaseName = "relais"

    /// - Parameters:
    ///   - settings: server settings in addition to Relais' own; tests turn `fsync` off with them.
    ///   - installations: the PostgreSQL versions at hand, newest first.
    /// - Throws: `PG-NOT-INSTALLED`.
    package init(
        folder: URL, settings: [String: String] = [:], installations: [Installation] = Installation.all()
    ) throws(PostgreSQLError) {
        guard !installations.isEmpty else { throw PostgreSQLError(.notInstalled, ["detail": "postgresql"]) }
        self.folder = folder.standardizedFileURL
        account = try ServerAccount.current()
        self.installations = installations
        self.settings = settings
        socketOverride = nil
    }

    /// The same cluster's options with other files, or another socket.
    init(like cluster: PrivateCluster, folder: URL? = nil, socket: URL? = nil) {
        self.folder = folder ?? cluster.folder
        account = cluster.account
        installations = cluster.installations
        settings = cluster.settings
        socketOverride = socket
    }

    // MARK: - Places

    var serverFolder: URL { folder.appending(path: "postgres") }
    /// The server's log.
    package var log: URL { folder.appending(path: "postgres.log") }
    var lockFile: URL { folder.appending(path: "cluster.lock") }

    /// The folder of the socket: inside the data folder, or a short one under `/tmp` where that path would pass
    /// the 107 bytes that a unix socket's may have.
    package var socketFolder: URL {
        if let socketOverride { return socketOverride }
        let inside = folder.appending(path: "run")
        guard inside.path.utf8.count > 85 else { return inside }
        let digest = SHA256.hash(data: Array(folder.path.utf8)).prefix(6)
        let name = digest.map { String($0, radix: 36) }.joined()
        return URL(filePath: "/tmp/relais-\(account.user)-\(name)")
    }

    /// How to connect to database `name` of the cluster.
    package func connectionString(database name: String = databaseName) -> String {
        ConnectionString.text([
            "host": socketFolder.path, "user": Self.databaseName, "dbname": name,
            "application_name": "relais",
        ])
    }

    /// Major version of the files; nil before the first start.
    package var major: Int? {
        let text = try? String(contentsOf: serverFolder.appending(path: "PG_VERSION"), encoding: .utf8)
        return text.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
    }

    /// The newest PostgreSQL on this machine.
    package var newest: Installation { installations[0] }

    /// The programs that fit the cluster's files; the newest ones before the first start.
    ///
    /// - Throws: `PG-CLUSTER-VERSION` where that major version is not installed.
    package func installation() throws(PostgreSQLError) -> Installation {
        guard let major else { return newest }
        guard let fitting = installations.first(where: { $0.major == major }) else {
            throw PostgreSQLError(
                .clusterVersion,
                [
                    "major": String(major), "folder": serverFolder.path,
                    "installed": installations.map { String($0.major) }.joined(separator: ", "),
                ])
        }
        return fitting
    }

    // MARK: - Starting

    /// Makes sure that the cluster exists and answers; several processes may call this at once.
    ///
    /// - Throws: `PG-CLUSTER-VERSION`, `PG-CLUSTER-FOREIGN` (a server that another program started uses these
    ///   files), `PG-CLUSTER-FOLDER`, `PG-CLUSTER-START`, `PG-CLUSTER-BUSY`.
    package func start() async throws {
        if await answers() { return }
        try prepareFolder()
        try await FileLock.hold(lockFile, deadline: .now + .seconds(90)) {
            if await answers() { return }
            try await startLocked()
        }
    }

    /// Starts the cluster; the caller holds the lock.
    func startLocked() async throws {
        if major == nil { try await initialise() }
        if let server = try runningServer() {
            try refuseForeign(server)
            do {
                return try await createDatabase()
            } catch let error as PostgreSQLError where error.has(.unreachable) {
                // A server that was killed a moment ago still has its process.
                guard try await isGoneSoon() else { throw error }
            }
        }
        try await launch()
        try await createDatabase()
    }

    /// Whether no server runs any more, within ten seconds.
    private func isGoneSoon() async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while try runningServer() != nil {
            guard ContinuousClock.now < deadline else { return false }
            try await Task.sleep(for: .milliseconds(20))
        }
        return true
    }

    /// Whether the server runs and lets us in.
    package func answers() async -> Bool {
        guard (try? runningServer()) != nil else { return false }
        guard
            let connection = try? await Connection.open(connectionString(), deadline: .now + .seconds(5))
        else { return false }
        await connection.close()
        return true
    }

    private func initialise() async throws {
        // An upgrade that died between its two renames left the data aside: an empty CRM in its place would
        // look like a loss.
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        if let aside = names.filter({ $0.hasPrefix("postgres-") }).max() {
            throw PostgreSQLError(
                .clusterInterrupted,
                ["aside": folder.appending(path: aside).path, "folder": serverFolder.path])
        }
        try? FileManager.default.removeItem(at: folder.appending(path: "postgres.partial"))
        let partial = folder.appending(path: "postgres.partial")
        try await newest.run(
            "initdb",
            [
                "--pgdata", partial.path, "--username", Self.databaseName, "--encoding", "UTF8",
                "--locale", "C.UTF-8", "--auth", "trust", "--data-checksums", "--no-instructions",
            ], as: account)
        // A half-made cluster never gets the final name.
        try FileManager.default.moveItem(at: partial, to: serverFolder)
    }

    /// Starts the server and waits until it answers, crash recovery included.
    private func launch() async throws {
        let installation = try installation()
        try makePrivateFolder(socketFolder)
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            do {
                try await installation.run(
                    "pg_ctl",
                    [
                        "start", "--pgdata", serverFolder.path, "--log", log.path, "--wait", "--timeout",
                        "60",
                        "--silent", "--options", serverOptions,
                    ], as: account)
                break
            } catch {
                // Processes of a killed server may hold its shared memory for a moment, and PostgreSQL takes one
                // that is dead but not reaped for running. Its lock file is never removed here: it also guards
                // against such leftovers.
                let lines = lastLogLines()
                let isDying = lines.contains("shared memory") || lines.contains("lock file")
                guard ContinuousClock.now < deadline, isDying else {
                    throw PostgreSQLError(
                        .clusterStart, ["detail": lines, "log": log.path])
                }
                try await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    private var serverOptions: String {
        var options = [
            "listen_addresses": "", "unix_socket_directories": socketFolder.path,
            "unix_socket_permissions": "0700", "max_connections": "60",
            "password_encryption": "scram-sha-256",
            "log_destination": "stderr", "logging_collector": "off", "cluster_name": "relais",
        ]
        options.merge(settings) { $1 }
        return options.sorted { $0.key < $1.key }
            .map { "-c \($0.key)='\($0.value.replacing("'", with: "''"))'" }
            .joined(separator: " ")
    }

    /// Makes Relais' database where it is missing, once the server lets us in: it may be recovering or full.
    private func createDatabase() async throws {
        let connection = try await openWhenReady(before: .now + .seconds(60))
        let exists = try await connection.run(
            AdHoc<Bool>("select exists (select from pg_database where datname = '\(Self.databaseName)')"))
        if exists == [false] { try await connection.script("create database \(Self.databaseName)") }
        await connection.close()
    }

    private func openWhenReady(before deadline: ContinuousClock.Instant) async throws -> Connection {
        while true {
            do throws(PostgreSQLError) {
                return try await Connection.open(connectionString(database: "postgres"))
            } catch {
                guard case .after = error.diagnostic.retry, ContinuousClock.now < deadline,
                    try runningServer() != nil
                else { throw error }
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private func lastLogLines() -> String {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").suffix(5).joined(separator: " ")
    }

    // MARK: - The running server

    /// A server that uses the cluster's files, from its `postmaster.pid`.
    package struct RunningServer: Sendable, Hashable {
        /// Its process.
        package let process: Int32
        /// The folder of its unix socket.
        package let socketFolder: String
    }

    /// The server that runs on the cluster's files now, whoever started it.
    ///
    /// - Throws: `PG-CLUSTER-FOREIGN` where the file cannot be read by this user.
    package func runningServer() throws(PostgreSQLError) -> RunningServer? {
        let file = serverFolder.appending(path: "postmaster.pid")
        guard unsafe access(file.path, F_OK) == 0 else {
            guard errno == EACCES else { return nil }
            throw PostgreSQLError(.clusterFolder, ["folder": folder.path, "reason": "owner"])
        }
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return nil }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count > 4, let process = Int32(lines[0]) else { return nil }
        // After a crash the number may belong to an unrelated process, or to a dead one that nobody has reaped.
        guard Self.isAlivePostgres(process) else { return nil }
        return RunningServer(process: process, socketFolder: lines[4])
    }

    /// Whether a process runs and is PostgreSQL's: `/proc/PID/stat` reads `123 (postgres) S …`.
    private static func isAlivePostgres(_ process: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else {
            return false
        }
        return stat.contains("(postgres)") && !stat.contains(") Z ")
    }

    private func refuseForeign(_ server: RunningServer) throws(PostgreSQLError) {
        guard server.socketFolder != socketFolder.path else { return }
        throw PostgreSQLError(
            .clusterForeign,
            ["process": String(server.process), "socket": server.socketFolder, "folder": serverFolder.path])
    }

    /// Stops the server; open transactions are rolled back.
    ///
    /// - Returns: false when none was running.
    @discardableResult
    package func stop() async throws -> Bool {
        guard let server = try runningServer() else { return false }
        try refuseForeign(server)
        try await installation().run(
            "pg_ctl", ["stop", "--pgdata", serverFolder.path, "--mode", "fast", "--wait", "--timeout", "60"],
            as: account)
        return true
    }

    // MARK: - Folders

    /// What people may put into the data folder before the database is in it.
    private static let early: Set = ["mappings", "relais.yaml", "secret.key"]

    /// Makes the data folder, or checks that it is one of ours: nobody's home must change hands by a typo.
    private func prepareFolder() throws {
        let manager = FileManager.default
        if manager.fileExists(atPath: folder.path) {
            let names = try manager.contentsOfDirectory(atPath: folder.path)
            guard names.allSatisfy(Self.early.contains) || names.contains(lockFile.lastPathComponent) else {
                throw PostgreSQLError(.clusterFolder, ["folder": folder.path, "reason": "foreign"])
            }
        } else {
            try manager.createDirectory(at: folder, withIntermediateDirectories: true)
        }
        try makePrivateFolder(folder)
        try requireReachable()
    }

    /// As root, checks that the server's account can walk down to the data folder.
    private func requireReachable() throws(PostgreSQLError) {
        guard geteuid() == 0, account.user != 0 else { return }
        var parent = folder.deletingLastPathComponent()
        while parent.path != "/" {
            var status = stat()
            guard unsafe stat(parent.path, &status) == 0,
                status.st_mode & 0o001 != 0 || status.st_uid == account.user
            else {
                throw PostgreSQLError(.clusterFolder, ["folder": parent.path, "reason": "closed"])
            }
            parent.deleteLastPathComponent()
        }
    }

    /// A folder that only the server's account and root can open.
    private func makePrivateFolder(_ url: URL) throws(PostgreSQLError) {
        let made = unsafe mkdir(url.path, 0o700) == 0 || errno == EEXIST
        var status = stat()
        guard made, unsafe lstat(url.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
            status.st_uid == geteuid() || status.st_uid == account.user,
            unsafe chown(url.path, account.user, account.group) == 0, unsafe chmod(url.path, 0o700) == 0
        else {
            throw PostgreSQLError(.clusterFolder, ["folder": url.path, "reason": "owner"])
        }
    }
}

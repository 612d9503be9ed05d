// SPDX-License-Identifier: Apache-2.0
// One private PostgreSQL for a whole test run, in memory and without fsync, gone when the run ends however it ends.

internal import Foundation
package import PostgreSQL

/// The test run's own cluster.
package actor TestServer {
    /// Started by the first test that asks.
    package static let shared = TestServer()

    /// Unstructured, since the first of many tests starts what all of them wait for.
    private var started: Task<PrivateCluster, any Error>?
    private var watchdog: Process?
    private var nextDatabase = 0
    /// Unstructured for the same reason.
    private var templates: [String: Task<Void, any Error>] = [:]

    private init() {}

    /// The running cluster.
    package func cluster() async throws -> PrivateCluster {
        let task = started ?? Task { try await start() }
        started = task
        return try await task.value
    }

    private func start() async throws -> PrivateCluster {
        let memory = URL(filePath: "/dev/shm")
        let parent =
            FileManager.default.isWritableFile(atPath: memory.path)
            ? memory : FileManager.default.temporaryDirectory
        let folder = parent.appending(path: "relais-test-\(ProcessInfo.processInfo.processIdentifier)")
        let cluster = try PrivateCluster(
            folder: folder,
            settings: [
                "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off",
                "max_connections": "400",
            ])
        watchdog = try Self.watch(folder)
        try await cluster.start()
        return cluster
    }

    /// Starts a shell that outlives this process just long enough to stop the server and remove its files.
    ///
    /// It waits for the end of a pipe that only this process holds, so that even SIGKILL cleans up.
    private static func watch(_ folder: URL) throws -> Process {
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = [
            "-c",
            "cat > /dev/null; kill -QUIT $(head -n 1 \"$1/postgres/postmaster.pid\"); sleep 1; rm -rf \"$1\"",
            "watchdog", folder.path,
        ]
        shell.standardInput = Pipe()
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        try shell.run()
        return shell
    }

    /// Makes a new, empty database, or a copy of `template`.
    ///
    /// - Returns: its connection string.
    package func makeDatabase(template: String = "template1") async throws -> String {
        let cluster = try await cluster()
        nextDatabase += 1
        let name = "test\(nextDatabase)"
        let connection = try await Connection.open(cluster.connectionString(database: "postgres"))
        try await connection.script("create database \(name) template \(template)")
        await connection.close()
        return cluster.connectionString(database: name)
    }

    /// Drops a database of ``makeDatabase(template:)``, for tests whose many databases would fill the memory.
    package func drop(_ url: String) async throws {
        guard let name = url.firstMatch(of: /dbname='?(\w+)/)?.output.1 else { return }
        let connection = try await Connection.open(try await cluster().connectionString(database: "postgres"))
        try await connection.script("drop database \(name) with (force)")
        await connection.close()
    }

    /// Makes the database `name` once in the run, to be copied by ``makeDatabase(template:)``.
    package func makeTemplate(_ name: String, _ fill: @Sendable @escaping (Connection) async throws -> Void)
        async throws
    {
        let task =
            templates[name]
            ?? Task {
                let cluster = try await cluster()
                let connection = try await Connection.open(cluster.connectionString(database: "postgres"))
                try await connection.script("create database \(name)")
                await connection.close()
                let fresh = try await Connection.open(cluster.connectionString(database: name))
                try await fill(fresh)
                await fresh.close()
            }
        templates[name] = task
        try await task.value
    }
}

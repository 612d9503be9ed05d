// SPDX-License-Identifier: Apache-2.0
// The private cluster: made once, shared, refused to strangers, backed up, restored, rebuilt.

import Diagnostics
import Foundation
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite(.serialized) struct PrivateClusterTests {
    private let folder = URL(filePath: "/tmp/relais-cluster-\(UUID().uuidString.prefix(8))")
    private let now = Timestamp(microsecondsSince1970: 1_800_000_000_000_000)

    private func withCluster(_ body: (PrivateCluster) async throws -> Void) async throws {
        let cluster = try PrivateCluster(folder: folder, settings: ["fsync": "off"])
        do {
            try await body(cluster)
        } catch {
            _ = try? await cluster.stop()
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
        _ = try? await cluster.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    @Test func `commands that start at once share one cluster, which survives them and stops when asked`()
        async throws
    {
        try await withCluster { cluster in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 {
                    group.addTask { [folder] in
                        try await PrivateCluster(folder: folder, settings: ["fsync": "off"]).start()
                    }
                }
                try await group.waitForAll()
            }
            let connection = try await Connection.open(cluster.connectionString())
            #expect(try await connection.run(AdHoc<String>("show listen_addresses")) == [""])
            await connection.close()
            #expect(try await cluster.stop())
            #expect(try await !cluster.stop())
            #expect(await !cluster.answers())
            try await cluster.start()
            #expect(await cluster.answers())
        }
    }

    @Test func `a server of somebody else on the same files is refused by name`() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            try await cluster.stop()
            let account = try ServerAccount.current()
            let elsewhere = folder.appending(path: "elsewhere")
            try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
            try FileManager.default.setAttributes(
                [.ownerAccountID: NSNumber(value: account.user), .posixPermissions: 0o700],
                ofItemAtPath: elsewhere.path)
            let data = folder.appending(path: "postgres").path
            try await cluster.installation().run(
                "pg_ctl",
                [
                    "start", "-D", data, "-w", "-l", elsewhere.path + "/log", "-o",
                    "-k \(elsewhere.path) -c listen_addresses=''",
                ],
                as: account)
            let error = await #expect(throws: PostgreSQLError.self) { try await cluster.start() }
            #expect(error?.has(.clusterForeign) == true)
            #expect(error?.diagnostic.facts["socket"] == elsewhere.path)
            try await cluster.installation().run(
                "pg_ctl", ["stop", "-D", data, "-m", "immediate"], as: account)
        }
    }

    @Test func `a folder that holds something else is left alone`() async throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Data("x".utf8).write(to: folder.appending(path: "lettre.odt"))
        let error = await #expect(throws: PostgreSQLError.self) {
            try await PrivateCluster(folder: folder).start()
        }
        #expect(error?.has(.clusterFolder) == true)
        let root = await #expect(throws: PostgreSQLError.self) {
            try await PrivateCluster(folder: URL(filePath: "/var")).start()
        }
        #expect(root?.has(.clusterFolder) == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["lettre.odt"])
    }

    @Test func `what people prepare before there is a database stays where it is`() async throws {
        try await withCluster { cluster in
            let own = folder.appending(path: "mappings/a.yaml")
            try FileManager.default.createDirectory(
                at: own.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data("x".utf8).write(to: own)
            try await cluster.start()
            #expect(FileManager.default.fileExists(atPath: own.path))
        }
    }

    @Test func `files of a version that is not installed are refused with what to do`() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            try await cluster.stop()
            let file = folder.appending(path: "postgres/PG_VERSION")
            let handle = try FileHandle(forWritingTo: file)
            try handle.write(contentsOf: Data("9\n".utf8))
            try handle.truncate(atOffset: 2)
            try handle.close()
            let error = await #expect(throws: PostgreSQLError.self) { try await cluster.start() }
            #expect(error?.has(.clusterVersion) == true)
            #expect(error?.diagnostic.facts["major"] == "9")
        }
        #expect(throws: PostgreSQLError.self) { try PrivateCluster(folder: folder, installations: []) }
    }

    @Test func `a backup comes back as it was, and a damaged one changes nothing`() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            let connection = try await Connection.open(cluster.connectionString())
            try await connection.script(
                "create table t (a int, b text); insert into t select i, 'é' || i from generate_series(1, 500) i"
            )
            await connection.close()
            let file = folder.appending(path: "sauvegarde.tar")
            let backup = Backup(cluster.connectionString(), installation: try cluster.installation())
            let manifest = try await backup.write(to: file, at: now)
            #expect(manifest.rows == ["t": 500])
            #expect(manifest.createdAt == "2027-01-15T08:00:00Z")

            let folderTarget = await #expect(throws: PostgreSQLError.self) {
                _ = try await backup.write(to: folder, at: now)
            }
            #expect(folderTarget?.has(.backupTarget) == true)
            #expect(
                FileManager.default.fileExists(atPath: folder.appending(path: "postgres/PG_VERSION").path))

            let refused = await #expect(throws: PostgreSQLError.self) {
                try await backup.restore(from: file, replacing: false)
            }
            #expect(refused?.has(.restoreTarget) == true)
            let change = try await Connection.open(cluster.connectionString())
            try await change.script("delete from t where a > 10")
            await change.close()

            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 0xFF
            let damaged = folder.appending(path: "abimee.tar")
            try bytes.write(to: damaged)
            let error = await #expect(throws: PostgreSQLError.self) {
                try await backup.restore(from: damaged, replacing: true)
            }
            #expect(error?.has(.backupInvalid) == true)
            #expect(try await rows(cluster) == [10])

            _ = try await backup.restore(from: file, replacing: true)
            #expect(try await rows(cluster) == [500])
        }
    }

    private func rows(_ cluster: PrivateCluster) async throws -> [Int] {
        let connection = try await Connection.open(cluster.connectionString())
        let rows = try await connection.run(AdHoc<Int>("select count(*) from t"))
        await connection.close()
        return rows
    }

    @Test func `a rebuilt cluster holds the same rows, and the old files are kept`() async throws {
        try await withCluster { cluster in
            try await cluster.start()
            let connection = try await Connection.open(cluster.connectionString())
            try await connection.script(
                "create table t (a int); insert into t select generate_series(1, 100)")
            await connection.close()
            let upgrade = try await cluster.upgrade(at: now)
            #expect(upgrade.from == upgrade.to)
            #expect(upgrade.manifest.rows == ["t": 100])
            #expect(try await rows(cluster) == [100])
            #expect(
                FileManager.default.fileExists(atPath: upgrade.oldFiles.appending(path: "PG_VERSION").path))
        }
    }

    @Test func `a long data folder gets a short socket`() throws {
        let long = URL(filePath: "/tmp/" + String(repeating: "x", count: 120))
        let cluster = try PrivateCluster(folder: long)
        #expect(cluster.socketFolder.path.utf8.count < 60)
        #expect(try PrivateCluster(folder: long).socketFolder == cluster.socketFolder)
    }
}

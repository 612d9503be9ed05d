// SPDX-License-Identifier: Apache-2.0
// Bad days: the server killed in mid-query, idle and in mid-COPY; wrong password; no room.

import Diagnostics
import Foundation
import PostgreSQL
import RelaisTesting
import Testing

/// A cluster of the test's own, which it may kill.
private func withCluster(
    settings: [String: String] = [:], _ body: (PrivateCluster) async throws -> Void
) async throws {
    let parent = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : "/tmp"
    let folder = URL(filePath: "\(parent)/relais-fault-\(UUID().uuidString.prefix(8))")
    let cluster = try PrivateCluster(folder: folder, settings: settings)
    try await cluster.start()
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

private func killServer(_ cluster: PrivateCluster) throws {
    let server = try #require(try cluster.runningServer())
    kill(server.process, SIGKILL)
}

@Suite(.serialized) struct FaultTests {
    @Test func `a server killed in mid-query is an error, and the pool heals once it is back`() async throws {
        try await withCluster { cluster in
            let pool = Pool(cluster.connectionString())
            try await pool.withConnection {
                try await $0.script("create table t (a int); insert into t values (1)")
            }
            let error = await #expect(throws: PostgreSQLError.self) {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        try await pool.withConnection { try await $0.script("select pg_sleep(30)") }
                    }
                    try await until {
                        try await pool.withConnection {
                            try await $0.run(
                                AdHoc<Int>(
                                    "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"))
                        } == [1]
                    }
                    try killServer(cluster)
                    try await group.waitForAll()
                }
            }
            #expect(error?.has(.connectionLost) == true || error?.has(.shuttingDown) == true)
            try await cluster.start()
            let rows: [Int] = try await pool.withConnection { try await $0.run(AdHoc("select a from t")) }
            #expect(rows == [1])
        }
    }

    @Test func `a server killed while the pool is idle is not noticed by the next caller`() async throws {
        try await withCluster { cluster in
            let pool = Pool(cluster.connectionString())
            try await pool.withConnection { try await $0.script("create table t (a int)") }
            try killServer(cluster)
            try await until { try cluster.runningServer() == nil }
            try await cluster.start()
            try await pool.withConnection { try await $0.script("insert into t values (1)") }
        }
    }

    @Test func `a server killed in mid-COPY stores nothing`() async throws {
        try await withCluster { cluster in
            let connection = try await Connection.open(cluster.connectionString())
            try await connection.script("create table t (a text)")
            let piece = Array(String(repeating: "0123456789\n", count: 10_000).utf8)
            var pieces = 0
            let error = await #expect(throws: PostgreSQLError.self) {
                try await connection.copyIn("copy t from stdin") {
                    pieces += 1
                    if pieces == 20 { try killServer(cluster) }
                    return pieces > 2000 ? nil : piece
                }
            }
            #expect(error?.has(.connectionLost) == true || error?.has(.shuttingDown) == true)
            try await cluster.start()
            let again = try await Connection.open(cluster.connectionString())
            #expect(try await again.run(AdHoc<Int>("select count(*) from t")) == [0])
        }
    }

    @Test func `a wrong password, a missing database and a full server each have their own code`()
        async throws
    {
        try await withCluster(settings: [
            "max_connections": "5", "superuser_reserved_connections": "0", "max_wal_senders": "0",
        ]) { cluster in
            let missing = await #expect(throws: PostgreSQLError.self) {
                try await Connection.open(cluster.connectionString(database: "nulle_part"))
            }
            #expect(missing?.has(.noDatabase) == true)
            let connection = try await Connection.open(cluster.connectionString())
            try await connection.script("create role rep login password 'juste'")
            try allowPasswords(cluster)
            try await connection.script("select pg_reload_conf()")
            let parts = ["host": cluster.socketFolder.path, "user": "rep", "dbname": "relais"]
            try await until {
                let right = ConnectionString.text(parts.merging(["password": "juste"]) { $1 })
                let opened = try? await Connection.open(right)
                await opened?.close()
                let wrong = ConnectionString.text(parts.merging(["password": "faux"]) { $1 })
                do throws(PostgreSQLError) {
                    let accepted = try await Connection.open(wrong)
                    await accepted.close()
                    return false
                } catch {
                    return opened != nil && error.has(.unauthorized)
                }
            }
            var open: [Connection] = []
            let full = await #expect(throws: PostgreSQLError.self) {
                for _ in 0..<10 { open.append(try await Connection.open(cluster.connectionString())) }
            }
            #expect(full?.has(.tooManyConnections) == true)
            for connection in open { await connection.close() }
        }
    }

    private func allowPasswords(_ cluster: PrivateCluster) throws {
        let file = cluster.folder.appending(path: "postgres/pg_hba.conf")
        let rules = try String(contentsOf: file, encoding: .utf8)
        let handle = try FileHandle(forWritingTo: file)
        try handle.write(contentsOf: Data(("local all rep scram-sha-256\n" + rules).utf8))
        try handle.close()
    }

    @Test(.enabled("only root can mount a small disk", { geteuid() == 0 }))
    func `a full disk is named, and the connection goes on once there is room`() async throws {
        try await SmallDisk.with(mebibytes: 120) { disk in
            let cluster = try PrivateCluster(folder: disk.folder.appending(path: "data"))
            do {
                try await cluster.start()
                let pool = Pool(cluster.connectionString(), limits: Pool.Limits(connections: 1))
                let error = await #expect(throws: PostgreSQLError.self) {
                    try await pool.withConnection {
                        try await $0.script(
                            "create unlogged table t as select repeat('x', 1000) from generate_series(1, 200000)"
                        )
                    }
                }
                #expect(error?.has(.diskFull) == true)
                try await pool.withConnection {
                    try await $0.script("create table t (a int); insert into t values (1)")
                }
            } catch {
                Issue.record(error)
            }
            _ = try? await cluster.stop()
        }
    }

    @Test func `several hosts are tried until one accepts writes`() async throws {
        try await withCluster { cluster in
            let text = ConnectionString.text([
                "host": "/nonexistent,\(cluster.socketFolder.path)", "user": "relais", "dbname": "relais",
                "target_session_attrs": "read-write",
            ])
            let connection = try await Connection.open(text)
            #expect(try await connection.run(AdHoc<Int>("select 1::bigint")) == [1])
            try await connection.script("alter database relais set default_transaction_read_only = on")
            let error = await #expect(throws: PostgreSQLError.self) { try await Connection.open(text) }
            #expect(error?.has(.readOnly) == true)
        }
    }

    @Test func `a host that never answers is given up at the deadline`() async throws {
        // A listening socket whose queue nobody empties.
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, length)
                listen(descriptor, 1)
                unsafe getsockname(descriptor, pointer, &length)
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        let error = await #expect(throws: PostgreSQLError.self) {
            try await Connection.open("host=127.0.0.1 port=\(port)", deadline: .now + .milliseconds(200))
        }
        #expect(error?.has(.timedOut) == true)
    }
}

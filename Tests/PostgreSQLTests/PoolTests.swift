// SPDX-License-Identifier: Apache-2.0
// Many tasks on few connections: everybody is served, nothing leaks, broken connections are replaced.

import Diagnostics
import PostgreSQL
import RelaisTesting
import Synchronization
import Testing

/// Numbers in the order they were noted.
private final class Order: Sendable {
    private let list = Mutex<[Int]>([])
    var numbers: [Int] { list.withLock { $0 } }
    func append(_ number: Int) { list.withLock { $0.append(number) } }
}

@Suite struct PoolTests {
    private func pool(_ limits: Pool.Limits = Pool.Limits(wait: .seconds(300))) async throws -> Pool {
        Pool(try await TestServer.shared.makeDatabase(), limits: limits)
    }

    @Test func `a hundred waiting tasks are served in the order they came, on four connections`() async throws
    {
        let url = try await TestServer.shared.makeDatabase()
        let pool = Pool(url, limits: Pool.Limits(wait: .seconds(300)))
        let gate = try await Connection.open(url)
        try await gate.script("select pg_advisory_lock(1)")
        let served = Order()
        try await withThrowingTaskGroup(of: Void.self) { group in
            // Occupy all connections, then queue the hundred one by one.
            for _ in 0..<4 {
                group.addTask {
                    try await pool.withConnection { try await $0.script("select pg_advisory_lock_shared(1)") }
                }
            }
            try await until { pool.load.connections == 4 }
            for number in 0..<100 {
                group.addTask {
                    try await pool.withConnection { connection in
                        served.append(number)
                        try await connection.script("select pg_sleep(0.002)")
                    }
                }
                try await until { pool.load.waiting == number + 1 }
            }
            try await gate.script("select pg_advisory_unlock(1)")
            try await group.waitForAll()
        }
        let order = served.numbers
        #expect(order.count == 100)
        // Four run at once, so a neighbour may be noted first; nobody is overtaken by more than that.
        for (position, number) in order.enumerated() { #expect(abs(position - number) < 8) }
        #expect(pool.load == Pool.Load(connections: 4, idle: 4, waiting: 0))
    }

    @Test func `tasks cancelled while waiting leave no trace`() async throws {
        let pool = try await pool(Pool.Limits(connections: 1))
        try await pool.withConnection { _ in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<50 { group.addTask { try? await pool.withConnection { _ in } } }
                try? await until { pool.load.waiting == 50 }
                group.cancelAll()
            }
            #expect(pool.load.waiting == 0)
        }
        #expect(pool.load == Pool.Load(connections: 1, idle: 1, waiting: 0))
    }

    @Test func `a task that waits too long is told so`() async throws {
        let pool = try await pool(Pool.Limits(connections: 1, wait: .milliseconds(50)))
        try await pool.withConnection { _ in
            let error = await #expect(throws: PostgreSQLError.self) { try await pool.withConnection { _ in } }
            #expect(error?.has(.poolTimeout) == true)
        }
        #expect(pool.load == Pool.Load(connections: 1, idle: 1, waiting: 0))
    }

    @Test func `a connection that died while idle is replaced without anybody noticing`() async throws {
        let pool = try await pool(Pool.Limits(connections: 1))
        let process = try #require(try await pool.withConnection { await $0.serverProcess })
        let other = try await Connection.open(try await TestServer.shared.makeDatabase())
        let _: [Bool] = try await other.run(AdHoc("select pg_terminate_backend(\(process))"))
        while try await other.run(AdHoc<Int>("select count(*) from pg_stat_activity where pid = \(process)"))
            != [0]
        {}
        let rows: [Int] = try await pool.withConnection { try await $0.run(AdHoc("select 1::bigint")) }
        #expect(rows == [1])
        #expect(pool.load.connections == 1)
    }

    @Test func `a connection that comes back inside a transaction is not lent again`() async throws {
        let pool = try await pool(Pool.Limits(connections: 1))
        let first = try await pool.withConnection { connection in
            try await connection.script("begin")
            return await connection.serverProcess
        }
        let second = try await pool.withConnection { await $0.serverProcess }
        #expect(first != second)
    }

    @Test func `a failure to connect frees the room it had taken`() async throws {
        let pool = Pool("host=/nonexistent", limits: Pool.Limits(connections: 1))
        for _ in 0..<3 {
            let error = await #expect(throws: PostgreSQLError.self) { try await pool.withConnection { _ in } }
            #expect(error?.has(.unreachable) == true)
        }
        #expect(pool.load == Pool.Load(connections: 0, idle: 0, waiting: 0))
    }

    @Test func `a closed pool refuses tasks and lets those under way finish`() async throws {
        let pool = try await pool()
        try await pool.withConnection { connection in
            await pool.close()
            try await connection.script("select 1")
        }
        let error = await #expect(throws: PostgreSQLError.self) { try await pool.withConnection { _ in } }
        #expect(error?.has(.poolClosed) == true)
        #expect(pool.load.connections == 0)
    }
}

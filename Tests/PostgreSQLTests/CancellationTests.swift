// SPDX-License-Identifier: Apache-2.0
// Cancelling at any moment stops the statement it was meant for and never the next one.

import Diagnostics
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct CancellationTests {
    @Test func `a cancelled task stops its statement on the server`() async throws {
        let connection = try await Connection.open(try await TestServer.shared.makeDatabase())
        let error = await #expect(throws: PostgreSQLError.self) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await connection.script("select pg_sleep(60)") }
                try await Task.sleep(for: .milliseconds(100))
                group.cancelAll()
                try await group.waitForAll()
            }
        }
        #expect(error?.has(.cancelled) == true)
    }

    @Test func `a statement cancelled at any of 200 moments never cancels the next one`() async throws {
        let connection = try await Connection.open(try await TestServer.shared.makeDatabase())
        var random = Seeded(2026)
        var cancelled = 0
        // A statement that was faster than the cancellation is followed by a longer one, and the other way
        // round: on a busy machine, too, about half of the cancellations come in time.
        var milliseconds = 1.0
        for _ in 0..<200 {
            let statement = "select pg_sleep(\(milliseconds / 1000))"
            let microseconds = Int.random(in: 0...1500, using: &random)
            let answer = await withTaskGroup(of: Result<Void, PostgreSQLError>.self) { group in
                group.addTask {
                    do throws(PostgreSQLError) {
                        return .success(try await connection.script(statement))
                    } catch {
                        return .failure(error)
                    }
                }
                try? await Task.sleep(for: .microseconds(microseconds))
                group.cancelAll()
                return await group.next()
            }
            if case .failure(let error)? = answer {
                #expect(error.has(.cancelled))
                cancelled += 1
                milliseconds = max(milliseconds / 2, 0.1)
            } else {
                milliseconds = min(milliseconds * 2, 200)
            }
            let rows: [Int] = try await connection.run(AdHoc("select 1::bigint from pg_sleep(0.0005)"))
            #expect(rows == [1])
        }
        // Both outcomes must have occurred, or the moments were not spread over the statement.
        #expect(cancelled > 20 && cancelled < 180)
    }

    @Test func `a statement stopped by the server's own limit is a time-out`() async throws {
        let connection = try await Connection.open(try await TestServer.shared.makeDatabase())
        try await connection.script("set statement_timeout = '20ms'")
        let error = await #expect(throws: PostgreSQLError.self) {
            try await connection.script("select pg_sleep(5)")
        }
        #expect(error?.has(.timedOut) == true)
    }
}

// SPDX-License-Identifier: Apache-2.0
// One connection against a real server: values, errors, transactions, COPY, notifications.

import Diagnostics
import struct Foundation.UUID
import Model
import PostgreSQL
import RelaisTesting
import Testing

@Suite struct ConnectionTests {
    private func open() async throws -> Connection {
        try await Connection.open(try await TestServer.shared.makeDatabase())
    }

    private func echo<Value: PostgreSQLCodable & Equatable>(_ value: Value, _ type: String) async throws
        -> Bool
    {
        let connection = try await open()
        let rows: [Value] = try await connection.run(AdHoc("select $1::\(type)", [Parameter(value)]))
        await connection.close()
        return rows == [value]
    }

    @Test func `every type returns from the server as it was sent`() async throws {
        #expect(try await echo(-42, "bigint"))
        #expect(try await echo(true, "boolean"))
        #expect(try await echo("é'\"\\ 💶", "text"))
        #expect(try await echo(Bytes([0, 255, 39, 92]), "bytea"))
        #expect(try await echo(JSONText(#"{"a": [1, null]}"#), "jsonb"))
        #expect(try await echo(UUID(), "uuid"))
        #expect(try await echo(try #require(CalendarDate(year: 1582, month: 10, day: 15)), "date"))
        #expect(try await echo(Timestamp(microsecondsSince1970: -1), "timestamptz"))
        #expect(try await echo([1, -2, 3], "bigint[]"))
        #expect(try await echo(["a", nil, "c,\"{}"] as [String?], "text[]"))
        #expect(try await echo([String](), "text[]"))
        #expect(try await echo([Decimal("1.50"), nil] as [Decimal?], "numeric[]"))
        let from = try #require(CalendarDate(year: 2026, month: 1, day: 1))
        #expect(try await echo(PostgreSQLRange(from: from, before: nil), "daterange"))
        #expect(try await echo(PostgreSQLRange<Int>(lower: nil, upper: nil, isEmpty: true), "int8range"))
    }

    @Test(arguments: [
        "0", "0.00", "-0.5", "336.90", "10000", "99999999.99990000", "0.00010000",
        "12345678901234567890.123456789",
        "-99999999999999999999999999999999999999", "0.00000000000000000000000000000000000001",
    ])
    func `a decimal keeps its digits and its scale`(text: String) async throws {
        let connection = try await open()
        let value = try #require(Decimal(text))
        let texts: [String] = try await connection.run(
            AdHoc("select ($1::numeric)::text", [Parameter(value)]))
        #expect(texts == [text])
        let back: [Decimal] = try await connection.run(AdHoc("select $1::numeric", [Parameter(value)]))
        #expect(back.map(\.description) == [text])
    }

    @Test func `a null in a column that must have a value is an error and not a crash`() async throws {
        let connection = try await open()
        let error = await #expect(throws: PostgreSQLError.self) {
            let _: [Int] = try await connection.run(AdHoc("select null::bigint"))
        }
        #expect(error?.has(.decoding) == true)
        let rows: [Int?] = try await connection.run(AdHoc("select null::bigint"))
        #expect(rows == [nil])
    }

    @Test func `an error of the server keeps its state and constraint`() async throws {
        let connection = try await open()
        try await connection.script("create table t (a int constraint positive check (a > 0))")
        let error = await #expect(throws: PostgreSQLError.self) {
            try await connection.script("insert into t values (-1)")
        }
        #expect(error?.has(.constraint) == true)
        #expect(error?.sqlState == "23514")
        #expect(error?.diagnostic.facts["constraint"] == "positive")
        #expect(error?.description == "PG-CONSTRAINT")
    }

    @Test func `a failed transaction leaves nothing and a nested one only its own part`() async throws {
        struct Stop: Error {}
        let connection = try await open()
        try await connection.script("create table t (a int)")
        try await connection.transaction { connection in
            try await connection.script("insert into t values (1)")
            await #expect(throws: Stop.self) {
                try await connection.transaction { connection in
                    try await connection.script("insert into t values (2)")
                    throw Stop()
                }
            }
            try await connection.script("insert into t values (3)")
        }
        await #expect(throws: Stop.self) {
            try await connection.transaction { connection in
                try await connection.script("insert into t values (4)")
                throw Stop()
            }
        }
        let rows: [Int] = try await connection.run(AdHoc("select a from t order by a"))
        #expect(rows == [1, 3])
        #expect(await connection.isReusable)
    }

    @Test func `a transaction whose failure was swallowed does not claim to be committed`() async throws {
        let connection = try await open()
        let error = await #expect(throws: PostgreSQLError.self) {
            try await connection.transaction { connection in
                try? await connection.script("select 1/0")
            }
        }
        #expect(error?.diagnostic.facts["detail"] == "rolled back")
        #expect(await connection.isReusable)
    }

    @Test func `rows go in and out by COPY`() async throws {
        let connection = try await open()
        try await connection.script("create table t (a int, b text)")
        var pieces = (0..<100).map { part in
            (0..<1000).map { "\(part * 1000 + $0)\tligne \($0)\n" }.joined()
        }
        let stored = try await connection.copyIn("copy t from stdin") {
            pieces.isEmpty ? nil : Array(pieces.removeFirst().utf8)
        }
        #expect(stored == 100_000)
        var lines = 0
        try await connection.copyOut("copy t to stdout") { rows in lines += rows.count { $0 == 10 } }
        #expect(lines == 100_000)
    }

    @Test func `a COPY whose source fails stores nothing and leaves the connection usable`() async throws {
        struct Broken: Error {}
        let connection = try await open()
        try await connection.script("create table t (a int)")
        var count = 0
        await #expect(throws: Broken.self) {
            try await connection.copyIn("copy t from stdin") {
                count += 1
                if count > 3 { throw Broken() }
                return Array("\(count)\n".utf8)
            }
        }
        let rows: [Int] = try await connection.run(AdHoc("select count(*) from t"))
        #expect(rows == [0])
    }

    @Test func `a COPY of bad data names the line`() async throws {
        let connection = try await open()
        try await connection.script("create table t (a int)")
        var pieces = ["1\n2\n", "trois\n"]
        let error = await #expect(throws: PostgreSQLError.self) {
            try await connection.copyIn("copy t from stdin") {
                pieces.isEmpty ? nil : Array(pieces.removeFirst().utf8)
            }
        }
        #expect(error?.sqlState == "22P02")
        #expect(await connection.isReusable)
    }

    @Test func `a notification wakes a listener`() async throws {
        let url = try await TestServer.shared.makeDatabase()
        let listener = try await Connection.open(url)
        let sender = try await Connection.open(url)
        let payloads = try await listener.listen("news")
        try await sender.script("notify news, 'un'; notify news, 'deux'")
        var received: [String] = []
        for try await payload in payloads {
            received.append(payload)
            if received.count == 2 { break }
        }
        #expect(received == ["un", "deux"])
    }

    @Test func `a listener hears of its connection's end`() async throws {
        let url = try await TestServer.shared.makeDatabase()
        let listener = try await Connection.open(url)
        let payloads = try await listener.listen("news")
        let process = try #require(await listener.serverProcess)
        let other = try await Connection.open(url)
        let _: [Bool] = try await other.run(AdHoc("select pg_terminate_backend(\(process))"))
        await #expect(throws: PostgreSQLError.self) {
            for try await _ in payloads {}
        }
    }
}

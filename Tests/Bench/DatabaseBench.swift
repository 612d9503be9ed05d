// SPDX-License-Identifier: Apache-2.0
// Round trips beside pgbench and COPY beside psql.

internal import Foundation
internal import PostgreSQL
internal import RelaisTesting

/// The database client against PostgreSQL's own.
struct DatabaseBench {
    let folder: URL
    private static let programs = Installation.all().first?.programs ?? URL(filePath: "/usr/bin")

    func run() async throws {
        let url = try await TestServer.shared.makeDatabase()
        try await roundTrips(url)
        try await copy(url)
    }

    private struct One: Statement {
        static let sql = "select 1::bigint"
        typealias Row = Int
    }

    private func roundTrips(_ url: String) async throws {
        let count = 40_000
        let connection = try await Connection.open(url)
        let started = ContinuousClock.now
        let cpu = ownCPU()
        for _ in 0..<count { _ = try await connection.run(One()) }
        let wall = started.duration(to: .now) / .seconds(1)
        let used = ownCPU() - cpu
        await connection.close()
        let script = folder.appending(path: "one.sql")
        try Data("select 1;\n".utf8).write(to: script)
        let answer = try peer(
            Self.programs.appending(path: "pgbench").path,
            ["-n", "-M", "prepared", "-c", "1", "-t", String(count), "-f", script.path, url])
        let rate =
            answer.output.split(separator: "\n").first { $0.hasPrefix("tps = ") }
            .flatMap { Double($0.dropFirst(6).prefix { $0.isNumber || $0 == "." }) } ?? 0
        Bench.report("select 1", Double(count) / wall, rate, "round trips/s", "pgbench -M prepared")
        Bench.report(
            "select 1, client's CPU", Double(count) / used, Double(count) / answer.cpu, "per CPU s",
            "pgbench -M prepared")
    }

    private func copy(_ url: String) async throws {
        let rows = 1_000_000
        let file = folder.appending(path: "rows.txt")
        var text = Data()
        for row in 0..<rows { text.append(Data("\(row)\tClient \(row)\t12.50\n".utf8)) }
        try text.write(to: file)
        let connection = try await Connection.open(url)
        try await connection.script("create table a (n bigint, t text, m numeric); create table b (like a)")
        var offset = 0
        let started = ContinuousClock.now
        let stored = try await connection.copyIn("copy a from stdin") {
            guard offset < text.count else { return nil }
            let end = min(offset + 131_072, text.count)
            defer { offset = end }
            return Array(text[offset..<end])
        }
        let wall = started.duration(to: .now) / .seconds(1)
        let peerStarted = ContinuousClock.now
        _ = try peer(
            Self.programs.appending(path: "psql").path, [url, "-q", "-c", "\\copy b from '\(file.path)'"])
        let peerWall = peerStarted.duration(to: .now) / .seconds(1)
        await connection.close()
        Bench.report("COPY in", Double(stored) / wall, Double(rows) / peerWall, "rows/s", "psql \\copy")
    }
}

// SPDX-License-Identifier: Apache-2.0
// Workers as processes: killed under load, stopped past their lease and woken.

import Foundation
import Jobs
import PostgreSQL
import RelaisTesting
import Testing

@Suite(.serialized) struct WorkerKillTests {
    private static let kills = Repository.isSoak ? 100 : 3

    /// A process that works on the bench's queue.
    private func start(_ bench: JobsBench, _ name: String, output: FileHandle = .nullDevice) throws -> Process
    {
        let process = Process()
        process.executableURL = Repository.command.deletingLastPathComponent()
            .appending(path: "relais-jobs-probe")
        process.arguments = [bench.url, name]
        process.standardOutput = output
        try process.run()
        return process
    }

    @Test func `workers killed under load lose no job and apply no effect twice`() async throws {
        let bench = try await JobsBench()
        var random = Seeded(2026)
        var processes = try (0..<3).map { try start(bench, "first\($0)") }
        defer { for process in processes { kill(process.processIdentifier, SIGKILL) } }
        var made = 0
        for round in 0..<Self.kills {
            try await bench.enqueue((0..<1000).map { _ in JobsBench.job("effect") { $0.maxAttempts = 1000 } })
            made += 1000
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...600, using: &random)))
            let victim = Int.random(in: 0..<processes.count, using: &random)
            kill(processes[victim].processIdentifier, SIGKILL)
            processes[victim] = try start(bench, "round\(round)")
        }
        try await until { try await bench.numbers("select count(*) from job") == [0] }
        #expect(try await bench.numbers("select count(*) from effect") == [made])
        #expect(try await bench.numbers("select count(distinct job) from effect") == [made])
        #expect(try await bench.texts("select distinct outcome from job_history") == ["done"])
    }

    @Test
    func
        `of three nodes one is killed and one sleeps past its lease: its late write is refused and reported`()
        async throws
    {
        let bench = try await JobsBench()
        let pipe = Pipe()
        let sleeper = try start(bench, "sleeper", output: pipe.fileHandleForWriting)
        defer { kill(sleeper.processIdentifier, SIGKILL) }
        let ids = try await bench.enqueue((0..<4).map { _ in JobsBench.job("late") })
        try await until {
            try await bench.numbers("select count(*) from job where worker = 'sleeper'") == [4]
        }
        kill(sleeper.processIdentifier, SIGSTOP)
        let others = try ["second", "third"].map { try start(bench, $0) }
        defer { for process in others { kill(process.processIdentifier, SIGKILL) } }
        // Its leases have ended, and others have its jobs.
        try await until {
            try await bench.numbers("select count(*) from job where worker = 'sleeper'") == [0]
        }
        kill(others[0].processIdentifier, SIGKILL)
        kill(sleeper.processIdentifier, SIGCONT)
        try await until { try await bench.numbers("select count(*) from job") == [0] }
        let effects = try await bench.numbers("select job from effect order by job")
        #expect(effects == ids)
        #expect(
            try await bench.numbers("select count(*) from effect where worker = 'sleeper' and attempt = 1")
                == [0])
        kill(sleeper.processIdentifier, SIGTERM)
        sleeper.waitUntilExit()
        try pipe.fileHandleForWriting.close()
        let said = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        #expect(Set(said.split(separator: "\n").filter { $0.hasPrefix("refused") }).count == 4)
    }
}

// SPDX-License-Identifier: Apache-2.0
// The product itself, run beside the bench, with its time and its memory.

internal import Foundation

/// Runs `relais`, which is built beside the bench.
struct RelaisProgram {
    /// The database and the data folder it works on.
    let url: String
    let data: URL

    /// What a command did.
    struct Result {
        let seconds: Double
        /// Its resident memory at most, in KiB.
        let peak: Int
        /// Number of its run, and the counts of its ledger.
        let run: Int
        let ledger: [String: Int]
    }

    private struct Answer: Decodable {
        let run: Int
        let ledger: [String: Int]?
    }

    func run(_ arguments: String...) async throws -> Result {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = Bundle.main.executableURL?.deletingLastPathComponent().appending(
            path: "relais")
        process.arguments = arguments + ["--json"]
        process.environment = ["RELAIS_DATABASE_URL": url, "RELAIS_DATA": data.path, "PATH": "/usr/bin:/bin"]
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        let started = ContinuousClock.now
        try process.run()
        var peak = 0
        while process.isRunning {
            peak = max(peak, Self.peak(of: process.processIdentifier))
            try await Task.sleep(for: .milliseconds(20))
        }
        let seconds = started.duration(to: .now) / .seconds(1)
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        let answer = try JSONDecoder().decode(Answer.self, from: output)
        return Result(seconds: seconds, peak: peak, run: answer.run, ledger: answer.ledger ?? [:])
    }

    /// What Linux noted as the process' largest resident size, in KiB.
    private static func peak(of process: Int32) -> Int {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else {
            return 0
        }
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) } ?? 0
    }
}

// SPDX-License-Identifier: Apache-2.0
// `make bench`: Relais beside its peers on the same data in the same run; ratios are what counts.

internal import Foundation
internal import Glibc
internal import Mapping
internal import PostgreSQL
internal import RelaisTesting
internal import Tabular

/// Prints one line a measurement: Relais, the peer, and the ratio of both (above 1 = Relais is better).
@main
struct Bench {
    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == "attack", let file = CommandLine.arguments.last {
            return try await AttackBench.attack(file)
        }
        let python = CommandLine.arguments.dropFirst().first ?? "python3"
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-bench-\(getpid())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        print("measure                                  relais       peer         ratio   peer's name")
        let only = CommandLine.arguments.dropFirst(2).first
        let data = try BenchData(folder: folder, only)
        if only == nil || only == "database" { try await DatabaseBench(folder: folder).run() }
        if only == nil || only == "import" { try await ImportBench(folder: folder, python: python).run() }
        if only == nil || only == "queue" { try await QueueBench(folder: folder, python: python).run() }
        if only == nil || only == "web" { try await WebBench(folder: folder).run() }
        if only == nil || only == "xml" { try await XMLBench(data: data).run() }
        if only == nil || only == "mapping" { try MappingBench().run() }
        if only == nil || only == "csv" { try await CSVBench(data: data, python: python).run() }
        if only == nil || only == "stream" { try StreamBench().run() }
        if only == nil || only == "attacks" { try AttackBench(folder: folder, python: python).run() }
    }

    /// One line of the result.
    static func report(_ name: String, _ relais: Double, _ peer: Double, _ unit: String, _ peerName: String) {
        func column(_ text: String, _ width: Int) -> String {
            text.padding(toLength: width, withPad: " ", startingAt: 0)
        }
        let figures = [relais, peer].map { column(String(format: "%.1f", $0), 13) }.joined()
        print(
            column("\(name) (\(unit))", 41) + figures + column(String(format: "%.2f", relais / peer), 8)
                + peerName)
    }
}

/// CPU seconds of this process, user and system.
func ownCPU() -> Double {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

/// CPU seconds of the children that have ended.
func childrenCPU() -> Double {
    var usage = rusage()
    unsafe getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

private func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }

/// Runs a peer to its end and returns what it printed and its CPU seconds.
func peer(_ program: String, _ arguments: [String]) throws -> (output: String, cpu: Double) {
    let before = childrenCPU()
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardOutput = pipe
    process.standardError = FileHandle.standardError
    try process.run()
    let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (String(decoding: output, as: UTF8.self), childrenCPU() - before)
}

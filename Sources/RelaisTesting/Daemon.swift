// SPDX-License-Identifier: Apache-2.0
// The built daemon as a child process.

package import Foundation

/// A running `relais serve`, which listens on a free port.
package struct Daemon {
    /// The process.
    package let process: Process
    /// Where its log goes, one JSON object a line.
    package let log: URL

    /// Starts a daemon on a data folder; its log is a new file of `folder`.
    ///
    /// - Parameter output: a file for what it tells people; nil = where the tests tell theirs.
    package init(
        _ data: String, _ folder: URL, _ arguments: [String] = [], environment: [String: String] = [:],
        output: URL? = nil
    ) throws {
        log = folder.appending(path: "serve-\(UUID().uuidString.prefix(4)).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        process = Process()
        process.executableURL = Repository.command
        let listen = arguments.contains("--listen") ? [] : ["--listen", "127.0.0.1:0"]
        process.arguments = ["serve", "--data", data, "--log-format", "json"] + listen + arguments
        process.environment = ["PATH": "/usr/bin:/bin", "LANG": "fr_FR.UTF-8"].merging(environment) { $1 }
        process.standardError = try FileHandle(forWritingTo: log)
        if let output { process.standardOutput = try FileHandle(forWritingTo: output) }
        try process.run()
    }

    /// Events of the log.
    package var events: [[String: String]] {
        let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
        }
    }

    /// Their messages.
    package var messages: [String] { events.compactMap { $0["message"] } }

    /// Jobs of flows that ended well; the daily job is none.
    package var flowsDone: Int { events.count { $0["message"] == "job done" && $0["kind"] == "flow" } }

    /// The address of its web server, once it is ready.
    package func address() async throws -> String {
        try await until { messages.contains("ready") }
        let port = events.last { $0["message"] == "listening" }?["port"] ?? "0"
        return "http://127.0.0.1:\(port)"
    }

    /// Sends SIGTERM and waits for the end.
    package func stop() async throws -> Int32 {
        process.terminate()
        try await until { !process.isRunning }
        return process.terminationStatus
    }
}

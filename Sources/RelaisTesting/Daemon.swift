// SPDX-License-Identifier: Apache-2.0
// The built daemon as a child process.

package import Foundation

/// A running `relais serve`, which listens on a free port.
package struct Daemon {
    /// The process.
    package let process: Process
    /// Where its log goes, one JSON object a line.
    package let log: URL
    /// Where it says what people read.
    private let said: URL

    /// Starts a daemon on a data folder; its log is a new file of `folder`.
    package init(
        _ data: String, _ folder: URL, _ arguments: [String] = [], environment: [String: String] = [:]
    ) throws {
        log = folder.appending(path: "serve-\(UUID().uuidString.prefix(4)).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        process = Process()
        process.executableURL = Repository.command
        let listen = arguments.contains("--listen") ? [] : ["--listen", "127.0.0.1:0"]
        process.arguments = ["serve", "--data", data, "--log-format", "json"] + listen + arguments
        process.environment = ["PATH": "/usr/bin:/bin", "LANG": "fr_FR.UTF-8"].merging(environment) { $1 }
        process.standardError = try FileHandle(forWritingTo: log)
        said = log.deletingPathExtension().appendingPathExtension("out")
        _ = FileManager.default.createFile(atPath: said.path, contents: nil)
        process.standardOutput = try FileHandle(forWritingTo: said)
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

    /// The link by which the first administrator signs in, once it is printed.
    package func welcome() async throws -> String {
        var link: String?
        try await until {
            let text = (try? String(contentsOf: said, encoding: .utf8)) ?? ""
            link = text.firstMatch(of: #/https?:\/\/\S+\/welcome\/\S+/#).map { String($0.output) }
            return link != nil
        }
        return link ?? ""
    }

    /// Sends SIGTERM and waits for the end.
    package func stop() async throws -> Int32 {
        process.terminate()
        try await until { !process.isRunning }
        return process.terminationStatus
    }
}

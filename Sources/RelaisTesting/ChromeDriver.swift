// SPDX-License-Identifier: Apache-2.0
// The driver of a browser as a child process, and requests to it (W3C WebDriver).

internal import Foundation

/// What a browser refuses, in its own words.
package struct BrowserError: Error, CustomStringConvertible {
    /// WebDriver's code (`no such element`, `element click intercepted`, …) or ours.
    package let code: String
    /// What it says.
    package let message: String
    /// Both.
    package var description: String { "\(code): \(message)" }
}

/// A running chromedriver, with all browsers it starts and a folder of its own.
final class ChromeDriver: Sendable {
    /// A folder of its own, gone with it.
    private let folder: URL
    private let shell: Process
    private let lifeline: Pipe

    /// Starts it.
    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appending(path: "relais-browser-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        lifeline = Pipe()
        shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        // As in Peer, the shell waits for the end of a pipe that only the test run holds. The browser's
        // processes are killed as a group; what they still write may make the first removal fail.
        shell.arguments = [
            "-c",
            """
            setsid /usr/bin/chromedriver --port=0 & p=$!
            cat > /dev/null
            kill -9 "-$p" || kill -9 "$p"
            wait "$p"
            for n in 1 2 3 4 5; do rm -rf "$1" && break; sleep 0.2; done
            """, "browser", folder.path,
        ]
        // Profiles go to the folder for temporary files, crash reports and caches home.
        shell.environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path, "TMPDIR": folder.path]
        shell.standardInput = lifeline
        let log = folder.appending(path: "driver.log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let output = try FileHandle(forWritingTo: log)
        shell.standardOutput = output
        shell.standardError = output
        try shell.run()
    }

    deinit {
        try? lifeline.fileHandleForWriting.close()
    }

    /// Its port, once it listens.
    func port() async throws -> Int {
        let log = folder.appending(path: "driver.log")
        var port: Int?
        try await until {
            let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
            let line = text.firstMatch(of: /started successfully on port (\d+)/)
            port = line.flatMap { Int($0.output.1) }
            if port == nil, !shell.isRunning || text.contains("No such file") {
                throw BrowserError(code: "no driver", message: text)
            }
            return port != nil
        }
        return port ?? 0
    }

    /// Asks, and returns the member `value` of the answer.
    ///
    /// - Parameter patience: longer than what the driver itself allows a page or a script, so that its words
    ///   are heard first.
    static func ask(
        _ port: Int, _ method: String, _ path: String, _ body: WebValue? = nil,
        patience: Duration = .seconds(150)
    ) async throws -> WebValue {
        let answer = try await LoopbackRequest.send(
            method, path, port: port, try body.map { try JSONEncoder().encode($0) } ?? Data(),
            deadline: .now + patience)
        let value = try JSONDecoder().decode(WebValue.self, from: answer.body)["value"]
        guard answer.status == 200 else {
            throw BrowserError(
                code: value["error"].string ?? "unknown", message: value["message"].string ?? "")
        }
        return value
    }

    /// Kills it and its browsers, and waits until their folder is gone.
    func stop() async {
        try? lifeline.fileHandleForWriting.close()
        // Where the test was cancelled, this ends at once, and the shell soon after.
        try? await until { !shell.isRunning }
    }
}

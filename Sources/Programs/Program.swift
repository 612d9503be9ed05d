// SPDX-License-Identifier: Apache-2.0
// Runs programs of others: output into files, an end that comes for sure, last words kept.

package import Diagnostics
package import Foundation
internal import Subprocess
internal import SystemPackage

/// A program and what it is told.
package struct Program: Sendable {
    /// Its absolute path.
    package let path: String
    /// What stands behind its name.
    package var arguments: [String]
    /// It is ended after this, with all that it has started.
    package var patience = Duration.seconds(3600)
    /// Takes secrets out of its last words.
    package var redaction = Redaction()

    /// Bytes of a line, or of last words, that are looked at.
    private static let longest = 64 << 10

    /// A program by its absolute path.
    package init(_ path: String, _ arguments: [String] = []) {
        self.path = path
        self.arguments = arguments
    }

    /// Whether it can be run.
    package var isExecutable: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// Runs it to its end, with no environment but the language and the path.
    ///
    /// It has a process group of its own: neither a Ctrl-C nor a signal to our group reaches it. When its patience is over or
    /// the task is cancelled, the group is killed; what has left it (`setsid`) goes on.
    /// - Parameters:
    ///   - input: what is on its standard input, secrets among it: no file that has a name ever holds it.
    ///   - output: a new file for its standard output.
    ///   - errors: a new file for its standard error.
    ///   - onLine: hears the lines of that soon after they are written, secrets and all; the first 10,000, each up to 64 KiB.
    /// - Throws: `PROGRAM-MISSING`, `PROGRAM-FAILED` with its last words, `PROGRAM-SLOW`.
    package func run(
        input: Data = Data(), output: String, errors: String,
        onLine: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws {
        guard isExecutable else { throw ProgramError(.missing, at: Place(file: path)) }
        let patience = patience
        let status: TerminationStatus? = try await withThrowingTaskGroup(of: TerminationStatus?.self) {
            group in
            group.addTask {
                try await Self.listen(to: errors, onLine) { try await start(input, output, errors) }
            }
            group.addTask {
                try await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let status else {
            throw ProgramError(
                .slow, ["seconds": String(patience.components.seconds)], at: Place(file: path),
                retry: .after(.seconds(300)))
        }
        guard status.isSuccess else {
            throw ProgramError(
                .failed, ["detail": lastWords(errors), "status": "\(status)"], at: Place(file: path),
                retry: .after(.seconds(300)))
        }
    }

    private func start(_ input: Data, _ output: String, _ errors: String) async throws -> TerminationStatus {
        func open(_ path: String) throws -> FileDescriptor {
            try .open(
                FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
                permissions: .ownerReadWrite)
        }
        var platform = PlatformOptions()
        platform.processGroupID = 0
        // At once and never asked first: a shell that ends on SIGTERM would leave behind what it waits for, since nothing more is
        // sent once it has ended.
        platform.teardownSequence = [
            .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .zero)
        ]
        let result = try await Subprocess.run(
            .path(FilePath(path)), arguments: Arguments(arguments),
            environment: .custom([
                "LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent",
            ]),
            workingDirectory: "/",
            platformOptions: platform,
            input: .fileDescriptor(
                try Self.nameless(input, at: output + ".input"), closeAfterSpawningProcess: true),
            output: .fileDescriptor(try open(output), closeAfterSpawningProcess: true),
            error: .fileDescriptor(try open(errors), closeAfterSpawningProcess: true))
        return result.terminationStatus
    }

    /// A file with some bytes, whose name is gone before they are written: it ends with who has it open, also where we are
    /// killed. It is no pipe, since a program may leave its input unread.
    private static func nameless(_ bytes: Data, at path: String) throws -> FileDescriptor {
        let file = try FileDescriptor.open(
            FilePath(path), .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: .ownerReadWrite)
        do {
            try FileManager.default.removeItem(atPath: path)
            try file.writeAll(bytes)
            try file.seek(offset: 0, from: .start)
            return file
        } catch {
            try? file.close()
            throw error
        }
    }

    /// Hands over the lines of a file while a program writes it, and those that are left when it has ended.
    private static func listen(
        to path: String, _ onLine: @escaping @Sendable (String) -> Void,
        while body: @Sendable () async throws -> TerminationStatus
    ) async throws -> TerminationStatus {
        let lines = LogLines(path, longest: longest, onLine)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                while true {
                    try await Task.sleep(for: .seconds(1))
                    await lines.read(isLast: false)
                }
            }
            let status = try await body()
            group.cancelAll()
            await lines.read(isLast: true)
            return status
        }
    }

    /// The last lines of a file without secrets, at most 2,000 characters.
    private func lastWords(_ path: String) -> String {
        guard let file = FileHandle(forReadingAtPath: path), let end = try? file.seekToEnd() else {
            return ""
        }
        let most = UInt64(Self.longest)
        try? file.seek(toOffset: end > most ? end - most : 0)
        let text = redaction.apply(String(decoding: (try? file.readToEnd()) ?? Data(), as: UTF8.self))
        return String(text.split(separator: "\n").suffix(5).joined(separator: "\n").suffix(2000))
    }
}

/// The lines of a log that grows.
private actor LogLines {
    private let path: String
    private let longest: Int
    private let onLine: @Sendable (String) -> Void
    private var offset: UInt64 = 0
    private var rest = Data()
    private var left = 10_000

    init(_ path: String, longest: Int, _ onLine: @escaping @Sendable (String) -> Void) {
        self.path = path
        self.longest = longest
        self.onLine = onLine
    }

    func read(isLast: Bool) {
        guard left > 0, let file = FileHandle(forReadingAtPath: path) else { return }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: offset)) != nil else { return }
        while left > 0, let bytes = try? file.read(upToCount: 1 << 20), !bytes.isEmpty {
            offset += UInt64(bytes.count)
            var lines = (rest + bytes).split(separator: 0x0A, omittingEmptySubsequences: false)
            rest = Data((lines.popLast() ?? Data()).prefix(1 << 20))
            lines.forEach(tell)
        }
        if isLast, !rest.isEmpty { tell(rest) }
    }

    private func tell(_ line: Data) {
        guard left > 0, !line.isEmpty else { return }
        left -= 1
        onLine(String(decoding: line.prefix(longest), as: UTF8.self))
    }
}

/// A program that could not do what it was asked.
package struct ProgramError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case missing = "PROGRAM-MISSING"
        case failed = "PROGRAM-FAILED"
        case slow = "PROGRAM-SLOW"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

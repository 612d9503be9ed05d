// SPDX-License-Identifier: Apache-2.0
// A daemon whose users have app passwords, and requests of WebDAV.

import Foundation
import RelaisTesting
import Testing

/// A running server that speaks CalDAV and CardDAV.
struct DAVSite: Sendable {
    /// What was answered.
    struct Answer {
        let status: Int
        let text: String
        let fields: [String: String]

        /// The text inside the first element of a local name.
        func first(_ element: String) -> String? { all(element).first }

        /// The texts inside the elements of a local name.
        func all(_ element: String) -> [String] {
            let pattern = "<(?:[A-Za-z]+:)?\(element)(?: [^>]*)?>(.*?)</(?:[A-Za-z]+:)?\(element)>"
            guard let regex = try? NSRegularExpression(pattern: pattern, options: .dotMatchesLineSeparators)
            else { return [] }
            let whole = NSRange(text.startIndex..., in: text)
            return regex.matches(in: text, range: whole).compactMap { match in
                Range(match.range(at: 1), in: text).map { String(text[$0]) }
            }
        }

        /// The answer about one address.
        func response(_ href: String) -> String? {
            all("response").first { $0.contains("<D:href>\(href)</D:href>") }
        }
    }

    let address: String
    let data: String
    let folder: URL
    /// App passwords by login.
    let passwords: [String: String]

    /// Asks as a user; as nobody where there is none.
    func ask(
        _ method: String, _ path: String, _ body: String? = nil, as login: String? = "hugo",
        _ headers: [String: String] = [:]
    ) async throws -> Answer {
        var headers = headers
        if let login, let password = passwords[login] {
            headers["Authorization"] = "Basic " + Data("\(login):\(password)".utf8).base64EncodedString()
        }
        return try await send(method, path, body.map { Data($0.utf8) }, headers)
    }

    /// Asks as the headers say.
    func send(
        _ method: String, _ path: String, _ body: Data?, _ headers: [String: String]
    ) async throws -> Answer {
        let files = ["body", "head", "answer"].map { folder.appending(path: "\($0)-\(UUID().uuidString)") }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        // Foundation's client never comes back from a server that wants a password.
        var arguments = ["-sS", "--path-as-is", "--globoff", "--max-time", "30", "-D", files[1].path]
        arguments += ["-o", files[2].path] + (method == "HEAD" ? ["--head"] : ["-X", method])
        let fields = ["Content-Type": "application/xml; charset=utf-8"].merging(headers) { $1 }
        arguments += fields.flatMap { ["-H", "\($0.key): \($0.value)"] }
        if let body {
            try body.write(to: files[0])
            arguments += ["--data-binary", "@" + files[0].path]
        }
        let curl = try await Self.peer("/usr/bin/curl", arguments + [address + path], in: folder)
        try #require(curl.status == 0, "\(method) \(path): \(curl.output)")
        let text = method == "HEAD" ? "" : (try? String(contentsOf: files[2], encoding: .utf8)) ?? ""
        // Of several heads (100 Continue), the last one counts.
        let heads = try String(contentsOf: files[1], encoding: .utf8).components(separatedBy: "\r\n\r\n")
        let lines = heads.last { !$0.isEmpty }?.components(separatedBy: "\r\n") ?? []
        let pairs = lines.dropFirst().compactMap { line -> (String, String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (
                line[..<colon].lowercased(),
                line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            )
        }
        let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return Answer(status: status ?? 0, text: text, fields: Dictionary(pairs) { $1 })
    }

    /// Runs a command of the Python peers.
    static func peer(
        _ name: String, _ arguments: [String], in folder: URL, environment: [String: String] = [:]
    ) async throws -> (status: Int32, output: String) {
        let process = Process()
        let log = folder.appending(path: "peer-\(UUID().uuidString.prefix(6)).log")
        _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        let handle = try FileHandle(forWritingTo: log)
        process.executableURL =
            name.hasPrefix("/")
            ? URL(filePath: name) : Repository.root.appending(path: ".venv-dav/bin/\(name)")
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ["PATH": "/usr/bin:/bin", "HOME": folder.path, "LANG": "C.UTF-8"].merging(
            environment
        ) { $1 }
        process.standardOutput = handle
        process.standardError = handle
        process.standardInput = FileHandle.nullDevice
        try process.run()
        try await until { !process.isRunning }
        return (process.terminationStatus, try String(contentsOf: log, encoding: .utf8))
    }
}

/// Runs `body` with a server whose users are the reps `hugo` and `lea`, each with an app password.
func withDAV(
    environment: [String: String] = [:], _ body: (_ site: DAVSite, _ folder: URL) async throws -> Void
) async throws {
    try await withDataFolder { data, folder in
        var passwords: [String: String] = [:]
        for login in ["hugo", "lea"] {
            let made = try await RelaisCommand.run(
                ["users", "add", login, "--role", "rep", "--data", data])
            try #require(made.status == 0, "\(made.errors)")
            let password = try await RelaisCommand.run(
                ["users", "app-password", login, "--label", "essai", "--data", data])
            try #require(password.status == 0, "\(password.errors)")
            passwords[login] = password.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let daemon = try Daemon(data, folder, environment: environment)
        do {
            let site = DAVSite(
                address: try await daemon.address(), data: data, folder: folder, passwords: passwords)
            try await body(site, folder)
        } catch {
            _ = try await daemon.stop()
            throw error
        }
        #expect(try await daemon.stop() == 0)
    }
}

/// Objects for tests.
enum Sample {
    /// An event with CRLF, as programs send it.
    static func event(
        _ uid: String, _ summary: String = "Visite", start: String = "20261201T090000Z",
        end: String = "20261201T100000Z", more: String = ""
    ) -> String {
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//essai//FR", "BEGIN:VEVENT", "UID:\(uid)",
            "DTSTAMP:20261128T080000Z", "DTSTART:\(start)", "DTEND:\(end)", "SUMMARY:\(summary)",
        ].joined(separator: "\r\n") + "\r\n" + more + "END:VEVENT\r\nEND:VCALENDAR\r\n"
    }

    /// A task.
    static func task(_ uid: String) -> String {
        [
            "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//essai//FR", "BEGIN:VTODO", "UID:\(uid)",
            "DTSTAMP:20261128T080000Z", "SUMMARY:Relancer", "END:VTODO", "END:VCALENDAR", "",
        ].joined(separator: "\r\n")
    }

    /// A card.
    static func card(_ uid: String, _ name: String = "Élise Ménard", tel: String = "+33612345678") -> String {
        [
            "BEGIN:VCARD", "VERSION:3.0", "UID:\(uid)", "FN:\(name)", "N:\(name);;;;",
            "item1.TEL;TYPE=CELL:\(tel)", "EMAIL:pas une adresse", "END:VCARD", "",
        ].joined(separator: "\r\n")
    }
}

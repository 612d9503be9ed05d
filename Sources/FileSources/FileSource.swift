// SPDX-License-Identifier: Apache-2.0
// Where the files of a file connector come from; every such connector has the same settings for it.

package import ConnectorKit
package import Diagnostics
internal import FileTransfer

/// A source of files. Each file is an artifact.
package protocol FileSource: Sendable {
    /// What there is now; changes nothing.
    func items(limit: Int) async throws -> [ConnectorItem]

    /// As in ``Connector/read(_:after:_:)``.
    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws
}

/// The source that settings name.
package enum FileSources {
    /// The source of settings that ``check(_:)`` has passed.
    package static func open(_ settings: Settings) -> any FileSource {
        guard let from = settings[FileSettings.from.name].first else {
            return NamedFiles(paths: settings[FileSettings.paths.name])
        }
        let stillness = Duration.seconds(number(settings, FileSettings.stillness) ?? 5)
        let pattern = settings[FileSettings.pattern.name].first ?? ""
        let afterwards = settings[FileSettings.after.name].first.flatMap(Afterwards.init)
        guard RemoteAddress.isMeant(from) else {
            return ArrivingFiles(
                folder: HotFolder(
                    from, pattern: pattern, stillness: stillness,
                    mark: settings[FileSettings.doneFile.name].first.flatMap { ReadyMark($0) }),
                afterwards: afterwards ?? .move)
        }
        do throws(TransferError) {
            let address = try RemoteAddress(from)
            if [.imap, .imaps].contains(address.scheme) {
                return MailboxFiles(
                    mailbox: Mailbox(address, access(settings)), names: FileNames(pattern: pattern),
                    afterwards: afterwards ?? .keep)
            }
            let folder = try RemoteFolders.open(address, access(settings), pattern: pattern)
            return RemoteFiles(folder: folder, afterwards: afterwards ?? .keep, stillness: stillness)
        } catch {
            return FaultySource(fault: error)
        }
    }

    static func access(_ settings: Settings) -> TransferAccess {
        var access = TransferAccess()
        access.password = settings.secret(FileSettings.password.name) ?? ""
        access.privateKey = settings.secret(FileSettings.privateKey.name) ?? ""
        if let region = settings[FileSettings.region.name].first { access.region = region }
        access.hostKeys = settings[FileSettings.hostKeys.name]
        access.authorities = settings[FileSettings.authorities.name].first ?? ""
        if let seconds = number(settings, FileSettings.timeout) { access.silence = .seconds(seconds) }
        access.connecting = min(access.connecting, access.silence)
        return access
    }

    private static func number(_ settings: Settings, _ setting: SettingDescription) -> Int? {
        settings[setting.name].first.flatMap { Int($0) }
    }

    /// What is wrong with the settings of a file source.
    package static func check(_ settings: Settings) -> [Diagnostic] {
        let (paths, from) = (settings[FileSettings.paths.name], settings[FileSettings.from.name].first)
        var findings: [Diagnostic] = []
        if paths.isEmpty && from == nil {
            findings.append(Diagnostic(code: "SETTING-MISSING", facts: ["setting": "paths, from"]))
        }
        func refuse(_ setting: SettingDescription, _ value: String, _ expected: String) {
            findings.append(
                Diagnostic(
                    code: "SETTING-VALUE", facts: ["setting": setting.name, "expected": expected],
                    place: Place(field: setting.name, value: value)))
        }
        if !paths.isEmpty, let from { refuse(FileSettings.from, from, "paths | from") }
        if let word = settings[FileSettings.after.name].first, Afterwards(rawValue: word) == nil {
            refuse(FileSettings.after, word, "move | delete | keep")
        }
        findings += checkNumbers(settings)
        if let mark = settings[FileSettings.doneFile.name].first {
            if ReadyMark(mark) == nil { refuse(FileSettings.doneFile, mark, "{name}.done | {stem}.ok") }
            if from.map(RemoteAddress.isMeant) ?? true {
                refuse(FileSettings.doneFile, mark, "from: /…")
            }
        }
        guard let from else { return findings }
        if RemoteAddress.isMeant(from) {
            findings += checkRemote(from, settings)
        } else if !from.hasPrefix("/") {
            refuse(FileSettings.from, from, "/… | sftp://…")
        }
        return findings
    }

    /// What is wrong with seconds.
    static func checkNumbers(_ settings: Settings) -> [Diagnostic] {
        let ranges = [(FileSettings.stillness, 0...3600), (FileSettings.timeout, 1...3600)]
        return ranges.compactMap { setting, range in
            guard let value = settings[setting.name].first, !range.contains(Int(value) ?? -1) else {
                return nil
            }
            let expected = "\(range.lowerBound)–\(range.upperBound)"
            return Diagnostic(
                code: "SETTING-VALUE", facts: ["setting": setting.name, "expected": expected],
                place: Place(field: setting.name, value: value))
        }
    }

    static func checkRemote(_ from: String, _ settings: Settings) -> [Diagnostic] {
        do throws(TransferError) {
            let address = try RemoteAddress(from)
            var findings: [Diagnostic] = []
            if address.scheme == .sftp, settings[FileSettings.hostKeys.name].isEmpty {
                let facts = ["setting": FileSettings.hostKeys.name]
                findings.append(Diagnostic(code: "SETTING-HOST-KEY", facts: facts))
            }
            if [.imap, .imaps].contains(address.scheme) {
                findings += checkMailbox(address, from, settings)
            } else if ![.http, .https].contains(address.scheme),
                settings.secrets[FileSettings.password.name] == nil,
                settings.secrets[FileSettings.privateKey.name] == nil
            {
                findings.append(
                    Diagnostic(code: "SETTING-MISSING", facts: ["setting": "secrets: password, private_key"]))
            }
            if [.http, .https].contains(address.scheme),
                let word = settings[FileSettings.after.name].first, word != "keep"
            {
                findings.append(
                    Diagnostic(
                        code: "SETTING-VALUE",
                        facts: ["setting": FileSettings.after.name, "expected": "keep"],
                        place: Place(field: FileSettings.after.name, value: word)))
            }
            return findings
        } catch {
            var finding = error.diagnostic
            finding.facts["setting"] = FileSettings.from.name
            return [finding]
        }
    }

    /// A mailbox knows people by a name and a password.
    private static func checkMailbox(
        _ address: RemoteAddress, _ from: String, _ settings: Settings
    ) -> [Diagnostic] {
        var findings: [Diagnostic] = []
        if address.user.isEmpty {
            let expected = "\(address.scheme.rawValue)://compta%40exemple.fr@…"
            findings.append(
                Diagnostic(
                    code: "SETTING-VALUE",
                    facts: ["setting": FileSettings.from.name, "expected": expected],
                    place: Place(field: FileSettings.from.name, value: from)))
        }
        if settings.secrets[FileSettings.password.name] == nil {
            findings.append(Diagnostic(code: "SETTING-MISSING", facts: ["setting": "secrets: password"]))
        }
        return findings
    }
}

/// What becomes of a file that was applied.
enum Afterwards: String, Sendable {
    case move, delete, keep
}

/// A source that cannot be opened, and says so to whoever reads it.
private struct FaultySource: FileSource {
    let fault: TransferError

    func items(limit: Int) throws -> [ConnectorItem] { [.problem(fault.diagnostic)] }

    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws {
        throw fault
    }
}

extension ConnectorItem {
    /// The artifact at a path, or the reason why there is none.
    ///
    /// - Parameter origin: where the file comes from, when it is not there any more.
    init(path: String, name: String? = nil, from origin: String? = nil) {
        do throws(FileError) {
            _ = try LocalFile(path)
            self = .artifact(name: name ?? String(path.split(separator: "/").last ?? ""), path: path)
        } catch {
            var problem = error.diagnostic
            if let origin { problem.place.file = origin }
            self = .problem(problem)
        }
    }
}

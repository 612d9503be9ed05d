// SPDX-License-Identifier: Apache-2.0
// One start of a program: the request that it is given, the files that it writes.

internal import ConnectorKit
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Programs

/// A program in a folder of its own, which nobody else can look into.
struct ProgramRun {
    private let manifest: ProgramManifest
    private let settings: Settings
    /// Where its files are.
    let folder: ProgramFolder
    private var spool: URL { folder.url.appending(path: "spool") }

    /// - Parameter place: of its folder, which is made anew.
    init(_ settings: Settings, in place: URL) throws {
        self.settings = settings
        do {
            manifest = try ProgramManifest(folder: settings[ProgramSettings.folder.name].first ?? "")
        } catch {
            throw ProgramError(error.faults.first ?? Diagnostic(code: "PROGRAM-MANIFEST"))
        }
        folder = try ProgramFolder(place)
        try FileManager.default.createDirectory(
            at: spool, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    }

    /// Lets it answer one request.
    func start(_ verb: String, stream: String?, after cursor: Cursor?) async throws {
        var request: [String: Any] = ["verb": verb, "settings": values, "spool": spool.path]
        request["stream"] = stream
        if let cursor {
            request["state"] = try JSONSerialization.jsonObject(
                with: Data(cursor.text.utf8), options: .fragmentsAllowed)
        }
        let line = try JSONSerialization.data(
            withJSONObject: request, options: [.sortedKeys, .withoutEscapingSlashes])
        var program = Program(manifest.command)
        program.redaction = settings.redaction
        if let seconds = settings[ProgramSettings.patience.name].first.flatMap({ Int($0) }) {
            program.patience = .seconds(seconds)
        }
        try await folder.run(program, input: line + Data("\n".utf8)) { [listener = settings.listener] in
            listener?.hear(.line($0))
        }
    }

    /// Texts and lists by name, secrets among them.
    private var values: [String: Any] {
        var values: [String: Any] = [:]
        for setting in manifest.settings {
            let list = settings[setting.name]
            if setting.isSecret {
                values[setting.name] = settings.secret(setting.name)
            } else if setting.type == .list {
                values[setting.name] = list
            } else {
                values[setting.name] = list.first
            }
        }
        return values
    }

    /// The streams that it named.
    func streams() throws -> [StreamDescription] {
        struct Message: Decodable {
            let type: String
            let stream: String?
            let key: [String]?
        }
        return try Data(contentsOf: folder.messages).split(separator: UInt8(ascii: "\n")).compactMap { line in
            guard let message = try? JSONDecoder().decode(Message.self, from: line) else {
                throw fault(line)
            }
            guard message.type == "STREAM" else { return nil }
            guard let name = message.stream, !name.isEmpty else { throw fault(line) }
            return StreamDescription(name: name, naturalKey: message.key ?? [])
        }
    }

    /// What a message that stands for itself says.
    func item(_ line: Data) throws -> ConnectorItem {
        struct Message: Decodable {
            let type: String
            let name: String?
            let path: String?
            let message: String?
            let file: String?
        }
        guard let message = try? JSONDecoder().decode(Message.self, from: line) else { throw fault(line) }
        guard message.type == "ARTIFACT" else {
            let place = Place(file: message.file ?? manifest.id)
            return .problem(
                Diagnostic(code: "PROGRAM-PROBLEM", facts: ["detail": message.message ?? ""], place: place))
        }
        // A name of the spool folder, so that it cannot have another file of this machine read.
        guard let path = message.path, !path.isEmpty, !path.contains("/"), path != "..", path != "." else {
            throw fault(line)
        }
        let name = message.name ?? path
        guard FileNames.isPlain(name) else { throw fault(line) }
        return .artifact(name: name, path: spool.appending(path: path).path)
    }

    /// Says that nobody understands a message, with its beginning.
    func fault(_ line: Data) -> ProgramConnectorError {
        let text = String(decoding: line.prefix(64 << 10), as: UTF8.self)
        return ProgramConnectorError(
            .message, ["detail": settings.redaction.apply(text, upTo: 200)],
            at: Place(file: manifest.command))
    }
}

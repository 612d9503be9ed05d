// SPDX-License-Identifier: Apache-2.0
// A tap with its files: settings, catalog, state, messages.

internal import ConnectorKit
internal import Foundation
internal import Programs

/// One tap in a folder of its own, which nobody else can look into.
struct Tap {
    private let program: Program
    private let listener: ConnectorListener?
    /// Where its files are.
    let folder: URL
    /// Its messages, once it has run.
    var messages: URL { folder.appending(path: "messages") }

    /// - Parameter folder: made anew; what an earlier run left there is gone.
    init(_ settings: Settings, in folder: URL) throws {
        let command = settings[SingerSettings.command.name].first ?? ""
        self.folder = folder
        listener = settings.listener
        try? FileManager.default.removeItem(at: folder)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        var arguments: [String] = []
        if let text = settings.secret(SingerSettings.configuration.name) {
            // A tap opens its settings by their path, when and as often as it wants: the file stays as long as it runs.
            let file = folder.appending(path: "config.json")
            try Data(text.utf8).write(to: file)
            arguments += ["--config", file.path]
        } else if let path = settings[SingerSettings.config.name].first {
            arguments += ["--config", path]
        }
        if let path = settings[SingerSettings.catalog.name].first { arguments += ["--catalog", path] }
        var program = Program(command, arguments)
        program.redaction = settings.redaction
        if let seconds = settings[SingerSettings.patience.name].first.flatMap({ Int($0) }) {
            program.patience = .seconds(seconds)
        }
        self.program = program
    }

    /// Lets it write its messages.
    func run(after cursor: Cursor?) async throws {
        var program = program
        let listener = listener
        if let cursor {
            let file = folder.appending(path: "state.json")
            try Data(cursor.text.utf8).write(to: file)
            program.arguments += ["--state", file.path]
        }
        try await program.run(output: messages.path, errors: folder.appending(path: "log").path) { line in
            listener?.hear(TapRemarks.remark(line))
        }
    }

    /// What it says when it is asked for something else than messages.
    func output(_ arguments: [String]) async throws -> Data {
        var program = program
        program.arguments += arguments
        let file = folder.appending(path: "answer")
        try await program.run(output: file.path, errors: folder.appending(path: "log").path)
        return try Data(contentsOf: file)
    }

    /// Takes its files away.
    func clear() {
        try? FileManager.default.removeItem(at: folder)
    }
}

/// What `--discover` says.
struct SingerCatalog {
    let streams: [StreamDescription]

    init(_ json: Data) throws {
        struct Catalog: Decodable {
            struct Stream: Decodable {
                let tap_stream_id: String
                let key_properties: [String]?
            }
            let streams: [Stream]
        }
        streams = try JSONDecoder().decode(Catalog.self, from: json).streams.map {
            StreamDescription(name: $0.tap_stream_id, naturalKey: $0.key_properties ?? [])
        }
    }
}

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
    let folder: ProgramFolder

    /// - Parameter place: of its folder, which is made anew.
    init(_ settings: Settings, in place: URL) throws {
        let command = settings[SingerSettings.command.name].first ?? ""
        folder = try ProgramFolder(place)
        listener = settings.listener
        var arguments: [String] = []
        if let text = settings.secret(SingerSettings.configuration.name) {
            // A tap opens its settings by their path, when and as often as it wants: the file stays as long as it runs.
            let file = folder.url.appending(path: "config.json")
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
            let file = folder.url.appending(path: "state.json")
            try Data(cursor.text.utf8).write(to: file)
            program.arguments += ["--state", file.path]
        }
        try await folder.run(program) { line in listener?.hear(TapRemarks.remark(line)) }
    }

    /// What it says when it is asked for something else than messages.
    func output(_ arguments: [String]) async throws -> Data {
        var program = program
        program.arguments += arguments
        try await folder.run(program)
        return try Data(contentsOf: folder.messages)
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

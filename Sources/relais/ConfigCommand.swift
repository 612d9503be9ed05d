// SPDX-License-Identifier: Apache-2.0
// `relais config`: how this node works, and where each setting was said.

internal import ArgumentParser
internal import Diagnostics
internal import Hub
internal import Server
internal import Words

/// Shows the configuration.
struct ConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: words("command.config"),
        discussion: words("command.config.discussion"))

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let configuration = try database.configuration()
        let rows = Configuration.Key.allCases.map { key in
            (key: key, value: configuration.shown(key), source: configuration.source(key))
        }
        if output.asJSON {
            for row in rows {
                Console.printJSON([
                    "key": .text(row.key.rawValue), "value": row.value.map { .text($0) } ?? .null,
                    "source": row.source.map { .text($0) } ?? .null,
                ])
            }
            return
        }
        Console.printTable(
            [words("column.setting"), words("column.value"), words("column.source")],
            rows.map { row in
                [row.key.rawValue, row.value ?? "–", row.source ?? words("config.default")]
            })
    }
}

extension Configuration {
    /// What a setting is now, as the file would say it; nil when it is not set. A connection string may hold a password
    /// and is not shown.
    func shown(_ key: Key) -> String? {
        switch key {
        case .databaseURL: databaseURL.map { _ in "***" }
        case .listen: listen?.description
        case .roles: Role.allCases.filter(roles.contains).map(\.rawValue).joined(separator: ",")
        case .stopWithin: String(stopWithin)
        case .logFormat: logFormat.rawValue
        case .keepFiles: String(retention.files)
        case .keepImages: String(retention.images)
        case .keepJobs: String(retention.jobs)
        case .zone: zone
        case .behindTLS: String(isBehindProxy)
        case .uploadLimit: String(limits.upload / 1_000_000)
        case .connections: String(limits.connections)
        case .connectionsPerAddress: String(limits.perAddress)
        case .patience: String(Int(limits.patience / .seconds(1)))
        default: sources[key]?.text
        }
    }

    /// Where it was said: `relais.yaml:3`, a variable; nil for a default.
    func source(_ key: Key) -> String? {
        guard let place = sources[key]?.place else { return nil }
        return place.file == nil ? place.field : place.position
    }

    /// All settings for the page that shows them.
    var facts: [NodeFacts.Setting] {
        Key.allCases.map { key in
            let origin: NodeFacts.Origin =
                switch (source(key), sources[key]?.place.file) {
                case (nil, _): .standard
                case (let source?, _?): .file(source)
                case (let source?, nil) where source == key.option: .option(source)
                case (let source?, nil): .environment(source)
                }
            return NodeFacts.Setting(key: key.rawValue, value: shown(key), origin: origin)
        }
    }
}

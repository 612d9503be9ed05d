// SPDX-License-Identifier: Apache-2.0
// `relais connectors`: what flows can read from, and what each connector wants to know.

internal import ArgumentParser
internal import ConnectorKit
internal import Diagnostics
internal import Hub
internal import Words

/// What flows can read from.
struct ConnectorsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connectors", abstract: words("command.connectors"),
        discussion: words("command.connectors.discussion"),
        subcommands: [ConnectorsListCommand.self, ConnectorTestCommand.self, TapAboutCommand.self],
        defaultSubcommand: ConnectorsListCommand.self)
}

/// Lists the connectors.
struct ConnectorsListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: words("command.connectors.list"))

    @Argument(help: ArgumentHelp(words("argument.connector"), valueName: "ID"))
    var id: String?
    @Flag(help: ArgumentHelp(words("option.manifest")))
    var manifest = false
    @OptionGroup var output: OutputOptions

    func run() throws {
        let types = connectors.ids.compactMap { connectors[$0] }
        guard let id else {
            if output.asJSON {
                return types.forEach { Console.printJSON(["id": .text($0.description.id)]) }
            }
            return Console.printTable(
                [words("column.connector"), words("column.setting")],
                types.map { type in
                    [type.description.id, type.description.settings.map(\.name).joined(separator: ", ")]
                })
        }
        guard let description = connectors[id]?.description else {
            throw FlowError(.connector, ["name": id, "known": connectors.ids.joined(separator: ", ")])
        }
        if manifest { return Console.write(.init(description.manifest.utf8)) }
        if output.asJSON { return description.settings.forEach { Console.printJSON($0.json) } }
        Console.printTable(
            [words("column.setting"), words("column.kind"), words("column.meaning")],
            description.settings.map { setting in
                let kind =
                    words("setting.\(setting.isSecret ? "secret" : setting.type.rawValue)")
                    + (setting.isRequired ? " *" : "")
                return [setting.name, kind, setting.help]
            })
    }
}

extension SettingDescription {
    /// One sentence in the user's language.
    fileprivate var help: String { words.language == .french ? frenchHelp : englishHelp }

    fileprivate var json: JSONValue {
        [
            "help": .text(help), "name": .text(name), "required": .boolean(isRequired),
            "secret": .boolean(isSecret), "type": .text(type.rawValue),
        ]
    }
}

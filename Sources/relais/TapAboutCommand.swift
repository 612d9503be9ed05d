// SPDX-License-Identifier: Apache-2.0
// `relais connectors about`: what a Singer tap wants to know, and whether a configuration says it.

internal import ArgumentParser
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Hub
internal import SingerConnector
internal import Words

/// Shows the settings of a tap.
struct TapAboutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "about", abstract: words("command.connectors.about"),
        discussion: words("command.connectors.about.discussion"))

    @Argument(help: ArgumentHelp(words("argument.tap"), valueName: "TAP"))
    var tap: String
    @Option(help: ArgumentHelp(words("option.tapConfiguration"), valueName: "FILE"))
    var check: String?
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = URL(filePath: tap).standardizedFileURL.path
        let about = try await Interruption.cancels { try await TapAbout.ask(path) }
        if let check {
            let bytes = try LocalFile(check).read(upTo: 16 << 20)
            let findings = about.findings(in: bytes, file: check)
            Console.report(findings, asJSON: output.asJSON)
            guard findings.isEmpty else { throw ExitStatus.failed }
            return Console.print(words("connectors.about.good", ["file": check, "tap": about.name]))
        }
        if output.asJSON {
            return about.settings.forEach { setting in
                Console.printJSON([
                    "default": setting.standard.map { .text($0) } ?? .null, "meaning": .text(setting.meaning),
                    "name": .text(setting.path), "required": .boolean(setting.isRequired),
                    "types": .list(setting.types.map { .text($0) }),
                ])
            }
        }
        Console.print("\(about.name) \(about.version)")
        Console.printTable(
            [words("column.setting"), words("column.kind"), words("column.meaning")],
            about.settings.map { setting in
                let standard = setting.standard.map { " (\($0))" } ?? ""
                return [
                    setting.path,
                    setting.types.joined(separator: ", ") + (setting.isRequired ? " *" : ""),
                    setting.meaning + standard,
                ]
            })
    }
}

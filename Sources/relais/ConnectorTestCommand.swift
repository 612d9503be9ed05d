// SPDX-License-Identifier: Apache-2.0
// `relais connectors test`: whether a program keeps the promises of every connector.

internal import ArgumentParser
internal import ConnectorKit
internal import ConnectorTesting
internal import Diagnostics
internal import Foundation
internal import Hub
internal import ProgramConnector
internal import Words

/// Runs the conformance suite against a connector that is a program.
struct ConnectorTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: words("command.connectors.test"),
        discussion: words("command.connectors.test.discussion"))

    @Argument(help: ArgumentHelp(words("argument.connectorFolder"), valueName: "DIR"))
    var folder: String
    @Option(help: ArgumentHelp(words("option.set"), valueName: "NAME=VALUE"))
    var set: [String] = []
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let path = URL(filePath: folder).standardizedFileURL.path
        let manifest: ProgramManifest
        do {
            manifest = try ProgramManifest(folder: path)
        } catch {
            Console.report(error.faults, asJSON: output.asJSON)
            throw ExitStatus.failed
        }
        let settings = try settings(manifest, path)
        let secrets = settings.secrets.values.compactMap(\.value)
        do {
            let broken = broken(settings, manifest)
            try await Interruption.cancels {
                try await Conformance.check(
                    ProgramConnector.self, settings: settings, broken: broken, secrets: secrets)
            }
        } catch let fault as ConformanceFault {
            throw Diagnostic(
                code: "CONNECTOR-CONFORMANCE",
                facts: ["detail": fault.detail, "promise": words("conformance.\(fault.promise.rawValue)")],
                place: Place(file: manifest.command))
        }
        let streams = try await ProgramConnector(settings).discover().map(\.name)
        output.asJSON
            ? Console.printJSON(["conforms": .boolean(true), "id": .text(manifest.id)])
            : Console.print(
                words("connectors.conforms", ["id": manifest.id, "streams": streams.joined(separator: ", ")]))
    }

    /// The examples of the description, and what was said on the command line in their place.
    private func settings(_ manifest: ProgramManifest, _ path: String) throws -> Settings {
        var given: [String: [String]] = [:]
        for text in set {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw ValidationError(words("connectors.set", ["text": text])) }
            given[String(parts[0]), default: []].append(String(parts[1]))
        }
        let values = manifest.examples.merging(given) { $1 }
        // Cut behind every state, so that each of them is gone on from.
        var settings = Settings(["folder": [path], "part": ["1"]])
        for (name, list) in values {
            if manifest.settings.contains(where: { $0.name == name && $0.isSecret }) {
                settings.secrets[name] = Secret(name: name, value: list.first)
            } else {
                settings.values[name] = list
            }
        }
        let findings = ProgramConnector.check(settings)
        guard findings.isEmpty else {
            Console.report(findings, asJSON: output.asJSON)
            throw ExitStatus.failed
        }
        return settings
    }

    /// Settings that must have a finding: each without one that is required.
    private func broken(_ settings: Settings, _ manifest: ProgramManifest) -> [Settings] {
        manifest.settings.filter(\.isRequired).map { setting in
            var broken = settings
            broken.values[setting.name] = nil
            broken.secrets[setting.name] = nil
            return broken
        }
    }
}

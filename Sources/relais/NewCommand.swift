// SPDX-License-Identifier: Apache-2.0
// `relais new connector`: a connector that works, to be made into one's own.

internal import ArgumentParser
internal import ConnectorKit
internal import Diagnostics
internal import FileSources
internal import Foundation
internal import Hub
internal import Words

/// Begins something new.
struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: words("command.new"), subcommands: [NewConnectorCommand.self])
}

/// Writes the folder of a connector.
struct NewConnectorCommand: ParsableCommand {
    /// How a connector runs.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        /// A program beside Relais, in any language.
        case program
        /// A part of Relais, in a checkout of its sources.
        case swift
    }

    static let configuration = CommandConfiguration(
        commandName: "connector", abstract: words("command.new.connector"),
        discussion: words("command.new.connector.discussion"))

    @Argument(help: ArgumentHelp(words("argument.connectorName"), valueName: "NAME"))
    var name: String
    @Option(help: ArgumentHelp(words("option.connectorKind")))
    var kind = Kind.program
    @Option(name: .customLong("in"), help: ArgumentHelp(words("option.connectorFolder"), valueName: "DIR"))
    var parent = "."
    @OptionGroup var database: DatabaseOptions

    func run() throws {
        guard name.wholeMatch(of: /[a-z][a-z0-9]*(-[a-z0-9]+)*/) != nil, connectors[name] == nil else {
            throw ConnectorTemplateError(.name, at: Place(value: name))
        }
        switch kind {
        case .program: try writeProgram()
        case .swift: try writeSwift()
        }
    }

    private func writeProgram() throws {
        let folder = URL(filePath: parent).appending(path: name).standardizedFileURL
        try ConnectorTemplate("program", ["NAME": name, "FOLDER": folder.path, "DATA": database.folder.path])
            .write(
                [
                    "README.md": "README.md", "clients.csv": "clients.csv", "connector": "connector",
                    "connector.yaml": "connector.yaml", "flow.yaml": "flow.yaml",
                    "mapping.yaml": "mapping.yaml",
                ], into: folder)
        Console.print(
            words("new.program", ["folder": folder.path, "name": name, "data": database.folder.path]))
    }

    private func writeSwift() throws {
        let root = URL(filePath: parent).standardizedFileURL
        let package = root.appending(path: "Package.swift").path
        guard FileManager.default.fileExists(atPath: package),
            FileManager.default.fileExists(atPath: root.appending(path: "Sources/ConnectorKit").path)
        else { throw ConnectorTemplateError(.checkout, at: Place(file: package)) }
        let type = name.split(separator: "-").map(\.capitalized).joined()
        let description = ConnectorDescription(
            id: name, version: 1, settings: FileSettings.all, mappings: [])
        let template = ConnectorTemplate(
            "swift", ["NAME": name, "TYPE": type, "SETTINGS": description.settingsTable])
        let folder = root.appending(path: "Connectors/\(type)")
        try template.write(
            [
                "README.md": "README.md", "Connector.swift.template": "Sources/Connector.swift",
                "Settings.swift.template": "Sources/Settings.swift",
                "ConformanceTests.swift.template": "Tests/ConformanceTests.swift",
            ],
            and: [
                "connector.yaml": description.manifest, "Samples/clients.csv": "id;nom\nC001;Exemple\n",
            ], into: folder)
        Console.print(words("new.swift", ["folder": folder.path, "type": type]))
    }
}

/// Files with words in capitals for what differs from connector to connector.
struct ConnectorTemplate {
    private let folder: URL
    private let words: [String: String]

    init(_ kind: String, _ words: [String: String]) {
        folder = Bundle.module.bundleURL.appending(path: "Templates/\(kind)")
        self.words = words
    }

    /// Writes a new folder, or nothing.
    ///
    /// - Parameters:
    ///   - files: paths by the names of their templates.
    ///   - others: texts by paths.
    func write(_ files: [String: String], and others: [String: String] = [:], into target: URL) throws {
        guard !FileManager.default.fileExists(atPath: target.path) else {
            throw ConnectorTemplateError(.exists, at: Place(file: target.path))
        }
        var texts = others
        for (template, path) in files {
            let text = try String(contentsOf: folder.appending(path: template), encoding: .utf8)
            // In one pass: a value may hold a word, as the path of a folder does.
            texts[path] = text.replacing(/NAME|FOLDER|DATA|TYPE|SETTINGS/) { match in
                words[String(match.output)] ?? String(match.output)
            }
        }
        for (path, text) in texts {
            let file = target.appending(path: path)
            do {
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
                if text.hasPrefix("#!") {
                    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
                }
            } catch {
                throw ConnectorTemplateError(
                    .unwritable, ["detail": error.localizedDescription], at: Place(file: file.path))
            }
        }
    }
}

/// A connector that cannot be begun.
struct ConnectorTemplateError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    enum Code: String, CaseIterable {
        case name = "NEW-NAME"
        case exists = "NEW-EXISTS"
        case checkout = "NEW-CHECKOUT"
        case unwritable = "NEW-UNWRITABLE"
    }

    let diagnostic: Diagnostic

    init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

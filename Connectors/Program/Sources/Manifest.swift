// SPDX-License-Identifier: Apache-2.0
// A program's description of itself, `connector.yaml` beside it.

package import ConnectorKit
package import Diagnostics
internal import Foundation
internal import YAML

/// What a program says it is.
package struct ProgramManifest: Sendable {
    /// Lower-case identifier.
    package let id: String
    /// Path of the program itself.
    package let command: String
    /// What it wants to know.
    package let settings: [SettingDescription]
    /// Settings with which anybody can try it, by their names; secrets among them.
    package let examples: [String: [String]]

    /// Reads the description of the connector in a folder.
    ///
    /// - Throws: ``ProgramFaults``: `YAML-…`, `PROGRAM-MANIFEST` where there is none, `PROGRAM-MISSING` where there is no
    ///   program that can be run.
    package init(folder: String) throws(ProgramFaults) {
        let path = folder + "/connector.yaml"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw ProgramFaults([ProgramConnectorError(.manifest, at: Place(file: path)).diagnostic])
        }
        var reader: ManifestReader
        do throws(YAMLError) {
            reader = ManifestReader(try YAMLTree.parse(text, file: path))
        } catch {
            throw ProgramFaults([error.diagnostic])
        }
        let (id, command) = (reader.id, reader.command)
        guard let id, let command, reader.reading.faults.isEmpty else {
            throw ProgramFaults(reader.reading.sortedFaults)
        }
        let program = "\(folder)/\(command)"
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw ProgramFaults([
                Diagnostic(code: "PROGRAM-MISSING", place: Place(file: program))
            ])
        }
        self.id = id
        self.command = program
        settings = reader.settings
        examples = reader.examples
    }

    /// The description with what the host wants to know.
    package var description: ConnectorDescription {
        ConnectorDescription(id: id, version: 1, settings: ProgramSettings.all + settings, mappings: [])
    }
}

/// What is wrong with a description.
package struct ProgramFaults: Error {
    /// All of it, in the order of the file.
    package let faults: [Diagnostic]

    init(_ faults: [Diagnostic]) {
        self.faults = faults
    }
}

/// A connector that is a program, and does not keep its side.
package struct ProgramConnectorError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case manifest = "PROGRAM-MANIFEST"
        case message = "PROGRAM-MESSAGE"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

/// Reads the file's tree.
private struct ManifestReader {
    var reading = YAMLReading()
    private(set) var id: String?
    private(set) var command: String?
    private(set) var settings: [SettingDescription] = []
    private(set) var examples: [String: [String]] = [:]

    init(_ root: YAMLTree) {
        reading.checkKeys(of: root, ["id", "version", "command", "settings"])
        id = reading.text(root, "id", isRequired: true)
        if let id, id.wholeMatch(of: /[a-z][a-z0-9-]*/) == nil {
            reading.refuse(root["id"], expected: "a-z…")
        }
        _ = reading.number(root, "version", 1...Int.max)
        command = reading.text(root, "command", isRequired: true)
        if let command, command.contains("/") { reading.refuse(root["command"], expected: "connector") }
        guard let node = root["settings"] else { return }
        guard let pairs = node.pairs else {
            reading.refuse(node, expected: "{…}")
            return
        }
        for (name, _, value) in pairs { add(name, value) }
    }

    private mutating func add(_ name: String, _ node: YAMLTree) {
        reading.checkKeys(of: node, ["type", "required", "secret", "help", "example"])
        let isList = reading.word(node, "type", ["text", "list"]) == "list"
        let isRequired = reading.word(node, "required", ["true", "false"]) == "true"
        let isSecret = reading.word(node, "secret", ["true", "false"]) == "true"
        let help = node["help"]
        let french = help.flatMap { reading.text($0, "fr", isRequired: true) } ?? ""
        let english = help.flatMap { reading.text($0, "en", isRequired: true) } ?? ""
        if help == nil { reading.add(YAMLError(.missing, ["key": "help"]).diagnostic, at: node) }
        if ProgramSettings.all.contains(where: { $0.name == name }) {
            reading.refuse(node, expected: "≠ \(name)")
        }
        settings.append(
            SettingDescription(
                name, isList ? .list : .text, required: isRequired, secret: isSecret, fr: french, en: english)
        )
        if let example = node["example"] { examples[name] = example.items.compactMap(\.scalar) }
    }
}

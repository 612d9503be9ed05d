// SPDX-License-Identifier: Apache-2.0
// What a tap says of itself: its name, its version and the settings that it wants.

package import Diagnostics
internal import Foundation
internal import Programs

/// A tap's answer to `--about --format json`, which taps of Meltano's SDK give.
package struct TapAbout: Sendable {
    /// A setting of the tap.
    package struct Setting: Sendable, Hashable {
        /// Where it stands: `files[].path` is the path of each of several files.
        package let path: String
        /// JSON types that it may have, such as `string`.
        package let types: [String]
        /// Whether what it stands in must have it.
        package let isRequired: Bool
        /// What it means, in the tap's words; empty where it says nothing.
        package let meaning: String
        /// What it is without being set, as JSON; nil where nothing is said.
        package let standard: String?
    }

    /// The tap's name.
    package let name: String
    /// The tap's version.
    package let version: String
    /// Its settings, those of lists and objects behind these.
    package let settings: [Setting]

    /// Asks a tap.
    ///
    /// - Throws: `PROGRAM-…`; `SINGER-ABOUT` for an answer that is none.
    package static func ask(_ command: String) async throws -> TapAbout {
        let folder = try ProgramFolder(ProgramFolder.place(for: "singer"))
        defer { folder.clear() }
        var program = Program(command, ["--about", "--format", "json"])
        program.patience = .seconds(60)
        try await folder.run(program)
        guard let about = TapAbout(try Data(contentsOf: folder.messages)) else {
            throw ProgramError(Diagnostic(code: "SINGER-ABOUT", place: Place(file: command)))
        }
        return about
    }

    /// Reads an answer; nil where it is none.
    init?(_ json: Data) {
        guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any],
            let schema = object["settings"] as? [String: Any]
        else { return nil }
        name = object["name"] as? String ?? ""
        version = object["version"] as? String ?? ""
        settings = Self.settings(schema, in: "")
    }

    /// - Source: JSON Schema draft 7, as far as such schemas go: `properties`, `items`, `required`, `type`.
    private static func settings(_ schema: [String: Any], in parent: String) -> [Setting] {
        let required = Set(schema["required"] as? [String] ?? [])
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        return properties.sorted { $0.key < $1.key }.flatMap { name, property in
            let path = parent + name
            let types = property["type"] as? [String] ?? (property["type"] as? String).map { [$0] } ?? []
            let standard = property["default"].flatMap {
                try? JSONSerialization.data(
                    withJSONObject: $0, options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
            }
            let setting = Setting(
                path: path, types: types.filter { $0 != "null" }, isRequired: required.contains(name),
                meaning: property["description"] as? String ?? "",
                standard: standard.map { String(decoding: $0, as: UTF8.self) })
            let items = property["items"] as? [String: Any] ?? [:]
            return [setting] + settings(property, in: path + ".") + settings(items, in: path + "[].")
        }
    }

    /// What is wrong with a configuration: settings that the tap does not know, and those that it misses.
    package func findings(in configuration: [UInt8], file: String) -> [Diagnostic] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(configuration)) as? [String: Any]
        else {
            return [Diagnostic(code: "SINGER-CONFIG", place: Place(file: file))]
        }
        return findings(object, in: "", file)
    }

    private func findings(_ object: [String: Any], in parent: String, _ file: String) -> [Diagnostic] {
        let known = settings.filter {
            $0.path.hasPrefix(parent) && !$0.path.dropFirst(parent.count).contains { ".[".contains($0) }
        }
        // An object of whatever its owner likes.
        if known.isEmpty { return [] }
        func name(_ setting: Setting) -> String { String(setting.path.dropFirst(parent.count)) }
        let missing = known.filter { $0.isRequired && object[name($0)] == nil }.map {
            Diagnostic(code: "SETTING-MISSING", facts: ["setting": $0.path], place: Place(file: file))
        }
        let unknown = Set(object.keys).subtracting(known.map(name)).sorted().map {
            Diagnostic(code: "SETTING-UNKNOWN", facts: ["setting": parent + $0], place: Place(file: file))
        }
        let inner = known.flatMap { setting -> [Diagnostic] in
            switch object[name(setting)] {
            case let value as [String: Any]: findings(value, in: setting.path + ".", file)
            case let list as [[String: Any]]:
                list.flatMap { findings($0, in: setting.path + "[].", file) }
            default: []
            }
        }
        return missing + unknown + inner
    }
}

// SPDX-License-Identifier: Apache-2.0
// A connector's declaration of itself; its manifest and the table of its README are rendered from it.

package import Diagnostics

/// What a connector is.
package struct ConnectorDescription: Sendable, Hashable {
    /// Lower-case identifier.
    package let id: String
    /// Grows with each change of settings or streams.
    package let version: Int
    /// What it wants to know.
    package let settings: [SettingDescription]
    /// Names of the mappings it ships.
    package let mappings: [String]

    /// The description of a connector, as its manifest shows it.
    package init(id: String, version: Int, settings: [SettingDescription], mappings: [String]) {
        self.id = id
        self.version = version
        self.settings = settings
        self.mappings = mappings
    }

    /// The text of `connector.yaml`.
    package var manifest: String {
        var lines = [
            "# SPDX-License-Identifier: Apache-2.0",
            "# Rendered from the connector's description in Swift; a test says when it is stale.",
            "id: \(id)",
            "version: \(version)", "capabilities: [read]", "streams: [files]",
            "mappings: [\(mappings.joined(separator: ", "))]", "settings:",
        ]
        for setting in settings {
            lines += [
                "  \(setting.name):", "    type: \(setting.type.rawValue)",
                "    required: \(setting.isRequired)",
                "    secret: \(setting.isSecret)", "    help:", "      fr: \(setting.frenchHelp)",
                "      en: \(setting.englishHelp)",
            ]
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The Markdown table of the settings.
    package var settingsTable: String {
        let rows = settings.map { setting in
            "| `\(setting.name)` | \(setting.type.rawValue) | \(setting.isRequired ? "yes" : "no") | \(setting.englishHelp) |"
        }
        return (["| setting | type | required | meaning |", "|---|---|---|---|"] + rows).joined(
            separator: "\n") + "\n"
    }
}

/// One setting of a connector.
package struct SettingDescription: Sendable, Hashable {
    /// How a setting is written.
    package enum Kind: String, Sendable {
        case text, list
    }

    /// Name as configuration writes it.
    package let name: String
    /// How its value is written.
    package let type: Kind
    /// Whether it must be set.
    package let isRequired: Bool
    /// Whether its value must never be shown.
    package let isSecret: Bool
    /// One French sentence.
    package let frenchHelp: String
    /// One English sentence.
    package let englishHelp: String

    /// A setting, as the manifest shows it.
    package init(
        _ name: String, _ type: Kind, required: Bool = false, secret: Bool = false, fr: String, en: String
    ) {
        self.name = name
        self.type = type
        isRequired = required
        isSecret = secret
        frenchHelp = fr
        englishHelp = en
    }
}

/// The values of a connector's settings.
package struct Settings: Sendable, Hashable {
    /// Lists of texts by name; a plain text is a list of one.
    package var values: [String: [String]]

    /// Settings by name, each with its values.
    package init(_ values: [String: [String]]) {
        self.values = values
    }

    /// The list under a name; empty when it is not set.
    package subscript(name: String) -> [String] { values[name] ?? [] }

    /// The findings that every connector has: settings missing or unknown.
    package func findings(for description: ConnectorDescription) -> [Diagnostic] {
        let known = Set(description.settings.map(\.name))
        let missing = description.settings.filter { $0.isRequired && self[$0.name].isEmpty }
        return missing.map { Diagnostic(code: "SETTING-MISSING", facts: ["setting": $0.name]) }
            + values.keys.filter { !known.contains($0) }.sorted()
            .map { Diagnostic(code: "SETTING-UNKNOWN", facts: ["setting": $0]) }
    }
}

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
                "    secret: \(setting.isSecret)", "    help:", "      fr: \"\(setting.frenchHelp)\"",
                "      en: \"\(setting.englishHelp)\"",
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
    /// Secrets by the settings that they are for.
    package var secrets: [String: Secret] = [:]
    /// Who hears what the connector says while it works; nobody without it.
    package var listener: ConnectorListener?

    /// Settings by name, each with its values.
    package init(_ values: [String: [String]]) {
        self.values = values
    }

    /// The value of a secret setting; nil when it is not set, or not yet known.
    package func secret(_ name: String) -> String? { secrets[name]?.value }

    /// Takes the secrets that are known out of what is said.
    package var redaction: Redaction { Redaction(secrets.values.compactMap(\.value)) }

    /// The list under a name; empty when it is not set.
    package subscript(name: String) -> [String] { values[name] ?? [] }

    /// The findings that every connector has: settings missing or unknown, secrets in the open.
    package func findings(for description: ConnectorDescription) -> [Diagnostic] {
        func findings(_ code: String, _ names: some Sequence<String>) -> [Diagnostic] {
            names.sorted().map { Diagnostic(code: code, facts: ["setting": $0]) }
        }
        let open = Set(description.settings.filter { !$0.isSecret }.map(\.name))
        let secret = Set(description.settings.filter(\.isSecret).map(\.name))
        let missing = description.settings.filter {
            $0.isRequired && self[$0.name].isEmpty && secrets[$0.name] == nil
        }
        return findings("SETTING-MISSING", missing.map(\.name))
            + findings("SETTING-UNKNOWN", Set(values.keys).subtracting(open.union(secret)))
            + findings("SETTING-SECRET", secret.intersection(values.keys))
            + findings("SETTING-OPEN", open.intersection(secrets.keys))
            + findings("SETTING-UNKNOWN", Set(secrets.keys).subtracting(open.union(secret)))
    }
}

/// A value that must never be shown: its name stands for it, and its value is only known while it is used.
package struct Secret: Sendable, Hashable, CustomStringConvertible {
    /// What it is called.
    package let name: String
    /// What it is; nil until somebody needs it.
    package let value: String?

    /// A secret, with or without its value.
    package init(name: String, value: String? = nil) {
        self.name = name
        self.value = value
    }

    package var description: String { "secret \(name)" }
}

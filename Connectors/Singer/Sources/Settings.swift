// SPDX-License-Identifier: Apache-2.0
// What the connector wants to know of a tap.

package import ConnectorKit
internal import Diagnostics
internal import Foundation

/// The settings of one tap.
package enum SingerSettings {
    static let command = SettingDescription(
        "command", .text, required: true, fr: "Chemin absolu du tap, par exemple /opt/taps/bin/tap-x.",
        en: "Absolute path of the tap, such as /opt/taps/bin/tap-x.")
    static let config = SettingDescription(
        "config", .text, fr: "Fichier JSON de ses réglages ; ceux avec un mot de passe : configuration.",
        en: "JSON file of its settings; of those with a password: configuration.")
    static let configuration = SettingDescription(
        "configuration", .text, secret: true, fr: "Ses réglages en JSON, par le nom de leur secret.",
        en: "Its settings as JSON, by the name of their secret.")
    static let catalog = SettingDescription(
        "catalog", .text, fr: "Fichier JSON des flux choisis (--catalog) ; sans lui, ceux du tap.",
        en: "JSON file of the chosen streams (--catalog); without it, the tap's own.")
    static let patience = SettingDescription(
        "patience", .text, fr: "Secondes au bout desquelles le tap est arrêté ; 3600 sans lui.",
        en: "Seconds after which the tap is ended; 3600 without it.")

    /// Every setting.
    package static let all = [command, config, configuration, catalog, patience]

    static func findings(_ settings: Settings) -> [Diagnostic] {
        var findings: [Diagnostic] = []
        func refuse(_ setting: SettingDescription, _ expected: String) {
            findings.append(
                Diagnostic(
                    code: "SETTING-VALUE", facts: ["setting": setting.name, "expected": expected],
                    place: Place(field: setting.name, value: settings[setting.name].first)))
        }
        for setting in [command, config, catalog] {
            guard let path = settings[setting.name].first, !path.hasPrefix("/") else { continue }
            refuse(setting, "/…")
        }
        if let seconds = settings[patience.name].first, !(1...86_400 ~= Int(seconds) ?? 0) {
            refuse(patience, "1–86400")
        }
        if settings[config.name].first != nil, settings.secrets[configuration.name] != nil {
            refuse(config, "config | secrets: configuration")
        }
        return findings
    }
}

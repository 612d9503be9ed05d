// SPDX-License-Identifier: Apache-2.0
// What the host wants to know of a connector that is a program; the rest its own description says.

package import ConnectorKit
internal import Diagnostics
internal import Foundation

/// The settings of the host.
package enum ProgramSettings {
    static let folder = SettingDescription(
        "folder", .text, required: true,
        fr: "Dossier absolu du connecteur, avec son connector.yaml, qui dit ses autres réglages.",
        en: "Absolute folder of the connector, with its connector.yaml, which tells its other settings.")
    static let stream = SettingDescription(
        "stream", .text, fr: "Flux à lire ; sans lui, le seul ou tous.",
        en: "Stream to read; without it, the only one or all.")
    static let patience = SettingDescription(
        "patience", .text, fr: "Secondes au bout desquelles le programme est arrêté ; 3600 sans lui.",
        en: "Seconds after which the program is ended; 3600 without it.")
    static let part = SettingDescription(
        "part", .text, fr: "Octets d’enregistrements à partir desquels un état coupe ; 16777216 sans lui.",
        en: "Bytes of records from which on a state cuts; 16777216 without it.")

    /// Every setting.
    package static let all = [folder, stream, patience, part]

    static func findings(_ settings: Settings) -> [Diagnostic] {
        func refusal(_ setting: SettingDescription, _ expected: String) -> Diagnostic {
            Diagnostic(
                code: "SETTING-VALUE", facts: ["setting": setting.name, "expected": expected],
                place: Place(field: setting.name, value: settings[setting.name].first))
        }
        var findings: [Diagnostic] = []
        if let path = settings[folder.name].first, !path.hasPrefix("/") {
            findings.append(refusal(folder, "/…"))
        }
        for (setting, range) in [(patience, 1...86_400), (part, 1...1 << 30)] {
            guard let text = settings[setting.name].first, !range.contains(Int(text) ?? 0) else { continue }
            findings.append(refusal(setting, "\(range.lowerBound)–\(range.upperBound)"))
        }
        return findings
    }
}

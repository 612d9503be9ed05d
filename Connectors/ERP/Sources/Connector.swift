// SPDX-License-Identifier: Apache-2.0
// Files that an ERP exported: invoices, credit notes, accounts.

package import ConnectorKit
package import Diagnostics
internal import FileTransfer

/// Reads the files that its settings name, or those that arrive in a folder; each file is an artifact.
package struct ERPConnector: Connector {
    package static let description = ConnectorDescription(
        id: "erp", version: 2, settings: ERPSettings.all, mappings: ["ubl-invoice", "accounts-csv"])

    private let source: any FileSource

    /// The connector with the settings of one flow: ``ERPSettings`` says which.
    package init(_ settings: Settings) {
        guard let folder = settings[ERPSettings.from.name].first else {
            source = NamedFiles(paths: settings[ERPSettings.paths.name])
            return
        }
        let stillness = settings[ERPSettings.stillness.name].first.flatMap { Int($0) } ?? 5
        source = ArrivingFiles(
            folder: HotFolder(
                folder, pattern: settings[ERPSettings.pattern.name].first ?? "",
                stillness: .seconds(stillness)),
            afterwards: settings[ERPSettings.after.name].first.flatMap(ArrivingFiles.Afterwards.init) ?? .move
        )
    }

    package static func check(_ settings: Settings) -> [Diagnostic] {
        var findings = settings.findings(for: description)
        let (paths, from) = (settings[ERPSettings.paths.name], settings[ERPSettings.from.name])
        if paths.isEmpty && from.isEmpty {
            findings.append(Diagnostic(code: "SETTING-MISSING", facts: ["setting": "paths, from"]))
        }
        func refuse(_ setting: SettingDescription, _ value: String, _ expected: String) {
            findings.append(
                Diagnostic(
                    code: "SETTING-VALUE", facts: ["setting": setting.name, "expected": expected],
                    place: Place(field: setting.name, value: value)))
        }
        if !paths.isEmpty, let from = from.first { refuse(ERPSettings.from, from, "paths | from") }
        if let folder = from.first, !folder.hasPrefix("/") { refuse(ERPSettings.from, folder, "/…") }
        if let word = settings[ERPSettings.after.name].first, ArrivingFiles.Afterwards(rawValue: word) == nil
        {
            refuse(ERPSettings.after, word, "move | delete | keep")
        }
        if let seconds = settings[ERPSettings.stillness.name].first, !(0...3600).contains(Int(seconds) ?? -1)
        {
            refuse(ERPSettings.stillness, seconds, "0–3600")
        }
        return findings
    }

    package func discover() -> [StreamDescription] {
        [StreamDescription(name: "files")]
    }

    package func sample(_ stream: String, limit: Int) async throws -> [ConnectorItem] {
        Array(try await source.items().prefix(limit))
    }

    package func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        try await source.read(after: cursor, deliver)
    }
}

/// Where files come from.
protocol FileSource: Sendable {
    /// What there is now; changes nothing.
    func items() async throws -> [ConnectorItem]

    /// As in ``Connector/read(_:after:_:)``.
    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws
}

extension ConnectorItem {
    /// The artifact at a path, or the reason why there is none.
    init(path: String, name: String? = nil) {
        do throws(FileError) {
            _ = try LocalFile(path)
            self = .artifact(name: name ?? String(path.split(separator: "/").last ?? ""), path: path)
        } catch {
            self = .problem(error.diagnostic)
        }
    }
}

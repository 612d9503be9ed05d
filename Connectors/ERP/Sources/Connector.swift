// SPDX-License-Identifier: Apache-2.0
// Files that an ERP exported: invoices, credit notes, accounts.

package import ConnectorKit
package import Diagnostics
internal import FileTransfer

/// Reads the files that its settings name, in their order; each file is an artifact.
package struct ERPConnector: Connector {
    package static let description = ConnectorDescription(
        id: "erp", version: 1, settings: ERPSettings.all, mappings: ["ubl-invoice", "accounts-csv"])

    private let paths: [String]

    /// The connector with the settings of one flow: ``ERPSettings`` says which.
    package init(_ settings: Settings) {
        paths = settings[ERPSettings.paths.name]
    }

    package static func check(_ settings: Settings) -> [Diagnostic] {
        settings.findings(for: description)
    }

    package func discover() -> [StreamDescription] {
        [StreamDescription(name: "files")]
    }

    package func sample(_ stream: String, limit: Int) async throws -> [ConnectorItem] {
        paths.prefix(limit).map(item(for:))
    }

    package func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Void
    ) async throws {
        // The cursor is the number of files delivered: a path may occur twice.
        let done = cursor.flatMap { Int($0.text) } ?? 0
        for (index, path) in paths.enumerated().dropFirst(done) {
            try await deliver(item(for: path))
            try await deliver(.cursor(Cursor(String(index + 1))))
        }
    }

    /// The artifact at a path, or the reason why there is none.
    private func item(for path: String) -> ConnectorItem {
        do throws(FileError) {
            _ = try LocalFile(path)
            return .artifact(name: String(path.split(separator: "/").last ?? ""), path: path)
        } catch {
            return .problem(error.diagnostic)
        }
    }
}

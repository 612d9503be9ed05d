// SPDX-License-Identifier: Apache-2.0
// Files that an ERP exported: invoices, credit notes, accounts.

package import ConnectorKit
package import Diagnostics
internal import FileSources

/// Reads the files that its settings name, or those that arrive in a folder; each file is an artifact.
package struct ERPConnector: Connector {
    package static let description = ConnectorDescription(
        id: "erp", version: 4, settings: FileSettings.all, mappings: ["ubl-invoice", "accounts-csv"])

    private let source: any FileSource

    /// The connector with the settings of one flow: ``FileSettings`` says which.
    package init(_ settings: Settings) {
        source = FileSources.open(settings)
    }

    package static func check(_ settings: Settings) -> [Diagnostic] {
        settings.findings(for: description) + FileSources.check(settings)
    }

    package func discover() -> [StreamDescription] {
        [StreamDescription(name: "files")]
    }

    package func sample(_ stream: String, limit: Int) async throws -> [ConnectorItem] {
        try await source.items(limit: limit)
    }

    package func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        try await source.read(after: cursor, deliver)
    }
}

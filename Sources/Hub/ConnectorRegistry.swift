// SPDX-License-Identifier: Apache-2.0
// The connectors that this program has, by their ids.

package import ConnectorKit

/// Connectors by id.
package struct ConnectorRegistry: Sendable {
    private let types: [String: any Connector.Type]

    /// A registry of these connectors and the hub's own.
    package init(_ types: [any Connector.Type]) {
        let all = types + [UploadedFiles.self]
        self.types = Dictionary(uniqueKeysWithValues: all.map { ($0.description.id, $0) })
    }

    /// Their ids, in order.
    package var ids: [String] { types.keys.sorted() }

    /// The connector with an id.
    package subscript(id: String) -> (any Connector.Type)? { types[id] }
}

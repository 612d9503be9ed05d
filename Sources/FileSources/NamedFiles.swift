// SPDX-License-Identifier: Apache-2.0
// Files that somebody named.

internal import ConnectorKit

/// Files by their paths, in order. The cursor is the number of files delivered: a path may occur twice.
struct NamedFiles: FileSource {
    let paths: [String]

    func items(limit: Int) -> [ConnectorItem] {
        paths.prefix(limit).map { ConnectorItem(path: $0) }
    }

    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws {
        let done = cursor.flatMap { Int($0.text) } ?? 0
        for (index, path) in paths.enumerated().dropFirst(done) {
            _ = try await deliver(ConnectorItem(path: path))
            _ = try await deliver(.cursor(Cursor(String(index + 1))))
        }
    }
}

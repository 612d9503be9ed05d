// SPDX-License-Identifier: Apache-2.0
// The checkout that the tests run in, and the samples of others beside it.

package import Foundation

/// Places of the checkout.
package enum Repository {
    /// Its root.
    package static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The folder of samples written by others: `RELAIS_SAMPLES`, or `../shared/samples`; nil where there is none.
    package static var samples: URL? {
        let named = ProcessInfo.processInfo.environment["RELAIS_SAMPLES"].map { URL(filePath: $0) }
        let folder = named ?? root.deletingLastPathComponent().appending(path: "shared/samples")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }

    /// Whether the full counts are asked for (`make soak`).
    package static var isSoak: Bool { ProcessInfo.processInfo.environment["RELAIS_SOAK"] == "1" }

    /// The built command.
    package static var command: URL { root.appending(path: ".build/debug/relais") }

    /// Paths of all files below a folder of the checkout with one of these endings, without build products.
    package static func files(_ folders: [String], endings: [String]) -> [URL] {
        folders.flatMap { folder in
            let all = FileManager.default.enumerator(
                at: root.appending(path: folder), includingPropertiesForKeys: nil)
            return (all?.compactMap { $0 as? URL } ?? []).filter { endings.contains($0.pathExtension) }
        }
    }
}

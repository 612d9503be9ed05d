// SPDX-License-Identifier: Apache-2.0
// The mappings shipped with Relais and those of one's own, read again when their files change.

package import Foundation
internal import Synchronization

/// Gives the mappings as they are now.
package final class MappingShelf: Sendable {
    private struct Reading {
        let stamp: [String]
        let library: MappingLibrary
    }

    private let folder: URL?
    private let last = Mutex<Reading?>(nil)

    /// - Parameter folder: with mappings of one's own; it need not exist. One of a shipped mapping's name takes its place.
    package init(own folder: URL?) {
        self.folder = folder
    }

    /// The mappings.
    ///
    /// - Throws: ``MappingFaults`` with the faults of all files.
    package func library() throws -> MappingLibrary {
        let stamp = stamp
        if let known = last.withLock({ $0 }), known.stamp == stamp { return known.library }
        var library = try MappingLibrary.shipped()
        if let folder, !stamp.isEmpty { library = library.merging(try MappingLibrary(folder: folder)) }
        let reading = Reading(stamp: stamp, library: library)
        last.withLock { $0 = reading }
        return library
    }

    /// Names, sizes and times of the folder's mappings.
    private var stamp: [String] {
        guard let folder else { return [] }
        let keys: Set<URLResourceKey> = [.contentModificationDateKey, .fileSizeKey]
        let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: Array(keys))
        return (files?.compactMap { $0 as? URL } ?? []).filter { $0.pathExtension == "yaml" }.map { file in
            let values = try? file.resourceValues(forKeys: keys)
            let time = values?.contentModificationDate?.timeIntervalSince1970 ?? 0
            return "\(file.path) \(values?.fileSize ?? 0) \(time)"
        }.sorted()
    }
}

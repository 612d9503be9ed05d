// SPDX-License-Identifier: Apache-2.0
// The mappings shipped with Relais and those of one's own, read again when their files change.

package import Diagnostics
package import Foundation
internal import Synchronization

/// Gives the mappings as they are now.
package final class MappingShelf: Sendable {
    private struct Reading {
        let stamp: [String]
        let library: MappingLibrary
    }

    /// The folder with mappings of one's own; nil where there is none.
    package let folder: URL?
    private let onFaults: @Sendable ([Diagnostic]) -> Void
    private let last = Mutex<Reading?>(nil)

    /// - Parameters:
    ///   - folder: with mappings of one's own; it need not exist. One of a shipped mapping's name takes its place.
    ///   - onFaults: hears of files that cannot be used, while the mappings of before stay in use; each time these change.
    package init(own folder: URL?, onFaults: @escaping @Sendable ([Diagnostic]) -> Void = { _ in }) {
        self.folder = folder
        self.onFaults = onFaults
    }

    /// The mappings.
    ///
    /// - Throws: ``MappingFaults`` with the faults of all files, when there are no mappings of before.
    package func library() throws -> MappingLibrary {
        let stamp = stamp
        let known = last.withLock { $0 }
        if let known, known.stamp == stamp { return known.library }
        do {
            var library = try MappingLibrary.shipped()
            if let folder, !stamp.isEmpty { library = library.merging(try MappingLibrary(folder: folder)) }
            last.withLock { $0 = Reading(stamp: stamp, library: library) }
            return library
        } catch let faults as MappingFaults {
            // Perhaps somebody is just saving a file; nobody else's flow stops for that.
            guard let known else { throw faults }
            last.withLock { $0 = Reading(stamp: stamp, library: known.library) }
            onFaults(faults.faults)
            return known.library
        }
    }

    /// Whether a mapping's file is one of one's own, rather than one shipped with Relais.
    package func isOwn(_ file: URL) -> Bool {
        guard let folder else { return false }
        return file.standardizedFileURL.path.hasPrefix(folder.standardizedFileURL.path + "/")
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

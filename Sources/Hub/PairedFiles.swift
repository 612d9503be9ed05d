// SPDX-License-Identifier: Apache-2.0
// Mappings that read two files: the second is found beside the first, and is no file of its own.

internal import Diagnostics
internal import Foundation
package import Mapping
package import Unpacking

/// Files that stand together: in a folder, or in an archive.
package struct PairedFiles: Sendable {
    private let siblings: [UnpackedFile]

    /// The files of one archive, or a file alone, whose folder is looked into then.
    package init(_ siblings: [UnpackedFile]) {
        self.siblings = siblings
    }

    /// The second file of one, for a mapping that reads two.
    ///
    /// - Throws: `MAP-DETAIL-MISSING` where it is not there, `MAP-DETAIL-NAME` where its name cannot be told.
    package func detail(of file: UnpackedFile, _ mapping: MappingDefinition) throws(MappingError)
        -> UnpackedFile?
    {
        guard let name = try mapping.detailName(besides: file.lastName) else { return nil }
        let shown = String(file.name.dropLast(file.lastName.count)) + name
        if let sibling = siblings.first(where: { $0.name == shown }) { return sibling }
        let beside = URL(filePath: file.path).deletingLastPathComponent().appending(path: name).path
        guard siblings.count < 2, FileManager.default.fileExists(atPath: beside) else {
            throw MappingError(.detailMissing, ["header": file.lastName, "name": name])
        }
        return UnpackedFile(name: shown, path: beside)
    }

    /// The name of the file whose second file this one is; nil for a file of its own.
    package func header(of file: UnpackedFile, _ chooser: MappingChooser) -> String? {
        guard chooser.readsPairs else { return nil }
        let folder = URL(filePath: file.path).deletingLastPathComponent().path
        let names =
            siblings.count > 1
            ? siblings.map(\.lastName) : (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.sorted().first { name in
            name != file.lastName && chooser.detailNames(besides: name).contains(file.lastName)
        }
    }
}

extension UnpackedFile {
    /// Its name without folders.
    package var lastName: String { String(name.split(separator: "/").last ?? "") }
}

// SPDX-License-Identifier: Apache-2.0
// Mappings that read two files: the second is found beside the first, and is no file of its own.

package import Diagnostics
internal import Foundation
package import Mapping
package import Unpacking

/// Finds out which files belong together, in folders and archives, and which second files were never read.
package struct PairedFiles {
    private let chooser: MappingChooser
    /// For each folder looked into, the first file of each second one.
    private var folders: [String: [String: String]] = [:]
    private var waiting: [(file: UnpackedFile, header: String)] = []
    private var used: Set<String> = []

    /// No files yet.
    package init(_ chooser: MappingChooser) {
        self.chooser = chooser
    }

    /// The second file of one, for a mapping that reads two.
    ///
    /// - Parameter siblings: the files of one archive, or a file alone, whose folder is looked into then.
    /// - Throws: `MAP-DETAIL-MISSING` where it is not there, `MAP-DETAIL-NAME` where its name cannot be told,
    ///   `MAP-DETAIL-AMBIGUOUS` where an archive has several of that name.
    package mutating func detail(
        of file: UnpackedFile, among siblings: [UnpackedFile], _ mapping: MappingDefinition
    ) throws(MappingError) -> UnpackedFile? {
        guard let name = try mapping.detailName(besides: file.lastName) else { return nil }
        let facts = ["header": file.lastName, "name": name]
        let shown = file.nameOfFolder + name
        let same = siblings.filter { $0.name == shown }
        guard same.count < 2, siblings.count(where: { $0.name == file.name }) < 2 else {
            throw MappingError(.detailAmbiguous, facts)
        }
        let beside = URL(filePath: file.path).deletingLastPathComponent().appending(path: name).path
        let isBeside = siblings.count < 2 && FileManager.default.fileExists(atPath: beside)
        guard let detail = same.first ?? (isBeside ? UnpackedFile(name: shown, path: beside) : nil) else {
            throw MappingError(.detailMissing, facts)
        }
        used.insert(detail.name)
        return detail
    }

    /// Whether a file is the second one of another, which will be read with it.
    ///
    /// - Returns: that other file's name; nil for a file of its own.
    package mutating func header(of file: UnpackedFile, among siblings: [UnpackedFile]) -> String? {
        guard chooser.readsPairs else { return nil }
        let header =
            siblings.count > 1
            ? headers(siblings.map(\.lastName))[file.lastName] : headersInFolder(of: file)[file.lastName]
        if let header { waiting.append((file, header)) }
        return header
    }

    /// Why second files that were passed over are not read after all: nobody named their first file.
    package func findings() -> [Diagnostic] {
        waiting.filter { !used.contains($0.file.name) }.map { file, header in
            MappingError(.detailAlone, ["header": header], at: Place(file: file.name)).diagnostic
        }
    }

    private mutating func headersInFolder(of file: UnpackedFile) -> [String: String] {
        let folder = URL(filePath: file.path).deletingLastPathComponent().path
        if let known = folders[folder] { return known }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        folders[folder] = headers(names.sorted())
        return folders[folder] ?? [:]
    }

    /// The first file of each second one among some names.
    private func headers(_ names: [String]) -> [String: String] {
        var headers: [String: String] = [:]
        for name in names {
            for detail in chooser.detailNames(besides: name) where headers[detail] == nil {
                headers[detail] = name
            }
        }
        return headers
    }
}

extension UnpackedFile {
    /// Its name without folders.
    package var lastName: String { String(name.split(separator: "/").last ?? "") }

    /// What stands in front of that.
    fileprivate var nameOfFolder: String { String(name.dropLast(lastName.count)) }
}

// SPDX-License-Identifier: Apache-2.0
// Files that a mapping is tested with, each beside the JSON that it is to become.

internal import Diagnostics
package import Foundation
package import Mapping

/// What became of one example.
package struct ExampleResult: Sendable {
    /// The file.
    package let file: URL
    /// Where what was read differs from what is expected, field by field.
    package let differences: [(path: String, old: String, new: String)]
}

/// Examples lie beside a mapping, and beside the shipped one whose place it takes.
package struct MappingExamples: Sendable {
    /// Texts in the user's language, and the version, which a comparison must not depend on.
    private static let keysOfReader: Set = ["hint", "mapping", "message", "reason"]
    private static let keysOfLanguage: Set = ["hint", "message", "reason"]

    let shelf: MappingShelf

    /// The examples of these mappings.
    package init(_ shelf: MappingShelf) {
        self.shelf = shelf
    }

    /// Files that a mapping is tested with, second files excepted; of equal names only the first.
    package func files(of mapping: MappingFile) throws -> [URL] {
        let current = try shelf.library().files[mapping.name]?.deletingLastPathComponent()
        let shipped = try MappingLibrary.shipped().files[mapping.name]?.deletingLastPathComponent()
        var names: Set<String> = []
        return [current, shelf.folder, shipped].compactMap(\.self).flatMap { folder in
            Self.files(of: mapping, in: folder).filter { names.insert($0.lastPathComponent).inserted }
        }
    }

    /// Files that a mapping is tested with in one folder.
    package static func files(of mapping: MappingFile, in folder: URL) -> [URL] {
        let files = mapping.tests.flatMap { Self.files($0, in: folder) }
        guard case .reading(let definition) = mapping else { return files }
        // A second file is read with its first one.
        let details = Set(files.compactMap { try? definition.detailName(besides: $0.lastPathComponent) })
        return files.filter { !details.contains($0.lastPathComponent) }
    }

    /// Files that a pattern such as `tests/factures_*.csv` names, the JSON files excepted.
    private static func files(_ pattern: String, in folder: URL) -> [URL] {
        let place = folder.appending(path: pattern)
        let parts = place.lastPathComponent.split(separator: "*", omittingEmptySubsequences: false)
        let all = try? FileManager.default.contentsOfDirectory(
            at: place.deletingLastPathComponent(), includingPropertiesForKeys: nil)
        return (all ?? []).filter { file in
            let name = file.lastPathComponent
            guard file.pathExtension != "json", !name.contains(".export.") else { return false }
            guard parts.count == 2 else { return name == place.lastPathComponent }
            return name.hasPrefix(parts[0]) && name.hasSuffix(parts[1])
                && name.utf8.count >= parts[0].utf8.count + parts[1].utf8.count
        }.sorted { $0.path < $1.path }
    }

    /// Reads an example and compares with the JSON beside it.
    package static func test(_ file: URL, _ chooser: MappingChooser) throws -> ExampleResult {
        let text = (try? String(contentsOf: golden(of: file), encoding: .utf8)) ?? ""
        let expected = text.split(separator: "\n").map {
            JSONValue(parsing: String($0)).removing(keysOfReader)
        }
        let actual = try read(file, chooser).map { $0.removing(keysOfReader) }
        return ExampleResult(
            file: file, differences: JSONValue.list(expected).differences(from: .list(actual), at: ""))
    }

    /// Writes what an example is read as beside it, as what is expected from now on.
    ///
    /// - Returns: the JSON file.
    @discardableResult
    package static func accept(_ file: URL, _ chooser: MappingChooser) throws -> URL {
        let lines = try read(file, chooser).map { $0.removing(keysOfLanguage).text }
        let place = golden(of: file)
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: place, options: .atomic)
        return place
    }

    private static func golden(of file: URL) -> URL {
        file.deletingPathExtension().appendingPathExtension("json")
    }

    /// Every record and the file as a whole, by the file's name alone.
    private static func read(_ sample: URL, _ chooser: MappingChooser) throws -> [JSONValue] {
        let file = try MappedFile(sample.path, chooser)
        func said(_ finding: Diagnostic) -> JSONValue { JSONValue(finding, message: nil, hint: nil) }
        var lines: [JSONValue] = []
        let (reader, counts) = try file.read { lines.append(file.json($0, said)) }
        lines.append(file.json(reader, counts, reason: nil, said))
        return lines.map { $0.replacing(sample.path, with: sample.lastPathComponent) }
    }
}

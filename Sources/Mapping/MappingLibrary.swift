// SPDX-License-Identifier: Apache-2.0
// Mappings by name: those shipped with Relais, and those of one's own.

package import Foundation
internal import Diagnostics
internal import YAML

/// Mapping files of a folder and its subfolders, by name.
package struct MappingLibrary: Sendable {
    /// The mappings, by name.
    package let mappings: [String: MappingDefinition]
    /// The mappings of the other direction, by name.
    package let exports: [String: ExportDefinition]
    /// The file of each, by name.
    package let files: [String: URL]

    /// Reads every `*.yaml` below `folder`, `tests` folders excepted.
    ///
    /// - Throws: ``MappingFaults`` with the faults of all files.
    package init(folder: URL) throws {
        var mappings: [String: MappingDefinition] = [:]
        var exports: [String: ExportDefinition] = [:]
        var places: [String: URL] = [:]
        var faults: [Diagnostic] = []
        let files =
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?
            .compactMap { $0 as? URL } ?? []
        for file in files where file.pathExtension == "yaml" && !file.pathComponents.contains("tests") {
            do {
                let text = try String(contentsOf: file, encoding: .utf8)
                if ExportDefinition.isMeant(by: text) {
                    let export = try ExportDefinition.parse(text, file: file.lastPathComponent)
                    exports[export.name] = export
                    places[export.name] = file
                    continue
                }
                let definition = try MappingDefinition.parse(text, file: file.lastPathComponent)
                mappings[definition.name] = definition
                places[definition.name] = file
            } catch let error as MappingFaults {
                faults += error.faults
            }
        }
        guard faults.isEmpty else { throw MappingFaults(faults: faults) }
        self.mappings = mappings
        self.exports = exports
        self.files = places
    }

    private init(
        _ mappings: [String: MappingDefinition], _ exports: [String: ExportDefinition], _ files: [String: URL]
    ) {
        (self.mappings, self.exports, self.files) = (mappings, exports, files)
    }

    /// These mappings and others, which take the place of those of their names.
    func merging(_ other: MappingLibrary) -> MappingLibrary {
        MappingLibrary(
            mappings.filter { other.files[$0.key] == nil }.merging(other.mappings) { $1 },
            exports.filter { other.files[$0.key] == nil }.merging(other.exports) { $1 },
            files.merging(other.files) { $1 })
    }

    /// The mapping called `name`.
    ///
    /// - Throws: `MAP-MAPPING-UNKNOWN`, naming the nearest one.
    package func mapping(_ name: String) throws(MappingError) -> MappingDefinition {
        if let mapping = mappings[name] { return mapping }
        if exports[name] != nil { throw MappingError(.wrongDirection, ["option": "--export"]) }
        throw unknown(name, mappings.keys.sorted())
    }

    /// The mapping of the other direction called `name`.
    ///
    /// - Throws: `MAP-MAPPING-UNKNOWN`, naming the nearest one.
    package func export(_ name: String) throws(MappingError) -> ExportDefinition {
        if let export = exports[name] { return export }
        if mappings[name] != nil { throw MappingError(.wrongDirection, ["option": "--mapping"]) }
        throw unknown(name, exports.keys.sorted())
    }

    private func unknown(_ name: String, _ known: [String]) -> MappingError {
        MappingError(
            .mappingUnknown,
            [
                "known": known.joined(separator: ", "), "name": name,
                "suggestion": Suggestion.nearest(to: name, in: known) ?? "",
            ])
    }
}

extension MappingLibrary {
    /// The mappings that are part of the program.
    package static func shipped() throws -> MappingLibrary {
        try MappingLibrary(folder: Bundle.module.bundleURL.appending(path: "Mappings"))
    }
}

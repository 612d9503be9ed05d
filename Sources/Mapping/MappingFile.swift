// SPDX-License-Identifier: Apache-2.0
// The text of a mapping of either direction, read and checked.

package import Diagnostics
package import Model

/// A mapping file that can be used.
package enum MappingFile: Sendable {
    /// One that reads files.
    case reading(MappingDefinition)
    /// One that writes them.
    case writing(ExportDefinition)

    /// Reads a mapping of either direction.
    ///
    /// - Parameter file: its name, for the positions of faults.
    /// - Throws: ``MappingFaults`` with everything that is wrong.
    package static func parse(_ text: String, file: String) throws(MappingFaults) -> MappingFile {
        if ExportDefinition.isMeant(by: text) {
            return .writing(try ExportDefinition.parse(text, file: file))
        }
        return .reading(try MappingDefinition.parse(text, file: file))
    }

    /// Its name.
    package var name: String {
        switch self {
        case .reading(let mapping): mapping.name
        case .writing(let export): export.name
        }
    }

    /// Its version, from 1.
    package var version: Int {
        switch self {
        case .reading(let mapping): mapping.version
        case .writing(let export): export.version
        }
    }

    /// The entity of its records.
    package var target: EntitySchema {
        switch self {
        case .reading(let mapping): mapping.target
        case .writing(let export): export.target
        }
    }

    /// The kind of its files: `csv`, `xml`, `json`, `jsonl`.
    package var format: String {
        switch self {
        case .reading(let mapping): mapping.format.rawValue
        case .writing(let export): export.fileExtension
        }
    }

    /// What it is for, in its own words.
    package var title: String {
        switch self {
        case .reading(let mapping): mapping.title
        case .writing(let export): export.title
        }
    }

    /// Files beside it that it is tested with, as patterns.
    package var tests: [String] {
        switch self {
        case .reading(let mapping): mapping.tests
        case .writing(let export): export.tests
        }
    }

    /// What a reader of it should look at, though it can be used.
    package var warnings: [Diagnostic] {
        switch self {
        case .reading(let mapping): mapping.warnings
        case .writing: []
        }
    }
}

extension MappingLibrary {
    /// Every mapping of either direction, by name.
    package var all: [MappingFile] {
        (mappings.values.map { .reading($0) } + exports.values.map { .writing($0) })
            .sorted { $0.name < $1.name }
    }

    /// The mapping of either direction called `name`.
    package func find(_ name: String) -> MappingFile? {
        mappings[name].map { .reading($0) } ?? exports[name].map { .writing($0) }
    }
}

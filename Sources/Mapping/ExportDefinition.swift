// SPDX-License-Identifier: Apache-2.0
// A mapping of the other direction: columns or paths of a file, and the expressions over a record that fill them.

internal import Diagnostics
package import Model
internal import Tabular
internal import YAML

/// A mapping with `direction: export`.
package struct ExportDefinition: Sendable {
    /// Its name, as `--export` takes it.
    package let name: String
    /// Its version, from 1.
    package let version: Int
    /// The entity whose records it writes.
    package let target: EntitySchema
    /// Files beside the mapping that it is tested with, as patterns.
    package let tests: [String]
    /// The file's text.
    package let text: String

    let output: Output
    /// Columns, or elements with what is inside them.
    let fields: [ExportField]
    /// Which records are written.
    let only: Expression?

    /// The files it writes.
    enum Output: Sendable {
        case csv(CSVOutput)
        case xml(XMLOutput)
        /// An object a record, each on a line of its own.
        case json
    }

    /// `name@version`.
    package var identifier: String { "\(name)@\(version)" }

    /// The first line of its file that says what it is for.
    package var title: String { text.mappingTitle }

    /// Ending of the names of its files.
    package var fileExtension: String {
        switch output {
        case .csv: "csv"
        case .xml: "xml"
        case .json: "jsonl"
        }
    }

    /// Each column or path with its expression, as written.
    package var lines: [(name: String, expression: String)] {
        func lines(_ fields: [ExportField], _ prefix: String) -> [(String, String)] {
            fields.flatMap { field in
                let name = prefix + field.name
                return (field.value.map { [(name, $0.text)] } ?? []) + lines(field.children, name + "/")
            }
        }
        return lines(fields, "")
    }

    /// Reads a mapping file of this direction.
    ///
    /// - Throws: ``MappingFaults`` with everything that is wrong.
    package static func parse(_ text: String, file: String) throws(MappingFaults) -> ExportDefinition {
        var parser = MappingParser(file: file)
        guard let definition = parser.exportDefinition(text), parser.faults.isEmpty else {
            throw MappingFaults(faults: parser.faults.sorted(by: Diagnostic.comesFirst))
        }
        return definition
    }

    /// Whether a mapping file is of this direction.
    package static func isMeant(by text: String) -> Bool {
        // Only such files have the key at the start of a line, so that no other is parsed twice.
        text.split(separator: "\n").contains { $0.hasPrefix("direction:") }
            && (try? YAMLTree.parse(text, file: ""))?.isExport == true
    }
}

/// A table to be written.
struct CSVOutput: Sendable {
    var delimiter = UInt8(ascii: ";")
    var encoding = TextEncoding.utf8BOM
    var hasHeader = true
    /// The collection whose rows are a row each.
    var rows: Int?
}

/// An XML document to be written.
struct XMLOutput: Sendable {
    /// Prefix and namespace, in the order written.
    var namespaces: [(prefix: String, uri: String)] = []
    var record = ""
    /// The element around the records.
    var root = ""
}

/// A column, or an element and what is inside it; an attribute, where its name begins with `@`.
struct ExportField: Sendable {
    let name: String
    var value: ExportValue?
    var children: [ExportField] = []
    /// The collection whose rows are an element each.
    var rows: Int?
}

/// What stands in a cell or element.
struct ExportValue: Sendable {
    let expression: Expression
    /// The expression as written.
    let text: String
    var locale = NumberLocale.plain
    var format: DateFormat?
    var decimals: Int?
    /// Texts that are written in place of others.
    var words: [String: String] = [:]
    var isRequired = false
}

extension String {
    /// The first line of a mapping file that says what it is for.
    var mappingTitle: String {
        split(separator: "\n").first { $0.hasPrefix("# ") && !$0.contains("SPDX") }
            .map { String($0.dropFirst(2)) } ?? ""
    }
}

extension YAMLTree {
    /// Whether it is a mapping that writes files.
    var isExport: Bool { self["direction"]?.scalar == "export" }
}

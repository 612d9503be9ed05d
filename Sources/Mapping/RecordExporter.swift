// SPDX-License-Identifier: Apache-2.0
// Writes records as an export mapping says: rows of a table, elements of an XML document, or lines of JSON.

package import Diagnostics
package import Model
internal import Tabular
internal import XML

/// Writes one file, record by record; whoever calls takes the bytes as they come.
package struct RecordExporter {
    private let definition: ExportDefinition
    private let program: RecordProgram
    /// The node of each value, in the order of ``values(of:)``; then that of `only`.
    private let nodes: [Int32]
    private var bytes: [UInt8] = []
    private var csv: CSVWriter?
    private var xml: XMLWriter?
    /// Number of records written.
    package private(set) var count = 0

    /// A writer of one file.
    package init(_ definition: ExportDefinition) {
        self.definition = definition
        let expressions =
            definition.fields.flatMap(\.values).map(\.expression) + [definition.only].compactMap(\.self)
        (program, nodes) = RecordProgram.expressions(expressions)
        if case .csv(let output) = definition.output {
            var writer = CSVWriter(delimiter: output.delimiter, hasMark: output.encoding == .utf8BOM)
            if output.hasHeader { writer.write(definition.fields.map { .text($0.name) }) }
            csv = writer
        }
    }

    /// Writes a record, or says why it cannot be written.
    ///
    /// - Returns: `EXPORT-ENTITY` for a record of another entity, `FIELD-REQUIRED` for a required value that is
    ///   missing, `EXPORT-ENCODING` for a character that the file's encoding does not have, `EXPORT-NO-ROWS` (a
    ///   warning) where the child rows are written and it has none. Nothing is written then.
    package mutating func write(_ record: Record) -> [Diagnostic] {
        guard record.schema === definition.target else {
            let facts = ["entity": record.schema.name, "expected": definition.target.name]
            return [Diagnostic(code: ExportFinding.entity.rawValue, facts: facts, place: place(record))]
        }
        var page = ExportPage(program: program, record: record)
        if definition.only != nil, let node = nodes.last, page.cell(node, .record) != .boolean(true) {
            return []
        }
        switch definition.output {
        case .csv(let output): writeRows(output, &page)
        case .xml(let output): writeElement(output, &page)
        case .json: writeObject(&page)
        }
        count += page.findings.isEmpty ? 1 : 0
        return page.findings
    }

    /// What was written since the last time; everything, when the file has ended.
    package mutating func take(isLast: Bool = false) -> [UInt8] {
        if let written = csv?.take() { bytes += encoded(written) }
        if isLast { endDocument() }
        defer { bytes = [] }
        return bytes
    }

    private func place(_ record: Record) -> Place { Place(line: record.origin.line) }

    // MARK: - Tables

    private mutating func writeRows(_ output: CSVOutput, _ page: inout ExportPage) {
        let places =
            output.rows.map { rows in
                (0..<page.record.children[rows].count).map { RowPlace(collection: rows, row: $0) }
            } ?? [.record]
        if places.isEmpty { page.fault(.noRows, [:], nil, .warning) }
        var rows: [[CSVCell]] = []
        for place in places {
            var node = 0
            rows.append(
                definition.fields.map { field in
                    defer { node += 1 }
                    return field.value.map { page.csvCell($0, nodes[node], place, field.name) } ?? .text("")
                })
        }
        for cell in rows.joined() {
            let text =
                switch cell {
                case .text(let text), .literal(let text): text
                }
            guard output.encoding.encode(text) == nil else { continue }
            page.fault(.encoding, ["encodings": output.encoding.rawValue], text)
        }
        guard page.findings.isEmpty else { return }
        for row in rows { csv?.write(row) }
    }

    /// What was written, in the file's encoding, which has all its characters: the parser looked at the names of
    /// columns, and ``writeRows(_:_:)`` at the cells.
    private func encoded(_ written: [UInt8]) -> [UInt8] {
        guard case .csv(let output) = definition.output, output.encoding.isLegacy else { return written }
        guard let bytes = output.encoding.encode(String(decoding: written, as: UTF8.self)) else {
            preconditionFailure("a text that was not looked at")
        }
        return bytes
    }

    // MARK: - JSON

    private mutating func writeObject(_ page: inout ExportPage) {
        var node = 0
        var line: [UInt8] = []
        let isWritten = page.writeObject(definition.fields, nodes, &node, .record, to: &line)
        if !isWritten { line += Array("{}".utf8) }
        guard page.findings.isEmpty else { return }
        bytes += line + [0x0A]
    }

    // MARK: - XML

    private mutating func writeElement(_ output: XMLOutput, _ page: inout ExportPage) {
        var node = 0
        let record = ExportField(name: output.record, children: definition.fields)
        let element = page.element(record, nodes, &node, .record) ?? ExportElement(name: output.record)
        guard page.findings.isEmpty else { return }
        do {
            var writer = XMLWriter(indents: true, fragmentDepth: 1)
            try writer.write(element)
            if count == 0 { bytes += head(output) }
            bytes += writer.bytes
        } catch {
            page.fault(.character, [:], nil)
        }
    }

    private func head(_ output: XMLOutput) -> [UInt8] {
        let spaces = output.namespaces.map { " xmlns:\($0.prefix)=\"\(XMLWriter.escaped($0.uri))\"" }.joined()
        return Array("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<\(output.root)\(spaces)>".utf8)
    }

    private mutating func endDocument() {
        guard case .xml(let output) = definition.output else { return }
        if count == 0 { bytes += head(output) }
        bytes += Array("\n</\(output.root)>\n".utf8)
    }
}

/// Why a record is not written; each has its texts in the message catalogue.
package enum ExportFinding: String, CaseIterable, Sendable {
    case entity = "EXPORT-ENTITY"
    case encoding = "EXPORT-ENCODING"
    case character = "EXPORT-CHARACTER"
    case noRows = "EXPORT-NO-ROWS"
}

extension ExportField {
    /// All values in the order in which they are written.
    var values: [ExportValue] {
        [value].compactMap(\.self) + children.flatMap(\.values)
    }
}

/// An element, ready to be written.
struct ExportElement {
    let name: String
    var attributes: [(key: String, value: String)] = []
    var text = ""
    var children: [ExportElement] = []
}

extension XMLWriter {
    /// Writes an element with everything inside it.
    fileprivate mutating func write(_ element: ExportElement) throws {
        try self.element(element.name, attributes: element.attributes) { writer in
            if !element.text.isEmpty { try writer.text(element.text) }
            for child in element.children { try writer.write(child) }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// One record while it is written: expressions become texts in the form that the file wants.

internal import Diagnostics
internal import JSON
internal import Model
internal import Tabular

/// A record, its program and what is found wrong.
struct ExportPage {
    private let program: RecordProgram
    /// The record, its bytes behind the program's constants.
    private(set) var record: Record
    private(set) var findings: [Diagnostic] = []

    init(program: RecordProgram, record: Record) {
        self.program = program
        self.record = record.moved(behind: program.constants)
    }

    mutating func fault(
        _ code: ExportFinding, _ facts: [String: String], _ value: String?,
        _ severity: Diagnostic.Severity = .error
    ) {
        findings.append(
            Diagnostic(
                code: code.rawValue, facts: facts, place: Place(line: record.origin.line, value: value),
                severity: severity))
    }

    /// The value of a node.
    mutating func cell(_ node: Int32, _ row: RowPlace) -> Cell {
        var scope = ExpressionScope(program: program, row: row)
        var source = NoSource()
        return scope.evaluate(node, &source, &record)
    }

    /// A value as a cell of a table: texts may look like formulas, everything else is ours.
    mutating func csvCell(_ value: ExportValue, _ node: Int32, _ row: RowPlace, _ name: String) -> CSVCell {
        let cell = cell(node, row)
        let text = text(cell, value, name)
        if case .text = cell { return .text(text) }
        return .literal(text)
    }

    /// The elements of a field: none where it is empty, one for each row where it has rows.
    mutating func elements(
        _ field: ExportField, _ nodes: [Int32], _ next: inout Int, _ row: RowPlace
    ) -> [ExportElement] {
        guard let rows = field.rows else { return element(field, nodes, &next, row).map { [$0] } ?? [] }
        let first = next
        var elements: [ExportElement] = []
        for number in 0..<record.children[rows].count {
            next = first
            elements +=
                element(field, nodes, &next, RowPlace(collection: rows, row: number)).map { [$0] } ?? []
        }
        next = first + field.values.count
        return elements
    }

    /// An element with what is inside it; nil where that is nothing, unless it is meant to have attributes only.
    mutating func element(
        _ field: ExportField, _ nodes: [Int32], _ next: inout Int, _ row: RowPlace
    ) -> ExportElement? {
        var element = ExportElement(name: field.name)
        if let value = field.value {
            element.text = text(cell(nodes[next], row), value, field.name)
            next += 1
        }
        var hasAttributesOnly = field.value == nil
        for child in field.children {
            guard child.name.hasPrefix("@"), let value = child.value else {
                hasAttributesOnly = false
                element.children += elements(child, nodes, &next, row)
                continue
            }
            let text = text(cell(nodes[next], row), value, child.name)
            next += 1
            if !text.isEmpty { element.attributes.append((String(child.name.dropFirst()), text)) }
        }
        let isEmpty = element.text.isEmpty && element.children.isEmpty
        return isEmpty && !(hasAttributesOnly && !element.attributes.isEmpty) ? nil : element
    }

    private mutating func text(_ cell: Cell, _ value: ExportValue, _ name: String) -> String {
        let text: String
        switch cell {
        case .none, .cleared: text = ""
        case .decimal(let decimal):
            let rounded = value.decimals.map { decimal.rounded(to: $0) } ?? decimal
            text = value.locale.text(rounded)
        case .date(let date): text = value.format?.text(date) ?? date.description
        default: text = record.value(of: cell)?.description ?? ""
        }
        if text.isEmpty, value.isRequired {
            findings.append(
                MappingError(.required, at: Place(line: record.origin.line, field: name)).diagnostic)
        }
        return value.words[text] ?? text
    }
}

// MARK: - JSON

extension ExportPage {
    /// Writes fields as an object; nothing, and false, where all of them are empty.
    mutating func writeObject(
        _ fields: [ExportField], _ nodes: [Int32], _ next: inout Int, _ row: RowPlace, to bytes: inout [UInt8]
    ) -> Bool {
        var members: [UInt8] = []
        for field in fields {
            var value: [UInt8] = []
            guard writeMember(field, nodes, &next, row, to: &value) else { continue }
            if !members.isEmpty { members.append(UInt8(ascii: ",")) }
            JSONQuoting.append(field.name, to: &members)
            members.append(UInt8(ascii: ":"))
            members += value
        }
        if members.isEmpty { return false }
        bytes += Array("{".utf8) + members + Array("}".utf8)
        return true
    }

    /// Writes what is under a name: a value, an object, or a list of objects.
    private mutating func writeMember(
        _ field: ExportField, _ nodes: [Int32], _ next: inout Int, _ row: RowPlace, to bytes: inout [UInt8]
    ) -> Bool {
        if let rows = field.rows { return writeList(field, rows, nodes, &next, to: &bytes) }
        guard let value = field.value else {
            return writeObject(field.children, nodes, &next, row, to: &bytes)
        }
        let cell = cell(nodes[next], row)
        next += 1
        let text = text(cell, value, field.name)
        if text.isEmpty { return false }
        let isNumber =
            switch cell {
            case .decimal, .integer, .boolean: true
            default: false
            }
        // Words of the mapping's own are texts.
        if isNumber, !value.words.values.contains(text) {
            bytes += Array(text.utf8)
        } else {
            JSONQuoting.append(text, to: &bytes)
        }
        return true
    }

    private mutating func writeList(
        _ field: ExportField, _ rows: Int, _ nodes: [Int32], _ next: inout Int, to bytes: inout [UInt8]
    ) -> Bool {
        let first = next
        bytes.append(UInt8(ascii: "["))
        for number in 0..<record.children[rows].count {
            next = first
            if number > 0 { bytes.append(UInt8(ascii: ",")) }
            let place = RowPlace(collection: rows, row: number)
            if !writeObject(field.children, nodes, &next, place, to: &bytes) { bytes += Array("{}".utf8) }
        }
        bytes.append(UInt8(ascii: "]"))
        next = first + field.values.count
        return true
    }
}

extension Record {
    /// The record with other bytes in front of its own.
    fileprivate func moved(behind constants: [UInt8]) -> Record {
        guard !constants.isEmpty else { return self }
        func moved(_ cell: Cell) -> Cell {
            guard case .text(let range) = cell else { return cell }
            return .text(TextRange(start: Int(range.start) + constants.count, count: Int(range.count)))
        }
        var record = self
        record.bytes = constants + bytes
        record.cells = cells.map(moved)
        for index in record.children.indices {
            record.children[index].cells = children[index].cells.map(moved)
        }
        return record
    }
}

extension NumberLocale {
    /// An amount as files of this locale have it, without marks between thousands.
    fileprivate func text(_ decimal: Decimal) -> String {
        switch self {
        case .plain, .en, .overpunch: decimal.description
        case .fr, .de, .fec: decimal.description.replacing(".", with: ",")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Fills a record from the texts of its source: cleans, types, checks, and notes what is wrong.

package import Diagnostics
package import Model
internal import Rules

/// A record as a mapping read it, with everything found wrong in it.
package struct MappedItem: Sendable {
    /// The typed values.
    package var record: Record
    /// Errors, warnings and remarks, in the order they were found.
    package var findings: [Diagnostic]
    /// The record's first own rows, 1 MiB of them at most, where they do not stand together in its file.
    package private(set) var raw: [UInt8]?
    /// Where its values came from, for who asked to know.
    package var traces: [FieldTrace] = []
    /// Whether there were more of them.
    private var isRawCut = false

    /// Nothing read yet.
    init(record: Record, findings: [Diagnostic]) {
        self.record = record
        self.findings = findings
    }

    /// Adds a row to the record's own bytes.
    mutating func keepRaw(_ row: [UInt8]) {
        guard !isRawCut else { return }
        guard raw != nil else { return raw = row }
        isRawCut = (raw?.count ?? 0) + row.count >= 1 << 20
        guard !isRawCut else { return }
        raw?.append(UInt8(ascii: "\n"))
        raw?.append(contentsOf: row)
    }

    /// Makes the item ready for another record.
    fileprivate mutating func forget() {
        if !findings.isEmpty { findings.removeAll() }
        if raw != nil { (raw, isRawCut) = (nil, false) }
    }

    /// Whether nothing was found yet at the place of a finding, where only the field's absence is its subject.
    fileprivate func isNew(_ finding: Diagnostic) -> Bool {
        !finding.facts.isEmpty || !findings.contains { $0.place.field == finding.place.field }
    }

    /// Notes what a rule found. Of a field's absence, the norm's own rule says more than the mapping's `required`;
    /// where the field has another fault, it is not absent.
    fileprivate mutating func note(_ finding: Diagnostic) {
        if !isNew(finding) {
            let required = MappingError.Code.required.rawValue
            let index = findings.firstIndex { $0.place.field == finding.place.field && $0.code == required }
            guard let index else { return }
            findings.remove(at: index)
        }
        findings.append(finding)
    }

    /// Whether the record can be applied: it has no error.
    package var isApplicable: Bool { findings.isEmpty || !findings.contains { $0.severity == .error } }
}

/// A child row, or the record itself.
struct RowPlace {
    let collection: Int
    let row: Int

    /// The record itself.
    static let record = RowPlace(collection: -1, row: -1)
}

/// What stands at a place of a record.
enum FoundText {
    /// There is no such place.
    case absent
    /// A text.
    case text(TextRange)
    /// To know that takes more than a look.
    case elsewhere
}

/// Where an evaluator gets the texts of one record from. Texts are places in the record's bytes.
protocol RecordSource {
    /// Name of the record element, where there is one.
    mutating func root(_ record: inout Record) -> TextRange?
    /// Number of child rows of a collection.
    func rowCount(_ collection: Int) -> Int
    /// One-based line of a child row, where it has one of its own.
    func line(of row: RowPlace) -> Int?
    /// What stands at a place, where a look tells.
    mutating func find(_ place: Int32, _ row: RowPlace) -> FoundText
    /// The text at a place; nil where there is none, empty where the place is there and empty.
    mutating func text(_ place: Int32, _ row: RowPlace, _ record: inout Record) throws(RecordFault)
        -> TextRange?
    /// The same for several places: the text that comes first in the file.
    mutating func text(
        _ places: ArraySlice<Int32>, _ row: RowPlace, _ record: inout Record
    ) throws(RecordFault) -> TextRange?
}

/// Why a field has no value. A class: an error of a diagnostic's size costs every call that may throw it.
final class RecordFault: Error {
    let diagnostic: Diagnostic

    init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

/// Evaluates the rules of one mapping, record after record.
struct RecordEvaluator {
    let definition: MappingDefinition
    let program: RecordProgram
    let matcher = PatternMatcher()
    private let wantsAll: Bool

    /// What changes from record to record: apart from the evaluator, which would be copied to be read otherwise.
    struct Memory {
        /// What the last texts of enumerations became, by ``DirectField/memory``.
        var choices: [ChoiceMemory]
        /// Rules of the record or row at hand that take the long way; the first ``pendingCount`` of them.
        var pending: [Int32]
        var pendingCount = 0
        /// Values that people gave.
        var overrides = RecordOverrides()
        /// How each field gets its value, for who wants to know where values came from.
        var explanation: [FieldExplanation]?
    }

    /// A memory for one file.
    var emptyMemory: Memory {
        Memory(
            choices: Array(repeating: ChoiceMemory(), count: program.memoryCount),
            pending: Array(repeating: 0, count: program.direct.count))
    }

    init(
        _ definition: MappingDefinition, fileVariables: [String: String] = [:], wantsAll: Bool = false,
        takesShortWay: Bool = true
    ) {
        self.wantsAll = wantsAll
        self.definition = definition
        program = RecordProgram(
            definition, fileVariables: fileVariables, takesShortWay: takesShortWay)
    }

    /// The item that every record of a file is read into, one after the other.
    var emptyItem: MappedItem {
        MappedItem(record: Record(schema: definition.target), findings: [])
    }

    /// Makes an item ready for the next record.
    func begin(_ item: inout MappedItem, _ origin: Origin) {
        item.record.origin = origin
        item.forget()
        let surplus = item.record.bytes.count - program.constants.count
        if surplus >= 0, !program.constants.isEmpty {
            item.record.bytes.removeLast(surplus)
        } else {
            item.record.bytes = program.constants
        }
        for index in item.record.children.indices where !item.record.children[index].cells.isEmpty {
            item.record.children[index].cells.removeAll(keepingCapacity: true)
        }
    }

    /// Reads one record into an item that ``begin(_:_:)`` made ready and the source put its texts into.
    ///
    /// - Returns: whether the record is wanted (`only`).
    func evaluate(
        _ source: inout some RecordSource, _ item: inout MappedItem, _ memory: inout Memory
    ) -> Bool {
        fillDirectly(
            0..<program.fieldCount, &source, &memory, .record, item.record.bytes, &item.record.cells, first: 0
        )
        for place in 0..<memory.pendingCount {
            let index = Int(memory.pending[place])
            let cell = cell(index, &source, .record, &item, &memory)
            item.record.cells[Int(program.direct[index].slot)] = cell
        }
        for operation in program.collections { fillRows(operation, &source, &item, &memory) }
        if let explanation = memory.explanation { item.traces = traces(&source, &item, explanation) }
        if !memory.overrides.isEmpty { memory.overrides.apply(to: &item) { source.line(of: $0) } }
        if !wantsAll, program.only >= 0 {
            let isWanted = truth(of: program.only, &source, .record, &item.record)
            // Where a fault hides whether the record is wanted, the fault is shown rather than lost.
            if isWanted == false || isWanted == nil && item.isApplicable { return false }
        }
        for slot in program.requiredSlots where !item.record.cells[slot].isValue { miss(slot, &item) }
        for index in program.checks.indices { run(index, &source, &item) }
        for rules in definition.rules {
            let found = rules.findings(item.record)
            for finding in found { item.note(finding) }
        }
        return true
    }

    /// Notes that the record lacks a field, where nothing is known to be wrong with it yet.
    private func miss(_ slot: Int, _ item: inout MappedItem) {
        let place = Place(line: item.record.origin.line, field: definition.target.fields[slot].name)
        let finding = MappingError(.required, at: place).diagnostic
        if item.isNew(finding) { item.findings.append(finding) }
    }

    private func fillRows(
        _ operation: CollectionOperation, _ source: inout some RecordSource, _ item: inout MappedItem,
        _ memory: inout Memory
    ) {
        let collection = Int(operation.collection)
        let width = item.record.children[collection].width
        for row in 0..<source.rowCount(collection) {
            let first = item.record.children[collection].cells.count
            item.record.children[collection].cells.append(contentsOf: repeatElement(.none, count: width))
            let place = RowPlace(collection: collection, row: row)
            fillDirectly(
                Int(operation.start)..<Int(operation.end), &source, &memory, place, item.record.bytes,
                &item.record.children[collection].cells, first: first)
            for number in 0..<memory.pendingCount {
                let index = Int(memory.pending[number])
                let cell = cell(index, &source, place, &item, &memory)
                item.record.children[collection].cells[first + Int(program.direct[index].slot)] = cell
            }
        }
    }

    // MARK: - Fields

    /// The value of a rule, the long way.
    func cell(
        _ operation: FieldOperation, _ source: inout some RecordSource, _ row: RowPlace,
        _ item: inout MappedItem
    ) -> Cell {
        do throws(RecordFault) {
            let found = try text(operation, &source, row, &item.record)
            guard let text = found.flatMap({ $0.count > 0 ? $0 : nil }) else {
                return try emptyCell(operation, isPresent: found != nil, &item.record)
            }
            if let check = operation.check, !check.holds(item.record.bytes.span.extracting(text.offsets)) {
                item.findings.append(finding(check, text, item.record))
                item.findings[item.findings.count - 1].place = place(
                    operation, item, text, source.line(of: row))
            }
            if operation.isPlainValue { return try typed(text, operation, &item.record) }
            var operation = operation
            if operation.decimalsPlace >= 0 {
                operation.decimals = try decimals(operation, &source, row, &item.record)
            }
            let cell = try typed(text, operation, &item.record)
            guard operation.negative >= 0, let decimal = cell.decimal,
                truth(of: operation.negative, &source, row, &item.record) == true
            else { return cell }
            return .decimal(decimal.negated)
        } catch {
            var finding = error.diagnostic
            let place = place(operation, item, nil, source.line(of: row))
            finding.place.line = finding.place.line ?? place.line
            finding.place.field = finding.place.field ?? place.field
            item.findings.append(finding)
            return .none
        }
    }

    /// The number of decimals that the source itself names; 0 where it names none.
    private func decimals(
        _ operation: FieldOperation, _ source: inout some RecordSource, _ row: RowPlace,
        _ record: inout Record
    ) throws(RecordFault) -> Int8 {
        guard let text = try source.text(operation.decimalsPlace, row, &record) else { return 0 }
        let bytes = record.bytes.span
        let number = NumberLocale.plain.decimal(bytes.extracting(text.trimmed(in: bytes).offsets))
        return number.flatMap { Int8(exactly: $0.unscaled) } ?? 0
    }

    private func place(
        _ operation: FieldOperation, _ item: MappedItem, _ text: TextRange?, _ line: Int?
    ) -> Place {
        Place(
            line: line ?? item.record.origin.line, field: program.names[Int(operation.name)],
            value: text.map { item.record.string($0) })
    }

    /// What a field without text becomes.
    private func emptyCell(
        _ operation: FieldOperation, isPresent: Bool, _ record: inout Record
    ) throws(RecordFault) -> Cell {
        if isPresent, operation.empty == .clear, !operation.isRequired { return .cleared }
        if let text = operation.defaultText, !(isPresent && operation.empty == .keep) {
            return try typed(text, operation, &record)
        }
        guard !operation.isRequired else {
            throw RecordFault(MappingError(.required, at: Place()).diagnostic)
        }
        return .none
    }

    /// The cleaned text of a rule; nil where it has none.
    ///
    /// Of `first`, the alternative whose text survives the rule's own `clean`, `take`, `regex` and `keep` wins:
    /// an identifier of another shape at the first place does not hide the right one at the second.
    private func text(
        _ operation: FieldOperation, _ source: inout some RecordSource, _ row: RowPlace,
        _ record: inout Record
    ) throws(RecordFault) -> TextRange? {
        if operation.when >= 0,
            truth(of: operation.when, &source, row, &record) != true
        {
            return operation.otherwiseText
        }
        let found: TextRange?
        switch operation.origin {
        case .place(let place): found = try source.text(place, row, &record)
        case .places(let start, let count):
            found = try source.text(program.links[Int(start)..<Int(start + count)], row, &record)
        case .field(let slot): found = record.text(of: record.cells[Int(slot)])
        case .rowField(let slot):
            let table = record.children[row.collection]
            found = record.text(of: table.cells[row.row * table.width + Int(slot)])
        case .constant(let text): found = text
        case .root: found = source.root(&record)
        case .first(let start, let count):
            for index in Int(start)..<Int(start + count) {
                let alternative = program.operations[index]
                let found = try text(alternative, &source, row, &record)
                guard let found, found.count > 0 else { continue }
                if let finished = try finish(found, operation, &record) { return finished }
            }
            return nil
        }
        guard let found else { return nil }
        return try finish(found, operation, &record)
    }
}

extension Record {
    /// A cell's text; of a number or date, its text form is kept among the record's bytes.
    mutating func text(of cell: Cell) -> TextRange? {
        if case .text(let range) = cell { return range }
        return value(of: cell).map { append($0.description) }
    }
}

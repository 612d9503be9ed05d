// SPDX-License-Identifier: Apache-2.0
// Runs a mapping over a file: bytes in, typed records with findings out, in constant memory.

internal import Diagnostics
internal import Model
package import Tabular
internal import XML

/// A compiled mapping at work on one file.
///
/// A fault of a record is a finding of that record; a fault of the file (not well-formed, a quote never closed)
/// is thrown after the records before it.
package struct MappingReader {
    private enum Reader {
        case xml(XMLRecordReader, XMLBinding)
        case csv(TableReader)
    }

    private let evaluator: RecordEvaluator
    private var reader: Reader
    private var ordinal = 0

    /// - Parameter probe: what the pass over the whole file found; tables need it to choose their encoding.
    /// - Throws: `CSV-EMPTY`, `CSV-ENCODING`, `CSV-NUL`, `XML-MEMORY`.
    package init(_ definition: MappingDefinition, probe: EncodingProbe) throws {
        switch definition.source {
        case .xml(let records, let skip, let limits):
            var binding = XMLBinding(records: records, skip: skip, schema: definition.target)
            evaluator = RecordEvaluator(definition) { locator in
                if case .path(let path) = locator { binding.number(path) } else { -1 }
            }
            for rule in definition.collections { binding.setRows(rule.each, of: rule.collection) }
            reader = .xml(try XMLRecordReader(binding.trie, limits: limits), binding)
        case .csv(let source):
            let columns = TableColumns(source)
            var places: [String: Int] = [:]
            evaluator = RecordEvaluator(definition) { locator in
                guard case .column(let name) = locator else { return -1 }
                if let place = places[name] { return place }
                places[name] = places.count
                return places.count - 1
            }
            let required = evaluator.fields.filter(\.isRequired).compactMap { rule -> String? in
                guard case .located(let used) = rule.value.origin, let first = used.first else { return nil }
                return places.first { $0.value == first }?.key
            }
            reader = .csv(
                TableReader(
                    columns, places: places.sorted { $0.value < $1.value }.map(\.key), required: required,
                    encoding: try probe.choose(from: source.encodings), mark: probe.mark))
        }
    }

    /// Reads the next bytes and hands over each record that ends in them.
    package mutating func feed(_ bytes: [UInt8], _ body: (MappedItem) throws -> Void) throws {
        try read(bytes, isLast: false, body)
    }

    /// Ends the file.
    ///
    /// - Throws: `MAP-NO-RECORD` for a well-formed file without any record of this mapping.
    package mutating func finish(_ body: (MappedItem) throws -> Void) throws {
        try read([], isLast: true, body)
        if ordinal == 0 {
            throw MappingError(.noRecord, ["mapping": evaluator.definition.identifier])
        }
    }

    private mutating func read(_ bytes: [UInt8], isLast: Bool, _ body: (MappedItem) throws -> Void) throws {
        switch reader {
        case .xml(let xml, let binding):
            func deliver(_ record: CapturedRecord) throws {
                ordinal += 1
                let origin = Origin(
                    ordinal: ordinal, line: record.line, bytes: record.offsets.inStartTag..<record.offsets.end
                )
                try body(evaluator.evaluate(XMLTextSource(record, binding), origin: origin))
            }
            try isLast ? xml.finish(deliver) : xml.feed(bytes, deliver)
        case .csv(var table):
            // Taken out of the enumeration while it works, so that its buffer is not copied.
            reader = .csv(TableReader.idle)
            defer { reader = .csv(table) }
            try table.read(bytes, isLast: isLast) { row in
                ordinal += 1
                try body(item(of: row))
            }
        }
    }

    private func item(of row: TableRow) -> MappedItem {
        let origin = Origin(ordinal: ordinal, line: row.line, bytes: row.bytes)
        if let fault = row.fault {
            return MappedItem(
                record: Record(schema: evaluator.definition.target, origin: origin), findings: [fault])
        }
        return evaluator.evaluate(row, origin: origin)
    }
}

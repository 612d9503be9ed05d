// SPDX-License-Identifier: Apache-2.0
// Runs a mapping over a file: bytes in, typed records with findings out, in constant memory.

package import Diagnostics
package import Model
package import Tabular
internal import JSON
internal import XML

/// A compiled mapping at work on one file.
///
/// A fault of a record is a finding of that record; a fault of the file (not well-formed, a quote never closed)
/// is thrown after the records before it.
package struct MappingReader {
    private enum Reader {
        case xml(XMLRecordReader, XMLRecord)
        case records(JSONRecordReader, XMLRecord, stream: String?)
        case table(TableReader)
    }

    private let evaluator: RecordEvaluator
    private var memory: RecordEvaluator.Memory
    private var reader: Reader?
    private var item: MappedItem
    private var ordinal = 0
    private var meter: ProcessorMeter
    /// Bytes of the file read so far; of two files, of the first.
    private var firstSize = 0
    /// Whether the file's last bytes were read.
    private var hasEnded = false
    /// Where a byte order mark stands in the middle of a table.
    private let strayMark: EncodingProbe.Position?

    /// What is wrong with the file as a whole; known when ``finish(_:)`` has returned.
    package private(set) var fileFindings: [Diagnostic] = []

    /// Names of a table's columns, once its header was read; none for other files.
    package var columns: [String] {
        if case .table(let table)? = reader { table.columns } else { [] }
    }

    /// Values that people gave records, to be set before the file is read.
    package var overrides: RecordOverrides {
        get { memory.overrides }
        set {
            memory.overrides = newValue
            if case .table(var table)? = reader {
                reader = nil
                table.memory.overrides = newValue
                reader = .table(table)
            }
        }
    }

    /// Whether items tell where their values came from; to be set before the file is read.
    package var explains: Bool {
        get { memory.explanation != nil }
        set {
            let explanation = newValue ? evaluator.definition.explanation : nil
            memory.explanation = explanation
            if case .table(var table)? = reader {
                reader = nil
                table.memory.explanation = explanation
                reader = .table(table)
            }
        }
    }

    /// A reader of one file.
    ///
    /// - Parameters:
    ///   - probe: what the pass over the whole file found; tables need it to choose their encoding.
    ///   - fileName: its name without folders, for mappings that take values from it.
    ///   - detail: what the pass over the second file found, for mappings that read two
    ///     (``MappingDefinition/detailName(besides:)``).
    ///   - budget: processor time that the file may take.
    ///   - wantsAll: whether records that the mapping does not want (`only`) are handed over too.
    ///   - takesShortWay: whether plain fields are read the short way; off, the result is the same, more slowly.
    /// - Throws: `CSV-EMPTY`, `CSV-ENCODING`, `CSV-NUL`, `XML-MEMORY`.
    package init(
        _ definition: MappingDefinition, probe: EncodingProbe, fileName: String = "",
        detail: EncodingProbe? = nil, budget: ProcessorBudget = .standard, wantsAll: Bool = false,
        takesShortWay: Bool = true
    ) throws {
        meter = ProcessorMeter(budget)
        strayMark = probe.mark.count == 2 ? nil : probe.strayMark
        evaluator = RecordEvaluator(
            definition, fileVariables: definition.fileName?.namedGroups(in: fileName) ?? [:],
            wantsAll: wantsAll, takesShortWay: takesShortWay)
        item = evaluator.emptyItem
        memory = evaluator.emptyMemory
        switch definition.source {
        case .xml(let source):
            let binding = XMLBinding(source, evaluator.program, definition)
            if case .records(let stream) = source.form {
                try JSONText.require(probe)
                reader = .records(JSONRecordReader(), XMLRecord(binding), stream: stream)
                return
            }
            reader = .xml(try XMLRecordReader(binding.trie, limits: source.limits), XMLRecord(binding))
        case .table(let source):
            var table = TableReader(
                source, evaluator, totals: FileTotals(definition),
                encoding: try probe.choose(from: source.encodings), mark: probe.mark)
            if let detail, let rows = definition.collections.first?.collection {
                table.detail = DetailFile(
                    name: try definition.detailName(besides: fileName) ?? "",
                    decoder: FieldDecoder(try detail.choose(from: source.encodings), quote: source.quote),
                    mark: detail.mark, collection: rows,
                    headerLinesLeft: source.headerLines)
            }
            reader = .table(table)
        }
    }

    /// The totals over all rows that the mapping's file checks use, by how they are written there.
    package var totals: [String: Decimal?] {
        guard case .table(let table) = reader else { return [:] }
        return table.totals.named
    }

    /// Number of records read so far, wanted or not.
    package var recordCount: Int { ordinal }

    /// Number of the mapping's columns that the table has; 0 for XML.
    var knownColumns: Int {
        if case .table(let table) = reader { table.knownColumns } else { 0 }
    }

    /// Reads the next bytes and hands over each record that ends in them; whoever keeps one makes a copy.
    package mutating func feed(_ bytes: [UInt8], _ body: (inout MappedItem) throws -> Void) throws {
        firstSize += bytes.count
        try read(bytes, isLast: false, body)
    }

    /// Ends the first of two files.
    package mutating func finishFirst() throws {
        try read([], isLast: true) { _ in }
        hasEnded = true
    }

    /// Reads the next bytes of the second file, when the first has ended.
    package mutating func feedDetail(_ bytes: [UInt8], isLast: Bool = false) throws {
        meter.begin(bytes: bytes.count)
        guard case .table(var table) = reader.take() else { return }
        defer { reader = .table(table) }
        do {
            try table.readDetail(bytes, isLast: isLast, start: firstSize)
        } catch let error as TabularError {
            var fault = error.diagnostic
            fault.place.file = table.detail?.name
            throw TabularError(fault)
        }
        try meter.check(line: nil)
    }

    /// Ends the file.
    ///
    /// - Throws: `MAP-NO-RECORD` for a well-formed file without any record of this mapping.
    package mutating func finish(_ body: (inout MappedItem) throws -> Void) throws {
        while try finishPart(body) {}
    }

    /// Ends the file step by step, for who wants few records at once: a mapping that puts rows aside hands all of
    /// them over at the end.
    ///
    /// - Returns: whether there is another step.
    /// - Throws: as ``finish(_:)``.
    package mutating func finishPart(_ body: (inout MappedItem) throws -> Void) throws -> Bool {
        if !hasEnded { try read([], isLast: true, body) }
        hasEnded = true
        if case .table(var table) = reader.take() {
            defer {
                ordinal = table.ordinal
                reader = .table(table)
            }
            meter.begin(bytes: 0)
            let hasMore = try table.deliverPart(body)
            try meter.check(line: nil)
            if hasMore { return true }
        }
        try close()
        return false
    }

    /// Looks at the file as a whole.
    private mutating func close() throws {
        if ordinal == 0 {
            throw MappingError(.noRecord, ["mapping": evaluator.definition.identifier])
        }
        if case .table(let table) = reader {
            fileFindings = table.totals.findings(evaluator.definition.target)
            if let strayMark {
                var finding = TabularError(.strayMark, at: Place(line: strayMark.line)).diagnostic
                finding.severity = .warning
                fileFindings.append(finding)
            }
        }
    }

    private mutating func read(
        _ bytes: [UInt8], isLast: Bool, _ body: (inout MappedItem) throws -> Void
    ) throws {
        meter.begin(bytes: bytes.count)
        // Taken out of the enumeration while it works, so that its buffers are not copied.
        switch reader.take() {
        case .xml(let xml, var record):
            defer { reader = .xml(xml, record) }
            try isLast
                ? xml.finish { try deliver($0, &record, body) }
                : xml.feed(bytes) { try deliver($0, &record, body) }
        case .records(var json, var record, let stream):
            defer { reader = .records(json, record, stream: stream) }
            try json.feed(bytes) { try deliver($0, stream, &record, body) }
            if isLast { try json.finish() }
        case .table(var table):
            defer {
                ordinal = table.ordinal
                reader = .table(table)
            }
            try table.read(bytes, isLast: isLast, body)
        case nil: break
        }
        try meter.check(line: nil)
    }

    private mutating func deliver(
        _ captured: CapturedRecord, _ record: inout XMLRecord, _ body: (inout MappedItem) throws -> Void
    ) throws {
        ordinal += 1
        evaluator.begin(
            &item,
            Origin(
                ordinal: ordinal, line: captured.line,
                bytes: captured.offsets.inStartTag..<captured.offsets.end))
        record.load(captured, &item.record)
        let isWanted = evaluator.evaluate(&record, &item, &memory)
        if ordinal % 64 == 0 { try meter.check(line: captured.line) }
        if isWanted { try body(&item) }
    }

    /// Reads a structured record; one that is malformed is faulty, and the rest goes on.
    private mutating func deliver(
        _ found: JSONRecordReader.Found, _ stream: String?, _ record: inout XMLRecord,
        _ body: (inout MappedItem) throws -> Void
    ) throws {
        let origin = Origin(ordinal: ordinal + 1, line: found.line, bytes: found.place)
        do throws(JSONError) {
            let message = try JSONParser.parse(found.bytes, line: found.line)
            guard let node = stream == nil ? message : message.singerRecord(of: stream) else { return }
            guard case .object = node else {
                throw JSONError(.malformed, at: Place(line: found.line, field: "record"))
            }
            ordinal += 1
            evaluator.begin(&item, origin)
            record.load(node, &item.record)
        } catch {
            ordinal += 1
            var faulty = evaluator.emptyItem
            faulty.record.origin = origin
            faulty.findings = [error.diagnostic]
            return try body(&faulty)
        }
        let isWanted = evaluator.evaluate(&record, &item, &memory)
        if ordinal % 64 == 0 { try meter.check(line: found.line) }
        if isWanted { try body(&item) }
    }
}

extension JSONNode {
    /// The record in a message of the Singer specification, null where it has none; nil for messages of other kinds
    /// and streams.
    func singerRecord(of stream: String?) -> JSONNode? {
        guard self["type"]?.text == "RECORD", self["stream"]?.text == stream else { return nil }
        return self["record"] ?? .null
    }
}

/// JSON as a text.
private enum JSONText {
    /// Refuses what is not UTF-8, which RFC 8259 wants.
    ///
    /// - Throws: `JSON-ENCODING` with the first byte that does not fit.
    static func require(_ probe: EncodingProbe) throws(JSONError) {
        guard probe.mark.count == 2 || probe.firstInvalid != nil || probe.firstNUL != nil else { return }
        let found = probe.firstInvalid ?? probe.firstNUL
        let byte = found.map { "0x" + String($0.byte, radix: 16, uppercase: true) }
        throw JSONError(.encoding, at: Place(line: found?.line ?? 1, column: found?.column, value: byte))
    }
}

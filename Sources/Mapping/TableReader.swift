// SPDX-License-Identifier: Apache-2.0
// Runs a mapping over a table: rows become records, alone or in groups.

internal import Diagnostics
internal import Model
internal import Tabular

/// A push reader of one table.
struct TableReader {
    /// What cuts the file into rows.
    private enum Rows: Sendable {
        case csv(CSVReader)
        case lines(LineReader)
    }

    private let source: TableSource
    private let evaluator: RecordEvaluator
    private var memory: RecordEvaluator.Memory
    private let required: [String]
    private let encoding: TextEncoding
    private let mark: EncodingProbe.Mark
    private var reader: Rows?
    private var rows: TableRows
    private var headerLinesLeft: Int
    private var item: MappedItem
    private var group: RowGroup
    /// Unknown rows inside the record that is being read; they are handed over behind it.
    private var strays: [Stray] = []
    private(set) var totals: FileTotals
    /// Number of the last record.
    private(set) var ordinal = 0

    init(
        _ source: TableSource, _ evaluator: RecordEvaluator, totals: FileTotals, encoding: TextEncoding,
        mark: EncodingProbe.Mark
    ) {
        self.source = source
        self.totals = totals
        self.encoding = encoding
        self.mark = mark
        self.evaluator = evaluator
        memory = evaluator.emptyMemory
        required = evaluator.definition.requiredColumns
        headerLinesLeft = source.kind == .csv ? source.headerLines : 0
        item = evaluator.emptyItem
        group = RowGroup(collection: evaluator.definition.collections.first?.collection)
        rows = TableRows(
            evaluator.program.places, decoder: FieldDecoder(encoding, quote: source.quote),
            collections: evaluator.definition.target.collections.count)
    }

    /// Number of different columns that the program asks for and the table has.
    var knownColumns: Int {
        Set(
            zip(evaluator.program.places, rows.layout.positions).filter { $0.1 >= 0 }.map { place, position in
                if case .slice = place.inner { "\(place)" } else { String(position) }
            }
        ).count
    }

    /// Reads the next bytes and hands over each record that ends in them.
    ///
    /// - Throws: `CSV-MISSING-COLUMN`, `CSV-REPEATED-COLUMN`, and what the reader of the text throws.
    mutating func read(
        _ bytes: [UInt8], isLast: Bool, _ body: (inout MappedItem) throws -> Void
    ) throws {
        if reader == nil {
            guard !bytes.isEmpty else { return }
            open(bytes)
        }
        // Taken out while it works, so that its buffer is never copied.
        switch reader.take() {
        case .csv(var csv):
            defer { reader = .csv(csv) }
            try csv.append(bytes)
            while try csv.next(isLast: isLast) {
                guard headerLinesLeft > 0 || source.grouping != nil || rows.layout.width != csv.fieldCount
                else {
                    begin(line: csv.line, place: csv.place)
                    rows.take(&csv, into: &item.record)
                    try deliver(body)
                    continue
                }
                try add(csv.fields, csv.rowBytes, line: csv.line, place: csv.place, body)
            }
        case .lines(var lines):
            defer { reader = .lines(lines) }
            try lines.append(bytes)
            while try lines.next(isLast: isLast) {
                try add(lines.fields, lines.rowBytes, line: lines.line, place: lines.place, body)
            }
        case nil: break
        }
        if isLast { try deliver(body) }
    }

    private mutating func open(_ bytes: [UInt8]) {
        switch source.kind {
        case .csv:
            let dialect = CSVDialect(delimiter: source.delimiter(firstBytes: bytes), quote: source.quote)
            reader = .csv(CSVReader(dialect, encoding: encoding, mark: mark))
        case .fixed: reader = .lines(LineReader(.lines, encoding: encoding, mark: mark))
        case .tagged: reader = .lines(LineReader(.tagged, encoding: encoding, mark: mark))
        }
        if headerLinesLeft == 0 { rows.layout = source.layoutByPosition(evaluator.program.places) }
    }

    // MARK: - Rows

    private mutating func add(
        _ fields: [TextField], _ bytes: [UInt8], line: Int, place: Range<Int>,
        _ body: (inout MappedItem) throws -> Void
    ) throws {
        if headerLinesLeft > 0 { return try readHeader(fields, bytes, line: line) }
        var fields = fields
        let fault = rows.layout.width.flatMap { fit(&fields, to: $0, line: line) }
        guard source.grouping == nil else {
            return try addToGroup(fields, bytes, line: line, place: place, fault, body)
        }
        begin(line: line, place: place)
        rows.add(fields, bytes, line: line, collection: nil, to: &item.record)
        if let fault { group.faults.append(fault) }
        try deliver(body)
    }

    private mutating func readHeader(_ fields: [TextField], _ bytes: [UInt8], line: Int) throws {
        headerLinesLeft -= 1
        guard headerLinesLeft == source.headerLines - 1 else { return }
        guard source.columns != .byPosition else {
            return rows.layout = source.layoutByPosition(evaluator.program.places)
        }
        var header: [String] = []
        for field in fields {
            var text: [UInt8] = []
            try rows.decoder.append(field, of: bytes.span, to: &text)
            header.append(String(decoding: text, as: UTF8.self).trimmingBlanks)
        }
        rows.layout = try source.layout(evaluator.program.places, header: header)
        try source.require(required, in: header)
    }

    /// Brings a row to the table's width where the mapping says how; otherwise tells what is wrong with it.
    private func fit(_ fields: inout [TextField], to width: Int, line: Int) -> Diagnostic? {
        if fields.count == width { return nil }
        if fields.count > width {
            dropTrailing(&fields, behind: width)
            if fields.count == width { return nil }
            let extra = fields[width...]
            if rows.layout.overflow >= 0 {
                let first = rows.layout.overflow
                let last = fields[first + extra.count]
                fields[first].isASCII = fields[first...(first + extra.count)].allSatisfy(\.isASCII)
                fields[first].count = last.start + last.count - fields[first].start
                fields.removeSubrange(first + 1...first + extra.count)
                return nil
            }
        } else if source.ragged == .pad {
            return nil
        }
        return TabularError(
            .ragged, ["count": String(fields.count), "expected": String(width)], at: Place(line: line)
        ).diagnostic
    }

    /// Drops empty fields behind a row's last column. Where one column overflows, an empty field may as well be
    /// a value, so that no more are dropped than the header has.
    private func dropTrailing(_ fields: inout [TextField], behind width: Int) {
        guard source.ignoresTrailingEmpty else { return }
        let extra = fields.count - width
        let most = rows.layout.overflow < 0 ? extra : max(rows.layout.trailing, extra == 1 ? 1 : 0)
        for _ in 0..<min(most, extra) where fields.last?.count == 0 { fields.removeLast() }
    }

    private mutating func begin(line: Int, place: Range<Int>) {
        ordinal += 1
        evaluator.begin(&item, Origin(ordinal: ordinal, line: line, bytes: place))
        if rows.count > 0 { rows.removeAll() }
    }

    /// Evaluates the record whose rows are complete.
    private mutating func deliver(_ body: (inout MappedItem) throws -> Void) throws {
        guard rows.count > 0 else { return }
        try deliverRecord(body)
        if !strays.isEmpty { try deliverStrays(body) }
    }

    private mutating func deliverRecord(_ body: (inout MappedItem) throws -> Void) throws {
        totals.add(&rows, &item.record, source.locale, evaluator.program.totalPlaces)
        if group.faults.isEmpty {
            guard evaluator.evaluate(&rows, &item, &memory) else {
                rows.removeAll()
                return
            }
        } else {
            item.record.cells = evaluator.emptyItem.record.cells
            item.findings += group.faults
            group.faults.removeAll()
        }
        rows.removeAll()
        try body(&item)
    }

    private mutating func deliverStrays(_ body: (inout MappedItem) throws -> Void) throws {
        for stray in strays {
            var item = evaluator.emptyItem
            item.record.origin = stray.origin
            item.findings = [stray.fault]
            try body(&item)
        }
        strays.removeAll()
    }

    // MARK: - Groups

    private mutating func addToGroup(
        _ fields: [TextField], _ bytes: [UInt8], line: Int, place: Range<Int>,
        _ fault: Diagnostic?, _ body: (inout MappedItem) throws -> Void
    ) throws {
        guard let grouping = source.grouping else { return }
        var probe = TableRows(evaluator.program.places, decoder: rows.decoder, collections: 0)
        probe.layout = rows.layout
        var scratch = Record(schema: evaluator.definition.target)
        probe.add(fields, bytes, line: line, collection: nil, to: &scratch)
        var key: [String] = []
        for place in evaluator.program.groupPlaces {
            let text = try? probe.text(place, .record, &scratch)
            key.append(text.map { scratch.string($0.trimmed(in: scratch.bytes.span)) } ?? "")
        }
        let role = group.role(of: key, grouping, line: line, isOpen: rows.count > 0)
        switch role {
        case .ignore: return
        case .begin(let collection):
            try deliver(body)
            begin(line: line, place: place)
            rows.add(fields, bytes, line: line, collection: collection, to: &item.record)
        case .next(let collection):
            rows.add(fields, bytes, line: line, collection: collection, to: &item.record)
            item.record.origin.bytes = (item.record.origin.bytes?.lowerBound ?? 0)..<place.upperBound
        case .unknown(let diagnostic):
            ordinal += 1
            strays.append(
                Stray(origin: Origin(ordinal: ordinal, line: line, bytes: place), fault: diagnostic))
            // Records are always handed over in the order of their ordinals, so that one that holds so many
            // unknown rows ends with them.
            if strays.count >= Stray.most { try deliver(body) }
            return
        case .orphan(let diagnostic):
            try deliver(body)
            begin(line: line, place: place)
            rows.add(fields, bytes, line: line, collection: nil, to: &item.record)
            group.faults.append(diagnostic)
            return try deliver(body)
        }
        if case .byKind(_, let kinds) = grouping, kinds.own.contains(key.first ?? "") {
            rows.setKind(key.first ?? "")
        }
        if let fault { group.faults.append(fault) }
        guard item.record.bytes.count <= RowGroup.limit else {
            throw TabularError(.record, ["limit": String(RowGroup.limit)], at: Place(line: line))
        }
    }
}

/// An unknown row and what is wrong with it.
private struct Stray {
    let origin: Origin
    let fault: Diagnostic

    /// So many wait at most.
    static let most = 1000
}

/// Decides how rows belong together.
struct RowGroup: Sendable {
    /// What a row is to the record that is being read.
    enum Role {
        case begin(collection: Int?)
        case next(collection: Int?)
        case ignore
        /// A row inside a record that nobody knows; the record goes on behind it.
        case unknown(Diagnostic)
        /// A row that belongs to no record.
        case orphan(Diagnostic)
    }

    /// Bytes of one record at most.
    static let limit = 64 << 20

    /// What is wrong with rows of the record that is being read.
    var faults: [Diagnostic] = []
    /// The collection that rows with one key are rows of.
    private let collection: Int?
    private var key: [String] = []
    /// Hashes of the keys seen, to find one that comes back.
    private var seen: Set<Int> = []

    init(collection: Int?) {
        self.collection = collection
    }

    mutating func role(of key: [String], _ grouping: RowGrouping, line: Int, isOpen: Bool) -> Role {
        switch grouping {
        case .byKind(_, let kinds): return role(ofKind: key.first ?? "", kinds, line: line, isOpen: isOpen)
        case .byKey(_, let blankContinues):
            if isOpen, key == self.key || blankContinues && key.allSatisfy(\.isEmpty) {
                return .next(collection: collection)
            }
            self.key = key
            guard seen.insert(key.hashValue).inserted else {
                return .orphan(fault(.splitGroup, key.joined(separator: " "), line))
            }
            return .begin(collection: collection)
        }
    }

    private func role(ofKind kind: String, _ kinds: RowKinds, line: Int, isOpen: Bool) -> Role {
        if kinds.header.contains(kind) { return .begin(collection: nil) }
        if let collection = kinds.rows[kind] {
            return isOpen ? .next(collection: collection) : .orphan(fault(.orphanRow, kind, line))
        }
        if kinds.own.contains(kind) {
            return isOpen ? .next(collection: nil) : .orphan(fault(.orphanRow, kind, line))
        }
        if kinds.ignored.contains(kind) || kinds.ignored.contains("*") { return .ignore }
        let fault = fault(.unknownRow, kind, line)
        return isOpen ? .unknown(fault) : .orphan(fault)
    }

    private func fault(_ code: TabularError.Code, _ value: String, _ line: Int) -> Diagnostic {
        TabularError(code, ["value": value], at: Place(line: line, value: value)).diagnostic
    }
}

extension RowGrouping {
    /// Places whose texts tell which record a row belongs to.
    var places: [Locator] {
        switch self {
        case .byKind(let place, _): [place]
        case .byKey(let places, _): places
        }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmingBlanks: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

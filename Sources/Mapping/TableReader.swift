// SPDX-License-Identifier: Apache-2.0
// Runs a mapping over a table: rows become records.

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

    let source: TableSource
    let evaluator: RecordEvaluator
    var memory: RecordEvaluator.Memory
    private let required: [String]
    let encoding: TextEncoding
    /// Turns the file's fields into text.
    private let decoder: FieldDecoder
    private let mark: EncodingProbe.Mark
    private var reader: Rows?
    /// How its rows are cut into fields, once its first bytes have told.
    private(set) var dialect = CSVDialect()
    var rows: TableRows
    private var headerLinesLeft: Int
    var item: MappedItem
    var group: RowGroup
    /// Reads the text that tells which record a row belongs to.
    var keys: RowKeys
    /// Where rows wait for the end of the file, when they are not read in its order.
    var stage: RowStage?
    /// The rows put aside that are being read.
    var replay: RowReplay?
    /// Whether the record at hand counts in the totals: rows of the second file are not summed.
    var isSummed = true
    /// The second file, when the mapping names one.
    var detail: DetailFile?
    /// Unknown rows inside the record that is being read; they are handed over behind it.
    var strays: [Stray] = []
    private(set) var totals: FileTotals
    /// Names of the file's columns; none where they are found by position.
    private(set) var columns: [String] = []
    /// Number of the last record.
    var ordinal = 0

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
        // What was put aside is UTF-8.
        let isStaged = source.grouping?.isStaged == true
        decoder = FieldDecoder(encoding, quote: source.quote)
        let decoder = isStaged ? FieldDecoder(.utf8, quote: source.quote) : decoder
        rows = TableRows(
            evaluator.program.places, decoder: decoder,
            collections: evaluator.definition.target.collections.count)
        keys = RowKeys(evaluator, decoder: decoder)
        if isStaged { stage = RowStage() }
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
        if isLast, stage == nil { try deliver(body) }
    }

    private mutating func open(_ bytes: [UInt8]) {
        switch source.kind {
        case .csv:
            dialect = CSVDialect(delimiter: source.delimiter(firstBytes: bytes), quote: source.quote)
            reader = .csv(CSVReader(dialect, encoding: encoding, mark: mark))
        case .fixed:
            reader = .lines(LineReader(.lines, encoding: encoding, mark: mark, length: source.length))
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
        if source.grouping != nil {
            guard stage == nil else {
                return try putAside(
                    fields, bytes, decoder, dialect, isDetail: false,
                    line: line, place: place)
            }
            let key = keys.key(fields, bytes, rows.layout, evaluator.program.groupPlaces)
            let fault = fit(&fields, to: rows.layout, line: line)
            return try addToGroup(key, fields, bytes, line: line, place: place, fault, body)
        }
        let fault = fit(&fields, to: rows.layout, line: line)
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
        let header = try decoder.header(fields, bytes)
        columns = header
        rows.layout = try source.layout(evaluator.program.places, header: header)
        if case .byDetail = source.grouping { rows.layout.forget(evaluator.program.collectionOfPlace) }
        try source.require(required, in: header)
    }

    /// Brings a row to the table's width where the mapping says how; otherwise tells what is wrong with it.
    func fit(_ fields: inout [TextField], to layout: TableLayout, line: Int) -> Diagnostic? {
        guard let width = layout.width, fields.count != width else { return nil }
        if fields.count > width {
            dropTrailing(&fields, behind: width, layout)
            if fields.count == width { return nil }
            let extra = fields[width...]
            if layout.overflow >= 0 {
                let first = layout.overflow
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
    private func dropTrailing(_ fields: inout [TextField], behind width: Int, _ layout: TableLayout) {
        guard source.ignoresTrailingEmpty else { return }
        let extra = fields.count - width
        let most = layout.overflow < 0 ? extra : max(layout.trailing, extra == 1 ? 1 : 0)
        for _ in 0..<min(most, extra) where fields.last?.count == 0 { fields.removeLast() }
    }

    mutating func begin(line: Int, place: Range<Int>) {
        ordinal += 1
        evaluator.begin(&item, Origin(ordinal: ordinal, line: line, bytes: place))
        if rows.count > 0 { rows.removeAll() }
    }

    /// Evaluates the record whose rows are complete.
    mutating func deliver(_ body: (inout MappedItem) throws -> Void) throws {
        guard rows.count > 0 else { return }
        try deliverRecord(body)
        if !strays.isEmpty { try deliverStrays(body) }
    }

    private mutating func deliverRecord(_ body: (inout MappedItem) throws -> Void) throws {
        // Of two files, totals are those of the first.
        let summed = detail == nil ? rows.count : isSummed ? 1 : 0
        isSummed = true
        totals.add(&rows, summed, &item.record, source.locale, evaluator.program.totalPlaces)
        if group.faults.isEmpty {
            let isWanted = evaluator.evaluate(&rows, &item, &memory)
            totals.add(item.record)
            if isWanted { warnOfContradictions() }
            guard isWanted else { return rows.removeAll() }
        } else {
            item.record.cells = evaluator.emptyItem.record.cells
            item.findings += group.faults
            group.faults.removeAll()
        }
        rows.removeAll()
        if let detail { detail.claim(&item.findings, evaluator.definition) }
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
}

extension String {
    /// Without white space at both ends.
    var trimmingBlanks: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }
}

// SPDX-License-Identifier: Apache-2.0
// The rows of one record of a table, and their texts.

internal import Diagnostics
internal import Model
internal import Tabular

/// One or more rows that make a record; their bytes are in the record's.
struct TableRows: RecordSource, Sendable {
    let places: [Locator]
    /// Whether a place is a whole field of the row itself: looking at a ``Locator`` for each text costs references.
    private let isSimple: [Bool]
    /// For each place that is a whole field of the row itself its position there; −1 = the table has no such
    /// column, −2 = another kind of place.
    private var columns: [Int32] = []
    let decoder: FieldDecoder
    var layout = TableLayout() {
        didSet {
            columns = zip(isSimple, layout.positions).map { isSimple, position in
                isSimple ? Int32(position) : -2
            }
        }
    }
    /// Fields of all rows, as places in the record's bytes behind ``base``; more may stand behind them.
    private var fields: [TextField] = []
    private var fieldCount = 0
    private var base = 0
    /// First field of each row but the first, whose is 0.
    private var starts: [Int] = []
    /// Lines of the rows of a record that may have several.
    private var lines: [Int] = []
    /// Number of rows.
    private(set) var count = 0
    /// For each collection, the rows that are its own.
    private var rowsOfCollection: [[Int]]
    /// The last row of each kind that the record has besides.
    private var rowOfKind: [String: Int] = [:]

    init(_ places: [Locator], decoder: FieldDecoder, collections: Int) {
        self.places = places
        isSimple = places.map { if case .column = $0 { true } else { false } }
        self.decoder = decoder
        rowsOfCollection = [[Int]](repeating: [], count: collections)
    }

    /// Begins the next record.
    mutating func removeAll() {
        count = 0
        fieldCount = 0
        if !starts.isEmpty { starts.removeAll(keepingCapacity: true) }
        if !lines.isEmpty { lines.removeAll(keepingCapacity: true) }
        for index in rowsOfCollection.indices where !rowsOfCollection[index].isEmpty {
            rowsOfCollection[index].removeAll(keepingCapacity: true)
        }
        if !rowOfKind.isEmpty { rowOfKind.removeAll(keepingCapacity: true) }
    }

    /// Says of which kind the last row is.
    mutating func setKind(_ kind: String) {
        rowOfKind[kind] = count - 1
    }

    /// Takes a reader's row, which is the record's only one.
    mutating func take(_ reader: inout CSVReader, into record: inout Record) {
        base = record.bytes.count
        fieldCount = reader.takeRow(into: &record.bytes, &fields)
        count = 1
    }

    /// Adds a row: its bytes to the record's, its fields to these.
    ///
    /// - Parameter collection: whose row it is besides; nil for the record's own.
    mutating func add(
        _ rowFields: [TextField], _ bytes: [UInt8], line: Int, collection: Int?, to record: inout Record
    ) {
        if count == 0 { base = record.bytes.count }
        let shift = record.bytes.count - base
        record.bytes.append(contentsOf: bytes)
        if count > 0 { starts.append(fieldCount) }
        fields.removeLast(fields.count - fieldCount)
        for var field in rowFields {
            field.start += shift
            fields.append(field)
        }
        fieldCount = fields.count
        if let collection { rowsOfCollection[collection].append(count) }
        lines.append(line)
        count += 1
    }

    // MARK: - RecordSource

    func root(_ record: inout Record) -> TextRange? { nil }

    func rowCount(_ collection: Int) -> Int { rowsOfCollection[collection].count }

    func line(of row: RowPlace) -> Int? {
        guard row.row >= 0, row.row < rowsOfCollection[row.collection].count else { return nil }
        let number = rowsOfCollection[row.collection][row.row]
        return number < lines.count ? lines[number] : nil
    }

    @inline(__always)
    mutating func find(_ place: Int32, _ row: RowPlace) -> FoundText {
        let position = Int(columns[Int(place)])
        guard position >= 0 else { return position == -1 ? .absent : .elsewhere }
        let number = row.row < 0 ? 0 : rowsOfCollection[row.collection][row.row]
        guard let field = field(position, inRow: number) else { return .absent }
        return field.isPlain ? .text(TextRange(start: field.start, count: field.count)) : .elsewhere
    }

    @inline(__always)
    private func field(_ position: Int, inRow number: Int) -> TextField? {
        let start = number == 0 ? 0 : starts[number - 1]
        let end = number < starts.count ? starts[number] : fieldCount
        guard position >= 0, start + position < end else { return nil }
        var field = fields[start + position]
        field.start += base
        return field
    }

    mutating func text(
        _ place: Int32, _ row: RowPlace, _ record: inout Record
    ) throws(RecordFault) -> TextRange? {
        let number = row.row < 0 ? 0 : rowsOfCollection[row.collection][row.row]
        if isSimple[Int(place)] { return try text(place, inRow: number, &record) }
        switch places[Int(place)] {
        case .inRow(let kind, _):
            guard let other = rowOfKind[kind] else { return nil }
            return try text(place, inRow: other, &record)
        case .rowNumber(let collection):
            return record.append(String(rowsOfCollection[collection].prefix { $0 <= number }.count))
        default: return try text(place, inRow: number, &record)
        }
    }

    /// The tidied text at a place in any row; nil where there is none or it cannot be decoded.
    mutating func rowText(_ place: Int32, row: Int, _ record: inout Record) -> TextRange? {
        let found = try? text(place, inRow: row, &record)
        return found?.trimmed(in: record.bytes.span)
    }

    /// The first row that says something else at a place than the record's first row does, and its line; empty cells
    /// say nothing.
    mutating func contradiction(
        at place: Int32, _ record: inout Record
    ) -> (first: String, other: String, line: Int)? {
        func string(_ row: Int, _ rows: inout TableRows) -> String {
            rows.rowText(place, row: row, &record).map { record.string($0) } ?? ""
        }
        let first = string(0, &self)
        for row in 1..<max(1, count) {
            let other = string(row, &self)
            if !other.isEmpty, other != first { return (first, other, lines[row]) }
        }
        return nil
    }

    private func text(
        _ place: Int32, inRow number: Int, _ record: inout Record
    ) throws(RecordFault) -> TextRange? {
        guard var field = field(layout.positions[Int(place)], inRow: number) else { return nil }
        if !isSimple[Int(place)], case .slice(let start, let count) = places[Int(place)].inner {
            field = slice(field, start, count, record)
        }
        if field.isPlain { return TextRange(start: field.start, count: field.count) }
        let start = record.bytes.count
        do throws(TabularError) {
            // From a copy, since the text is appended to the bytes that the field is a place in.
            let source = Array(record.bytes[field.range])
            field.start = 0
            try decoder.append(field, of: source.span, to: &record.bytes)
        } catch {
            var fault = error.diagnostic
            if case .column(let column) = places[Int(place)] { fault.place.field = column }
            throw RecordFault(fault)
        }
        return TextRange(start: start, count: record.bytes.count - start)
    }

    mutating func text(
        _ places: ArraySlice<Int32>, _ row: RowPlace, _ record: inout Record
    ) throws(RecordFault) -> TextRange? {
        var found: TextRange?
        for place in places {
            guard let text = try text(place, row, &record) else { continue }
            if text.trimmed(in: record.bytes.span).count > 0 { return text }
            found = found ?? text
        }
        return found
    }

    /// A part of a line, in characters.
    private func slice(_ line: TextField, _ start: Int, _ count: Int?, _ record: Record) -> TextField {
        var part = line
        guard !line.isASCII, line.isDecoded || !decoder.encoding.isLegacy else {
            let first = min(start, line.count)
            part.start += first
            part.count = min(count ?? .max, line.count - first)
            return part
        }
        let text = String(decoding: record.bytes[line.start..<line.start + line.count], as: UTF8.self)
        let head = text.unicodeScalars.prefix(start)
        let body = text.unicodeScalars.dropFirst(start).prefix(count ?? .max)
        let before = head.reduce(0) { $0 + UTF8.width($1) }
        part.start += before
        part.count = body.reduce(0) { $0 + UTF8.width($1) }
        return part
    }
}

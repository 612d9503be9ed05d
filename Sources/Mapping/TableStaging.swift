// SPDX-License-Identifier: Apache-2.0
// Rows that are not read in the order of their file: those of a key wherever they stand, and those of a second file.

internal import Diagnostics
internal import Model
internal import Tabular

/// Reads the texts that tell which record a row belongs to.
struct RowKeys {
    private let evaluator: RecordEvaluator
    private var rows: TableRows
    private var scratch: MappedItem
    private var last: [String] = []

    /// Forgets the row before, at the start of a pass.
    mutating func begin() {
        last = []
    }

    init(_ evaluator: RecordEvaluator, decoder: FieldDecoder) {
        self.evaluator = evaluator
        rows = TableRows(evaluator.program.places, decoder: decoder, collections: 0)
        scratch = evaluator.emptyItem
    }

    /// The tidied texts at some places of a row.
    mutating func key(
        _ fields: [TextField], _ bytes: [UInt8], _ layout: TableLayout, _ places: [Int32]
    ) -> [String] {
        if rows.layout.positions != layout.positions { rows.layout = layout }
        rows.removeAll()
        evaluator.begin(&scratch, Origin())
        rows.add(fields, bytes, line: 0, collection: nil, to: &scratch.record)
        return places.map { place in
            let text = rows.rowText(place, row: 0, &scratch.record)
            return text.map { scratch.record.string($0) } ?? ""
        }
    }

    /// The key of the record that a row with this key belongs to: of a row without one, that of the row before.
    mutating func groupKey(_ key: [String], _ source: TableSource) -> [String] {
        if case .byKey(_, blankContinues: true, _) = source.grouping, key.allSatisfy(\.isEmpty) {
            return last
        }
        last = key
        return key
    }
}

/// The second file of a mapping that has one.
struct DetailFile {
    /// Its name without folders.
    let name: String
    /// Turns its fields into text.
    let decoder: FieldDecoder
    let mark: EncodingProbe.Mark
    /// The record's collection that its rows are.
    let collection: Int
    /// Bytes of the first file: places are counted from its start, as both are kept behind each other.
    var start = 0
    var reader: CSVReader?
    var dialect = CSVDialect()
    var layout = TableLayout()
    var headerLinesLeft: Int

    /// Says of findings in the collection that their lines are this file's.
    func claim(_ findings: inout [Diagnostic], _ definition: MappingDefinition) {
        let prefix = definition.target.collections[collection].name
        for index in findings.indices {
            guard let field = findings[index].place.field else { continue }
            if field == prefix || field.hasPrefix(prefix + ".") { findings[index].place.file = name }
        }
    }
}

extension FieldDecoder {
    /// The names in a header.
    func header(_ fields: [TextField], _ bytes: [UInt8]) throws(TabularError) -> [String] {
        var header: [String] = []
        for field in fields {
            var text: [UInt8] = []
            try append(field, of: bytes.span, to: &text)
            header.append(String(decoding: text, as: UTF8.self).trimmingBlanks)
        }
        return header
    }
}

extension TableLayout {
    /// Leaves the places of collections to the second file.
    mutating func forget(_ collectionOfPlace: [Int]) {
        for index in positions.indices where collectionOfPlace[index] >= 0 { positions[index] = -1 }
    }

    /// Takes the places of collections from the second file's layout.
    mutating func take(_ other: TableLayout, _ collectionOfPlace: [Int]) {
        for index in positions.indices where collectionOfPlace[index] >= 0 {
            positions[index] = other.positions[index]
        }
    }
}

extension TableReader {
    // MARK: - The second file

    /// Puts the rows of the second file aside; the first one must have been read to its end.
    ///
    /// - Parameter start: number of bytes of the first one.
    /// - Throws: `CSV-MISSING-COLUMN` where it has no column of the key, and what the reader of the text throws.
    mutating func readDetail(_ bytes: [UInt8], isLast: Bool, start: Int) throws {
        guard var file = detail else { return }
        detail = nil
        defer { detail = file }
        file.start = start
        if file.reader == nil {
            guard !bytes.isEmpty else { return }
            // Without a header of the first file nothing is known of any column.
            guard !rows.layout.positions.isEmpty else { throw TabularError(.empty) }
            file.dialect = CSVDialect(delimiter: source.delimiter(firstBytes: bytes), quote: source.quote)
            file.reader = CSVReader(file.dialect, encoding: file.decoder.encoding, mark: file.mark)
        }
        guard var reader = file.reader.take() else { return }
        defer { file.reader = reader }
        try reader.append(bytes)
        while try reader.next(isLast: isLast) {
            if file.headerLinesLeft > 0 {
                let (fields, row) = (reader.fields, reader.rowBytes)
                file.headerLinesLeft -= 1
                if file.headerLinesLeft == source.headerLines - 1 { try readDetailHeader(fields, row, &file) }
                continue
            }
            try putAside(
                reader.fields, reader.rowBytes, file.decoder, file.dialect,
                isDetail: true, line: reader.line,
                place: file.start + reader.place.lowerBound..<file.start + reader.place.upperBound)
        }
    }

    private mutating func readDetailHeader(
        _ fields: [TextField], _ row: [UInt8], _ file: inout DetailFile
    ) throws {
        guard source.columns != .byPosition else { return }
        let header = try file.decoder.header(fields, row)
        file.layout = try source.layout(evaluator.program.places, header: header)
        rows.layout.take(file.layout, evaluator.program.collectionOfPlace)
        if case .byDetail(let detail) = source.grouping { try source.require(detail.key, in: header) }
    }

    // MARK: - Rows that are put aside

    /// Puts a row aside, in UTF-8 whatever its file is in.
    mutating func putAside(
        _ fields: [TextField], _ bytes: [UInt8], _ decoder: FieldDecoder, _ dialect: CSVDialect,
        isDetail: Bool, line: Int, place: Range<Int>
    ) throws {
        var (fields, bytes) = (fields, bytes)
        if decoder.encoding.isLegacy, fields.contains(where: { !$0.isASCII }) {
            var text: [UInt8] = []
            try decoder.append(
                TextField(start: 0, count: bytes.count, isASCII: false), of: bytes.span, to: &text)
            bytes = text
            fields = try RowsAgain.fields(text, dialect)
        }
        let places = isDetail ? evaluator.program.detailPlaces : evaluator.program.groupPlaces
        let key = keys.groupKey(keys.key(fields, bytes, rows.layout, places), source)
        try stage?.add(bytes, key: key, isDetail: isDetail, line: line, place: place)
    }

    /// Hands over the records of some more rows; false where none is left.
    mutating func deliverPart(_ body: (inout MappedItem) throws -> Void) throws -> Bool {
        if replay == nil {
            guard let part = try stage?.next() else { return false }
            var again = RowsAgain(dialect, detail?.dialect ?? dialect)
            let ordered = try order(part.rows, part.bytes, &again)
            replay = RowReplay(rows: ordered, bytes: part.bytes, again: again)
            keys.begin()
        }
        guard var replay else { return false }
        self.replay = nil
        let rest = replay.rows[replay.next...].prefix(RowReplay.step)
        for row in rest {
            let bytes = Array(replay.bytes[row.bytes])
            var fields = try replay.again.fields(bytes, isDetail: row.isDetail)
            let layout = row.isDetail ? detail?.layout ?? rows.layout : rows.layout
            let places = row.isDetail ? evaluator.program.detailPlaces : evaluator.program.groupPlaces
            let key = keys.groupKey(keys.key(fields, bytes, rows.layout, places), source)
            var fault = fit(&fields, to: layout, line: row.line)
            if row.isDetail { fault?.place.file = detail?.name }
            try addToGroup(
                key, fields, bytes, line: row.line, place: row.place, isDetail: row.isDetail, fault, body)
        }
        replay.next += rest.count
        if replay.next < replay.rows.count {
            self.replay = replay
        } else {
            try deliver(body)
        }
        return true
    }

    /// Brings the rows of each key together, in the order in which the keys come first: a row of the first file, the
    /// rows of the second, and what else the first one has with that key.
    private mutating func order(
        _ staged: [RowStage.Row], _ bytes: [UInt8], _ again: inout RowsAgain
    ) throws -> [RowStage.Row] {
        keys.begin()
        var groups: [[String]: Int] = [:]
        var count = 0
        var seen: Set<Int> = []
        var ranked: [(group: Int, rank: Int, row: RowStage.Row)] = []
        for row in staged {
            let bytes = Array(bytes[row.bytes])
            let fields = try again.fields(bytes, isDetail: row.isDetail)
            let places = row.isDetail ? evaluator.program.detailPlaces : evaluator.program.groupPlaces
            let key = keys.groupKey(keys.key(fields, bytes, rows.layout, places), source)
            let group = groups[key] ?? count
            if group == count { count += 1 }
            // Rows without a key have nothing in common.
            if !key.allSatisfy(\.isEmpty) { groups[key] = group }
            let isFirst = seen.insert(group).inserted
            ranked.append((group, detail == nil || isFirst && !row.isDetail ? 0 : row.isDetail ? 1 : 2, row))
        }
        // Stable, since ties keep the order of the file by their index.
        return ranked.enumerated().sorted { left, right in
            (left.element.group, left.element.rank, left.offset)
                < (right.element.group, right.element.rank, right.offset)
        }.map(\.element.row)
    }
}

/// A part of the rows that were put aside, on its way to becoming records.
struct RowReplay {
    /// In the order in which they are read.
    let rows: [RowStage.Row]
    let bytes: [UInt8]
    fileprivate var again: RowsAgain
    fileprivate var next = 0

    fileprivate init(rows: [RowStage.Row], bytes: [UInt8], again: RowsAgain) {
        self.rows = rows
        self.bytes = bytes
        self.again = again
    }

    /// So many rows at once, so that who keeps the records keeps few.
    fileprivate static let step = 2000
}

/// Finds the fields of rows that were put aside.
private struct RowsAgain {
    private var main: CSVReader
    private var detail: CSVReader

    init(_ dialect: CSVDialect, _ detail: CSVDialect) {
        main = CSVReader(dialect, encoding: .utf8)
        self.detail = CSVReader(detail, encoding: .utf8)
    }

    static func fields(_ row: [UInt8], _ dialect: CSVDialect) throws -> [TextField] {
        var again = RowsAgain(dialect, dialect)
        return try again.fields(row, isDetail: false)
    }

    /// The fields of a row, as places in it.
    mutating func fields(_ row: [UInt8], isDetail: Bool) throws -> [TextField] {
        let line = row + [UInt8(ascii: "\n")]
        if isDetail {
            try detail.append(line)
            return try detail.next(isLast: false) ? detail.fields : []
        }
        try main.append(line)
        return try main.next(isLast: false) ? main.fields : []
    }
}

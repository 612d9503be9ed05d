// SPDX-License-Identifier: Apache-2.0
// Reads a table with a header line and finds a mapping's columns by name.

internal import Diagnostics
internal import Model
internal import Tabular

/// What a mapping says about its table's columns and delimiters.
struct TableColumns: Sendable {
    let source: CSVSource

    init(_ source: CSVSource) {
        self.source = source
    }

    /// The declared delimiter that the first line has most of.
    func delimiter(firstBytes bytes: [UInt8]) -> UInt8 {
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        let counts = source.delimiters.map { delimiter in (delimiter, line.count { $0 == delimiter }) }
        let best = counts.map(\.1).max() ?? 0
        return counts.first { $0.1 == best }?.0 ?? UInt8(ascii: ",")
    }

    /// Positions of the wanted columns in a header; −1 for those it lacks.
    ///
    /// - Throws: `CSV-REPEATED-COLUMN` where a wanted column occurs twice.
    func positions(of places: [String], in header: [String]) throws(TabularError) -> [Int] {
        var positions: [Int] = []
        for place in places {
            let names = [place] + (source.aliases[place] ?? [])
            let found = header.indices.filter { names.contains(header[$0]) }
            guard found.count < 2 else {
                throw TabularError(.repeatedColumn, ["column": place], at: Place(line: 1))
            }
            positions.append(found.first ?? -1)
        }
        return positions
    }
}

/// A row with the columns that the mapping asks for.
struct TableRow: TextSource {
    let row: CSVRow
    let positions: [Int]
    /// Why the row cannot be read at all.
    let fault: Diagnostic?

    var line: Int { row.line }
    var bytes: Range<Int> { row.bytes }
    var rootName: String? { nil }

    func rowCount(_ collection: Int) -> Int { 0 }

    func text(_ places: [Int], row: Int?, values: Values) throws(Diagnostic) -> String? {
        for place in places where positions[place] >= 0 {
            do {
                let text = try self.row.text(positions[place])
                let trimmed = Cleaning.trim.apply(to: text)
                if !trimmed.isEmpty { return trimmed }
            } catch {
                throw error.diagnostic
            }
        }
        return nil
    }
}

/// A push reader of one table: the header decides where the mapping's columns are.
struct TableReader: Sendable {
    private let columns: TableColumns
    private let places: [String]
    private let required: [String]
    private let encoding: TextEncoding
    private let mark: EncodingProbe.Mark
    private var reader: CSVReader?
    private var positions: [Int]?
    private var width = 0

    /// A reader of nothing.
    static let idle = TableReader(
        TableColumns(CSVSource()), places: [], required: [], encoding: .utf8, mark: .none)

    init(
        _ columns: TableColumns, places: [String], required: [String], encoding: TextEncoding,
        mark: EncodingProbe.Mark
    ) {
        self.columns = columns
        self.places = places
        self.required = required
        self.encoding = encoding
        self.mark = mark
    }

    /// Reads the next bytes and hands over the rows behind the header.
    ///
    /// - Throws: `CSV-MISSING-COLUMN`, `CSV-REPEATED-COLUMN`, and what the reader of the text throws.
    mutating func read(_ bytes: [UInt8], isLast: Bool, _ body: (TableRow) throws -> Void) throws {
        if reader == nil {
            guard !bytes.isEmpty else { return }
            let dialect = CSVDialect(
                delimiter: columns.delimiter(firstBytes: bytes), quote: columns.source.quote)
            reader = CSVReader(dialect, encoding: encoding, mark: mark)
        }
        // The reader is moved out while it runs, because the header is noted in `self` meanwhile.
        guard var reader = reader.take() else { return }
        defer { self.reader = reader }
        func deliver(_ row: CSVRow) throws {
            guard let positions else { return try readHeader(row) }
            try body(TableRow(row: row, positions: positions, fault: fault(of: row)))
        }
        try isLast ? reader.finish(deliver) : reader.feed(bytes, deliver)
    }

    private mutating func readHeader(_ row: CSVRow) throws {
        var header: [String] = []
        for index in 0..<row.count { header.append(Cleaning.trim.apply(to: try row.text(index))) }
        let positions = try columns.positions(of: places, in: header)
        for name in required {
            guard let place = places.firstIndex(of: name), positions[place] < 0 else { continue }
            let near = Suggestion.nearest(to: name, in: header) ?? ""
            throw TabularError(
                .missingColumn,
                ["column": name, "header": header.joined(separator: ", "), "suggestion": near],
                at: Place(line: 1))
        }
        self.positions = positions
        width = row.count
    }

    private func fault(of row: CSVRow) -> Diagnostic? {
        guard row.count != width else { return nil }
        return TabularError(
            .ragged, ["count": String(row.count), "expected": String(width)], at: Place(line: row.line)
        ).diagnostic
    }
}

// SPDX-License-Identifier: Apache-2.0
// Sums over all rows of a file, in constant memory, for the checks of the file as a whole.

internal import Diagnostics
internal import Model

/// The running totals of one file.
struct FileTotals: Sendable {
    private let totals: [FileTotal]
    private let checks: [CheckRule]
    private var values: [Cell]

    init(_ definition: MappingDefinition) {
        totals = definition.totals
        checks = definition.fileChecks
        values = totals.map { $0.operation == .count || $0.operation == .sum ? .decimal(.zero) : .none }
    }

    /// Counts the rows of one record, whether the record is wanted or not.
    ///
    /// - Parameters:
    ///   - count: the first so many rows.
    ///   - places: where the summed columns are.
    mutating func add(
        _ rows: inout TableRows, _ count: Int, _ record: inout Record, _ locale: NumberLocale,
        _ places: [Int32]
    ) {
        guard !totals.isEmpty else { return }
        for row in 0..<count {
            for (index, total) in totals.enumerated() where total.slot == nil {
                guard let text = rows.rowText(places[index], row: row, &record), text.count > 0 else {
                    continue
                }
                // Whatever stands there is counted; only amounts are summed.
                let one = total.operation == .count ? Decimal(1) : nil
                guard let value = one ?? locale.decimal(record.bytes.span.extracting(text.offsets)) else {
                    continue
                }
                add(value, at: index, total.operation)
            }
        }
    }

    /// Counts the fields of one record that was read, whether it is wanted or not.
    mutating func add(_ record: Record) {
        guard !totals.isEmpty else { return }
        for (index, total) in totals.enumerated() {
            guard let slot = total.slot, record.cells[slot].isValue else { continue }
            let one = total.operation == .count ? Decimal(1) : nil
            guard let value = one ?? record.cells[slot].decimal else { continue }
            add(value, at: index, total.operation)
        }
    }

    private mutating func add(_ value: Decimal, at index: Int, _ operation: FileTotal.Operation) {
        let known = values[index].decimal
        let result: Decimal? =
            switch operation {
            case .sum: known?.adding(value)
            case .count: known?.adding(Decimal(1))
            case .min: known.map { min($0, value) } ?? value
            case .max: known.map { max($0, value) } ?? value
            }
        // A sum that does not fit is unknown from then on.
        values[index] = result.map { .decimal($0) } ?? .none
    }

    /// The totals, by how the mapping writes them.
    var named: [String: Decimal?] {
        Dictionary(
            zip(totals.map { "\($0.operation.rawValue)(all.\($0.column))" }, values.map(\.decimal))
        ) { first, _ in first }
    }

    /// What is wrong with the file as a whole.
    func findings(_ schema: EntitySchema) -> [Diagnostic] {
        guard !checks.isEmpty else { return [] }
        let program = RecordProgram(fileChecks: checks)
        var source = NoSource()
        var record = Record(schema: schema)
        record.bytes = program.constants
        var findings: [Diagnostic] = []
        for check in program.checks.indices {
            var scope = ExpressionScope(program: program, row: .record, totals: values)
            guard scope.fails(check, &source, &record) else { continue }
            findings.append(scope.finding(of: check, &source, &record))
        }
        return findings
    }
}

/// A source without texts.
struct NoSource: RecordSource {
    func root(_ record: inout Record) -> TextRange? { nil }
    func rowCount(_ collection: Int) -> Int { 0 }
    func line(of row: RowPlace) -> Int? { nil }
    mutating func find(_ place: Int32, _ row: RowPlace) -> FoundText { .absent }
    func text(_ place: Int32, _ row: RowPlace, _ record: inout Record) throws(RecordFault) -> TextRange? {
        nil
    }
    func text(
        _ places: ArraySlice<Int32>, _ row: RowPlace, _ record: inout Record
    ) throws(RecordFault) -> TextRange? { nil }
}

// SPDX-License-Identifier: Apache-2.0
// The rows of a mirror in the form they are sent in, and the hash that tells one content from another.

internal import Crypto
internal import Model
internal import PostgreSQL

/// The content of a row as it is sent: its own columns, then those of each child row.
struct MirrorContent: Sendable {
    var columns: [UInt8]
    /// For each of ``MirrorTable/children``, the columns of each row.
    var children: [[[UInt8]]]
    /// The columns whose known value shall go.
    var cleared: [String]

    /// The first half of a SHA-256 over all of it.
    var hash: [UInt8] {
        var hasher = SHA256()
        hasher.update(data: columns)
        for rows in children {
            hasher.update(data: [UInt8(truncatingIfNeeded: rows.count), 0x1F])
            for row in rows { hasher.update(data: row) }
        }
        if !cleared.isEmpty { hasher.update(data: Array(cleared.joined(separator: ",").utf8)) }
        return Array(hasher.finalize().prefix(16))
    }
}

/// Encodes records for one mirror.
struct MirrorEncoder: Sendable {
    fileprivate enum Origin: Sendable {
        case slot(Int)
        case given(Int)
        case nowhere
    }

    fileprivate struct Column: Sendable {
        let name: String
        let origin: Origin
        let type: ValueType
        let isInt4: Bool
    }

    private let columns: [Column]
    private let derivedColumns: [Column]
    private let children: [(collection: Int, columns: [Column])]

    init<Table: MirrorTable>(_ table: Table.Type) {
        let schema = Table.schema
        columns = Table.columns.map { Column($0) { schema.slot(of: $0) } }
        derivedColumns = Table.derived.map { Column($0) { _ in nil } }
        children = Table.children.compactMap { child in
            schema.collection(child.collection).map { number in
                let rows = schema.collections[number]
                return (number, child.columns.map { Column($0) { rows.slot(of: $0) } })
            }
        }
    }

    /// The columns of a new row that are no content of its record.
    func derived(_ given: [Value?]) -> [UInt8] {
        var encoded = BinaryColumns()
        for column in derivedColumns {
            guard case .given(let number) = column.origin else { continue }
            encoded.append(given[number], column.type, isInt4: column.isInt4)
        }
        return encoded.bytes
    }

    /// The content of one record.
    func content(_ record: Record, _ given: [Value?]) -> MirrorContent {
        var encoded = BinaryColumns()
        var cleared: [String] = []
        for column in columns {
            switch column.origin {
            case .slot(let slot):
                if case .cleared = record.cells[slot] { cleared.append(column.name) }
                encoded.append(record.cells[slot], of: record, column.type, isInt4: column.isInt4)
            case .given(let number): encoded.append(given[number], column.type, isInt4: column.isInt4)
            case .nowhere: encoded.appendNull()
            }
        }
        let rows = children.map { child in
            let table = record.children[child.collection]
            return (0..<table.count).map { row in
                var columns = BinaryColumns()
                for column in child.columns {
                    guard case .slot(let slot) = column.origin else {
                        columns.appendNull()
                        continue
                    }
                    columns.append(
                        table.cells[row * table.width + slot], of: record, column.type, isInt4: column.isInt4)
                }
                return columns.bytes
            }
        }
        return MirrorContent(columns: encoded.bytes, children: rows, cleared: cleared)
    }
}

extension MirrorEncoder.Column {
    init(_ column: MirrorColumn, slot: (String) -> Int?) {
        name = column.name
        type = column.type
        isInt4 = column.isInt4
        switch column.source {
        case .field(let field): origin = slot(field).map { .slot($0) } ?? .nowhere
        case .given(let number): origin = .given(number)
        }
    }
}

extension BinaryColumns {
    /// A cell as a column of a type; a text column takes every value in its text form.
    fileprivate mutating func append(_ cell: Cell, of record: Record, _ type: ValueType, isInt4: Bool) {
        switch cell {
        case .none, .cleared: appendNull()
        case .text(let range) where type == .string || type == .currency:
            append(text: record.bytes[range.range])
        case .decimal(let decimal) where type == .decimal: append(decimal)
        case .date(let date) where type == .date: append(date)
        default: append(record.value(of: cell), type, isInt4: isInt4)
        }
    }

    /// A value as a column of a type; one that does not fit the type is missing.
    fileprivate mutating func append(_ value: Value?, _ type: ValueType, isInt4: Bool) {
        switch (type, value) {
        case (_, nil): appendNull()
        case (.string, let value?), (.currency, let value?): append(value.description)
        case (.decimal, let value?): append(value.decimal)
        case (.date, .date(let date)?): append(date)
        case (.datetime, .timestamp(let instant)?): append(instant)
        case (.bool, .boolean(let boolean)?): append(boolean)
        case (.int, .integer(let number)?) where isInt4: append(Int32(clamping: number))
        case (.int, .integer(let number)?): append(number)
        default: appendNull()
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// One business item read from an artifact or a peer, typed and with its origin.

/// The values of one row in the order of its schema; nil where the source said nothing.
package typealias Values = [Value?]

/// A place in the bytes of a record.
public struct TextRange: Sendable, Hashable, BitwiseCopyable {
    /// Offset of the first byte.
    public var start: Int32
    /// Number of bytes.
    public var count: Int32

    /// `count` bytes from `start`.
    public init(start: Int, count: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.count = Int32(truncatingIfNeeded: count)
    }

    /// The offsets of the bytes.
    public var range: Range<Int> { Int(start)..<Int(start) + Int(count) }
}

/// A typed value without memory of its own: texts are places in the bytes of their record.
public enum Cell: Sendable, Hashable, BitwiseCopyable {
    /// The source said nothing.
    case none
    /// The source said that there is no value, and that a known one shall go.
    case cleared
    case text(TextRange)
    case decimal(Decimal)
    case integer(Int)
    case date(CalendarDate)
    case timestamp(Timestamp)
    case boolean(Bool)

    /// Whether it holds a value.
    public var isValue: Bool {
        switch self {
        case .none, .cleared: false
        default: true
        }
    }

    /// The decimal, or the integer as one.
    public var decimal: Decimal? {
        switch self {
        case .decimal(let decimal): decimal
        case .integer(let integer): Decimal(integer)
        default: nil
        }
    }
}

/// Child rows, one behind the other.
public struct RowTable: Sendable {
    /// Number of cells in a row.
    public let width: Int
    /// The cells of all rows.
    public var cells: [Cell] = []

    /// Number of rows.
    public var count: Int { width == 0 ? 0 : cells.count / width }

    /// No rows yet, of so many cells each.
    public init(width: Int) {
        self.width = width
    }
}

/// One business item: its fields, its child rows and where it was read.
///
/// Values are kept as cells over one block of bytes, so that reading a million records makes no million strings;
/// whoever wants a ``Value`` asks for it.
package struct Record: Sendable {
    /// What the values mean.
    package let schema: EntitySchema
    /// The texts of the cells, valid UTF-8 at every place that a cell names.
    package var bytes: [UInt8] = []
    /// Scalar fields, by ``EntitySchema/fields``.
    package var cells: [Cell]
    /// Child rows, by ``EntitySchema/collections``, each in the order of the source.
    package var children: [RowTable]
    /// Where it was read.
    package var origin: Origin

    /// A record without values.
    package init(schema: EntitySchema, origin: Origin = Origin()) {
        self.schema = schema
        cells = [Cell](repeating: .none, count: schema.fields.count)
        children = schema.collections.map { RowTable(width: $0.fields.count) }
        self.origin = origin
    }

    /// The field with a JSON name; nil where it is absent or the schema has no such field.
    package subscript(name: String) -> Value? {
        get { schema.slot(of: name).flatMap { value(of: cells[$0]) } }
        set {
            guard let slot = schema.slot(of: name) else { return }
            cells[slot] = cell(for: newValue)
        }
    }

    /// All scalar values, by ``EntitySchema/fields``.
    package var values: Values { cells.map { value(of: $0) } }

    /// The child rows of a collection, by ``EntitySchema/collections``.
    package func rows(_ collection: Int) -> [Values] {
        let table = children[collection]
        return (0..<table.count).map { row in
            table.cells[row * table.width..<(row + 1) * table.width].map { value(of: $0) }
        }
    }

    /// The child rows of all collections.
    package var allRows: [[Values]] { children.indices.map { rows($0) } }

    /// Adds a child row.
    package mutating func append(_ row: Values, to collection: Int) {
        for value in row {
            let cell = cell(for: value)
            children[collection].cells.append(cell)
        }
    }

    /// Gives a child row another value.
    package mutating func replace(_ collection: Int, _ row: Int, _ slot: Int, with value: Value?) {
        let cell = cell(for: value)
        children[collection].cells[row * children[collection].width + slot] = cell
    }

    /// A cell of this record as a value.
    package func value(of cell: Cell) -> Value? {
        switch cell {
        case .none, .cleared: nil
        case .text(let range): .text(string(range))
        case .decimal(let decimal): .decimal(decimal)
        case .integer(let integer): .integer(integer)
        case .date(let date): .date(date)
        case .timestamp(let timestamp): .timestamp(timestamp)
        case .boolean(let boolean): .boolean(boolean)
        }
    }

    /// The text at a place of its bytes.
    package func string(_ range: TextRange) -> String { String(decoding: bytes[range.range], as: UTF8.self) }

    private mutating func cell(for value: Value?) -> Cell {
        switch value {
        case nil: .none
        case .text(let text): .text(append(text))
        case .decimal(let decimal): .decimal(decimal)
        case .integer(let integer): .integer(integer)
        case .date(let date): .date(date)
        case .timestamp(let timestamp): .timestamp(timestamp)
        case .boolean(let boolean): .boolean(boolean)
        }
    }

    /// Adds a field's value to a hash.
    package func combine(_ slot: Int, into hasher: inout Hasher) { combine(cells[slot], into: &hasher) }

    /// Adds a cell's value to a hash: of a text its bytes, wherever they are.
    package func combine(_ cell: Cell, into hasher: inout Hasher) {
        guard case .text(let range) = cell else { return hasher.combine(cell) }
        hasher.combine(range.count)
        unsafe bytes.withUnsafeBytes { buffer in
            unsafe hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: buffer[range.range]))
        }
    }

    /// Keeps a text among the record's bytes.
    package mutating func append(_ text: String) -> TextRange {
        let start = bytes.count
        bytes.append(contentsOf: text.utf8)
        return TextRange(start: start, count: bytes.count - start)
    }

    /// The field as text, when it has some.
    package func text(_ name: String) -> String? { self[name]?.text }
    /// The field as a decimal, when it is one.
    package func decimal(_ name: String) -> Decimal? { self[name]?.decimal }
    /// The field as a date, when it is one.
    package func date(_ name: String) -> CalendarDate? { self[name]?.date }
}

/// Where a record was read inside its artifact.
package struct Origin: Sendable, Hashable {
    /// One-based number of the record in the artifact.
    package var ordinal: Int
    /// One-based line of its first byte, as far as the reader knows it.
    package var line: Int?
    /// First byte and the byte behind the last, from the artifact's start.
    package var bytes: Range<Int>?
    /// Its number, from 1, among the artifact's records with an equal key; 0 where keys must differ.
    package var repetition = 0

    /// A place in an artifact.
    package init(ordinal: Int = 0, line: Int? = nil, bytes: Range<Int>? = nil) {
        self.ordinal = ordinal
        self.line = line
        self.bytes = bytes
    }
}

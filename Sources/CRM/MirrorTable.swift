// SPDX-License-Identifier: Apache-2.0
// Tables that mirror what another system holds: declared once, written by one engine.

internal import Model

/// A column of a mirror and the value it gets.
struct MirrorColumn: Sendable {
    enum Source: Sendable {
        /// A field of the record or of its child row, by JSON name.
        case field(String)
        /// A value that the plan worked out, by its place in ``MirrorRow/given``.
        case given(Int)
    }

    let name: String
    let type: ValueType
    let source: Source
    /// Whether the table keeps its whole numbers in four bytes.
    var isInt4 = false
    /// The column whose change makes the known value meaningless.
    var partOf: String?

    /// A column with a field's value, whose name it shares unless another is given.
    init(_ name: String, _ type: ValueType = .string, from field: String? = nil, isInt4: Bool = false) {
        self.name = name
        self.type = type
        source = .field(field ?? name)
        self.isInt4 = isInt4
    }

    /// A column with a value of the plan.
    init(_ name: String, _ type: ValueType = .string, given: Int, isInt4: Bool = false, partOf: String? = nil)
    {
        self.name = name
        self.type = type
        source = .given(given)
        self.isInt4 = isInt4
        self.partOf = partOf
    }

    /// The type of arrays that carry its values.
    var sqlType: String { type == .int ? "bigint" : "text" }

    /// The field that people know it by.
    var field: String? { if case .field(let name) = source { name } else { nil } }
}

/// The child rows of a mirror, numbered from 1 in the order of the record.
struct MirrorChild: Sendable {
    /// The table.
    let name: String
    /// The column that names the row it belongs to.
    let parent: String
    /// The record's collection.
    let collection: String
    let columns: [MirrorColumn]
}

/// A table whose rows mirror records of other systems.
///
/// Beside its own columns it has `id`, `source_id`, `content_hash`, `artifact_id`, `ordinal`, `line`, `version` and
/// `created_run`; source and key together are unique.
protocol MirrorTable: Sendable {
    static var name: String { get }
    static var schema: EntitySchema { get }
    /// What makes a record the same one again, beside its source; values of ``MirrorRow/key``.
    static var key: [MirrorColumn] { get }
    /// What a record writes besides.
    static var columns: [MirrorColumn] { get }
    /// What new rows get besides, and is worked out again later: no content of the record.
    static var derived: [MirrorColumn] { get }
    static var children: [MirrorChild] { get }
}

/// A record on its way into a mirror.
struct MirrorRow: Sendable {
    /// Its place in the batch.
    let index: Int
    /// Values of ``MirrorTable/key``; a negative number stands for a party that is yet to be made.
    var key: [Value]
    /// Values that the plan worked out.
    var given: [Value?]
    /// The row's number once it has one.
    var id = 0

    /// Whether it speaks of something that is yet to be made.
    var isProvisional: Bool {
        func isNegative(_ value: Value?) -> Bool { if case .integer(..<0)? = value { true } else { false } }
        return key.contains { isNegative($0) } || given.contains { isNegative($0) }
    }
}

extension MirrorTable {
    static var derived: [MirrorColumn] { [] }
    static var children: [MirrorChild] { [] }
}

// SPDX-License-Identifier: Apache-2.0
// One-dimensional arrays and ranges; missing elements are allowed where the element is optional.

extension Optional: PostgreSQLEncodable where Wrapped: PostgreSQLEncodable {
    package static var typeID: TypeID { Wrapped.typeID }
    package var isNull: Bool { if case .none = self { true } else { false } }
    package func encode(into bytes: inout [UInt8]) { self?.encode(into: &bytes) }
}

extension Optional: PostgreSQLDecodable where Wrapped: PostgreSQLDecodable {
    package static var null: Wrapped?? { .some(nil) }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError)
        -> Wrapped?
    {
        try Wrapped.decode(&bytes, as: type)
    }
}

extension Array: PostgreSQLEncodable where Element: PostgreSQLEncodable {
    package static var typeID: TypeID { Element.typeID.array ?? .text }

    /// Source: `array_send` in PostgreSQL's `arrayfuncs.c`: dimensions, null flag, element type, length, lower bound.
    package func encode(into bytes: inout [UInt8]) {
        bytes.append(bigEndian: Int32(isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(contains(where: \.isNull) ? 1 : 0))
        bytes.append(bigEndian: Element.typeID.rawValue)
        guard !isEmpty else { return }
        bytes.append(bigEndian: Int32(count))
        bytes.append(bigEndian: Int32(1))
        for element in self { bytes.append(sized: element) }
    }
}

extension Array: PostgreSQLDecodable where Element: PostgreSQLDecodable {
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError)
        -> [Element]
    {
        let dimensions = try bytes.integer(Int32.self)
        _ = try bytes.integer(Int32.self)
        let elementType = TypeID(rawValue: try bytes.integer(UInt32.self))
        guard dimensions > 0 else { return [] }
        guard dimensions == 1 else { throw mismatch(type) }
        let count = Int(try bytes.integer(Int32.self))
        _ = try bytes.integer(Int32.self)
        var elements: [Element] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            let length = Int(try bytes.integer(Int32.self))
            guard length >= 0 else {
                guard let null = Element.null else { throw mismatch(elementType) }
                elements.append(null)
                continue
            }
            var element = try bytes.nested(length)
            elements.append(try Element.decode(&element, as: elementType))
        }
        return elements
    }
}

/// A range of PostgreSQL; a missing bound is infinite.
package struct PostgreSQLRange<Bound: PostgreSQLCodable & Hashable>: Sendable, Hashable {
    /// One end of a range.
    package struct Limit: Sendable, Hashable {
        /// The value at this end.
        package let value: Bound
        /// Whether the range contains it.
        package let isInclusive: Bool

        /// An end of a range that belongs to it or not.
        package init(_ value: Bound, inclusive: Bool) {
            self.value = value
            isInclusive = inclusive
        }
    }

    /// The lower end; nil = −∞.
    package let lower: Limit?
    /// The upper end; nil = +∞.
    package let upper: Limit?
    /// Whether it contains nothing.
    package let isEmpty: Bool

    /// A range; nil means that it has no end on that side.
    package init(lower: Limit?, upper: Limit?, isEmpty: Bool = false) {
        self.lower = lower
        self.upper = upper
        self.isEmpty = isEmpty
    }

    /// `[lower, upper)`, the form PostgreSQL keeps discrete ranges in.
    package init(from lower: Bound?, before upper: Bound?) {
        self.init(
            lower: lower.map { Limit($0, inclusive: true) }, upper: upper.map { Limit($0, inclusive: false) })
    }
}

extension PostgreSQLRange: PostgreSQLCodable {
    /// Bits of `range_send` in PostgreSQL's `rangetypes.c`.
    private enum Flag {
        static var empty: UInt8 { 0x01 }
        static var lowerInclusive: UInt8 { 0x02 }
        static var upperInclusive: UInt8 { 0x04 }
        static var lowerInfinite: UInt8 { 0x08 }
        static var upperInfinite: UInt8 { 0x10 }
    }

    package static var typeID: TypeID { Bound.typeID.range ?? .text }

    package func encode(into bytes: inout [UInt8]) {
        guard !isEmpty else { return bytes.append(Flag.empty) }
        var flags: UInt8 = 0
        if lower == nil { flags |= Flag.lowerInfinite }
        if upper == nil { flags |= Flag.upperInfinite }
        if lower?.isInclusive == true { flags |= Flag.lowerInclusive }
        if upper?.isInclusive == true { flags |= Flag.upperInclusive }
        bytes.append(flags)
        if let lower { bytes.append(sized: lower.value) }
        if let upper { bytes.append(sized: upper.value) }
    }

    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError) -> Self {
        guard type == typeID else { throw mismatch(type) }
        let flags = try bytes.integer(UInt8.self)
        guard flags & Flag.empty == 0 else { return Self(lower: nil, upper: nil, isEmpty: true) }
        let lower = flags & Flag.lowerInfinite == 0 ? try bound(&bytes) : nil
        let upper = flags & Flag.upperInfinite == 0 ? try bound(&bytes) : nil
        return Self(
            lower: lower.map { Limit($0, inclusive: flags & Flag.lowerInclusive != 0) },
            upper: upper.map { Limit($0, inclusive: flags & Flag.upperInclusive != 0) })
    }

    private static func bound(_ bytes: inout BinaryReader) throws(PostgreSQLError) -> Bound {
        let length = Int(try bytes.integer(Int32.self))
        var bound = try bytes.nested(length)
        return try Bound.decode(&bound, as: Bound.typeID)
    }
}

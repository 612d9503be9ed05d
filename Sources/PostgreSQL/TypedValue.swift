// SPDX-License-Identifier: Apache-2.0
// Which Swift types travel as which PostgreSQL types, always in the binary format.

internal import Diagnostics
package import FoundationEssentials
package import Model

/// PostgreSQL's number of a data type (`pg_type.oid`).
package struct TypeID: Sendable, Hashable, RawRepresentable {
    /// The oid.
    package let rawValue: UInt32

    /// The type with this object id of PostgreSQL's catalogue.
    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    package static let bool = TypeID(rawValue: 16)
    package static let bytea = TypeID(rawValue: 17)
    package static let int8 = TypeID(rawValue: 20)
    package static let int2 = TypeID(rawValue: 21)
    package static let int4 = TypeID(rawValue: 23)
    package static let text = TypeID(rawValue: 25)
    package static let date = TypeID(rawValue: 1082)
    package static let timestamptz = TypeID(rawValue: 1184)
    package static let numeric = TypeID(rawValue: 1700)
    package static let uuid = TypeID(rawValue: 2950)
    package static let jsonb = TypeID(rawValue: 3802)

    /// The type of arrays of this type.
    var array: TypeID? { Self.arrays[self].map(TypeID.init(rawValue:)) }
    /// The type of ranges over this type.
    var range: TypeID? { Self.ranges[self].map(TypeID.init(rawValue:)) }

    private static let arrays: [TypeID: UInt32] = [
        .bool: 1000, .bytea: 1001, .int8: 1016, .int2: 1005, .int4: 1007, .text: 1009, .date: 1182,
        .timestamptz: 1185, .numeric: 1231, .uuid: 2951, .jsonb: 3807,
    ]
    private static let ranges: [TypeID: UInt32] = [
        .int4: 3904, .numeric: 3906, .timestamptz: 3910, .date: 3912, .int8: 3926,
    ]
}

/// A value that can be sent as a parameter.
package protocol PostgreSQLEncodable: Sendable {
    /// The type it is sent as.
    static var typeID: TypeID { get }
    /// Whether it stands for NULL.
    var isNull: Bool { get }
    /// Appends the value in the binary format, without its length.
    func encode(into bytes: inout [UInt8])
}

extension PostgreSQLEncodable {
    package var isNull: Bool { false }
}

/// A value that can be read from a result column.
package protocol PostgreSQLDecodable: Sendable {
    /// The value that stands for NULL, where the type has one.
    static var null: Self? { get }
    /// Reads the binary form of a column of the given type.
    static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError) -> Self
}

/// A value that travels both ways.
package typealias PostgreSQLCodable = PostgreSQLEncodable & PostgreSQLDecodable

extension PostgreSQLDecodable {
    package static var null: Self? { nil }

    /// The error of a column whose type this Swift type cannot hold.
    static func mismatch(_ type: TypeID) -> PostgreSQLError {
        PostgreSQLError(.decoding, ["detail": "column type \(type.rawValue) read as \(Self.self)"])
    }
}

extension Int: PostgreSQLCodable {
    package static var typeID: TypeID { .int8 }
    package func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: Int64(self)) }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError) -> Int {
        switch type.rawValue {
        case 20, 5069: Int(try bytes.integer(Int64.self))  // int8, xid8
        case 23: Int(try bytes.integer(Int32.self))
        case 21: Int(try bytes.integer(Int16.self))
        case 26: Int(try bytes.integer(UInt32.self))  // oid
        default: throw mismatch(type)
        }
    }
}

extension Int32: PostgreSQLEncodable {
    package static var typeID: TypeID { .int4 }
    package func encode(into bytes: inout [UInt8]) { bytes.append(bigEndian: self) }
}

extension Bool: PostgreSQLCodable {
    package static var typeID: TypeID { .bool }
    package func encode(into bytes: inout [UInt8]) { bytes.append(self ? 1 : 0) }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError) -> Bool {
        guard type == .bool else { throw mismatch(type) }
        return try bytes.integer(UInt8.self) != 0
    }
}

extension String: PostgreSQLCodable {
    package static var typeID: TypeID { .text }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: utf8) }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError) -> String
    {
        switch type.rawValue {
        // text, char(n), varchar, name, "char", json, unknown
        case 25, 1042, 1043, 19, 18, 114, 705: return try bytes.text()
        case 3802:
            _ = try bytes.integer(UInt8.self)
            return try bytes.text()
        default: throw mismatch(type)
        }
    }
}

/// Bytes of a `bytea` column.
package struct Bytes: PostgreSQLCodable, Hashable {
    /// The bytes.
    package var array: [UInt8]

    /// Bytes as `bytea` holds them.
    package init(_ array: [UInt8]) {
        self.array = array
    }

    package static var typeID: TypeID { .bytea }
    package func encode(into bytes: inout [UInt8]) { bytes.append(contentsOf: array) }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError) -> Bytes
    {
        guard type == .bytea else { throw mismatch(type) }
        return Bytes(try bytes.bytes())
    }
}

extension UUID: PostgreSQLCodable {
    package static var typeID: TypeID { .uuid }
    package func encode(into bytes: inout [UInt8]) {
        let id = uuid
        bytes.append(contentsOf: [
            id.0, id.1, id.2, id.3, id.4, id.5, id.6, id.7, id.8, id.9, id.10, id.11, id.12, id.13, id.14,
            id.15,
        ])
    }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError) -> UUID {
        guard type == .uuid else { throw mismatch(type) }
        let id = try bytes.bytes()
        guard id.count == 16 else { throw mismatch(type) }
        return UUID(
            uuid: (
                id[0], id[1], id[2], id[3], id[4], id[5], id[6], id[7], id[8], id[9], id[10], id[11], id[12],
                id[13], id[14], id[15]
            ))
    }
}

extension CalendarDate: PostgreSQLCodable {
    /// Days between the Unix epoch and PostgreSQL's, 2000-01-01.
    private static var epoch: Int { 10_957 }

    package static var typeID: TypeID { .date }
    package func encode(into bytes: inout [UInt8]) {
        bytes.append(bigEndian: Int32(clamping: daysSince1970 - Self.epoch))
    }
    package static func decode(
        _ bytes: inout BinaryReader, as type: TypeID
    ) throws(PostgreSQLError) -> CalendarDate {
        guard type == .date else { throw mismatch(type) }
        return CalendarDate(daysSince1970: Int(try bytes.integer(Int32.self)) + epoch)
    }
}

extension Timestamp: PostgreSQLCodable {
    /// Microseconds between the Unix epoch and PostgreSQL's, 2000-01-01.
    private static var epoch: Int64 { 946_684_800_000_000 }

    package static var typeID: TypeID { .timestamptz }
    package func encode(into bytes: inout [UInt8]) {
        bytes.append(bigEndian: microsecondsSince1970 - Self.epoch)
    }
    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError)
        -> Timestamp
    {
        guard type == .timestamptz else { throw mismatch(type) }
        return Timestamp(microsecondsSince1970: try bytes.integer(Int64.self) + epoch)
    }
}

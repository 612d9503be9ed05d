// SPDX-License-Identifier: Apache-2.0
// Reading and writing big-endian numbers and text of PostgreSQL's binary format; the one file that touches raw bytes.

internal import Diagnostics

/// The bytes of one value as the server sent them; valid only while its result is, so it never leaves a decode call.
@safe
package struct BinaryReader {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.rest = bytes
    }

    /// The next number, big-endian.
    package mutating func integer<Number: FixedWidthInteger>(
        _ type: Number.Type = Number.self
    ) throws(PostgreSQLError) -> Number {
        let bytes = try unsafe take(MemoryLayout<Number>.size)
        return unsafe Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }

    /// Everything that is left, as UTF-8 text.
    package mutating func text() throws(PostgreSQLError) -> String {
        unsafe String(decoding: try take(rest.count), as: UTF8.self)
    }

    /// Everything that is left.
    package mutating func bytes() throws(PostgreSQLError) -> [UInt8] {
        unsafe Array(try take(rest.count))
    }

    /// The next `count` bytes as a value of their own.
    package mutating func nested(_ count: Int) throws(PostgreSQLError) -> BinaryReader {
        unsafe BinaryReader(try take(count))
    }

    private mutating func take(_ count: Int) throws(PostgreSQLError) -> UnsafeRawBufferPointer {
        guard unsafe count >= 0 && count <= rest.count else {
            throw PostgreSQLError(.decoding, ["detail": "value too short"])
        }
        defer { unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count)) }
        return unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }
}

extension [UInt8] {
    /// Appends a number, big-endian.
    mutating func append(bigEndian number: some FixedWidthInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Appends a value with its length in front, or the length −1 for a missing one.
    mutating func append(sized value: some PostgreSQLEncodable) {
        guard !value.isNull else { return append(bigEndian: Int32(-1)) }
        let start = count
        append(bigEndian: Int32(0))
        value.encode(into: &self)
        let length = UInt32(count - start - 4)
        for index in 0..<4 { self[start + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
    }
}

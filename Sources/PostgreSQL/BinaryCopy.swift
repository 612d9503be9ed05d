// SPDX-License-Identifier: Apache-2.0
// Rows in COPY's binary format, built value by value.

internal import Diagnostics

/// Data for `copy … from stdin (format binary)`.
///
/// Source: PostgreSQL's manual, COPY, "Binary Format".
package struct BinaryCopy: Sendable {
    /// What has been built so far.
    package private(set) var bytes: [UInt8] = []

    private static let signature: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00]

    /// No rows yet.
    package init() {}

    /// Begins a row of so many columns, which the following calls fill in order.
    package mutating func beginRow(columns: Int) {
        if bytes.isEmpty {
            bytes = Self.signature
            bytes.append(bigEndian: Int64(0))
        }
        bytes.append(bigEndian: Int16(columns))
    }

    /// The next column; a missing optional is NULL.
    package mutating func append(_ value: some PostgreSQLEncodable) {
        bytes.append(sized: value)
    }

    /// The next columns, encoded before by ``BinaryColumns``.
    package mutating func append(_ columns: ArraySlice<UInt8>) {
        bytes.append(contentsOf: columns)
    }

    /// The whole data with its trailer.
    package consuming func finished() -> [UInt8] {
        if bytes.isEmpty {
            bytes = Self.signature
            bytes.append(bigEndian: Int64(0))
        }
        bytes.append(bigEndian: Int16(-1))
        return bytes
    }
}

/// Columns of one or more rows in the binary format, without the rows' frames.
package struct BinaryColumns: Sendable {
    /// What has been encoded so far.
    package private(set) var bytes: [UInt8] = []

    /// No columns yet.
    package init() {}

    /// The next column; a missing optional is NULL.
    package mutating func append(_ value: some PostgreSQLEncodable) {
        bytes.append(sized: value)
    }

    /// The next column as text, from its UTF-8.
    package mutating func append(text: ArraySlice<UInt8>) {
        bytes.append(bigEndian: Int32(text.count))
        bytes.append(contentsOf: text)
    }

    /// The next column as NULL.
    package mutating func appendNull() {
        bytes.append(bigEndian: Int32(-1))
    }
}

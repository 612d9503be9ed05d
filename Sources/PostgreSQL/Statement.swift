// SPDX-License-Identifier: Apache-2.0
// SQL, its parameters and its row together: the form of every query in Relais.

/// One value sent with a statement, in the binary format.
package struct Parameter: Sendable {
    let type: TypeID
    /// nil = NULL.
    let bytes: [UInt8]?

    /// A value; a missing optional is NULL of its type.
    package init<Value: PostgreSQLEncodable>(_ value: Value) {
        var bytes: [UInt8] = []
        value.encode(into: &bytes)
        type = Value.typeID
        self.bytes = value.isNull ? nil : bytes
    }
}

/// A query with its parameters: SQL, binding and row decoding in one type.
///
/// Statements are prepared once a connection, under their type; the SQL of a type never varies. A module lists
/// its statements so that one test can PREPARE them all against the migrated schema.
package protocol Statement: Sendable {
    /// What one row becomes.
    associatedtype Row: Sendable = Void
    /// The text, with `$1…` for the parameters.
    static var sql: String { get }
    /// The values of `$1…`, in order.
    var parameters: [Parameter] { get }
    /// Reads one row, column by column.
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row
}

extension Statement {
    package var parameters: [Parameter] { [] }
}

extension Statement where Row == Void {
    package static func decode(_ row: inout RowReader) throws(PostgreSQLError) {}
}

extension Statement where Row: PostgreSQLDecodable {
    package static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row { try row.next() }
}

/// A statement that is written where it is used, for tools and tests; not prepared, its columns read as one type.
package struct AdHoc<Row: PostgreSQLDecodable>: Sendable {
    let sql: String
    let parameters: [Parameter]

    /// A statement whose `$1`, `$2`… are the parameters in order.
    package init(_ sql: String, _ parameters: [Parameter] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}

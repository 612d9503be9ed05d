// SPDX-License-Identifier: Apache-2.0
// One result of libpq, freed when it goes out of scope, and the reader of its rows.

internal import CLibPQ
internal import Diagnostics

/// A result with its rows; the memory is libpq's.
@safe
struct QueryResult: ~Copyable {
    private let pointer: OpaquePointer

    /// Takes over a result; nil (out of memory, connection gone) is not one.
    init?(_ pointer: OpaquePointer?) {
        guard let pointer = unsafe pointer else { return nil }
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe PQclear(pointer)
    }

    /// What kind of result it is.
    var status: ExecStatusType { unsafe PQresultStatus(pointer) }
    /// Number of rows.
    var count: Int { Int(unsafe PQntuples(pointer)) }
    /// Number of rows that an INSERT, UPDATE, DELETE or COPY touched.
    var affected: Int { Int(unsafe String(cString: PQcmdTuples(pointer))) ?? 0 }
    /// The command's tag, such as `COMMIT` or `INSERT 0 1`.
    var tag: String { unsafe String(cString: PQcmdStatus(pointer)) }
    /// Number of columns.
    var columns: Int { Int(unsafe PQnfields(pointer)) }

    /// The server's error, nil when there is none.
    var error: PostgreSQLError? {
        guard status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE else { return nil }
        guard let state = field(relais_diag_sqlstate) else {
            return PostgreSQLError(
                .connectionLost,
                ["detail": unsafe String(cString: PQresultErrorMessage(pointer)).trimmedLines],
                retry: .after(.seconds(1)))
        }
        return PostgreSQLError(
            sqlState: state, message: field(relais_diag_message) ?? "",
            constraint: field(relais_diag_constraint), hint: field(relais_diag_hint))
    }

    private func field(_ code: Int32) -> String? {
        unsafe PQresultErrorField(pointer, code).map { unsafe String(cString: $0) }
    }

    /// Decodes every row.
    func rows<Row>(
        _ decode: (inout RowReader) throws(PostgreSQLError) -> Row
    ) throws(PostgreSQLError) -> [Row] {
        var rows: [Row] = []
        rows.reserveCapacity(count)
        for index in 0..<count {
            var reader = unsafe RowReader(result: pointer, row: Int32(index), columns: Int32(columns))
            rows.append(try decode(&reader))
        }
        return rows
    }
}

/// Reads the columns of one row from left to right.
@safe
package struct RowReader {
    private let result: OpaquePointer
    private let row: Int32
    private let columns: Int32
    private var column: Int32 = 0

    fileprivate init(result: OpaquePointer, row: Int32, columns: Int32) {
        unsafe self.result = result
        self.row = row
        self.columns = columns
    }

    /// The next column's value; a NULL is an error unless the type is optional.
    package mutating func next<Value: PostgreSQLDecodable>(
        _ type: Value.Type = Value.self
    ) throws(PostgreSQLError) -> Value {
        guard column < columns else {
            throw PostgreSQLError(.decoding, ["detail": "the row has only \(columns) columns"])
        }
        defer { column += 1 }
        guard unsafe PQgetisnull(result, row, column) == 0 else {
            guard let null = Value.null else {
                throw PostgreSQLError(.decoding, ["detail": "column \(column + 1) is null"])
            }
            return null
        }
        let typeID = TypeID(rawValue: unsafe PQftype(result, column))
        let length = Int(unsafe PQgetlength(result, row, column))
        var reader = unsafe BinaryReader(
            UnsafeRawBufferPointer(start: PQgetvalue(result, row, column), count: length))
        return try Value.decode(&reader, as: typeID)
    }
}

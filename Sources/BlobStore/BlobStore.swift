// SPDX-License-Identifier: Apache-2.0
// Bytes kept once, by their SHA-256; for now every blob is in PostgreSQL, in pieces of 1 MiB.

package import PostgreSQL

/// Reads and writes blobs on a connection, inside the caller's transaction.
package enum BlobStore {
    /// Bytes of a piece.
    package static let pieceSize = 1 << 20

    /// Every statement, for the test that PREPAREs them.
    package static let statements: [any Statement.Type] = [
        InsertBlob.self, InsertPiece.self, ReadPiece.self, ReadPart.self,
    ]

    /// Begins a blob.
    ///
    /// - Returns: false when these bytes are kept already and no piece is wanted.
    package static func begin(
        _ sha256: [UInt8], size: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Bool {
        try await connection.execute(InsertBlob(sha256: sha256, size: size)) == 1
    }

    /// Adds the next piece; every one but the last has ``pieceSize`` bytes.
    package static func add(
        _ bytes: [UInt8], number: Int, to sha256: [UInt8], on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(InsertPiece(sha256: sha256, number: number, bytes: bytes))
    }

    /// A piece by its number from 0; nil behind the last.
    package static func piece(
        _ number: Int, of sha256: [UInt8], on connection: Connection
    ) async throws(PostgreSQLError) -> [UInt8]? {
        try await connection.run(ReadPiece(sha256: sha256, number: number)).first?.array
    }

    /// The bytes of a range, as far as the blob has them.
    package static func bytes(
        _ range: Range<Int>, of sha256: [UInt8], on connection: Connection
    ) async throws(PostgreSQLError) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for number in range.lowerBound / pieceSize...(range.upperBound - 1) / pieceSize {
            let start = number * pieceSize
            let wanted = range.clamped(to: start..<start + pieceSize)
            let part = ReadPart(
                sha256: sha256, number: number, first: wanted.lowerBound - start, count: wanted.count)
            bytes += try await connection.run(part).first?.array ?? []
        }
        return bytes
    }
}

struct InsertBlob: Statement {
    let sha256: [UInt8]
    let size: Int

    static let sql = "insert into blob (sha256, size) values ($1, $2::bigint) on conflict do nothing"
    var parameters: [Parameter] { [Parameter(Bytes(sha256)), Parameter(size)] }
}

struct InsertPiece: Statement {
    let sha256: [UInt8]
    let number: Int
    let bytes: [UInt8]

    static let sql = "insert into blob_chunk (sha256, no, bytes) values ($1, $2::bigint, $3)"
    var parameters: [Parameter] { [Parameter(Bytes(sha256)), Parameter(number), Parameter(Bytes(bytes))] }
}

struct ReadPiece: Statement {
    let sha256: [UInt8]
    let number: Int

    static let sql = "select bytes from blob_chunk where sha256 = $1 and no = $2::bigint"
    var parameters: [Parameter] { [Parameter(Bytes(sha256)), Parameter(number)] }
    typealias Row = Bytes
}

/// Some bytes of a piece; the server reads no more than these from its storage.
struct ReadPart: Statement {
    let sha256: [UInt8]
    let number: Int
    let first: Int
    let count: Int

    static let sql = """
        select substring(bytes from $3::bigint::int for $4::bigint::int)
        from blob_chunk
        where sha256 = $1 and no = $2::bigint
        """
    var parameters: [Parameter] {
        [Parameter(Bytes(sha256)), Parameter(number), Parameter(first + 1), Parameter(count)]
    }
    typealias Row = Bytes
}

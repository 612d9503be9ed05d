// SPDX-License-Identifier: Apache-2.0
// Bytes kept once, by their SHA-256: small ones in PostgreSQL, larger ones in files.

internal import Bytes
internal import Crypto
internal import Diagnostics
internal import FileTransfer
internal import Foundation
package import PostgreSQL

/// Reads and writes blobs.
///
/// A blob of more than ``largestInDatabase`` bytes is a file of the folder, complete and on the disk before the row
/// that names it is committed; without a folder, every blob is in the database, in pieces of 1 MiB.
package struct BlobStore: Sendable {
    /// Bytes of a piece.
    package static let pieceSize = 1 << 20
    /// A blob of more bytes is a file.
    package static let largestInDatabase = 256 << 10

    /// Where files are; nil = nowhere.
    package let folder: String?

    /// A store with its files in a folder, which is made when the first file is.
    package init(folder: String? = nil) {
        self.folder = folder
    }

    /// Every statement, for the test that PREPAREs them.
    package static let statements: [any Statement.Type] = [
        InsertBlob.self, StoreOfBlob.self, InsertPiece.self, ReadPiece.self, ReadPart.self, ListBlobs.self,
        CountBlobs.self, DropBlob.self, TakeBlobAgain.self, HoldBlob.self,
        LockBlob.self,
    ]

    /// Begins a blob, inside the caller's transaction.
    ///
    /// - Returns: what takes its bytes; nil when they are kept already.
    package func begin(
        _ sha256: [UInt8], size: Int, on connection: Connection
    ) async throws -> BlobWriter? {
        let folder = size > Self.largestInDatabase ? folder : nil
        let isNew =
            try await connection.execute(
                InsertBlob(sha256: sha256, size: size, store: folder == nil ? "database" : "files")) == 1
        if !isNew {
            // Whoever lets the bytes go meanwhile is waited for, and waits for this transaction.
            let kept = try await connection.run(HoldBlob(sha256: sha256)).first
            guard kept?.isDropped == true || isLost(sha256, kept?.store) else { return nil }
            if kept?.isDropped == true {
                try await connection.execute(
                    TakeBlobAgain(sha256: sha256, store: folder == nil ? "database" : "files"))
            }
        }
        return BlobWriter(sha256, folder: folder.map { Self.place(of: sha256, in: $0).folder })
    }

    /// Whether a kept blob's file is not there: then it is written again.
    private func isLost(_ sha256: [UInt8], _ store: String?) -> Bool {
        guard store == "files", let folder else { return false }
        return !FileManager.default.fileExists(atPath: Self.place(of: sha256, in: folder).path)
    }

    /// A piece by its number from 0; nil behind the last.
    package func piece(_ number: Int, of sha256: [UInt8], on connection: Connection) async throws -> [UInt8]?
    {
        if let bytes = try file(sha256, Self.pieceSize * number..<Self.pieceSize * (number + 1)) {
            return bytes.isEmpty ? nil : bytes
        }
        return try await connection.run(ReadPiece(sha256: sha256, number: number)).first?.array
    }

    /// The bytes of a range, as far as the blob has them.
    package func bytes(
        _ range: Range<Int>, of sha256: [UInt8], on connection: Connection
    ) async throws -> [UInt8] {
        guard !range.isEmpty else { return [] }
        if let bytes = try file(sha256, range) { return bytes }
        var bytes: [UInt8] = []
        for number in range.lowerBound / Self.pieceSize...(range.upperBound - 1) / Self.pieceSize {
            let start = number * Self.pieceSize
            let wanted = range.clamped(to: start..<start + Self.pieceSize)
            let part = ReadPart(
                sha256: sha256, number: number, first: wanted.lowerBound - start, count: wanted.count)
            bytes += try await connection.run(part).first?.array ?? []
        }
        return bytes
    }

    /// Lets the bytes of a blob go; its hash and size stay. The same bytes may come again.
    ///
    /// - Parameter isOld: asked once nobody can take the bytes any more: whether they may still go.
    /// - Returns: whether they went.
    package func drop(
        _ sha256: [UInt8], on connection: Connection, if isOld: (Connection) async throws -> Bool
    ) async throws -> Bool {
        try await connection.transaction { connection in
            _ = try await connection.run(LockBlob(sha256: sha256))
            guard try await isOld(connection) else { return false }
            try await connection.execute(DropBlob(sha256: sha256))
            guard let folder else { return true }
            // Before the commit: behind it, the file might be a new one.
            let path = Self.place(of: sha256, in: folder).path
            if FileManager.default.fileExists(atPath: path) {
                try FileManager.default.removeItem(atPath: path)
            }
            return true
        }
    }

    /// Writes bytes of a blob to a new file of a folder, piece by piece.
    ///
    /// - Throws: `BLOB-GONE` when the store no longer has them all, `FILE-UNWRITABLE`.
    package func copy(
        _ range: Range<Int>, of sha256: [UInt8], to folder: String, as name: String, on connection: Connection
    ) async throws {
        var target = try DurableFile(in: folder)
        var start = range.lowerBound
        while start < range.upperBound {
            let part = start..<min(start + Self.pieceSize, range.upperBound)
            let bytes = try await bytes(part, of: sha256, on: connection)
            guard bytes.count == part.count else { throw BlobError(.gone) }
            try target.write(bytes)
            start = part.upperBound
        }
        try target.finish(as: name)
    }

    /// Bytes of the file of a blob; nil where it has none.
    private func file(_ sha256: [UInt8], _ range: Range<Int>) throws(FileError) -> [UInt8]? {
        guard let folder else { return nil }
        let path = Self.place(of: sha256, in: folder).path
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        return try LocalFile(path).read(at: range)
    }

    /// `ab/ab12…`: a folder for each first byte, so that none gets too large.
    static func place(of sha256: [UInt8], in folder: String) -> (folder: String, path: String) {
        let name = sha256.hexadecimal
        let inner = "\(folder)/\(name.prefix(2))"
        return (inner, "\(inner)/\(name)")
    }

}

/// Takes the bytes of one blob.
package struct BlobWriter: Sendable {
    private let sha256: [UInt8]
    private let folder: String?
    private var buffer: [UInt8] = []
    private var number = 0

    init(_ sha256: [UInt8], folder: String?) {
        self.sha256 = sha256
        self.folder = folder
    }

    /// Writes files one behind the other, as one blob.
    ///
    /// - Throws: ``BlobError``; the faults of reading, and `FILE-CHANGED` when the bytes are not those that were
    ///   hashed.
    package mutating func write(_ paths: [String], on connection: Connection) async throws {
        var hasher = SHA256()
        if let folder { return try keep(paths, in: folder) }
        for path in paths {
            let source = try LocalFile(path)
            while true {
                let bytes = try source.read(upTo: BlobStore.pieceSize - buffer.count)
                if bytes.isEmpty { break }
                hasher.update(data: bytes)
                buffer += bytes
                if buffer.count == BlobStore.pieceSize { try await flush(on: connection) }
            }
        }
        if !buffer.isEmpty { try await flush(on: connection) }
        try check(hasher, paths)
    }

    private func keep(_ paths: [String], in folder: String) throws {
        var hasher = SHA256()
        do {
            var target = try DurableFile(in: folder)
            for path in paths {
                try Self.each(path) { bytes in
                    hasher.update(data: bytes)
                    try target.write(bytes)
                }
            }
            try check(hasher, paths)
            try target.finish(as: sha256.hexadecimal)
        } catch let error as FileError where error.has(.unwritable) {
            let facts = error.diagnostic.facts.merging(["folder": folder]) { $1 }
            throw BlobError(.unwritable, facts)
        }
    }

    private static func each(_ path: String, _ body: ([UInt8]) throws -> Void) throws {
        let source = try LocalFile(path)
        while true {
            let bytes = try source.read(upTo: BlobStore.pieceSize)
            if bytes.isEmpty { return }
            try body(bytes)
        }
    }

    private func check(_ hasher: SHA256, _ paths: [String]) throws(FileError) {
        guard Array(hasher.finalize()) == sha256 else {
            throw FileError(.changed, at: Place(file: paths.first))
        }
    }

    private mutating func flush(on connection: Connection) async throws(PostgreSQLError) {
        try await connection.execute(InsertPiece(sha256: sha256, number: number, bytes: buffer))
        number += 1
        buffer = []
    }
}

struct InsertBlob: Statement {
    let sha256: [UInt8]
    let size: Int
    let store: String

    static let sql = """
        insert into blob (sha256, size, store) values ($1, $2::bigint, $3) on conflict do nothing
        """
    var parameters: [Parameter] { [Parameter(Bytes(sha256)), Parameter(size), Parameter(store)] }
}

struct StoreOfBlob: Statement {
    let sha256: [UInt8]

    static let sql = "select store, dropped_at is not null from blob where sha256 = $1"
    var parameters: [Parameter] { [Parameter(Bytes(sha256))] }

    struct Row: Sendable {
        let store: String
        let isDropped: Bool
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(store: try row.next(), isDropped: try row.next())
    }
}

/// The same for whoever is about to name the blob.
struct HoldBlob: Statement {
    let sha256: [UInt8]

    static let sql = "select store, dropped_at is not null from blob where sha256 = $1 for key share"
    var parameters: [Parameter] { [Parameter(Bytes(sha256))] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> StoreOfBlob.Row {
        try StoreOfBlob.decode(&row)
    }
}

struct LockBlob: Statement {
    let sha256: [UInt8]

    static let sql = "select true from blob where sha256 = $1 for update"
    var parameters: [Parameter] { [Parameter(Bytes(sha256))] }
    typealias Row = Bool
}

struct DropBlob: Statement {
    let sha256: [UInt8]

    static let sql = """
        with pieces as (delete from blob_chunk where sha256 = $1)
        update blob set dropped_at = now() where sha256 = $1
        """
    var parameters: [Parameter] { [Parameter(Bytes(sha256))] }
}

struct TakeBlobAgain: Statement {
    let sha256: [UInt8]
    let store: String

    static let sql = "update blob set dropped_at = null, store = $2 where sha256 = $1"
    var parameters: [Parameter] { [Parameter(Bytes(sha256)), Parameter(store)] }
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

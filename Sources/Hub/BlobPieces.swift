// SPDX-License-Identifier: Apache-2.0
// Files on their way into the blob store, piece by piece.

internal import BlobStore
internal import FileTransfer
internal import PostgreSQL

/// Writes files one behind the other as the pieces of one blob.
struct BlobPieces {
    private let sha256: [UInt8]
    private var piece: [UInt8] = []
    private var number = 0
    /// Bytes so far.
    private(set) var size = 0

    init(_ sha256: [UInt8]) {
        self.sha256 = sha256
    }

    mutating func add(_ file: borrowing LocalFile, on connection: Connection) async throws {
        file.rewind()
        while true {
            let bytes = try file.read(upTo: BlobStore.pieceSize - piece.count)
            if bytes.isEmpty { return }
            piece += bytes
            if piece.count == BlobStore.pieceSize { try await write(on: connection) }
        }
    }

    mutating func finish(on connection: Connection) async throws {
        if !piece.isEmpty { try await write(on: connection) }
    }

    private mutating func write(on connection: Connection) async throws {
        try await BlobStore.add(piece, number: number, to: sha256, on: connection)
        number += 1
        size += piece.count
        piece = []
    }
}

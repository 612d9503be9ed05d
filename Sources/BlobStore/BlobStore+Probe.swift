// SPDX-License-Identifier: Apache-2.0
// Whether the store takes a file, gives it back and lets it go.

internal import Crypto
internal import Diagnostics
internal import Foundation
package import PostgreSQL

extension BlobStore {
    /// Writes a file, reads it and lets it go. It is the same one each time, so that one row stays, however often.
    ///
    /// - Returns: its bytes.
    /// - Throws: ``BlobError``, the faults of writing files, what the database says.
    package func probe(on connection: Connection) async throws -> Int {
        // One byte more than the database takes, for the folder is to be tried where there is one.
        let bytes = [UInt8](repeating: UInt8(ascii: "r"), count: Self.largestInDatabase + 1)
        let sha256 = Array(SHA256.hash(data: bytes))
        let file = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(bytes).write(to: file)
        try await connection.transaction { connection in
            if var writer = try await begin(sha256, size: bytes.count, on: connection) {
                try await writer.write([file.path], on: connection)
            }
        }
        guard try await self.bytes(0..<bytes.count, of: sha256, on: connection) == bytes else {
            throw BlobError(.gone, ["folder": folder ?? ""])
        }
        _ = try await drop(sha256, on: connection) { _ in true }
        return bytes.count
    }
}

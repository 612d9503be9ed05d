// SPDX-License-Identifier: Apache-2.0
// Looks whether every blob is still what its hash says, and sweeps away files that belong to none.

internal import Bytes
internal import Crypto
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Model
package import PostgreSQL

/// What a look at all blobs found.
package struct ScrubReport: Sendable {
    /// Blobs looked at, and their bytes.
    package fileprivate(set) var blobs = 0
    /// Bytes read.
    package fileprivate(set) var bytes = 0
    /// Hashes, in hexadecimal, of blobs whose bytes are gone.
    package fileprivate(set) var missing: [String] = []
    /// Hashes of blobs whose bytes are other ones.
    package fileprivate(set) var damaged: [String] = []
    /// Names of files that belonged to no blob, which are gone now.
    package fileprivate(set) var swept: [String] = []
}

/// How much is kept where.
package struct BlobCount: Sendable {
    /// `database` or `files`.
    package let store: String
    /// Number of blobs.
    package let count: Int
    /// Their bytes.
    package let bytes: Int
}

extension BlobStore {
    /// A file that belongs to no blob is swept when it is older: a younger one may be of an import that is running.
    private static let age: TimeInterval = 3600

    /// How much is kept where.
    package func count(on connection: Connection) async throws(PostgreSQLError) -> [BlobCount] {
        try await connection.run(CountBlobs())
    }

    /// Reads every blob, and removes files without one that are older than an hour.
    package func scrub(on connection: Connection) async throws -> ScrubReport {
        var report = ScrubReport()
        var after: [UInt8] = []
        while true {
            let blobs = try await connection.run(ListBlobs(after: after, limit: 1000))
            guard let last = blobs.last else { break }
            for blob in blobs { try await check(blob, &report, on: connection) }
            after = last.sha256
        }
        try await sweep(&report, on: connection)
        return report
    }

    private func check(
        _ blob: ListBlobs.Row, _ report: inout ScrubReport, on connection: Connection
    ) async throws {
        var hasher = SHA256()
        var number = 0
        var size = 0
        while let bytes = try await piece(number, of: blob.sha256, on: connection) {
            hasher.update(data: bytes)
            size += bytes.count
            number += 1
        }
        report.blobs += 1
        report.bytes += size
        if size == 0, blob.size > 0 {
            report.missing.append(blob.sha256.hexadecimal)
        } else if Array(hasher.finalize()) != blob.sha256 {
            report.damaged.append(blob.sha256.hexadecimal)
        }
    }

    private func sweep(_ report: inout ScrubReport, on connection: Connection) async throws {
        guard let folder else { return }
        let files = FileManager.default
        for inner in (try? files.contentsOfDirectory(atPath: folder)) ?? [] {
            for name in (try? files.contentsOfDirectory(atPath: "\(folder)/\(inner)")) ?? [] {
                let path = "\(folder)/\(inner)/\(name)"
                let changed = (try? files.attributesOfItem(atPath: path))?[.modificationDate] as? Date
                guard let changed, changed.timeIntervalSinceNow < -Self.age else { continue }
                let isPart = name.hasPrefix(DurableFile.temporaryPrefix)
                if !isPart, try await isNamed(name, on: connection) { continue }
                try files.removeItem(atPath: path)
                report.swept.append(name)
            }
        }
    }

    private func isNamed(_ name: String, on connection: Connection) async throws(PostgreSQLError) -> Bool {
        let digits = Array(name.utf8)
        let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
            UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
        }
        return try await connection.run(StoreOfBlob(sha256: bytes)).first
            .map { $0.store == "files" && !$0.isDropped } ?? false
    }
}

struct ListBlobs: Statement {
    struct Row: Sendable {
        let sha256: [UInt8]
        let size: Int
    }

    let after: [UInt8]
    let limit: Int

    static let sql =
        "select sha256, size from blob where sha256 > $1 and dropped_at is null order by sha256 limit $2::bigint"
    var parameters: [Parameter] { [Parameter(Bytes(after)), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(sha256: try row.next(Bytes.self).array, size: try row.next())
    }
}

struct CountBlobs: Statement {
    static let sql = """
        select store, count(*), coalesce(sum(size), 0)::bigint from blob where dropped_at is null group by 1 order by 1
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> BlobCount {
        BlobCount(store: try row.next(), count: try row.next(), bytes: try row.next())
    }
}

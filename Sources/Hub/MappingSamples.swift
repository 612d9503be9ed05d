// SPDX-License-Identifier: Apache-2.0
// What a mapping is tried on while it is changed: the last file that it read, one that waits, a record in quarantine,
// or an example beside it.

internal import BlobStore
internal import Diagnostics
internal import FileTransfer
internal import Foundation
package import Mapping
package import PostgreSQL

/// What a mapping is tried on.
package enum SampleChoice: Sendable, Hashable {
    /// The last file that it read and that is kept.
    case last
    /// A file that waits for its import.
    case preview(Int)
    /// A record in quarantine.
    case quarantined(Int)
    /// An example beside the mapping.
    case example(String)

    /// `last`, `preview-12`, `quarantine-7`, `example-NAME`; nil for anything else.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", maxSplits: 1).map(String.init)
        switch (parts.first, parts.count > 1 ? parts[1] : "") {
        case ("last", ""): self = .last
        case ("preview", let id): guard let id = Int(id) else { return nil }; self = .preview(id)
        case ("quarantine", let id): guard let id = Int(id) else { return nil }; self = .quarantined(id)
        case ("example", let name): self = .example(name)
        default: return nil
        }
    }

    /// The text that it is made from again.
    package var text: String {
        switch self {
        case .last: "last"
        case .preview(let id): "preview-\(id)"
        case .quarantined(let id): "quarantine-\(id)"
        case .example(let name): "example-\(name)"
        }
    }
}

/// Finds samples.
package struct MappingSamples: Sendable {
    private static let size = 1 << 20
    private static let deepest = 4 << 20

    private let pool: Pool
    private let shelf: MappingShelf
    private let blobs: BlobStore

    /// Samples of what these tools import.
    package init(pool: Pool, tools: ImportTools) {
        (self.pool, shelf, blobs) = (pool, tools.mappings, tools.settings.blobs)
    }

    /// The examples beside a mapping, by the names of their files.
    package func examples(of mapping: MappingFile) throws -> [String] {
        try MappingExamples(shelf).files(of: mapping).map(\.lastPathComponent)
    }

    /// A sample for a mapping; nil where there is none any more.
    package func find(_ choice: SampleChoice, for mapping: MappingFile) async throws -> MappingSample? {
        switch choice {
        case .last:
            return try await kept(SampleFile(mapping: mapping.name, preview: nil))
        case .preview(let id):
            return try await kept(SampleFile(mapping: nil, preview: id))
        case .quarantined(let id):
            let found = try await pool.withConnection { try await $0.run(SampleRecord(id: id)).first }
            guard let found else { return nil }
            return try await pool.withConnection { try await read(found.file, found.place, on: $0) }
        case .example(let name):
            let files = try MappingExamples(shelf).files(of: mapping)
            guard let file = files.first(where: { $0.lastPathComponent == name }) else { return nil }
            return try example(file, mapping)
        }
    }

    private func example(_ file: URL, _ mapping: MappingFile) throws -> MappingSample {
        var detail: [UInt8]?
        if case .reading(let definition) = mapping,
            let name = try definition.detailName(besides: file.lastPathComponent)
        {
            detail = try bytes(of: file.deletingLastPathComponent().appending(path: name))
        }
        return MappingSample(name: file.lastPathComponent, bytes: try bytes(of: file), detail: detail)
    }

    private func bytes(of file: URL) throws(FileError) -> [UInt8] {
        try LocalFile(file.path, limit: Self.deepest).read(upTo: Self.deepest)
    }

    private func kept(_ statement: SampleFile) async throws -> MappingSample? {
        try await pool.withConnection { connection in
            guard let file = try await connection.run(statement).first else { return nil }
            return try await read(file, nil, on: connection)
        }
    }

    /// The beginning of a kept file, down to the record that is meant.
    private func read(
        _ file: SampleFile.Row, _ place: RecordPlace?, on connection: Connection
    ) async throws -> MappingSample? {
        let end = max(Self.size, place?.bytes?.upperBound ?? 0)
        // A record that lies deeper is not looked for: the first one shows the rules as well.
        let isNear = end <= Self.deepest
        let wanted = min(file.size, isNear ? end : Self.size)
        let found: [UInt8]
        do {
            found = try await blobs.bytes(0..<wanted, of: file.sha256, on: connection)
        } catch is BlobError {
            return nil
        }
        guard !found.isEmpty else { return nil }
        let name = String(file.name.split(separator: "/").last ?? "")
        if let first = file.firstSize {
            guard file.size == found.count else { return nil }
            return MappingSample(
                name: name, bytes: Array(found[..<min(first, found.count)]),
                detail: Array(found[min(first, found.count)...]), place: place)
        }
        return MappingSample(
            name: name, bytes: found.count < file.size ? Self.wholeLines(found) : found,
            place: isNear ? place : nil)
    }

    /// Bytes up to the last line end, so that no row is half of one.
    private static func wholeLines(_ bytes: [UInt8]) -> [UInt8] {
        bytes.lastIndex(of: UInt8(ascii: "\n")).map { Array(bytes[...$0]) } ?? bytes
    }
}

/// A kept file: the last one that a mapping read, or one that waits for its import.
struct SampleFile: Statement {
    struct Row: Sendable {
        let sha256: [UInt8]
        let name: String
        let size: Int
        let firstSize: Int?
    }

    let mapping: String?
    let preview: Int?

    static let sql = """
        (
          select a.sha256, a.name, a.size, a.first_size
          from mapping_version m
          cross join lateral (
            select id, sha256, name, size, first_size
            from artifact
            where mapping_version_id = m.id
            order by id desc
            limit 1
          ) a
          where m.name = $1
          order by a.id desc
          limit 1
        )
        union all
        select p.sha256, p.name, p.size, null from preview p where p.id = $2::bigint and p.discarded_at is null
        """
    var parameters: [Parameter] { [Parameter(mapping), Parameter(preview)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            sha256: try row.next(Bytes.self).array, name: try row.next(), size: try row.next(),
            firstSize: try row.next())
    }
}

/// The file of a record in quarantine, and where the record stands in it.
struct SampleRecord: Statement {
    let id: Int

    static let sql = """
        select a.sha256, a.name, a.size, a.first_size, q.ordinal, q.byte_start, q.byte_end
        from quarantine q
        join artifact a on a.id = q.artifact_id
        where q.id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(
        _ row: inout RowReader
    ) throws(PostgreSQLError) -> (file: SampleFile.Row, place: RecordPlace?) {
        let file = SampleFile.Row(
            sha256: try row.next(Bytes.self).array, name: try row.next(), size: try row.next(),
            firstSize: try row.next())
        let ordinal = try row.next(Int.self)
        let start = try row.next(Int?.self)
        let end = try row.next(Int?.self)
        let bytes = start.flatMap { start in end.flatMap { $0 > start ? start..<$0 : nil } }
        return (file, ordinal > 0 ? RecordPlace(ordinal: ordinal, bytes: bytes) : nil)
    }
}

extension MappingSamples {
    /// Whether an example is part of Relais.
    package func isShipped(_ example: String, of mapping: MappingFile) -> Bool {
        let examples = MappingExamples(shelf)
        let file = (try? examples.files(of: mapping))?.first { $0.lastPathComponent == example }
        return file.map { !shelf.isOwn($0) } ?? false
    }
}

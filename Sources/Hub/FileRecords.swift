// SPDX-License-Identifier: Apache-2.0
// The records of a file, from the kept bytes or from the file itself.

internal import BlobStore
internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Mapping
internal import Model
internal import PostgreSQL

/// The bytes of a file in pieces.
enum FileBytes {
    /// The kept bytes.
    case kept(BlobStore, Connection)
    /// The file itself, and the second one behind it.
    case local(LocalPieces)

    func next(_ number: Int, of facts: FileFacts) async throws -> [UInt8]? {
        switch self {
        case .kept(let blobs, let connection): try await blobs.piece(number, of: facts.sha256, on: connection)
        case .local(let pieces): try pieces.next()
        }
    }
}

/// The pieces of one or two files that are not kept.
final class LocalPieces {
    private let first: LocalFile
    private let secondPath: String?
    private var isFirstRead = false
    private var second: SecondFile?

    private final class SecondFile {
        let file: LocalFile

        init(_ path: String) throws(FileError) {
            file = try LocalFile(path)
        }
    }

    init(_ intake: FileIntake) throws(FileError) {
        first = try LocalFile(intake.path)
        secondPath = intake.detail
    }

    /// The next bytes; nil at the end.
    func next() throws(FileError) -> [UInt8]? {
        if !isFirstRead {
            let bytes = try first.read(upTo: BlobStore.pieceSize)
            if !bytes.isEmpty { return bytes }
            isFirstRead = true
            second = try secondPath.map { (path) throws(FileError) in try SecondFile(path) }
        }
        guard let bytes = try second?.file.read(upTo: BlobStore.pieceSize), !bytes.isEmpty else { return nil }
        return bytes
    }
}

/// Reads the records of a file through its mapping.
struct FileRecords {
    let mapping: MappingDefinition
    let plan: any ImportPlan
    let facts: FileFacts
    let fileName: String

    init(_ reading: FileIntake.Reading, _ facts: FileFacts, fileName: String) {
        mapping = reading.mapping
        plan = reading.plan
        self.facts = facts
        self.fileName = fileName
    }

    /// What a pass over a file says at its end.
    struct End {
        /// Records read, wanted or not.
        let records: Int
        /// What is wrong with the file as a whole.
        let findings: [Diagnostic]
        /// Names of its columns, where it has any.
        let columns: [String]
    }

    /// The key that the mapping gives its records, in the CRM's words.
    var key: [RecordKeyPart] {
        mapping.upsert.key.compactMap { part in
            switch part {
            case .field(let slot): .field(slot)
            case .year(let slot): .year(slot)
            case .ordinal: .ordinal
            case .issuer: nil
            }
        }
    }

    /// Hands over the wanted records, those of each piece of the file together, and how many bytes are done.
    @discardableResult
    func read(
        _ bytes: FileBytes, overrides: RecordOverrides = RecordOverrides(), explains: Bool = false,
        repetitions: Repetitions? = nil,
        _ onRecords: ([MappedItem], Int) async throws -> Void
    ) async throws -> End {
        var reader = try MappingReader(
            mapping, probe: facts.probe, fileName: fileName, detail: facts.detail)
        reader.overrides = overrides
        reader.explains = explains
        var repetitions = repetitions ?? Repetitions(self)
        var done = 0
        var number = 0
        while let piece = try await bytes.next(number, of: facts) {
            var rest = piece[...]
            // Smaller steps than the pieces, so that few records wait at once.
            while !rest.isEmpty {
                let isFirst = done < facts.firstSize
                let step = Array(rest.prefix(isFirst ? min(64 << 10, facts.firstSize - done) : 64 << 10))
                rest = rest.dropFirst(step.count)
                var items: [MappedItem] = []
                if isFirst { try reader.feed(step) { items.append($0) } } else { try reader.feedDetail(step) }
                done += step.count
                if done == facts.firstSize, facts.detail != nil { try reader.finishFirst() }
                repetitions.number(&items)
                try await onRecords(items, done)
            }
            number += 1
        }
        if facts.detail != nil { try reader.feedDetail([], isLast: true) }
        var hasMore = true
        while hasMore {
            var items: [MappedItem] = []
            hasMore = try reader.finishPart { items.append($0) }
            repetitions.number(&items)
            try await onRecords(items, done)
        }
        return End(records: reader.recordCount, findings: reader.fileFindings, columns: reader.columns)
    }
}

/// Numbers records with an equal key, where the mapping's key has `$ordinal`.
struct Repetitions {
    private let plan: any ImportPlan
    private let key: [RecordKeyPart]
    private var counts: [Int: Int] = [:]
    /// The only records that are numbered; nil = all.
    private let only: RecordPlaces<[Int]>?

    init(_ records: FileRecords) {
        plan = records.plan
        key = records.key
        only = nil
    }

    /// Numbers some records behind all others.
    init(_ records: FileRecords, only: RecordPlaces<[Int]>, counts: [Int: Int] = [:]) {
        plan = records.plan
        key = records.key
        self.only = only
        self.counts = counts
    }

    mutating func number(_ items: inout [MappedItem]) {
        guard key.contains(.ordinal) else { return }
        for index in items.indices {
            if let only, only.value(at: items[index].record.origin) == nil { continue }
            guard let base = plan.key(of: items[index].record, key) else { continue }
            counts[base, default: 0] += 1
            items[index].record.origin.repetition = counts[base] ?? 0
        }
    }
}

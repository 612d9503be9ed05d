// SPDX-License-Identifier: Apache-2.0
// Keeps refused records with their own bytes, read back from the kept file.

internal import BlobStore
internal import CRM
internal import Diagnostics
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Tabular

/// Where the bytes of a file's records are found again.
struct KeptRecords {
    private let blobs: BlobStore
    private let sha256: [UInt8]
    private let isXML: Bool
    private let isUTF16: Bool
    private var piece: (number: Int, bytes: [UInt8])?

    /// A record with more bytes than this is named, not copied: the file is kept anyway.
    private static let limit = 1 << 20

    init(_ blobs: BlobStore, _ facts: FileFacts, isXML: Bool) {
        self.blobs = blobs
        sha256 = facts.sha256
        self.isXML = isXML
        isUTF16 = facts.probe.mark.count == 2
    }

    /// A record's place and bytes; an XML reader only knows a place inside the start tag, and `<` occurs nowhere
    /// in a start tag but at its beginning.
    mutating func bytes(
        _ range: Range<Int>, on connection: Connection
    ) async throws -> (range: Range<Int>, bytes: [UInt8]?) {
        guard range.count <= Self.limit, !isUTF16 else { return (range, nil) }
        guard isXML else { return (range, try await read(range, on: connection)) }
        let window = max(0, range.lowerBound - (64 << 10))..<range.upperBound
        let bytes = try await read(window, on: connection)
        let inside = range.lowerBound - window.lowerBound
        guard let start = bytes[..<min(inside, bytes.count)].lastIndex(of: UInt8(ascii: "<")) else {
            return (range, Array(bytes.dropFirst(inside)))
        }
        return (window.lowerBound + start..<range.upperBound, Array(bytes[start...]))
    }

    /// Bytes of the kept file. Faulty records often stand together: the piece read last serves the next one too.
    private mutating func read(
        _ range: Range<Int>, on connection: Connection
    ) async throws -> [UInt8] {
        let number = range.lowerBound / BlobStore.pieceSize
        let start = number * BlobStore.pieceSize
        guard range.upperBound <= start + BlobStore.pieceSize else {
            return try await blobs.bytes(range, of: sha256, on: connection)
        }
        if piece?.number != number {
            piece = (number, try await blobs.piece(number, of: sha256, on: connection) ?? [])
        }
        let bytes = piece?.bytes ?? []
        return Array(bytes[range.clamped(to: start..<start + bytes.count).shifted(by: -start)])
    }
}

extension Range<Int> {
    /// The same range elsewhere.
    fileprivate func shifted(by distance: Int) -> Range<Int> {
        lowerBound + distance..<upperBound + distance
    }
}

/// Writes the quarantine of one file.
struct QuarantineWriter {
    let run: Int
    let sha256: [UInt8]
    var source: Int
    var artifact = 0
    var mappingVersion: Int?
    var kept: KeptRecords?

    /// A writer for the records that a run reads from some bytes, for a source system.
    init(run: Int, sha256: [UInt8], source: Int) {
        self.run = run
        self.sha256 = sha256
        self.source = source
    }

    /// Refused records as entries, with their own bytes.
    mutating func entries(
        _ refused: [(item: MappedItem, reason: Diagnostic, stage: String)], on connection: Connection
    ) async throws -> [QuarantineEntry] {
        var entries: [QuarantineEntry] = []
        for (item, reason, stage) in refused {
            let origin = item.record.origin
            var found: (range: Range<Int>, bytes: [UInt8]?)?
            if let raw = item.raw {
                found = (origin.bytes ?? 0..<0, raw)
            } else if let range = origin.bytes {
                found = try await kept?.bytes(range, on: connection)
            }
            entries.append(
                QuarantineEntry(
                    ordinal: origin.ordinal, line: origin.line, bytes: found?.range, raw: found?.bytes,
                    stage: stage, reason: reason, findings: item.findings))
        }
        return entries
    }

    /// Leaves out what a person ignored when the same bytes came before.
    ///
    /// - Returns: number of these entries.
    func leaveOutIgnored(
        _ entries: inout [QuarantineEntry], on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        guard !entries.isEmpty else { return 0 }
        let faults = entries.map { ($0.ordinal, $0.reason) }
        let ignored = Set(
            try await connection.run(IgnoredBefore(sha256: sha256, source: source, faults: faults)))
        entries.removeAll { ignored.contains($0.ordinal) }
        return ignored.count
    }

    /// Writes entries, some at a time: a record may bring 1 MiB of raw bytes, and a message has a limit.
    ///
    /// Descriptions of parties that a person is asked about are those of the source system.
    func write(
        _ entries: [QuarantineEntry], on connection: Connection
    ) async throws(PostgreSQLError) {
        let cases = try await MatchCases.open(entries.compactMap(\.question), source: source, on: connection)
        var some: [QuarantineEntry] = []
        var bytes = 0
        for var entry in entries {
            entry.matchCase = entry.question.flatMap { cases[$0.fingerprint] }
            some.append(entry)
            bytes += entry.raw?.count ?? 0
            guard some.count == 1000 || bytes > 4 << 20 else { continue }
            try await insert(some, on: connection)
            (some, bytes) = ([], 0)
        }
        if !some.isEmpty { try await insert(some, on: connection) }
    }

    private func insert(_ some: [QuarantineEntry], on connection: Connection) async throws(PostgreSQLError) {
        try await connection.execute(
            WriteQuarantine(entries: some, run: run, artifact: artifact, mapping: mappingVersion))
    }
}

// SPDX-License-Identifier: Apache-2.0
// Keeps refused records with their own bytes, read back from the kept file.

internal import BlobStore
internal import Diagnostics
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Tabular

/// Where the bytes of a file's records are found again.
struct KeptRecords {
    private let sha256: [UInt8]
    private let isXML: Bool
    private let isUTF16: Bool

    /// A record with more bytes than this is named, not copied: the file is kept anyway.
    private static let limit = 1 << 20

    init(_ facts: FileFacts, isXML: Bool) {
        sha256 = facts.sha256
        self.isXML = isXML
        isUTF16 = facts.probe.mark.count == 2
    }

    /// A record's place and bytes; an XML reader only knows a place inside the start tag, and `<` occurs nowhere
    /// in a start tag but at its beginning.
    func bytes(
        _ range: Range<Int>, on connection: Connection
    ) async throws(PostgreSQLError) -> (range: Range<Int>, bytes: [UInt8]?) {
        guard range.count <= Self.limit, !isUTF16 else { return (range, nil) }
        let window = max(0, range.lowerBound - (64 << 10))..<range.upperBound
        let bytes = try await BlobStore.bytes(window, of: sha256, on: connection)
        let inside = range.lowerBound - window.lowerBound
        guard isXML, let start = bytes[..<min(inside, bytes.count)].lastIndex(of: UInt8(ascii: "<")) else {
            return (range, Array(bytes.dropFirst(inside)))
        }
        return (window.lowerBound + start..<range.upperBound, Array(bytes[start...]))
    }
}

/// Writes the quarantine of one file.
struct QuarantineWriter {
    let run: Int
    var artifact = 0
    var mappingVersion: Int?
    var bytes: KeptRecords?

    init(run: Int) {
        self.run = run
    }

    /// Refused records as entries, with their own bytes.
    func entries(
        _ refused: [(item: MappedItem, reason: Diagnostic, stage: String)], on connection: Connection
    ) async throws(PostgreSQLError) -> [QuarantineEntry] {
        var entries: [QuarantineEntry] = []
        for (item, reason, stage) in refused {
            let origin = item.record.origin
            var kept: (range: Range<Int>, bytes: [UInt8]?)?
            if let raw = item.raw {
                kept = (origin.bytes ?? 0..<0, raw)
            } else if let bytes, let range = origin.bytes {
                kept = try await bytes.bytes(range, on: connection)
            }
            entries.append(
                QuarantineEntry(
                    ordinal: origin.ordinal, line: origin.line, bytes: kept?.range, raw: kept?.bytes,
                    stage: stage, reason: reason, findings: item.findings))
        }
        return entries
    }

    /// Writes entries, a few at a time: a record may bring 1 MiB of raw bytes, and a message has a limit.
    func write(_ entries: [QuarantineEntry], on connection: Connection) async throws(PostgreSQLError) {
        var rest = entries[...]
        while !rest.isEmpty {
            let some = Array(rest.prefix(16))
            rest = rest.dropFirst(some.count)
            try await connection.execute(
                WriteQuarantine(entries: some, run: run, artifact: artifact, mapping: mappingVersion))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// The replay of a file that was refused as a whole: imported again from its kept bytes.

internal import BlobStore
internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Mapping
internal import PostgreSQL
internal import Unpacking

/// Imports a refused file again, with the mappings of today.
struct RefusedFileReplay {
    let file: RefusedFiles.File
    let run: Int
    let settings: ImportSettings
    let library: MappingLibrary
    let own: MappingDefinition?

    /// Imports it; its place in quarantine closes unless it is refused for the same reason again.
    func run(firstBatch batches: inout Int, on connection: Connection) async throws -> FileReport {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let chooser = MappingChooser(library, named: own)
        let part = UnpackedFile(name: file.name, path: folder.appending(path: lastName).path)
        try await write(to: folder, on: connection)
        var pairs = PairedFiles(chooser)
        let intake = try FileIntake(part, among: [part], &pairs, chooser)
        var importer = ArtifactImport(
            intake, run: run, source: file.source, settings, firstBatch: batches)
        defer { batches = importer.batches }
        try await importer.run({ _ in }, on: connection)
        if importer.report.refusal?.code != file.code {
            try await connection.execute(CloseReplayed(ids: [file.id], run: run))
        }
        return importer.report
    }

    private var lastName: String { String(file.name.split(separator: "/").last ?? "") }

    /// Writes the kept bytes; those of a second file under the name that its mapping looks for.
    private func write(to folder: URL, on connection: Connection) async throws {
        let mapping = try own ?? file.mapping.map { try library.mapping($0) }
        let second = try mapping?.detailName(besides: lastName)
        let firstSize = second == nil ? file.size : file.firstSize ?? file.size
        func copy(_ range: Range<Int>, as name: String) async throws {
            try await settings.blobs.copy(
                range, of: file.sha256, to: folder.path, as: name, on: connection)
        }
        try await copy(0..<firstSize, as: lastName)
        if let second, firstSize < file.size { try await copy(firstSize..<file.size, as: second) }
    }
}

/// The files that wait as a whole.
struct RefusedFiles: Statement {
    struct File: Sendable {
        /// Number of the row in quarantine, and its reason.
        let id: Int
        let code: String
        let sha256: [UInt8]
        let name: String
        let size: Int
        let firstSize: Int?
        let source: Int
        let mapping: String?
    }

    let filter: QuarantineFilter

    static let sql = """
        select q.id, q.code, a.sha256, a.name, a.size, a.first_size, coalesce(a.source_id, r.source_id), m.name
        from quarantine q
        join artifact a on a.id = q.artifact_id
        join run r on r.id = a.run_id
        left join mapping_version m on m.id = a.mapping_version_id
        where \(QuarantineFilter.sql) and q.ordinal = 0
        order by q.id
        """
    var parameters: [Parameter] { filter.parameters }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> File {
        File(
            id: try row.next(), code: try row.next(), sha256: try row.next(Bytes.self).array,
            name: try row.next(), size: try row.next(), firstSize: try row.next(), source: try row.next(),
            mapping: try row.next())
    }
}

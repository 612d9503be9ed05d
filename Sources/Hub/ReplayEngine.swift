// SPDX-License-Identifier: Apache-2.0
// A run that applies quarantined records, read again from the kept bytes by the mapping of today.

internal import BlobStore
internal import CRM
package import Diagnostics
package import Mapping
internal import Model
package import PostgreSQL

/// What a replay did.
package struct ReplayReport: Sendable {
    /// Number of the run; nil when nothing waited.
    package var run: Int?
    /// What became of the records.
    package var ledger = RunLedger()
    /// `name@version` of the mappings that read them.
    package var mappings: Set<String> = []
    /// Files that could not be read again.
    package var failures: [Diagnostic] = []
}

/// Replays quarantined records.
///
/// A record is found again by its bytes in the kept file, mapped with its corrections, and applied as an import
/// would; its place in quarantine closes in the same transaction. What is newer in the CRM than its file stays. A
/// file that was refused as a whole is imported again from its kept bytes.
package struct ReplayEngine: Sendable {
    private let pool: Pool
    private let library: MappingLibrary
    private let own: MappingDefinition?
    private let settings: ImportSettings

    /// An engine that reads with the mappings of a library.
    ///
    /// - Parameter own: a mapping that takes the place of the library's of the same name.
    package init(
        pool: Pool, library: MappingLibrary, own: MappingDefinition? = nil,
        _ settings: ImportSettings = ImportSettings()
    ) {
        self.pool = pool
        self.library = library
        self.own = own
        self.settings = settings
    }

    /// Replays the waiting records that a filter means.
    package func run(_ filter: QuarantineFilter) async throws -> ReplayReport {
        try await pool.withConnection { connection in
            var filter = filter
            filter.withClosed = false
            let files = try await connection.run(ReplayFiles(filter: filter))
            let refused = try await connection.run(RefusedFiles(filter: filter))
            guard !files.isEmpty || !refused.isEmpty else { return ReplayReport() }
            return try await RunSession.withRun(.replay, source: "erp", on: connection) { run, _ in
                var report = ReplayReport(run: run)
                var batches = 0
                for file in files {
                    do {
                        var replay = RecordReplay(file, run: run, settings, firstBatch: batches)
                        defer { batches = replay.batches }
                        let mapping = try self.mapping(file)
                        try await replay.run(mapping, filter, on: connection)
                        report.ledger += replay.ledger
                        report.mappings.insert(mapping.identifier)
                    } catch let error as any ReportableError where !(error is PostgreSQLError) {
                        report.failures.append(error.inFile(file.name).diagnostic)
                    }
                }
                for file in refused {
                    do {
                        let replay = RefusedFileReplay(
                            file: file, run: run, settings: settings, library: library, own: own)
                        let found = try await replay.run(firstBatch: &batches, on: connection)
                        report.ledger += found.ledger
                        if let mapping = found.mapping { report.mappings.insert(mapping) }
                    } catch let error as any ReportableError where !(error is PostgreSQLError) {
                        report.failures.append(error.inFile(file.name).diagnostic)
                    }
                }
                return report
            }
        }
    }

    /// The mapping of today; the stored text where the library has none of the name any more.
    private func mapping(_ file: ReplayFiles.File) throws -> MappingDefinition {
        if let own, own.name == file.mapping { return own }
        if let mapping = try? library.mapping(file.mapping) { return mapping }
        return try MappingDefinition.parse(file.mappingText, file: file.mapping)
    }
}

/// The files whose records wait.
struct ReplayFiles: Statement {
    struct File: Sendable {
        let id: Int
        let sha256: [UInt8]
        let name: String
        let size: Int
        let firstSize: Int?
        let source: Int
        let mapping: String
        let mappingText: String
    }

    let filter: QuarantineFilter

    static let sql = """
        select a.id, a.sha256, a.name, a.size, a.first_size, coalesce(a.source_id, r.source_id), m.name, m.text
        from artifact a
        join run r on r.id = a.run_id
        join mapping_version m on m.id = a.mapping_version_id
        where a.id in (select q.artifact_id from quarantine q where \(QuarantineFilter.sql) and q.ordinal > 0)
        order by a.id
        """
    var parameters: [Parameter] { filter.parameters }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> File {
        File(
            id: try row.next(), sha256: try row.next(Bytes.self).array, name: try row.next(),
            size: try row.next(), firstSize: try row.next(), source: try row.next(),
            mapping: try row.next(), mappingText: try row.next())
    }
}

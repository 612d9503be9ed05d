// SPDX-License-Identifier: Apache-2.0
// One import: a connector's files, each mapped and applied in batches that commit with their ledger.

package import ConnectorKit
internal import CRM
package import Diagnostics
internal import FileTransfer
package import Mapping
package import PostgreSQL
internal import Unpacking

/// How far an import is.
package struct ImportProgress: Sendable {
    /// What is being done.
    package enum Phase: String, Sendable {
        case reading, checking, applying
    }

    /// Name of the file.
    package let file: String
    /// What is being done with it.
    package let phase: Phase
    /// Bytes of the file done, and all of them.
    package let bytes: Int
    /// Size of the file.
    package let totalBytes: Int
    /// What became of its records so far.
    package let ledger: RunLedger
}

/// What became of a file.
package struct FileReport: Sendable {
    /// Name of the file.
    package let name: String
    /// `name@version` of the mapping that read it; nil when none did.
    package var mapping: String?
    /// What became of its records.
    package var ledger = RunLedger()
    /// Why the whole file was refused.
    package var refusal: Diagnostic?
    /// Set when the same bytes had been imported to the last record before.
    package var earlierRun: Int?

    /// Whether the file had more errors than its mapping allows.
    package var isStoppedByLimit: Bool { refusal?.code == ImportFinding.tooManyErrors.rawValue }
}

/// What an import did.
package struct ImportReport: Sendable {
    /// Number of the run.
    package let run: Int
    /// One report a file, in order.
    package let files: [FileReport]

    /// All files together.
    package var ledger: RunLedger {
        files.reduce(into: RunLedger()) { $0 += $1.ledger }
    }

    /// Files that could not even be opened.
    package var unreadable: [FileReport] { files.filter { $0.refusal != nil && $0.ledger.read == 0 } }
}

/// Runs imports.
package struct ImportEngine: Sendable {
    private let pool: Pool
    private let chooser: MappingChooser
    private let source: String
    private let batchSize: Int

    /// An engine.
    ///
    /// - Parameters:
    ///   - chooser: finds the mapping of each file.
    ///   - source: code of the source system whose claims the records are.
    ///   - batchSize: records committed together.
    package init(pool: Pool, source: String, batchSize: Int = 5000, chooser: MappingChooser) {
        self.pool = pool
        self.chooser = chooser
        self.source = source
        self.batchSize = batchSize
    }

    /// Imports everything that a connector delivers, as one run.
    ///
    /// A file that cannot be read is reported and the rest goes on. When the database fails, the batches
    /// committed so far stay, and the run is closed as failed or, if that is impossible too, found dead by the
    /// next one.
    package func run(
        _ connector: some Connector, progress: (ImportProgress) -> Void = { _ in }
    ) async throws -> ImportReport {
        try await pool.withConnection { connection in
            // Plans made while a table is empty are sequential scans for ever; here every look-up has an index.
            try await connection.script(
                "set enable_seqscan = off; set plan_cache_mode = force_custom_plan; set jit = off")
            try await connection.execute(CloseDeadRuns())
            let sourceID = try await connection.run(SourceID(code: source)).first ?? 0
            let run = try await connection.run(StartRun(source: sourceID)).first ?? 0
            _ = try await connection.run(LockRun(run: run))
            do {
                let report = try await readAll(
                    connector, run: run, source: sourceID, progress, on: connection)
                try await connection.execute(FinishRun(run: run, error: nil))
                _ = try await connection.run(UnlockRun(run: run))
                try await connection.script("reset all")
                return report
            } catch {
                _ = try? await connection.execute(FinishRun(run: run, error: Self.diagnostic(error)))
                await connection.close()
                throw error
            }
        }
    }

    private static func diagnostic(_ error: any Error) -> Diagnostic {
        (error as? any ReportableError)?.diagnostic ?? Diagnostic(code: "RUN-FAILED")
    }

    private func readAll(
        _ connector: some Connector, run: Int, source: Int, _ progress: (ImportProgress) -> Void,
        on connection: Connection
    ) async throws -> ImportReport {
        var reports: [FileReport] = []
        var batches = 0
        var pairs = PairedFiles(chooser)
        try await connector.read("files", after: nil) { item in
            switch item {
            case .cursor: break
            case .problem(let diagnostic):
                reports.append(FileReport(name: diagnostic.place.file ?? "", refusal: diagnostic))
            case .artifact(let name, let path):
                do {
                    try await Unpacker().withFiles(of: path) { parts in
                        let named = parts.map { part in
                            let inner = part.path == path ? name : name + part.name.dropFirst(path.count)
                            return UnpackedFile(name: inner, path: part.path)
                        }
                        for part in named where pairs.header(of: part, among: named) == nil {
                            let report = try await importFile(
                                part, among: named, &pairs, run: run, source: source, &batches, progress,
                                on: connection)
                            reports.append(report)
                        }
                    }
                } catch let error as any ReportableError where !(error is PostgreSQLError) {
                    reports.append(FileReport(name: name, refusal: error.inFile(name).diagnostic))
                }
            }
        }
        reports += pairs.findings().map { FileReport(name: $0.place.file ?? "", refusal: $0) }
        return ImportReport(run: run, files: reports)
    }

    private func importFile(
        _ part: UnpackedFile, among siblings: [UnpackedFile], _ pairs: inout PairedFiles, run: Int,
        source: Int, _ batches: inout Int,
        _ progress: (ImportProgress) -> Void, on connection: Connection
    ) async throws -> FileReport {
        var importer = ArtifactImport(
            name: part.name, run: run, source: source, batchSize: batchSize, firstBatch: batches)
        do {
            try await importer.run(part, among: siblings, &pairs, chooser, progress, on: connection)
        } catch let error as FileError {
            importer.report.refusal = error.diagnostic
        }
        batches = importer.batches
        return importer.report
    }
}

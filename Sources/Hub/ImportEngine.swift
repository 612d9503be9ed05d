// SPDX-License-Identifier: Apache-2.0
// One import: a connector's files, each mapped and applied in batches that commit with their ledger.

package import ConnectorKit
internal import CRM
package import Diagnostics
internal import FileTransfer
package import Mapping
package import PostgreSQL

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

    init(_ report: FileReport, _ phase: Phase, bytes: Int, of totalBytes: Int) {
        file = report.name
        self.phase = phase
        self.bytes = bytes
        self.totalBytes = totalBytes
        ledger = report.ledger
    }
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
    /// What to look at though the file was applied.
    package var warnings: [Diagnostic] = []

    /// Whether the file had more errors, or more changes, than its mapping allows.
    package var isStoppedByLimit: Bool {
        let limits = [ImportFinding.tooManyErrors.rawValue, ImportFinding.tooManyChanges.rawValue]
        return refusal.map { limits.contains($0.code) } ?? false
    }
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
    private let settings: ImportSettings

    /// An engine.
    ///
    /// - Parameters:
    ///   - chooser: finds the mapping of each file.
    ///   - source: code of the source system whose claims the records are.
    package init(
        pool: Pool, source: String, _ settings: ImportSettings = ImportSettings(), chooser: MappingChooser
    ) {
        self.pool = pool
        self.chooser = chooser
        self.source = source
        self.settings = settings
    }

    /// Imports everything that a connector delivers, as one run.
    ///
    /// A file that cannot be read is reported and the rest goes on. When the database fails, the batches
    /// committed so far stay, and the run is closed as failed or, if that is impossible too, found dead by the
    /// next one. So it is when the bytes of a file cannot be kept: nothing is applied that is not kept.
    package func run(
        _ connector: some Connector, progress: (ImportProgress) -> Void = { _ in }
    ) async throws -> ImportReport {
        try await pool.withConnection { connection in
            try await RunSession.withRun(RunStart(source: source), on: connection) { begin in
                let run = try await begin().run
                var files = DeliveredFiles(chooser)
                return ImportReport(
                    run: run, files: try await read(connector, &files, begin, progress, on: connection))
            }
        }
    }

    /// Imports the file of a preview.
    func run(_ connector: some Connector, preview: Int) async throws -> ImportReport {
        try await pool.withConnection { connection in
            try await RunSession.withRun(RunStart(source: source, preview: preview), on: connection) {
                begin in
                let run = try await begin().run
                var files = DeliveredFiles(chooser)
                return ImportReport(
                    run: run, files: try await read(connector, &files, begin, { _ in }, on: connection))
            }
        }
    }

    /// Imports what a connector delivers for a flow, from where the flow stopped reading.
    ///
    /// - Returns: nil, and no run, when nothing was delivered.
    package func run(
        _ connector: some Connector, for origin: FlowOrigin, progress: (ImportProgress) -> Void = { _ in }
    ) async throws -> ImportReport? {
        try await pool.withConnection { connection in
            let cursor = try await connection.run(FlowCursor(flow: origin.flow)).first.map { Cursor($0) }
            return try await RunSession.withRun(RunStart(source: source, flow: origin), on: connection) {
                begin in
                var run: Int?
                var files = DeliveredFiles(chooser, after: cursor, settings.redaction)
                let reports = try await read(
                    connector, &files,
                    {
                        let begun = try await begin()
                        run = begun.run
                        return begun
                    }, progress, on: connection
                ) { cursor in
                    try await connection.transaction { connection in
                        try await settings.fence(connection)
                        try await connection.execute(KeepFlowCursor(flow: origin.flow, cursor: cursor.text))
                    }
                }
                return run.map { ImportReport(run: $0, files: reports) }
            }
        }
    }

    private func read(
        _ connector: some Connector, _ files: inout DeliveredFiles,
        _ begin: () async throws -> RunSession.Begun, _ progress: (ImportProgress) -> Void,
        on connection: Connection, onCursor: (Cursor) async throws -> Void = { _ in }
    ) async throws -> [FileReport] {
        var batches = 0
        return try await files.read(
            connector, onCursor: onCursor,
            onProblem: { problem in
                try await connection.execute(KeepProblem(run: try await begin().run, problem: problem))
            }
        ) { intake in
            let begun = try await begin()
            var importer = ArtifactImport(
                intake, run: begun.run, source: begun.source, settings, firstBatch: batches)
            defer { batches = importer.batches }
            do {
                try await importer.run(progress, on: connection)
            } catch let error as FileError {
                importer.report.refusal = error.diagnostic
            }
            return importer.report
        }
    }
}

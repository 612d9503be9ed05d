// SPDX-License-Identifier: Apache-2.0
// What an import of a file would do, record by record, without writing anything.

package import CRM
package import ConnectorKit
internal import Diagnostics
internal import FileTransfer
package import Mapping
internal import Model
package import PostgreSQL
internal import Unpacking

/// What would become of one record.
package struct RecordPreview: Sendable {
    /// Name of its file.
    package let file: String
    /// The record, with everything found wrong in it and where its values came from.
    package let item: MappedItem
    /// What would become of it.
    package let outcome: ImportOutcome
    /// What it was decided by; nil for records that are refused or left out before the database is asked.
    package let decision: RecordDecision?
    /// The fields that people know its columns by, where they differ.
    package let fieldOfColumn: [String: String]
}

/// Previews imports.
///
/// The files are read and decided on as an import does, in a transaction that cannot write; what earlier records
/// would have made is foreseen.
package struct PreviewEngine: Sendable {
    private let pool: Pool
    private let chooser: MappingChooser
    private let source: String
    private let settings: ImportSettings

    /// An engine that previews what ``ImportEngine`` with the same arguments does.
    package init(
        pool: Pool, source: String, _ settings: ImportSettings = ImportSettings(), chooser: MappingChooser
    ) {
        self.pool = pool
        self.chooser = chooser
        self.source = source
        self.settings = settings
    }

    /// Previews everything that a connector delivers; `onRecord` gets each record in the files' order.
    package func run(
        _ connector: some Connector, progress: (ImportProgress) -> Void = { _ in },
        onRecord: (RecordPreview) -> Void
    ) async throws -> [FileReport] {
        try await pool.withConnection { connection in
            try await RunSession.prepare(connection)
            do {
                var files = DeliveredFiles(chooser)
                let reports = try await files.read(connector) { intake in
                    var report = try await preview(intake, progress, onRecord, on: connection)
                    // An import keeps a refused file as one quarantined record.
                    if report.refusal != nil { report.ledger = RunLedger(quarantined: 1) }
                    return report
                }
                try await connection.script("reset all")
                return reports
            } catch {
                // Whoever gets the connection next must not plan like an import.
                try? await connection.script("rollback; reset all")
                throw error
            }
        }
    }

    private func preview(
        _ intake: FileIntake, _ progress: (ImportProgress) -> Void, _ onRecord: (RecordPreview) -> Void,
        on connection: Connection
    ) async throws -> FileReport {
        var report = FileReport(name: intake.name, refusal: intake.refusal)
        guard let reading = intake.reading else { return report }
        report.mapping = reading.mapping.identifier
        let known = KnownReceipt(
            sha256: intake.facts.sha256, name: reading.mapping.name, text: reading.mapping.text)
        if let earlier = try await connection.run(known).first {
            report.earlierRun = earlier.run
            report.ledger = RunLedger(skipped: earlier.records)
            return report
        }
        let file = FileRecords(reading, intake.facts, fileName: intake.lastName)
        do {
            let name = report
            let census = try await FileCensus(file, .local(LocalPieces(intake))) { done in
                progress(ImportProgress(name, .checking, bytes: done, of: intake.facts.size))
            }
            let source = try await knownSource(of: reading.mapping, on: connection)
            report.warnings = try await census.warnings(file, source: source, on: connection)
            report.refusal = census.refusal
            guard census.refusal == nil else { return report }
            report.ledger = try await decide(file, intake, census, progress, onRecord, on: connection)
        } catch let fault as any ReportableError where !(fault is PostgreSQLError) {
            report.refusal = fault.inFile(intake.name).diagnostic
        }
        return report
    }

    private func decide(
        _ file: FileRecords, _ intake: FileIntake, _ census: FileCensus,
        _ progress: (ImportProgress) -> Void, _ onRecord: (RecordPreview) -> Void,
        on connection: Connection
    ) async throws -> RunLedger {
        let source = try await knownSource(of: file.mapping, on: connection)
        let context = try await settings.context(
            file, run: 0, source: source, artifact: 0, on: connection, isReadOnly: true)
        var batch = PreviewBatch(file, census, context)
        var waiting = WaitingRecords(settings.batchSize)
        try await file.read(.local(LocalPieces(intake)), explains: true) { items, done in
            for item in items {
                guard let full = waiting.add(item) else { continue }
                try await batch.decide(full, intake.name, onRecord, on: connection)
            }
            progress(
                ImportProgress(
                    FileReport(name: intake.name, ledger: batch.ledger), .applying, bytes: done,
                    of: intake.facts.size))
        }
        if let rest = waiting.rest() { try await batch.decide(rest, intake.name, onRecord, on: connection) }
        batch.ledger.skipped += census.records - census.wanted
        return batch.ledger
    }

    /// The source system that a mapping names, or the preview's; one that nobody knows yet has no rows, and 0 is no
    /// source's number.
    private func knownSource(
        of mapping: MappingDefinition, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        try await connection.run(KnownSource(code: mapping.accountMatch.system ?? source)).first ?? 0
    }
}

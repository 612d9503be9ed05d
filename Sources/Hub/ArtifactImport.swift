// SPDX-License-Identifier: Apache-2.0
// One file of a run: kept, checked to its end, then applied batch by batch from the bytes that were kept.

internal import BlobStore
internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Jobs
internal import Mapping
internal import Model
internal import PostgreSQL

/// The import of one file.
///
/// The whole file is parsed once before anything is applied, so that a file that breaks off in the middle changes
/// nothing. Both passes read the kept bytes: what is applied is what was kept, even if the file changes meanwhile.
struct ArtifactImport {
    private let intake: FileIntake
    private let run: Int
    private let settings: ImportSettings
    private(set) var batches: Int
    var report: FileReport

    /// After so many bytes of the first pass it is said how far that is, and asked whether to go on.
    private static let checkStep = 4 << 20

    private var artifact = 0
    private var quarantine: QuarantineWriter

    /// - Parameter source: the system whose records the file has, unless its mapping names another.
    init(_ intake: FileIntake, run: Int, source: Int, _ settings: ImportSettings, firstBatch: Int) {
        self.intake = intake
        self.run = run
        self.settings = settings
        batches = firstBatch
        quarantine = QuarantineWriter(run: run, sha256: intake.facts.sha256, source: source)
        report = FileReport(name: intake.name)
    }

    private var source: Int { quarantine.source }

    /// Imports the file; a fault of the file is in the report, a fault of the database is thrown.
    mutating func run(
        _ progress: (ImportProgress) -> Void, on connection: Connection
    ) async throws {
        guard var reading = intake.reading else {
            try await keep(on: connection)
            return try await refuse(intake.refusal ?? Diagnostic(code: "RUN-FAILED"), on: connection)
        }
        reading.mapping.errorPolicy = settings.limits.applied(to: reading.mapping.errorPolicy)
        let mapping = reading.mapping
        report.mapping = mapping.identifier
        quarantine.source = try await SourceSystem.id(of: mapping, besides: source, on: connection)
        let version = try await connection.run(
            MappingVersionID(name: mapping.name, version: mapping.version, text: mapping.text)
        ).first
        quarantine.mappingVersion = version
        quarantine.kept = KeptRecords(settings.blobs, intake.facts, isXML: mapping.format == .xml)
        let receipt = CompletedReceipt(sha256: intake.facts.sha256, mapping: version ?? 0)
        let earlier = try await connection.run(receipt).first
        try await keep(on: connection)
        if let earlier, settings.skipsKnown { return try await skip(earlier, on: connection) }
        let records = FileRecords(reading, intake.facts, fileName: intake.lastName)
        do {
            let (report, size) = (report, intake.facts.size)
            let (run, artifact) = (run, artifact)
            var told = 0
            let census = try await FileCensus(records, .kept(settings.blobs, connection)) { done in
                progress(ImportProgress(report, .checking, bytes: done, of: size))
                guard done - told >= Self.checkStep else { return }
                told = done
                try await connection.execute(KeepChecked(artifact: artifact, bytes: done))
                try await RunStop.heed(run, on: connection)
            }
            self.report.warnings = try await census.warnings(records, source: source, on: connection)
            if let refusal = census.refusal ?? settings.limits.refusal(self.report.warnings) {
                return try await refuse(refusal, on: connection)
            }
            if let refusal = try await changesTooMuch(records, census, on: connection) {
                return try await refuse(refusal, on: connection)
            }
            try await apply(records, census, progress, on: connection)
        } catch let fault as any ReportableError where !Self.endsTheRun(fault) {
            try await refuse(fault.diagnostic, on: connection)
        }
    }

    /// Whether it says nothing of the file: the database fails, another does the job, or a person wants the run's end.
    private static func endsTheRun(_ error: any ReportableError) -> Bool {
        error is PostgreSQLError || error is JobError || error is RunError
    }

    // MARK: - Keeping the bytes

    private mutating func keep(on connection: Connection) async throws {
        let facts = intake.facts
        try await connection.script("begin")
        do {
            try await settings.fence(connection)
            try await RunStop.heed(run, on: connection)
            if var blob = try await settings.blobs.begin(facts.sha256, size: facts.size, on: connection) {
                try await blob.write([intake.path, intake.detail].compactMap(\.self), on: connection)
            }
            let start = StartArtifact(
                run: run, sha256: facts.sha256, name: report.name, size: facts.size,
                firstSize: facts.detail == nil ? nil : facts.firstSize, source: source,
                mapping: quarantine.mappingVersion)
            artifact = try await connection.run(start).first ?? 0
            quarantine.artifact = artifact
            try await connection.script("commit")
        } catch {
            try? await connection.script("rollback")
            throw (error as? BlobError)?.inFile(report.name) ?? error
        }
    }

    // MARK: - Files that are not applied

    /// The same bytes were applied before: every record counts as skipped.
    private mutating func skip(_ earlier: CompletedReceipt.Receipt, on connection: Connection) async throws {
        report.earlierRun = earlier.run
        report.ledger = RunLedger(skipped: earlier.records)
        try await connection.transaction { [self] connection in
            try await record(report.ledger, 1...max(1, earlier.records), on: connection)
            try await connection.execute(finish(quarantined: 0))
        }
        batches += 1
    }

    /// The file cannot be read to its end: it goes to quarantine as one record.
    private mutating func refuse(_ fault: Diagnostic, on connection: Connection) async throws {
        var fault = fault
        fault.place = fault.place.inFile(report.name)
        report.refusal = fault
        let entry = QuarantineEntry(
            ordinal: 0, line: fault.place.line, bytes: nil, raw: nil, stage: "parse", reason: fault,
            findings: [fault])
        report.ledger = try await connection.transaction { [self] connection in
            var entries = [entry]
            let ignored = try await quarantine.leaveOutIgnored(&entries, on: connection)
            let ledger = RunLedger(quarantined: 1 - ignored, skipped: ignored)
            try await quarantine.write(entries, on: connection)
            try await record(ledger, 0...0, on: connection)
            try await connection.execute(finish(quarantined: 1))
            return ledger
        }
        batches += 1
    }

    /// Why the file is refused that changes more of what is known than its mapping allows; asked only where it does.
    private func changesTooMuch(
        _ records: FileRecords, _ census: FileCensus, on connection: Connection
    ) async throws -> Diagnostic? {
        guard let ratio = records.mapping.errorPolicy.changedRatio,
            let allowed = ratio.multiplied(by: Decimal(census.records))
        else { return nil }
        let context = try await settings.context(
            records, run: run, source: source, artifact: artifact, on: connection)
        var batch = PreviewBatch(records, census, context)
        var waiting = WaitingRecords(settings.batchSize)
        try await records.read(.kept(settings.blobs, connection)) { items, _ in
            for item in items {
                guard let full = waiting.add(item) else { continue }
                try await RunStop.heed(run, on: connection)
                try await batch.decide(full, report.name, { _ in }, on: connection)
            }
        }
        if let rest = waiting.rest() {
            try await batch.decide(rest, report.name, { _ in }, on: connection)
        }
        guard Decimal(batch.ledger.updated) > allowed else { return nil }
        let facts = ["changed": String(batch.ledger.updated), "records": String(census.records)]
        return Diagnostic(code: ImportFinding.tooManyChanges.rawValue, facts: facts)
    }

    // MARK: - Applying

    private mutating func apply(
        _ records: FileRecords, _ census: FileCensus, _ progress: (ImportProgress) -> Void,
        on connection: Connection
    ) async throws {
        let context = try await settings.context(
            records, run: run, source: source, artifact: artifact, on: connection)
        var waiting = WaitingRecords(settings.batchSize)
        var seen: Set<Int> = []
        var copy = self
        // Whatever ends the file early, the batches committed so far count.
        defer { self = copy }
        try await records.read(.kept(settings.blobs, connection)) { items, done in
            for item in items {
                guard let batch = waiting.add(item) else { continue }
                let readTo = copy.offset(behind: batch, done)
                try await copy.commit(batch, records, context, census, &seen, readTo, on: connection)
            }
            progress(ImportProgress(copy.report, .applying, bytes: done, of: records.facts.size))
        }
        if let batch = waiting.rest() {
            try await copy.commit(batch, records, context, census, &seen, intake.facts.size, on: connection)
        }
        try await copy.recordUnwanted(census, on: connection)
        try await connection.execute(
            finish(quarantined: copy.report.ledger.quarantined, columns: census.columns))
    }

    /// Bytes of the file up to the last record of a batch; nil where records come only once all of it is read.
    private func offset(behind batch: [MappedItem], _ done: Int) -> Int? {
        // The places of records are those in one of two files.
        guard intake.detail == nil else { return nil }
        return batch.last?.record.origin.bytes?.upperBound ?? (done < intake.facts.size ? done : nil)
    }

    private func finish(quarantined: Int, columns: [String] = []) -> FinishArtifact {
        FinishArtifact(
            artifact: artifact, quarantined: quarantined, columns: columns, findings: report.warnings)
    }

    /// Counts the records that the mapping does not want (`only`) as skipped.
    private mutating func recordUnwanted(_ census: FileCensus, on connection: Connection) async throws {
        guard census.records > census.wanted else { return }
        let ledger = RunLedger(skipped: census.records - census.wanted)
        try await connection.transaction { [self] connection in
            try await record(ledger, 0...census.records, on: connection)
        }
        report.ledger += ledger
        batches += 1
    }

    /// Applies one batch: its rows, its quarantine and its ledger commit together.
    private mutating func commit(
        _ batch: [MappedItem], _ file: FileRecords, _ context: ImportContext, _ census: FileCensus,
        _ seen: inout Set<Int>, _ readTo: Int?, on connection: Connection
    ) async throws {
        var sorted = SortedBatch(file, census)
        for item in batch { sorted.add(item, &seen) }
        if file.mapping.errorPolicy.record == .skip {
            sorted.skipped += sorted.refused.count
            sorted.refused = []
        }
        let ordinals = (batch.first?.record.origin.ordinal ?? 0)...(batch.last?.record.origin.ordinal ?? 0)
        var quarantine = quarantine
        let refused = try await quarantine.entries(sorted.refused, on: connection)
        let ledger = try await connection.transaction { [self] connection in
            try await settings.fence(connection)
            try await RunStop.heed(run, on: connection)
            // One import writes parties at a time: two that make the same client would both fail or both succeed.
            _ = try await connection.run(LockParties())
            let applied = try await BatchApplication.apply(
                sorted.applicable.map(\.record), file.plan, context, on: connection)
            var ledger = RunLedger(skipped: sorted.skipped)
            var entries = refused
            for (item, decision) in zip(sorted.applicable, applied) {
                guard case .quarantined(let reason) = decision.outcome else {
                    ledger.count(decision.outcome)
                    continue
                }
                var entry = try await quarantine.entries([(item, reason, reason.stage)], on: connection)
                entry[0].question = decision.question
                entries += entry
            }
            ledger.skipped += try await quarantine.leaveOutIgnored(&entries, on: connection)
            ledger.quarantined = entries.count
            try await quarantine.write(entries, on: connection)
            try await record(ledger, ordinals, readTo: readTo, on: connection)
            return ledger
        }
        self.quarantine = quarantine
        report.ledger += ledger
        batches += 1
    }

    private func record(
        _ ledger: RunLedger, _ ordinals: ClosedRange<Int>, readTo: Int? = nil, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(
            RecordBatch(
                run: run, number: batches + 1, artifact: artifact, ordinals: ordinals, ledger: ledger,
                readTo: readTo)
        )
        try await connection.execute(AddToRun(run: run, ledger: ledger))
    }
}

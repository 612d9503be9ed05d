// SPDX-License-Identifier: Apache-2.0
// One file of a run: kept, checked to its end, then applied batch by batch from the bytes that were kept.

internal import BlobStore
internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Tabular
internal import Unpacking

/// The import of one file.
///
/// The whole file is parsed once before anything is applied, so that a file that breaks off in the middle changes
/// nothing. Both passes read the kept bytes: what is applied is what was kept, even if the file changes meanwhile.
struct ArtifactImport {
    private let run: Int
    private var source: Int
    private let batchSize: Int
    private(set) var batches: Int
    var report: FileReport

    /// A batch also ends when its records fill this many bytes of the file.
    private static let batchBytes = 8 << 20

    private var artifact = 0
    /// Path of the second file, which is kept behind the first, as one.
    private var detail: String?
    /// Whether records with an error are left out instead of kept in quarantine.
    private var skipsFaulty = false
    private var quarantine: QuarantineWriter

    init(name: String, run: Int, source: Int, batchSize: Int, firstBatch: Int) {
        self.run = run
        self.source = source
        self.batchSize = batchSize
        batches = firstBatch
        quarantine = QuarantineWriter(run: run)
        report = FileReport(name: name)
    }

    /// Imports the file; a fault of the file is in the report, a fault of the database is thrown.
    ///
    /// - Parameters:
    ///   - siblings: the files of one archive, or the file alone.
    ///   - pairs: finds the second file of a mapping that reads two.
    mutating func run(
        _ part: UnpackedFile, among siblings: [UnpackedFile], _ pairs: inout PairedFiles,
        _ chooser: MappingChooser,
        _ progress: (ImportProgress) -> Void, on connection: Connection
    ) async throws {
        let file = try LocalFile(part.path)
        var facts = try FileFacts(file)
        file.rewind()
        let head = FileHead(
            name: fileName, bytes: try file.read(upTo: FileHead.size), probe: facts.probe)
        let mapping: MappingDefinition
        do {
            mapping = try chooser.choose(head).definition
        } catch {
            try await keep(file, facts, on: connection)
            return try await refuse(error.diagnostic, on: connection)
        }
        do {
            if let second = try pairs.detail(of: part, among: siblings, mapping) {
                detail = second.path
                facts = try FileFacts(file, try LocalFile(second.path))
            }
        } catch let error as MappingError {
            try await keep(file, facts, on: connection)
            return try await refuse(error.diagnostic, on: connection)
        }
        guard let plan = ImportPlans.plan(for: mapping.target) else {
            try await keep(file, facts, on: connection)
            let code = ImportFinding.unsupportedEntity.rawValue
            return try await refuse(
                Diagnostic(code: code, facts: ["entity": mapping.target.name]), on: connection)
        }
        report.mapping = mapping.identifier
        skipsFaulty = mapping.errorPolicy.record == .skip
        if let system = mapping.accountMatch.system {
            source = try await connection.run(SourceID(code: system)).first ?? source
        }
        let version = try await connection.run(MappingVersionID(mapping: mapping)).first
        quarantine.mappingVersion = version
        quarantine.bytes = KeptRecords(facts, isXML: mapping.format == .xml)
        let earlier = try await connection.run(CompletedReceipt(sha256: facts.sha256, mapping: version ?? 0))
            .first
        try await keep(file, facts, on: connection)
        if let earlier { return try await skip(earlier, on: connection) }
        do {
            let census = try await check(mapping, plan, facts, progress, on: connection)
            if let fault = census.fileFault { return try await refuse(fault, on: connection) }
            if mapping.errorPolicy.limit.isPassed(errors: census.faulty, records: census.records) {
                let counts = ["errors": String(census.faulty), "records": String(census.records)]
                return try await refuse(
                    Diagnostic(code: ImportFinding.tooManyErrors.rawValue, facts: counts), on: connection)
            }
            try await apply(mapping, plan, facts, census, progress, on: connection)
        } catch let fault as any ReportableError where !(fault is PostgreSQLError) {
            try await refuse(fault.diagnostic, on: connection)
        }
    }

    /// The file's name without folders.
    private var fileName: String { String(report.name.split(separator: "/").last ?? "") }

    // MARK: - Keeping the bytes

    private mutating func keep(
        _ file: borrowing LocalFile, _ facts: FileFacts, on connection: Connection
    ) async throws {
        try await connection.script("begin")
        do {
            if try await BlobStore.begin(facts.sha256, size: facts.size, on: connection) {
                var pieces = BlobPieces(facts.sha256)
                try await pieces.add(file, on: connection)
                if let detail { try await pieces.add(try LocalFile(detail), on: connection) }
                try await pieces.finish(on: connection)
                let size = pieces.size
                guard size == facts.size else { throw FileError(.changed, at: Place(file: file.path)) }
            }
            artifact =
                try await connection.run(
                    StartArtifact(
                        run: run, sha256: facts.sha256, name: report.name, size: facts.size,
                        mapping: quarantine.mappingVersion)
                ).first ?? 0
            quarantine.artifact = artifact
            try await connection.script("commit")
        } catch {
            try? await connection.script("rollback")
            throw error
        }
    }

    // MARK: - Files that are not applied

    /// The same bytes were applied before: every record counts as skipped.
    private mutating func skip(_ earlier: CompletedReceipt.Receipt, on connection: Connection) async throws {
        report.earlierRun = earlier.run
        let ledger = RunLedger(skipped: earlier.records)
        try await connection.transaction { [self] connection in
            try await record(ledger, 1...max(1, earlier.records), on: connection)
            try await connection.execute(FinishArtifact(artifact: artifact, quarantined: 0))
        }
        report.ledger = ledger
        batches += 1
    }

    /// The file cannot be read to its end: it goes to quarantine as one record.
    private mutating func refuse(_ fault: Diagnostic, on connection: Connection) async throws {
        var fault = fault
        fault.place = fault.place.inFile(report.name)
        report.refusal = fault
        let ledger = RunLedger(quarantined: 1)
        let entry = QuarantineEntry(
            ordinal: 0, line: fault.place.line, bytes: nil, raw: nil, stage: "parse", reason: fault,
            findings: [fault])
        try await connection.transaction { [self] connection in
            try await quarantine.write([entry], on: connection)
            try await record(ledger, 0...0, on: connection)
            try await connection.execute(FinishArtifact(artifact: artifact, quarantined: 1))
        }
        report.ledger = ledger
        batches += 1
    }

    // MARK: - Reading the kept bytes

    /// What a pass over a file says at its end.
    private struct FileEnd {
        /// Records read, wanted or not.
        let records: Int
        /// What is wrong with the file as a whole.
        let findings: [Diagnostic]
    }

    /// Feeds the kept bytes to the mapping; `onRecords` gets the wanted records of each piece.
    @discardableResult
    private func read(
        _ mapping: MappingDefinition, _ facts: FileFacts, on connection: Connection,
        _ onRecords: ([MappedItem], Int) async throws -> Void
    ) async throws -> FileEnd {
        var reader = try MappingReader(
            mapping, probe: facts.probe, fileName: fileName, detail: facts.detail)
        var done = 0
        var number = 0
        while let piece = try await BlobStore.piece(number, of: facts.sha256, on: connection) {
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
                try await onRecords(items, done)
            }
            number += 1
        }
        if facts.detail != nil { try reader.feedDetail([], isLast: true) }
        var hasMore = true
        while hasMore {
            var items: [MappedItem] = []
            hasMore = try reader.finishPart { items.append($0) }
            try await onRecords(items, done)
        }
        return FileEnd(records: reader.recordCount, findings: reader.fileFindings)
    }

    /// What the first pass over the records found; keys that occur more than once are told apart by what the
    /// records hold.
    private struct FileCensus {
        /// Records of the file, those that are wanted, and those with an error.
        var records = 0
        var wanted = 0
        var faulty = 0
        /// Why the file as a whole is refused.
        var fileFault: Diagnostic?
        /// Hash of the first record's values by hash of its key.
        var first: [Int: Int] = [:]
        /// Keys whose records differ.
        var conflicting: Set<Int> = []
    }

    /// Parses the whole file without applying anything.
    private func check(
        _ mapping: MappingDefinition, _ plan: any ImportPlan, _ facts: FileFacts,
        _ progress: (ImportProgress) -> Void, on connection: Connection
    ) async throws -> FileCensus {
        var census = FileCensus()
        let end = try await read(mapping, facts, on: connection) { items, done in
            census.wanted += items.count
            let faulty = items.filter { !$0.isApplicable }
            census.faulty += faulty.count
            if mapping.errorPolicy.record == .stop, census.fileFault == nil {
                census.fileFault = faulty.first?.findings.first { $0.severity == .error }
            }
            for item in items where item.isApplicable {
                guard let key = plan.key(of: item.record)?.hashValue else { continue }
                let content = item.record.contentHash
                if let first = census.first[key] {
                    if first != content { census.conflicting.insert(key) }
                } else {
                    census.first[key] = content
                }
            }
            progress(
                ImportProgress(
                    file: report.name, phase: .checking, bytes: done, totalBytes: facts.size,
                    ledger: report.ledger))
        }
        census.records = end.records
        census.fileFault = census.fileFault ?? end.findings.first { $0.severity == .error }
        return census
    }

    // MARK: - Applying

    private mutating func apply(
        _ mapping: MappingDefinition, _ plan: any ImportPlan, _ facts: FileFacts, _ census: FileCensus,
        _ progress: (ImportProgress) -> Void, on connection: Connection
    ) async throws {
        let context = ImportContext(
            run: run, source: source, artifact: artifact, matching: mapping.accountMatch.forCRM,
            change: mapping.upsert.changed == .quarantine ? .quarantine : .write)
        var waiting: [MappedItem] = []
        var waitingBytes = 0
        var seen: Set<Int> = []
        var copy = self
        try await read(mapping, facts, on: connection) { items, done in
            for item in items {
                waiting.append(item)
                waitingBytes += item.raw?.count ?? item.record.origin.bytes?.count ?? 0
                guard waiting.count >= copy.batchSize || waitingBytes > Self.batchBytes else { continue }
                try await copy.commit(waiting, plan, context, census, &seen, on: connection)
                waiting = []
                waitingBytes = 0
            }
            progress(
                ImportProgress(
                    file: copy.report.name, phase: .applying, bytes: done, totalBytes: facts.size,
                    ledger: copy.report.ledger))
        }
        if !waiting.isEmpty { try await copy.commit(waiting, plan, context, census, &seen, on: connection) }
        try await copy.recordUnwanted(census, on: connection)
        try await connection.execute(
            FinishArtifact(artifact: artifact, quarantined: copy.report.ledger.quarantined))
        self = copy
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
        _ batch: [MappedItem], _ plan: any ImportPlan, _ context: ImportContext, _ census: FileCensus,
        _ seen: inout Set<Int>, on connection: Connection
    ) async throws {
        var sorted = SortedBatch()
        for item in batch {
            sorted.add(item, key: plan.key(of: item.record)?.hashValue, census.conflicting, &seen)
        }
        if skipsFaulty {
            sorted.skipped += sorted.refused.count
            sorted.refused = []
        }
        let ordinals = (batch.first?.record.origin.ordinal ?? 0)...(batch.last?.record.origin.ordinal ?? 0)
        let entries = try await quarantine.entries(sorted.refused, on: connection)
        let ledger = try await connection.transaction { [self] connection in
            // One import writes parties at a time: two that make the same client would both fail or both succeed.
            _ = try await connection.run(LockParties())
            var ledger = RunLedger(skipped: sorted.skipped)
            var entries = entries
            let records = sorted.applicable.map(\.record)
            let outcomes = try await applyRecords(records, plan, context, on: connection)
            for (item, outcome) in zip(sorted.applicable, outcomes) {
                switch outcome {
                case .inserted: ledger.inserted += 1
                case .updated: ledger.updated += 1
                case .unchanged: ledger.unchanged += 1
                case .skipped: ledger.skipped += 1
                case .quarantined(let reason):
                    entries += try await quarantine.entries([(item, reason, reason.stage)], on: connection)
                }
            }
            ledger.quarantined = entries.count
            try await quarantine.write(entries, on: connection)
            try await record(ledger, ordinals, on: connection)
            return ledger
        }
        report.ledger += ledger
        batches += 1
    }

    /// Applies records; when the database refuses one for what it holds, finds that one and keeps the others.
    private func applyRecords(
        _ records: [Record], _ plan: any ImportPlan, _ context: ImportContext, on connection: Connection
    ) async throws -> [ImportOutcome] {
        guard !records.isEmpty else { return [] }
        do {
            return try await connection.transaction { connection in
                try await plan.apply(records, context, on: connection)
            }
        } catch let error as PostgreSQLError where error.isFaultOfTheData {
            guard records.count > 1 else { return [.quarantined(error.diagnostic)] }
            let half = records.count / 2
            let first = try await applyRecords(Array(records[..<half]), plan, context, on: connection)
            return try await first + applyRecords(Array(records[half...]), plan, context, on: connection)
        }
    }

    // MARK: - Ledger and quarantine

    private func record(
        _ ledger: RunLedger, _ ordinals: ClosedRange<Int>, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(
            RecordBatch(run: run, number: batches + 1, artifact: artifact, ordinals: ordinals, ledger: ledger)
        )
        try await connection.execute(AddToRun(run: run, ledger: ledger))
    }
}

// SPDX-License-Identifier: Apache-2.0
// The replay of a file's quarantined records, found again among its kept bytes.

internal import BlobStore
internal import CRM
internal import Diagnostics
internal import Mapping
internal import Model
internal import PostgreSQL

/// The replay of one file's records.
struct RecordReplay {
    let file: ReplayFiles.File
    let run: Int
    let settings: ImportSettings
    private(set) var batches: Int
    private(set) var ledger = RunLedger()
    /// Keys of waiting records that differ though they are the same thing.
    private var conflicting: Set<Int> = []

    init(_ file: ReplayFiles.File, run: Int, _ settings: ImportSettings, firstBatch: Int) {
        self.file = file
        self.run = run
        self.settings = settings
        batches = firstBatch
    }

    mutating func run(
        _ mapping: MappingDefinition, _ filter: QuarantineFilter, on connection: Connection
    ) async throws {
        guard let plan = ImportPlans.plan(for: mapping.target) else {
            throw MappingError(.mappingUnknown, ["name": mapping.name])
        }
        var number = 0
        let facts = try await FileFacts(sha256: file.sha256, size: file.size, firstSize: file.firstSize) {
            defer { number += 1 }
            return try await settings.blobs.piece(number, of: file.sha256, on: connection)
        }
        guard number > 1 else { throw BlobError(.gone) }
        let name = String(file.name.split(separator: "/").last ?? "")
        let reading = FileIntake.Reading(mapping: mapping, plan: plan)
        let records = FileRecords(reading, facts, fileName: name)
        var context = try await settings.context(
            records, run: run, source: file.source, artifact: file.id, on: connection)
        context.isReplay = true
        let (wanted, overrides) = try await waiting(mapping, filter, on: connection)
        let survey = try await ReplaySurvey(
            records, .kept(settings.blobs, connection), wanted, overrides: overrides)
        conflicting = survey.conflicting
        var batch = WaitingRecords(settings.batchSize)
        var copy = self
        defer { self = copy }
        try await records.read(
            .kept(settings.blobs, connection), overrides: overrides,
            repetitions: Repetitions(records, only: wanted, counts: survey.counts)
        ) { items, _ in
            for item in items where wanted.value(at: item.record.origin) != nil {
                guard let full = batch.add(item) else { continue }
                try await copy.commit(full, records, context, wanted, on: connection)
            }
        }
        if let rest = batch.rest() { try await copy.commit(rest, records, context, wanted, on: connection) }
    }

    /// The numbers of the records in quarantine, by their place, and their corrections.
    private func waiting(
        _ mapping: MappingDefinition, _ filter: QuarantineFilter, on connection: Connection
    ) async throws -> (RecordPlaces<[Int]>, RecordOverrides) {
        var places = RecordPlaces<[Int]>()
        var overrides = RecordOverrides()
        for row in try await connection.run(WaitingInFile(filter: filter, artifact: file.id)) {
            if row.isWaiting { places.update(row.place, default: []) { $0.append(row.id) } }
            guard let text = row.overrides else { continue }
            try overrides.replace(text.objectOfTexts, of: row.place, in: mapping.target)
        }
        return (places, overrides)
    }

    private mutating func commit(
        _ items: [MappedItem], _ file: FileRecords, _ context: ImportContext, _ wanted: RecordPlaces<[Int]>,
        on connection: Connection
    ) async throws {
        let key = file.key
        var items = items
        for index in items.indices where items[index].record.origin.repetition == 0 {
            guard let hash = file.plan.key(of: items[index].record, key), conflicting.contains(hash) else {
                continue
            }
            let place = Place(line: items[index].record.origin.line)
            items[index].findings.append(
                Diagnostic(code: ImportFinding.keyConflict.rawValue, place: place))
        }
        let applicable = items.filter(\.isApplicable)
        let ledger = try await connection.transaction { [self] connection in
            _ = try await connection.run(LockParties())
            var ledger = RunLedger()
            var done: [Int] = []
            var refused: [(id: Int, reason: Diagnostic, question: MatchQuestion?)] = []
            let decisions = try await BatchApplication.apply(
                applicable.map(\.record), file.plan, context, on: connection)
            for (item, decision) in zip(applicable, decisions) {
                let ids = wanted.value(at: item.record.origin) ?? []
                ledger.count(decision.outcome)
                guard case .quarantined(let reason) = decision.outcome else {
                    done += ids
                    continue
                }
                refused += ids.map { ($0, reason, decision.question) }
            }
            for item in items where !item.isApplicable {
                guard let reason = item.findings.first(where: { $0.severity == .error }) else { continue }
                ledger.quarantined += 1
                refused += (wanted.value(at: item.record.origin) ?? []).map { ($0, reason, nil) }
            }
            try await connection.execute(CloseReplayed(ids: done, run: run))
            let cases = try await MatchCases.open(
                refused.compactMap(\.question), source: context.source, on: connection)
            try await connection.execute(
                KeepRefused(
                    ids: refused.map(\.id), reasons: refused.map(\.reason),
                    cases: refused.map { $0.question.flatMap { cases[$0.fingerprint] } }))
            let ordinals = items.map(\.record.origin.ordinal)
            try await connection.execute(
                RecordBatch(
                    run: run, number: batches + 1, artifact: self.file.id,
                    ordinals: (ordinals.min() ?? 0)...(ordinals.max() ?? 0), ledger: ledger))
            try await connection.execute(AddToRun(run: run, ledger: ledger))
            return ledger
        }
        self.ledger += ledger
        batches += 1
    }
}

/// What a look at a whole file tells before its waiting records are applied.
private struct ReplaySurvey {
    /// Number of the other records with each key, for keys with `$ordinal`: those that waited come behind them.
    private(set) var counts: [Int: Int] = [:]
    /// Keys of waiting records that differ.
    private(set) var conflicting: Set<Int> = []

    init(
        _ file: FileRecords, _ bytes: FileBytes, _ wanted: RecordPlaces<[Int]>, overrides: RecordOverrides
    ) async throws {
        let key = file.key
        var first: [Int: Int] = [:]
        let nobody = Repetitions(file, only: RecordPlaces())
        try await file.read(bytes, overrides: overrides, repetitions: nobody) { items, _ in
            for item in items {
                guard let hash = file.plan.key(of: item.record, key) else { continue }
                if wanted.value(at: item.record.origin) == nil {
                    if key.contains(.ordinal) { counts[hash, default: 0] += 1 }
                } else if !key.contains(.ordinal), item.isApplicable {
                    let content = item.record.contentHash
                    if let known = first[hash], known != content { conflicting.insert(hash) }
                    first[hash] = first[hash] ?? content
                }
            }
        }
    }
}

/// The records of a file that wait, and those that were replayed, whose corrections still number the others.
struct WaitingInFile: Statement {
    struct Row: Sendable {
        let id: Int
        let isWaiting: Bool
        let place: RecordPlace
        let overrides: JSONText?
    }

    let filter: QuarantineFilter
    let artifact: Int

    static let sql = """
        select q.id, (\(QuarantineFilter.sql)), q.ordinal, q.byte_start, q.byte_end, nullif(q.overrides, '{}')
        from quarantine q
        where q.artifact_id = $5::bigint and q.ordinal > 0 and (q.status = 'replayed' or \(QuarantineFilter.sql))
        order by q.byte_start, q.ordinal
        """
    var parameters: [Parameter] { filter.parameters + [Parameter(artifact)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        let id = try row.next(Int.self)
        let isWaiting = try row.next(Bool.self)
        let ordinal = try row.next(Int.self)
        let start = try row.next(Int?.self)
        let end = try row.next(Int?.self)
        let bytes = start.flatMap { start in end.flatMap { $0 > start ? start..<$0 : nil } }
        return Row(
            id: id, isWaiting: isWaiting, place: RecordPlace(ordinal: ordinal, bytes: bytes),
            overrides: try row.next())
    }
}

struct CloseReplayed: Statement {
    let ids: [Int]
    let run: Int

    static let sql = """
        update quarantine set status = 'replayed', replay_run_id = $2::bigint, closed_at = now()
        where id = any($1::bigint[])
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run)] }
}

/// Records that could not be applied this time either, with their reason of today.
struct KeepRefused: Statement {
    let ids: [Int]
    let reasons: [Diagnostic]
    let cases: [Int?]

    static let sql = """
        update quarantine q
        set status = 'open', code = i.code, field = i.field, value = i.value, facts = i.facts, stage = i.stage,
          match_case_id = i.match_case
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::jsonb[], $6::text[], $7::bigint[])
          as i(id, code, field, value, facts, stage, match_case)
        where q.id = i.id
        """
    var parameters: [Parameter] {
        [
            Parameter(ids), Parameter(reasons.map(\.code)), Parameter(reasons.map(\.place.field)),
            Parameter(reasons.map(\.place.value)), Parameter(reasons.map { JSONText(facts: $0.facts) }),
            Parameter(reasons.map(\.stage)), Parameter(cases),
        ]
    }
}

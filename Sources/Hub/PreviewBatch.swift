// SPDX-License-Identifier: Apache-2.0
// Decisions on the records of a file without writing, batch by batch.

internal import CRM
internal import Diagnostics
internal import Mapping
internal import Model
internal import PostgreSQL

/// Decides on one batch after the other, remembering what they would have made.
struct PreviewBatch {
    let file: FileRecords
    let census: FileCensus
    let context: ImportContext
    var ledger = RunLedger()
    private var foresight = Foresight()
    private var seen: Set<Int> = []

    init(_ file: FileRecords, _ census: FileCensus, _ context: ImportContext) {
        self.file = file
        self.census = census
        self.context = context
    }

    mutating func decide(
        _ items: [MappedItem], _ name: String, _ onRecord: (RecordPreview) -> Void,
        on connection: Connection
    ) async throws {
        var sorted = SortedBatch(file, census)
        for item in items { sorted.add(item, &seen) }
        let skipsFaulty = file.mapping.errorPolicy.record == .skip
        let records = sorted.applicable.map(\.record)
        try await connection.script("begin read only")
        let prepared: PreparedBatch
        do {
            prepared = try await file.plan.prepare(records, context, &foresight, on: connection)
            try await connection.script("rollback")
        } catch {
            try? await connection.script("rollback")
            throw error
        }
        var decided: [Int: (ImportOutcome, RecordDecision?)] = [:]
        for (item, reason, _) in sorted.refused {
            decided[item.record.origin.ordinal] = (skipsFaulty ? .skipped(reason) : .quarantined(reason), nil)
        }
        for (item, decision) in zip(sorted.applicable, prepared.decisions) {
            decided[item.record.origin.ordinal] = (decision.outcome, decision)
        }
        try await leaveOutIgnored(&decided, on: connection)
        for item in items {
            let (outcome, decision) = decided[item.record.origin.ordinal] ?? (.skipped(nil), nil)
            ledger.count(outcome)
            onRecord(
                RecordPreview(
                    file: name, item: item, outcome: outcome, decision: decision,
                    fieldOfColumn: file.plan.fieldOfColumn))
        }
    }

    /// What a person ignored when the same bytes came before is left out again.
    private func leaveOutIgnored(
        _ decided: inout [Int: (ImportOutcome, RecordDecision?)], on connection: Connection
    ) async throws(PostgreSQLError) {
        let faults = decided.compactMap { ordinal, decision in
            if case .quarantined(let reason) = decision.0 { (ordinal, reason) } else { nil }
        }
        guard !faults.isEmpty else { return }
        let ignored = IgnoredBefore(sha256: file.facts.sha256, source: context.source, faults: faults)
        for ordinal in try await connection.run(ignored) {
            decided[ordinal]?.0 = .skipped(nil)
        }
    }
}

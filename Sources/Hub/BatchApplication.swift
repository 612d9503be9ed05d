// SPDX-License-Identifier: Apache-2.0
// Batches: how records gather in them, and how one is applied when the database refuses a record of it.

internal import CRM
internal import Mapping
internal import Model
internal import PostgreSQL

/// Records that wait until there are enough for a batch.
struct WaitingRecords {
    private let size: Int
    private var items: [MappedItem] = []
    private var bytes = 0

    /// A batch also ends when its records fill this many bytes of the file.
    private static let byteLimit = 8 << 20

    init(_ size: Int) {
        self.size = size
    }

    /// Adds a record; the batch that it completes, if any.
    mutating func add(_ item: MappedItem) -> [MappedItem]? {
        items.append(item)
        bytes += item.raw?.count ?? item.record.origin.bytes?.count ?? 0
        return items.count >= size || bytes > Self.byteLimit ? rest() : nil
    }

    /// Those that wait, if any.
    mutating func rest() -> [MappedItem]? {
        guard !items.isEmpty else { return nil }
        defer { (items, bytes) = ([], 0) }
        return items
    }
}

/// Applies records; when the database refuses one for what it holds, finds that one and keeps the others.
enum BatchApplication {
    static func apply(
        _ records: [Record], _ plan: any ImportPlan, _ context: ImportContext, on connection: Connection
    ) async throws -> [RecordDecision] {
        guard !records.isEmpty else { return [] }
        do {
            return try await connection.transaction { connection in
                var foresight = Foresight()
                let batch = try await plan.prepare(records, context, &foresight, on: connection)
                try await batch.write(connection)
                return batch.decisions
            }
        } catch let error as PostgreSQLError where error.isFaultOfTheData {
            guard records.count > 1 else { return [.refused(error.diagnostic)] }
            let half = records.count / 2
            let first = try await apply(Array(records[..<half]), plan, context, on: connection)
            return try await first + apply(Array(records[half...]), plan, context, on: connection)
        }
    }
}

extension RunLedger {
    /// Counts what became of a record.
    mutating func count(_ outcome: ImportOutcome) {
        switch outcome {
        case .inserted: inserted += 1
        case .updated: updated += 1
        case .unchanged: unchanged += 1
        case .skipped: skipped += 1
        case .quarantined: quarantined += 1
        }
    }
}

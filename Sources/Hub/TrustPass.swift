// SPDX-License-Identifier: Apache-2.0
// One way through everything that has values of a source, from where the run stopped last.

internal import CRM
internal import Diagnostics
internal import PostgreSQL

/// Decides kept values again, batch by batch.
struct TrustPass {
    private let change: FindTrustChange.Change
    private let run: Int
    private let batchSize: Int
    private(set) var ledger = RunLedger()
    private var batches = 0
    private var done = 0

    init(_ change: FindTrustChange.Change, run: Int, batchSize: Int) {
        (self.change, self.run, self.batchSize) = (change, run, batchSize)
    }

    /// Goes to the end; `progress` gets the rows that are decided, and how many there are.
    ///
    /// - Throws: `RUN-STOPPED` when somebody wants the run to end; what `fence` throws in the transaction of a batch.
    mutating func go(
        fence: (Connection) async throws -> Void, _ progress: (Int, Int) -> Void, on connection: Connection
    ) async throws {
        if let last = try await connection.run(LastBatch(run: run)).first {
            (batches, done) = (last.number, last.ordinal)
        }
        let place = change.place
        let all = Redecision.Kind.allCases
        let rest = all.drop { kind in place.map { $0.kind != kind } ?? false }
        for kind in rest {
            var last = place.flatMap { $0.kind == kind ? $0.id : nil } ?? 0
            while true {
                let ids = try await Redecision.next(
                    kind, after: last, of: change.source, limit: batchSize, on: connection)
                guard let end = ids.last else { break }
                try await decide(kind, ids, end, fence, on: connection)
                last = end
                progress(done, change.expected)
            }
        }
        try await settle(fence, on: connection)
    }

    /// One batch: its values, its findings, its place and its ledger commit together.
    private mutating func decide(
        _ kind: Redecision.Kind, _ ids: [Int], _ end: Int, _ fence: (Connection) async throws -> Void,
        on connection: Connection
    ) async throws {
        let batch = try await connection.transaction { [self] connection in
            try await fence(connection)
            try await RunStop.heed(run, on: connection)
            _ = try await connection.run(LockParties())
            let outcome = try await Redecision.decide(kind, ids, run: run, on: connection)
            let updated = outcome.changed.count { outcome.kept[$0] == nil }
            let ledger = RunLedger(
                updated: updated, unchanged: ids.count - updated - outcome.kept.count,
                skipped: outcome.kept.count)
            for (_, reason) in outcome.kept.sorted(by: { $0.key < $1.key }) {
                try await connection.execute(KeepProblem(run: run, problem: reason))
            }
            try await connection.execute(
                RecordBatch(
                    run: run, number: batches + 1, artifact: nil, ordinals: done + 1...done + ids.count,
                    ledger: ledger))
            try await connection.execute(AddToRun(run: run, ledger: ledger))
            try await connection.execute(KeepTrustPlace(id: change.id, kind: kind, row: end))
            return ledger
        }
        ledger += batch
        batches += 1
        done += ids.count
    }

    /// Tries once more to give rows the numbers that other rows have released meanwhile, as long as that helps.
    private mutating func settle(
        _ fence: (Connection) async throws -> Void, on connection: Connection
    ) async throws {
        while true {
            let freed = try await connection.transaction { [self] connection in
                try await fence(connection)
                try await RunStop.heed(run, on: connection)
                _ = try await connection.run(LockParties())
                let waiting = try await connection.run(KeptNumbers(run: run))
                var (freed, updated): ([Int], Int) = ([], 0)
                for kind in Redecision.Kind.allCases {
                    let rows = waiting.filter { $0.kind == kind.rawValue }
                    let outcome = try await Redecision.decide(
                        kind, rows.map(\.row), run: run, on: connection)
                    freed += rows.filter { outcome.kept[$0.row] == nil }.map(\.problem)
                    updated += outcome.changed.count { outcome.kept[$0] == nil }
                }
                try await connection.execute(ForgetProblems(ids: freed))
                let ledger = RunLedger(
                    updated: updated, unchanged: freed.count - updated, skipped: -freed.count)
                try await connection.execute(AddToRun(run: run, ledger: ledger))
                return ledger
            }
            guard freed.skipped < 0 else { return }
            ledger += freed
        }
    }
}

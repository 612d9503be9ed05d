// SPDX-License-Identifier: Apache-2.0
// How much a source is believed is changed: a run decides again what every account, site and person keeps.

package import CRM
internal import Diagnostics
package import Jobs
package import PostgreSQL

/// What a run did that decided kept values again.
package struct TrustReport: Sendable {
    /// Number of the run.
    package let run: Int
    /// What became of the rows that have values of the source.
    package var ledger = RunLedger()
}

/// Changes how much sources are believed.
///
/// The source is believed otherwise from the beginning of the run on, so that imports meanwhile decide alike. The run
/// then goes through all that has values of the source, in batches that commit with their place. Stopped or killed, it
/// is the same run that goes on: one undo takes all of it back.
package struct TrustChanges: Sendable {
    private static let kind = "trust"

    private let pool: Pool
    private let batchSize: Int

    /// Changes on a database.
    package init(pool: Pool, batchSize: Int = 2000) {
        (self.pool, self.batchSize) = (pool, batchSize)
    }

    // MARK: - Asking

    /// Lets a worker make a source believed otherwise.
    ///
    /// - Returns: the number of the wish (``begun(_:)``).
    /// - Throws: `SOURCE-UNKNOWN`, `SOURCE-PEOPLE`, `SOURCE-TRUST`, `SOURCE-SAME`.
    package func start(_ code: String, trust: Int, by user: Int?) async throws -> Int {
        try await pool.withConnection { connection in
            let id = try await connection.transaction { connection in
                let id = try await Self.ask(code, trust: trust, by: user, on: connection)
                try await Self.enqueue(id, on: connection)
                return id
            }
            try await JobQueue.wake(on: connection)
            return id
        }
    }

    /// The same at once and in this process.
    ///
    /// - Parameter progress: gets the rows that are decided, and how many there are.
    package func run(
        _ code: String, trust: Int, by user: Int? = nil, progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> TrustReport {
        let id = try await pool.transaction { try await Self.ask(code, trust: trust, by: user, on: $0) }
        return try await perform(id, fence: { _ in }, progress)
    }

    /// What believing a source otherwise would do; nothing is written.
    ///
    /// - Throws: what ``start(_:trust:by:)`` throws.
    package static func outlook(
        _ code: String, trust: Int, on connection: Connection
    ) async throws -> Redecision.Outlook {
        let source = try await checked(code, trust, on: connection)
        return try await Redecision.outlook(of: source.id, trust: trust, on: connection)
    }

    /// The run of a wish; nil where it has not begun within two seconds.
    package func begun(_ id: Int) async throws -> Int? {
        for _ in 0..<20 {
            let change = try await pool.withConnection { try await $0.run(FindTrustChange(id: id)).first }
            if let run = change?.run { return run }
            try await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }

    /// Whether a run is one of these, did not get to its end, and is the last word on its source.
    package func mayResume(_ run: Int) async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.execute(CloseDeadRuns())
            return try await !connection.run(UnfinishedTrust(run: run)).isEmpty
        }
    }

    /// Lets such a run go on.
    ///
    /// - Returns: whether it does.
    package func resume(_ run: Int) async throws -> Bool {
        try await pool.withConnection { connection in
            try await connection.execute(CloseDeadRuns())
            let isResumed = try await connection.transaction { connection in
                guard let id = try await connection.run(UnfinishedTrust(run: run)).first else { return false }
                try await connection.execute(ForgetStop(run: run))
                try await Self.enqueue(id, on: connection)
                return true
            }
            if isResumed { try await JobQueue.wake(on: connection) }
            return isResumed
        }
    }

    private static func checked(
        _ code: String, _ trust: Int, on connection: Connection
    ) async throws -> CRM.SourceSystem {
        let source = try await SourceSystems.changeable(code, on: connection)
        _ = try SourceSystems.trust(String(trust))
        guard trust != source.trust else {
            throw SourceError(
                .same, ["code": source.title], at: Place(field: "trust", value: String(trust)))
        }
        return source
    }

    private static func ask(
        _ code: String, trust: Int, by user: Int?, on connection: Connection
    ) async throws -> Int {
        let source = try await checked(code, trust, on: connection)
        let keep = KeepTrustChange(source: source.id, trust: trust, user: user)
        try await Audit.write(
            "source.trusted", by: user, of: "source", source.id,
            facts: ["name": code, "before": String(source.trust), "after": String(trust)], on: connection)
        return try await connection.run(keep).first ?? 0
    }

    private static func enqueue(_ id: Int, on connection: Connection) async throws {
        var job = NewJob(kind, in: .interactive)
        job.unique = "\(kind):\(id)"
        // Two changes are made one behind the other.
        job.exclusive = kind
        job.payload = JSONText(facts: ["change": String(id)])
        try await JobQueue.enqueue([job], on: connection)
    }

    // MARK: - Running

    /// The handlers of these jobs, by their kind.
    package var handlers: [String: Worker.Handler] {
        [Self.kind: { try await handle($0) }]
    }

    private func handle(_ running: RunningJob) async throws -> Int? {
        let id = running.job.payload.objectOfTexts["change"].flatMap { Int($0) } ?? 0
        do {
            return try await perform(id, fence: { try await running.hold(on: $0) }).run
        } catch let error as RunError {
            // Stopped, taken back or overtaken since: there is nothing to try again.
            if let run = error.stoppedRun { return run }
            guard error.has(.superseded) else { throw error }
            return nil
        }
    }

    /// Does, or goes on with, what was asked for.
    private func perform(
        _ id: Int, fence: (Connection) async throws -> Void, _ progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> TrustReport {
        try await pool.withConnection { connection in
            try await RunSession.withRun(RunStart(kind: .trust, trust: id), on: connection) { begin in
                let run = try await begin().run
                guard let change = try await connection.run(FindTrustChange(id: id)).first else {
                    throw RunError(.unknown, ["id": String(run)])
                }
                var pass = TrustPass(change, run: run, batchSize: batchSize)
                try await pass.go(fence: fence, progress, on: connection)
                return TrustReport(run: run, ledger: pass.ledger)
            }
        }
    }

    /// Begins the run of a wish, which changes how much the source is believed, or goes on with it.
    ///
    /// - Throws: `RUN-SUPERSEDED` where the run is over, taken back, or another came since.
    static func begin(_ id: Int, on connection: Connection) async throws -> RunSession.Begun {
        guard let change = try await connection.run(FindTrustChange(id: id)).first else {
            throw RunError(.superseded, ["source": "", "id": ""])
        }
        // Before the lock of parties: a worker that lost its lease may still hold the run's.
        if let run = change.run { _ = try await connection.run(LockRun(run: run)) }
        return try await connection.transaction { connection in
            _ = try await connection.run(LockParties())
            let run =
                if let known = change.run {
                    try await connection.run(ReopenTrust(run: known)).first
                } else {
                    try await connection.run(BeginTrust(id: id)).first
                }
            guard let run else {
                throw RunError(
                    .superseded, ["source": change.title, "id": change.run.map(String.init) ?? ""])
            }
            if change.run == nil {
                let count = try await Redecision.count(of: change.source, on: connection)
                try await connection.execute(KeepExpected(id: id, count: count))
            }
            return RunSession.Begun(run: run, source: change.source)
        }
    }

    // MARK: - Undo

    /// Puts back how much a source was believed, inside the undo of the run that changed it.
    ///
    /// What the run changed is restored by then, and may not be what the claims of today win; what other runs brought
    /// since was decided by the new trust. So all of it is decided by the old one.
    /// - Returns: how many rows got another value beside those restored.
    static func takeBack(_ run: Int, by undo: Int, on connection: Connection) async throws -> Int {
        guard let source = try await connection.run(RestoreTrust(run: run, undo: undo)).first else {
            return 0
        }
        let restored = try await connection.run(RestoredRows(run: undo))
        var count = 0
        for kind in Redecision.Kind.allCases {
            let told = Set(restored.lazy.filter { ($0.entity == "site") == (kind == .site) }.map(\.id))
            var last = 0
            while true {
                let ids = try await Redecision.next(
                    kind, after: last, of: source, limit: 5000, on: connection)
                guard let end = ids.last else { break }
                let outcome = try await Redecision.decide(
                    kind, ids, run: undo, besides: told, on: connection)
                for reason in outcome.kept.sorted(by: { $0.key < $1.key }).map(\.value) {
                    try await connection.execute(KeepProblem(run: undo, problem: reason))
                }
                count += outcome.changed.count
                last = end
            }
        }
        return count
    }

    static let statements: [any Statement.Type] = [
        KeepTrustChange.self, FindTrustChange.self, BeginTrust.self, ReopenTrust.self, KeepExpected.self,
        KeepTrustPlace.self, UnfinishedTrust.self, ForgetStop.self, LastBatch.self, KeptNumbers.self,
        ForgetProblems.self, RestoreTrust.self, RestoredRows.self,
    ]
}

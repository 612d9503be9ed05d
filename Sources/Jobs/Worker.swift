// SPDX-License-Identifier: Apache-2.0
// Fetches jobs, runs their handlers, and writes what became of them.

package import Diagnostics
package import PostgreSQL
internal import Synchronization

/// Does the jobs of a queue until it is told to end.
///
/// Any number of workers may share a database. A worker that dies loses nothing: its leases end and another goes on.
package final class Worker: Sendable {
    /// Does a job; what it returns is the number of the run that it was, if it was one.
    package typealias Handler = @Sendable (RunningJob) async throws -> Int?

    /// How patient a worker is.
    package struct Timing: Sendable {
        /// A worker that is not heard of for this long loses its jobs.
        package var lease = Duration.seconds(60)
        /// How often it makes itself heard.
        package var beat = Duration.seconds(10)
        /// How often it looks for leases of others that have ended.
        package var reap = Duration.seconds(15)
        /// How often it looks for jobs without being woken.
        package var poll = Duration.seconds(5)
        /// How often it looks for jobs whose time has come.
        package var promote = Duration.seconds(1)
        /// A job that is done is written after this at the latest.
        package var flush = Duration.milliseconds(20)
        /// Jobs that are done and written at once.
        package var batch = 100
        /// How long running jobs may go on once the worker is to end.
        package var grace = Duration.seconds(20)
        /// When jobs that failed run again.
        package var retry = RetryPolicy()

        /// The timing of a daemon.
        package init() {}
    }

    /// What is worth telling an operator or counting.
    package enum Event: Sendable {
        /// A job ended well.
        case done(Job)
        /// A job runs again later.
        case postponed(Job, Diagnostic)
        /// A job was given up, or cancelled by a person.
        case ended(Job, Diagnostic)
        /// A job was another's before this worker had finished it; nothing of it was written.
        case refused(Job)
        /// So many workers' leases had ended.
        case reaped(Int)
        /// The database cannot be used now.
        case trouble(Diagnostic)
    }

    private let pool: Pool
    private let name: String
    private let slots: [QueueName: Int]
    private let timing: Timing
    private let handlers: [String: Handler]
    private let state: WorkerState
    private let report: @Sendable (Event) -> Void

    /// A worker.
    ///
    /// - Parameters:
    ///   - pool: for what the jobs write; two connections beside it are the worker's own.
    ///   - name: unlike that of every other worker, also of earlier ones.
    ///   - slots: jobs at once, for each queue.
    ///   - handlers: by the kind of job.
    package init(
        pool: Pool, name: String, slots: [QueueName: Int], timing: Timing = Timing(),
        handlers: [String: Handler], report: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.pool = pool
        self.name = name
        self.slots = slots
        self.timing = timing
        self.handlers = handlers
        self.report = report
        state = WorkerState(slots: slots)
    }

    /// Fetches no job any more: ``run()`` returns when those that run have ended, or been stopped after the time of
    /// grace and given back.
    package func drain() {
        state.drain()
    }

    /// Works until ``drain()`` or the task's cancellation, through whatever happens to the database.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listen() }
            group.addTask { await self.every(self.timing.beat) { self.state.demand(.beat) } }
            group.addTask { await self.every(self.timing.reap) { self.state.demand(.reap) } }
            group.addTask { await self.every(self.timing.poll) { self.state.demand(.fetch) } }
            group.addTask { await self.every(self.timing.promote) { self.state.demand(.promote) } }
            group.addTask {
                for await _ in self.state.pending {
                    try? await Task.sleep(for: self.timing.flush)
                    await self.write(self.state.takeDone())
                }
            }
            state.demand(.all)
            await dispatch()
            group.cancelAll()
        }
        await write(state.takeDone())
    }

    private func every(_ pause: Duration, _ body: () async -> Void) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: pause)
            await body()
        }
    }

    // MARK: - Maintenance

    /// Fetches and keeps the leases until the worker is to end, and then until the last job has ended.
    private func dispatch() async {
        await withDiscardingTaskGroup { group in
            await maintain { self.start($0, $1, in: &group) }
            group.addTask {
                // The jobs that still run keep their leases meanwhile.
                await self.maintain { _, _ in }
            }
            group.addTask {
                try? await Task.sleep(for: self.timing.grace)
                self.state.stop(.draining)
            }
            while !state.lent.isEmpty && !Task.isCancelled {
                try? await Task.sleep(for: .milliseconds(5))
            }
            group.cancelAll()
        }
    }

    /// Does what is due on a connection of its own, and another one when it breaks. The connection does not wait for
    /// the disk: a fetch that a crash forgets is made again.
    private func maintain(_ start: ([Job], [AsyncStream<StopReason>]) -> Void) async {
        let wasDraining = state.isDraining
        while !Task.isCancelled, state.isDraining == wasDraining {
            do {
                let connection = try await pool.openDedicated()
                try await connection.script(
                    "set synchronous_commit = off; set enable_seqscan = off; set jit = off")
                var heardAt = ContinuousClock.now
                for await _ in state.signals {
                    guard state.isDraining == wasDraining else { break }
                    try await perform(state.takeDuties(), on: connection, &heardAt, start)
                }
                await connection.close()
            } catch {
                if Task.isCancelled { return }
                report(
                    .trouble((error as? any ReportableError)?.diagnostic ?? Diagnostic(code: "JOB-FAILED")))
                state.demand(.all)
                try? await Task.sleep(for: min(.seconds(1), timing.poll))
            }
        }
    }

    private func perform(
        _ duties: Duties, on connection: Connection, _ heardAt: inout ContinuousClock.Instant,
        _ start: ([Job], [AsyncStream<StopReason>]) -> Void
    ) async throws {
        var duties = duties
        if duties.contains(.beat) { try await beat(on: connection, &heardAt) }
        if duties.contains(.reap) {
            let count = try await JobQueue.reap(timing.retry, on: connection)
            if count > 0 { report(.reaped(count)) }
        }
        if duties.contains(.promote), try await connection.execute(PromoteJobs()) > 0 {
            duties.insert(.fetch)
        }
        if duties.contains(.fetch) {
            for queue in QueueName.allCases { try await fetch(queue, on: connection, start) }
        }
    }

    /// Keeps the leases, and stops what is another's or was cancelled.
    private func beat(on connection: Connection, _ heardAt: inout ContinuousClock.Instant) async throws {
        let lent = state.lent
        if heardAt.duration(to: .now) > timing.lease { state.stop(.leaseLost) }
        guard !lent.isEmpty else { return heardAt = .now }
        let kept = try await connection.run(ExtendLeases(jobs: lent, lease: timing.lease))
        heardAt = .now
        let tokens = Set(kept.map(\.token))
        let before = Set(lent.map(\.token))
        let cancelled = Set(kept.filter(\.isCancelled).map(\.token))
        state.stop(.leaseLost) { before.contains($0.token) && !tokens.contains($0.token) }
        state.stop(.cancelled) { cancelled.contains($0.token) }
    }

    private func fetch(
        _ queue: QueueName, on connection: Connection,
        _ start: ([Job], [AsyncStream<StopReason>]) -> Void
    ) async throws {
        while true {
            let room = min(state.room(in: queue), 100)
            guard room > 0 else { return }
            let after = state.turn(in: queue)
            let fetch = FetchJobs(
                queue: queue, count: room, worker: name, lease: timing.lease, after: after)
            guard var count = try await begin(queue, room, start, { try await connection.run(fetch) }) else {
                continue
            }
            // What was lent is in hand before the next thing can fail.
            if count < room {
                let more = try await begin(queue, room - count, start) {
                    try await fetchLimited(queue, room - count, on: connection)
                }
                guard let more else { continue }
                count += more
            }
            if count == 0 && after.isEmpty { return }
        }
    }

    /// Begins what a fetch lends.
    ///
    /// - Returns: how many jobs; nil when another worker began one of the same exclusive key in the same moment.
    private func begin(
        _ queue: QueueName, _ room: Int, _ start: ([Job], [AsyncStream<StopReason>]) -> Void,
        _ fetch: () async throws -> [Job]
    ) async throws -> Int? {
        do {
            let jobs = try await fetch()
            start(jobs, state.take(jobs, wasFull: jobs.count >= room, from: queue))
            return jobs.count
        } catch let error as PostgreSQLError where error.has(.constraint) {
            return nil
        }
    }

    private func fetchLimited(
        _ queue: QueueName, _ room: Int, on connection: Connection
    ) async throws -> [Job] {
        guard room > 0 else { return [] }
        // Without a limit that has jobs waiting there is no transaction.
        guard try await !connection.run(WaitingLimits(queue: queue)).isEmpty else { return [] }
        return try await connection.transaction { connection in
            var jobs: [Job] = []
            for limit in try await connection.run(LockLimits(queue: queue)) where jobs.count < room {
                let some = try await connection.run(
                    FetchLimited(
                        queue: queue, count: room - jobs.count, worker: self.name, lease: self.timing.lease,
                        limit: limit))
                try await connection.execute(TakeTokens(limit: limit, count: some.count))
                jobs += some
            }
            return jobs
        }
    }

    /// Begins to work the moment somebody says so; a connection that breaks is opened again.
    private func listen() async {
        while !Task.isCancelled {
            do {
                let connection = try await pool.openDedicated()
                for try await _ in try await connection.listen(JobQueue.channel) { state.demand(.fetch) }
            } catch {
                try? await Task.sleep(for: min(.seconds(1), timing.poll))
                state.demand(.fetch)
            }
        }
    }

    // MARK: - Jobs

    private func start(
        _ jobs: [Job], _ stops: [AsyncStream<StopReason>], in group: inout DiscardingTaskGroup
    ) {
        for (job, stop) in zip(jobs, stops) {
            group.addTask {
                await self.settle(job, await self.result(of: job, stop))
                self.state.end(job)
            }
        }
    }

    /// Runs the handler of a job, unless it is stopped before.
    private func result(
        of job: Job, _ stop: AsyncStream<StopReason>
    ) async -> Result<(run: Int?, isWritten: Bool), any Error> {
        guard let handler = handlers[job.kind] else {
            return .failure(JobError(.unknownKind, ["kind": job.kind], retry: .after(.seconds(60))))
        }
        let running = RunningJob(job)
        do {
            let run = try await withThrowingTaskGroup(of: Int?.self) { group in
                group.addTask { try await handler(running) }
                group.addTask {
                    for await reason in stop { throw reason }
                    // The worker's own end: the handler hears of it by itself.
                    try await Task.sleep(for: .seconds(86_400))
                    return nil
                }
                let run = try await group.next() ?? nil
                group.cancelAll()
                return run
            }
            return .success((run, running.isCompleted))
        } catch {
            return .failure(error)
        }
    }

    /// Writes what became of a job; when that fails, its lease ends and it is done again.
    private func settle(_ job: Job, _ result: Result<(run: Int?, isWritten: Bool), any Error>) async {
        switch result {
        case .success(let success) where success.isWritten: report(.done(job))
        case .success(let success): await write(state.addDone((job, success.run), batch: timing.batch))
        case .failure(StopReason.leaseLost): report(.refused(job))
        case .failure(let error as JobError) where error.has(.leaseLost): report(.refused(job))
        case .failure(StopReason.draining):
            await attempt { _ = try await $0.execute(ReleaseJobs(jobs: [job])) }
        case .failure(StopReason.cancelled):
            await end(job, "cancelled", JobError(.cancelled).diagnostic)
        case .failure(let error): await fail(job, error)
        }
    }

    private func fail(_ job: Job, _ error: any Error) async {
        // What says nothing of itself may pass.
        var diagnostic =
            (error as? any ReportableError)?.diagnostic ?? error as? Diagnostic
            ?? JobError(.failed, ["detail": "\(type(of: error))"], retry: .after(.zero)).diagnostic
        // Whatever did happen in that commit, the job went with it: then there is nothing left to postpone.
        if (error as? PostgreSQLError)?.has(.commitUnknown) == true { diagnostic.retry = .after(.zero) }
        let plan = timing.retry.plan(
            attempt: job.attempt, of: job.maxAttempts, advice: diagnostic.retry,
            jitter: Double.random(in: 0..<1))
        guard case .again(let pause) = plan else { return await end(job, "dead", diagnostic) }
        await attempt { connection in
            let count = try await connection.execute(
                PostponeJob(job: job, pause: pause, error: diagnostic))
            report(count > 0 ? .postponed(job, diagnostic) : .refused(job))
        }
    }

    private func end(_ job: Job, _ outcome: String, _ error: Diagnostic) async {
        await attempt { connection in
            let ended = try await connection.run(EndJob(job: job, outcome: outcome, error: error))
            report(ended.isEmpty ? .refused(job) : .ended(job, error))
        }
    }

    /// Writes jobs that are done. When the answer is lost, asks again until their leases have surely ended.
    private func write(_ done: [WorkerState.Done]) async {
        guard !done.isEmpty else { return }
        let deadline = ContinuousClock.now + timing.lease
        while true {
            do {
                return try await pool.withConnection { connection in
                    let written = Set(try await connection.run(CompleteJobs(jobs: done)))
                    let others = done.map(\.job).filter { !written.contains($0.id) }
                    let before =
                        others.isEmpty
                        ? [] : Set(try await connection.run(AlreadyCompleted(jobs: others)))
                    for job in done.map(\.job) {
                        let isDone = written.contains(job.id) || before.contains(job.id)
                        report(isDone ? .done(job) : .refused(job))
                    }
                }
            } catch {
                guard ContinuousClock.now < deadline, !Task.isCancelled else { return trouble(error) }
                try? await Task.sleep(for: min(.milliseconds(200), timing.poll))
            }
        }
    }

    private func attempt(_ body: (Connection) async throws -> Void) async {
        do {
            try await pool.withConnection(body)
        } catch {
            trouble(error)
        }
    }

    private func trouble(_ error: any Error) {
        report(.trouble((error as? any ReportableError)?.diagnostic ?? Diagnostic(code: "JOB-FAILED")))
    }
}

// SPDX-License-Identifier: Apache-2.0
// Makes jobs of flows whose time has come.

package import Diagnostics
internal import Jobs
package import Model
package import PostgreSQL
internal import Schedule

/// Ticks. Any number of nodes may: a time becomes one job, whoever sees it first.
package struct FlowScheduler: Sendable {
    private let pool: Pool
    private let pause: Duration
    private let report: @Sendable (Diagnostic) -> Void

    /// A scheduler.
    ///
    /// - Parameters:
    ///   - pause: time between two looks.
    ///   - report: hears of what keeps it from ticking; it goes on.
    package init(
        pool: Pool, pause: Duration = .seconds(1),
        report: @escaping @Sendable (Diagnostic) -> Void = { _ in }
    ) {
        self.pool = pool
        self.pause = pause
        self.report = report
    }

    /// Ticks by the database's clock until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                try await pool.withConnection { connection in
                    let now = try await connection.run(Now()).first ?? Timestamp(microsecondsSince1970: 0)
                    let ended = try await QueueControl.endPauses(now, on: connection)
                    let made =
                        try await ended + tick(now, on: connection) + watch(now, on: connection)
                        + Retention.tick(on: connection)
                    if made > 0 { try await JobQueue.wake(on: connection) }
                }
            } catch {
                if !Task.isCancelled {
                    report((error as? any ReportableError)?.diagnostic ?? Diagnostic(code: "RUN-FAILED"))
                }
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// Deals with every time up to `now`.
    ///
    /// - Returns: how many jobs were made.
    package func tick(_ now: Timestamp, on connection: Connection) async throws -> Int {
        var count = 0
        while true {
            let (seen, made) = try await connection.transaction { connection in
                try await step(now, on: connection)
            }
            count += made
            if seen == 0 { return count }
        }
    }

    /// Keeps what was expected up to `now` and did not come, and what was given up, for those who must know.
    ///
    /// - Returns: how many jobs were made.
    package func watch(_ now: Timestamp, on connection: Connection) async throws -> Int {
        try await Alerts.tick(now, on: connection)
    }

    private func step(_ now: Timestamp, on connection: Connection) async throws -> (seen: Int, made: Int) {
        let due = try await connection.run(DueSchedules(now: now))
        guard !due.isEmpty else { return (0, 0) }
        let plans = due.map { row in (row: row, plan: row.plan(now)) }
        try await connection.execute(WriteNextTimes(times: plans.map { ($0.row.flow, $0.plan?.next) }))
        let written = Set(
            try await connection.run(
                WriteFirings(
                    firings: plans.flatMap { row, plan in (plan?.firings ?? []).map { (row.flow, $0) } })))
        let cancelled = plans.filter { $0.plan?.cancelsPrevious == true }.map(\.row.name)
        if !cancelled.isEmpty {
            for job in try await connection.run(LiveJobs(groups: cancelled.map(FlowDefinition.group))) {
                try await JobQueue.cancel(job, on: connection)
            }
        }
        var jobs: [NewJob] = []
        for (row, plan) in plans {
            for firing in plan?.firings ?? [] where firing.outcome == .queued {
                guard written.contains(.init(flow: row.flow, nominal: firing.nominal)) else { continue }
                jobs.append(row.job(firing.nominal, now))
            }
        }
        try await JobQueue.enqueue(jobs, on: connection)
        return (due.count, jobs.count)
    }
}

extension DueSchedules.Row {
    /// What becomes of the times; nil for a schedule that this program cannot read, which then rests.
    func plan(_ now: Timestamp) -> FiringPlan? {
        guard let cron = try? CronExpression(cron),
            let times = try? Schedule(
                cron, zone: zone, without: holidays.flatMap { PublicHolidays(rawValue: $0) })
        else { return nil }
        let schedule = FlowSchedule(
            times: times, zone: zone, missed: FlowSchedule.Missed(rawValue: missed) ?? .once,
            missedLimit: missedLimit, overlap: FlowSchedule.Overlap(rawValue: overlap) ?? .skip)
        return FiringPlan(schedule, due: due, now: now, isLive: isLive, isPaused: isPaused)
    }

    /// The job of a time.
    func job(_ nominal: Timestamp, _ now: Timestamp) -> NewJob {
        var job = FlowJob.make(
            name: name, flow: flow, queue: queue, connector: connector, attempts: attempts)
        job.payload = FlowJob.payload(flow: flow, nominal: nominal)
        if jitter > 0 {
            // The same for the same time, whoever ticks.
            let seconds = (flow &* 7919 &+ Int(nominal.microsecondsSince1970 / 60_000_000)) % (jitter + 1)
            job.runAt = Timestamp(
                microsecondsSince1970: now.microsecondsSince1970 + Int64(seconds) * 1_000_000)
        }
        return job
    }
}

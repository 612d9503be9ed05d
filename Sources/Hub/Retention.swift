// SPDX-License-Identifier: Apache-2.0
// How long things are kept: once a day, bytes of files, what was there before runs, and old jobs go.

package import BlobStore
internal import CRM
package import Jobs
package import PostgreSQL

/// Days that things are kept where their flow says nothing else.
package struct RetentionDays: Sendable, Hashable {
    /// Bytes of files; those that open quarantine needs stay.
    package var files = 396
    /// What was there before a run: as long as it can be undone.
    package var images = 396
    /// What became of jobs, and which times schedules named.
    package var jobs = 396

    /// Thirteen months of everything.
    package init() {}
}

/// What went, or would go.
package struct RetentionReport: Sendable, Hashable {
    /// Files whose bytes are no longer kept.
    package var files = 0
    /// Their bytes.
    package var bytes = 0
    /// Runs that can no longer be undone.
    package var runs = 0
    /// Rows of what was there before them.
    package var images = 0
    /// Ended jobs, and times of schedules.
    package var jobs = 0
}

/// Lets old things go. Hashes, names and counts stay.
package struct Retention: Sendable {
    private let pool: Pool
    private let blobs: BlobStore
    private let days: RetentionDays

    /// The retention of a database and its blob store.
    package init(pool: Pool, blobs: BlobStore, days: RetentionDays) {
        self.pool = pool
        self.blobs = blobs
        self.days = days
    }

    /// What would go now.
    package func plan() async throws -> RetentionReport {
        try await pool.withConnection { connection in
            let files = try await connection.run(OldFiles(days: days.files, limit: Int(Int32.max)))
            let images = try await connection.run(OldImages(days: days.images, limit: Int(Int32.max)))
            return RetentionReport(
                files: files.count, bytes: files.reduce(0) { $0 + $1.size }, runs: images.count,
                images: images.reduce(0) { $0 + $1.rows },
                jobs: try await connection.run(OldJobs(days: days.jobs)).first ?? 0)
        }
    }

    /// Lets it go, piece by piece, so that nobody waits for it; killed anywhere, the next time goes on.
    package func run() async throws -> RetentionReport {
        try await pool.withConnection { connection in
            var report = RetentionReport()
            while true {
                let files = try await connection.run(OldFiles(days: days.files, limit: 100))
                if files.isEmpty { break }
                var gone = 0
                for file in files {
                    let old = OldFiles(days: days.files, limit: 1, sha256: file.sha256)
                    let isGone = try await blobs.drop(file.sha256, on: connection) { connection in
                        try await !connection.run(old).isEmpty
                    }
                    guard isGone else { continue }
                    gone += 1
                    report.bytes += file.size
                }
                report.files += gone
                if gone == 0 { break }
            }
            while true {
                let runs = try await connection.run(OldImages(days: days.images, limit: 10))
                if runs.isEmpty { break }
                try await connection.execute(ForgetImages(runs: runs.map(\.run)))
                report.runs += runs.count
                report.images += runs.reduce(0) { $0 + $1.rows }
            }
            report.jobs = try await connection.run(DropOldMonths(days: days.jobs)).first ?? 0
            report.jobs += try await connection.run(DropOldJobs(days: days.jobs)).first ?? 0
            return report
        }
    }

    // MARK: - Once a day

    private static let kind = "daily"

    /// Makes today's job, unless it was made.
    ///
    /// - Returns: how many jobs were made.
    static func tick(on connection: Connection) async throws -> Int {
        guard let day = try await connection.run(MissingDay()).first else { return 0 }
        var job = NewJob(kind, in: .bulk)
        job.group = kind
        job.unique = "\(kind):\(day)"
        return try await JobQueue.enqueue([job], on: connection).count
    }

    /// The handler of the daily job: what is overdue today, and what is no longer kept.
    package var handlers: [String: Worker.Handler] {
        [
            Self.kind: { running in
                try await pool.withConnection { connection in
                    try await running.hold(on: connection)
                    try await OverdueDocuments.derive(on: connection)
                    try await RememberedAnswers.forgetOld(on: connection)
                }
                _ = try await run()
                return nil
            }
        ]
    }
}

// MARK: - Statements

/// Blobs that nothing needs any more.
struct OldFiles: Statement {
    let days: Int
    let limit: Int
    /// This one only.
    var sha256: [UInt8]?

    static let sql = """
        select b.sha256, b.size
        from blob b
        where b.dropped_at is null and ($3::bytea is null or b.sha256 = $3)
          and (
            exists (select from artifact a where a.sha256 = b.sha256)
            or exists (select from upload u where u.sha256 = b.sha256)
            or exists (select from preview p where p.sha256 = b.sha256)
          )
          and not exists (
            select from preview p
            where p.sha256 = b.sha256 and p.made_at > now() - make_interval(days => $1::bigint::int)
          )
          and not exists (
            select from artifact a
            join run r on r.id = a.run_id
            left join flow_retention f on f.flow_id = r.flow_id
            where a.sha256 = b.sha256 and (
              a.received_at > now() - make_interval(days => coalesce(f.files, $1::bigint::int))
              or exists (
                -- what waits, and what the undo of a replay would let wait again
                select from quarantine q
                left join run p on p.id = q.replay_run_id
                where q.artifact_id = a.id
                  and (q.status in ('open', 'fixed') or q.status = 'replayed' and p.forgotten_at is null)))
          )
          and not exists (
            select from upload u
            left join flow_retention f on f.flow_id = u.flow_id
            left join flow_cursor c on c.flow_id = u.flow_id
            where u.sha256 = b.sha256 and (
              u.received_at > now() - make_interval(days => coalesce(f.files, $1::bigint::int))
              -- not read yet
              or u.id > case when c.cursor ~ '^[0-9]+$' then c.cursor::bigint else 0 end)
          )
        order by b.sha256
        limit $2::bigint
        """
    var parameters: [Parameter] {
        [Parameter(days), Parameter(limit), Parameter(sha256.map { Bytes($0) })]
    }

    struct Row: Sendable {
        let sha256: [UInt8]
        let size: Int
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(sha256: try row.next(Bytes.self).array, size: try row.next())
    }
}

/// Runs whose images are old, with how many rows they have.
struct OldImages: Statement {
    let days: Int
    let limit: Int

    static let sql = """
        select r.id,
          (select count(*) from run_change c where c.run_id = r.id)
            + (select count(*) from claim_change c where c.run_id = r.id)
        from run r
        left join flow_retention f on f.flow_id = r.flow_id
        where r.forgotten_at is null and r.finished_at < now() - make_interval(days => coalesce(f.images, $1::bigint::int))
        order by r.finished_at
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(days), Parameter(limit)] }

    struct Row: Sendable {
        let run: Int
        let rows: Int
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(run: try row.next(), rows: try row.next())
    }
}

struct ForgetImages: Statement {
    let runs: [Int]

    static let sql = """
        with changes as (
          delete from run_change where run_id = any($1::bigint[])
        ), claims as (
          delete from claim_change where run_id = any($1::bigint[])
        )
        update run set forgotten_at = now() where id = any($1::bigint[])
        """
    var parameters: [Parameter] { [Parameter(runs)] }
}

/// How long the jobs of each flow are kept, for the statements below: rows of `kept(group_key, flow_id, days)`.
private let keptJobs = """
    with kept as (
      select 'flow:' || f.name as group_key, f.id as flow_id, r.jobs as days
      from flow_retention r join flow f on f.id = r.flow_id
      where r.jobs is not null
    )
    """

struct OldJobs: Statement {
    let days: Int

    static let sql = """
        \(keptJobs)
        select (
            select count(*) from job_history h left join kept using (group_key)
            where h.ended_at < now() - make_interval(days => coalesce(kept.days, $1::bigint::int)))
          + (
            select count(*) from flow_firing g left join kept using (flow_id)
            where g.nominal_at < now() - make_interval(days => coalesce(kept.days, $1::bigint::int)))
        """
    var parameters: [Parameter] { [Parameter(days)] }
    typealias Row = Int
}

/// Whole months that no flow needs any more.
struct DropOldMonths: Statement {
    let days: Int

    static let sql = """
        \(keptJobs)
        select drop_job_history(
          now() - make_interval(days => greatest($1::bigint::int, (select max(days) from kept))))
        """
    var parameters: [Parameter] { [Parameter(days)] }
    typealias Row = Int
}

struct DropOldJobs: Statement {
    let days: Int

    static let sql = """
        \(keptJobs), firings as (
          delete from flow_firing g
          where g.nominal_at < now() - make_interval(days => coalesce(
            (select days from kept where kept.flow_id = g.flow_id), $1::bigint::int))
          returning 1
        ), jobs as (
          delete from job_history h
          where h.ended_at < now() - make_interval(days => coalesce(
            (select days from kept where kept.group_key = h.group_key), $1::bigint::int))
          returning 1
        )
        select (select count(*) from firings) + (select count(*) from jobs)
        """
    var parameters: [Parameter] { [Parameter(days)] }
    typealias Row = Int
}

/// Today, where no daily job of today waits, runs or has ended.
struct MissingDay: Statement {
    static let sql = """
        select current_date::text
        where not exists (select from job where unique_key = 'daily:' || current_date::text)
          and not exists (
            select from job_history where kind = 'daily' and group_key = 'daily' and ended_at >= current_date)
        """
    typealias Row = String
}

struct KeepFlowRetention: Statement {
    let flow: Int
    let retention: FlowRetention

    static let sql = """
        insert into flow_retention (flow_id, files, images, jobs)
        values ($1::bigint, $2::bigint, $3::bigint, $4::bigint)
        on conflict (flow_id) do update
          set files = excluded.files, images = excluded.images, jobs = excluded.jobs
        """
    var parameters: [Parameter] {
        [
            Parameter(flow), Parameter(retention.files), Parameter(retention.images),
            Parameter(retention.jobs),
        ]
    }
}

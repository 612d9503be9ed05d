// SPDX-License-Identifier: Apache-2.0
// The statements that write runs, artifacts, batches and quarantine.

internal import CRM
internal import Diagnostics
internal import Foundation
internal import Mapping
internal import Model
package import PostgreSQL

/// The hub's statements.
package enum HubStatements {
    /// Every one, for the test that PREPAREs them.
    package static let all: [any Statement.Type] =
        [
            ListRuns.self, ListArtifacts.self, ReadingOfRun.self,
            ListQuarantine.self, RefusedFiles.self, IgnoredBefore.self,
            ResetQuarantine.self, SourceID.self, MappingVersionID.self,
            StartRun.self, EarlierColumns.self, LockRun.self, UnlockRun.self, CloseDeadRuns.self,
            FinishRun.self,
            StartArtifact.self,
            FinishArtifact.self, CompletedReceipt.self, RecordBatch.self, LockParties.self, AddToRun.self,
            WriteQuarantine.self, KnownReceipt.self, KnownSource.self, UndoState.self, GroupQuarantine.self,
            RawQuarantine.self, CorrectQuarantine.self, IgnoreQuarantine.self, ReplayFiles.self,
            WaitingInFile.self,
            CloseReplayed.self, KeepRefused.self, MappingsInQuarantine.self, Today.self, LockTailer.self,
            NotifyChanges.self, ServerVersion.self, LockFlows.self, FindFlows.self, ApplyFlow.self,
            ScheduleFlow.self,
            UnscheduleFlow.self, FlowText.self, CurrentFlow.self, FlowHistory.self, FlowCursor.self,
            KeepFlowCursor.self, DueSchedules.self, WriteFirings.self, WriteNextTimes.self, LiveJobs.self,
            Now.self, KeepSecret.self, ListSecrets.self, FindSecret.self, AllSecrets.self, CloseSecret.self,
            DeleteSecret.self, ForgetFlowSecrets.self, KeepFlowSecrets.self, KeepProblem.self,
            ListProblems.self,
            ExpectOfFlow.self, ExpectNothing.self, DueExpectations.self,
            WriteExpectations.self, KeepLate.self, KeepFailed.self, FindAlerts.self, AlertTold.self,
            LockUploads.self, KeepUpload.self, FindUpload.self, WaitingUploads.self, MeasureFlows.self,
            MeasureJobs.self, MeasureQuarantine.self, MeasureRuns.self, PendingShipment.self,
            MakeShipment.self,
            EndShipment.self, StartOutgoing.self, OldFiles.self, OldImages.self, ForgetImages.self,
            OldJobs.self,
            DropOldJobs.self, DropOldMonths.self, MissingDay.self, KeepFlowRetention.self, ListBatches.self,
            RunCauses.self,
        ] + Quarantine.causeStatements + MappingStore.statements + Overview.statements
        + FileImports.statements + RunStop.statements + TrustChanges.statements
}

/// The source system with a code, made when nobody has heard of it.
struct SourceID: Statement {
    let code: String

    static let sql = """
        with known as (
          select id from source_system where code = $1
        ), made as (
          insert into source_system (code, kind)
          select $1, 'erp' where not exists (select from known)
          on conflict do nothing
          returning id
        )
        select id from known union all select id from made
        """
    var parameters: [Parameter] { [Parameter(code)] }
    typealias Row = Int
}

/// The stored version of a mapping, made when its text is new.
struct MappingVersionID: Statement {
    let name: String
    let version: Int
    let text: String

    static let sql = """
        with known as (
          select id from mapping_version where name = $1 and version = $2::bigint and md5(text) = md5($3) limit 1
        ), made as (
          insert into mapping_version (name, version, text)
          select $1, $2::bigint, $3 where not exists (select from known)
          on conflict do nothing
          returning id
        )
        select id from known union all select id from made
        """
    var parameters: [Parameter] {
        [Parameter(name), Parameter(version), Parameter(text)]
    }
    typealias Row = Int
}

struct StartRun: Statement {
    let start: RunStart
    let source: Int

    static let sql = """
        with made as (
          insert into run (kind, source_id, undoes, flow_id, flow_version, job_id, user_id)
          values ($1, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint,
            (select user_id from preview where id = $7::bigint))
          returning id
        ), told as (
          update preview p set run_id = made.id from made where p.id = $7
        )
        select id from made, lateral (select pg_advisory_lock(29301, id::int)) held
        """
    var parameters: [Parameter] {
        [
            Parameter(start.kind.rawValue), Parameter(source), Parameter(start.undoes),
            Parameter(start.flow?.flow), Parameter(start.flow?.version), Parameter(start.flow?.job),
            Parameter(start.preview),
        ]
    }
    typealias Row = Int
}

/// A running run holds this lock in its session; 29301 is `ru` in ASCII.
struct LockRun: Statement {
    let run: Int

    static let sql = "select pg_advisory_lock(29301, $1::bigint::int) is null"
    var parameters: [Parameter] { [Parameter(run)] }
    typealias Row = Bool
}

struct UnlockRun: Statement {
    let run: Int

    static let sql = "select pg_advisory_unlock(29301, $1::bigint::int)"
    var parameters: [Parameter] { [Parameter(run)] }
    typealias Row = Bool
}

/// Marks runs whose process has died as failed; what they had committed stays.
struct CloseDeadRuns: Statement {
    static let sql = """
        update run
        set state = 'failed', finished_at = now(), error = '{"code": "RUN-INTERRUPTED"}'
        where state = 'running' and not exists (
          select from pg_locks l
          where l.locktype = 'advisory' and l.classid = 29301 and l.objid = run.id::bigint::int::oid
            and l.database = (select oid from pg_database where datname = current_database())
        )
        """
}

struct FinishRun: Statement {
    let run: Int
    let error: Diagnostic?

    static let sql = """
        update run
        set finished_at = now(), error = $2::jsonb,
          state = case when $2::jsonb ->> 'code' = 'RUN-STOPPED' then 'stopped'
            when $2::jsonb is not null then 'failed' when quarantined > 0
            or exists (select from run_problem p where p.run_id = run.id) then 'partial' else 'succeeded' end
        where id = $1::bigint
        """
    var parameters: [Parameter] {
        [Parameter(run), Parameter(error.map { JSONText($0) })]
    }
}

/// Why something of a run could not be read.
struct KeepProblem: Statement {
    let run: Int
    let problem: Diagnostic

    static let sql = "insert into run_problem (run_id, problem) values ($1::bigint, $2::jsonb)"
    var parameters: [Parameter] { [Parameter(run), Parameter(JSONText(problem))] }
}

/// Held to the end of the transaction; 29302 follows the lock of runs.
struct LockParties: Statement {
    static let sql = "select pg_advisory_xact_lock(29302, 0) is null"
    typealias Row = Bool
}

struct StartArtifact: Statement {
    let run: Int
    let sha256: [UInt8]
    let name: String
    let size: Int
    /// Size of the first of two files.
    let firstSize: Int?
    let source: Int
    let mapping: Int?

    static let sql = """
        insert into artifact (run_id, sha256, name, size, mapping_version_id, first_size, source_id)
        values ($1::bigint, $2, $3, $4::bigint, $5::bigint, $6::bigint, $7::bigint)
        returning id
        """
    var parameters: [Parameter] {
        [
            Parameter(run), Parameter(Bytes(sha256)), Parameter(name), Parameter(size), Parameter(mapping),
            Parameter(firstSize), Parameter(source),
        ]
    }
    typealias Row = Int
}

struct FinishArtifact: Statement {
    let artifact: Int
    let quarantined: Int
    let columns: [String]
    let findings: [Diagnostic]

    static let sql = """
        update artifact
        set finished_at = now(), quarantined = $2::bigint, columns = nullif($3::text[], '{}'), findings = $4::jsonb
        where id = $1::bigint
        """
    var parameters: [Parameter] {
        [
            Parameter(artifact), Parameter(quarantined), Parameter(columns),
            Parameter(JSONText(findings: findings)),
        ]
    }
}

/// The first receipt of these bytes that was applied to the last record by the same mapping.
struct CompletedReceipt: Statement {
    struct Receipt: Sendable {
        let run: Int
        let at: Timestamp
        let records: Int
    }

    let sha256: [UInt8]
    let mapping: Int

    static let sql = """
        select a.run_id, a.received_at,
          (
            select coalesce(sum(b.inserted + b.updated + b.unchanged + b.skipped), 0)::bigint
            from run_batch b where b.artifact_id = a.id
          )
        from artifact a
        join run r on r.id = a.run_id
        where a.sha256 = $1 and a.mapping_version_id = $2::bigint and a.finished_at is not null
          and a.quarantined = 0 and r.undone_by is null
        order by a.id
        limit 1
        """
    var parameters: [Parameter] { [Parameter(Bytes(sha256)), Parameter(mapping)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Receipt {
        Receipt(run: try row.next(), at: try row.next(), records: try row.next())
    }
}

/// The same, for a mapping that need not be stored.
struct KnownReceipt: Statement {
    let sha256: [UInt8]
    let name: String
    let text: String

    static let sql = """
        select a.run_id, a.received_at,
          (
            select coalesce(sum(b.inserted + b.updated + b.unchanged + b.skipped), 0)::bigint
            from run_batch b where b.artifact_id = a.id
          )
        from artifact a
        join mapping_version m on m.id = a.mapping_version_id
        join run r on r.id = a.run_id
        where a.sha256 = $1 and m.name = $2 and md5(m.text) = md5($3) and a.finished_at is not null
          and a.quarantined = 0 and r.undone_by is null
        order by a.id
        limit 1
        """
    var parameters: [Parameter] { [Parameter(Bytes(sha256)), Parameter(name), Parameter(text)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> CompletedReceipt.Receipt {
        CompletedReceipt.Receipt(run: try row.next(), at: try row.next(), records: try row.next())
    }
}

/// The source system with a code, as far as anybody has heard of it.
struct KnownSource: Statement {
    let code: String

    static let sql = "select id from source_system where code = $1"
    var parameters: [Parameter] { [Parameter(code)] }
    typealias Row = Int
}

struct RecordBatch: Statement {
    let run: Int
    let number: Int
    /// nil for a run that reads no file.
    let artifact: Int?
    let ordinals: ClosedRange<Int>
    let ledger: RunLedger
    /// Bytes of the file up to the last record; nil where records come only once all of it is read.
    var readTo: Int?

    static let sql = """
        insert into run_batch
          (run_id, no, artifact_id, first_ordinal, last_ordinal, inserted, updated, unchanged, quarantined, skipped,
           read_to)
        values ($1::bigint, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint,
          $9::bigint, $10::bigint, $11::bigint)
        """
    var parameters: [Parameter] {
        [
            Parameter(run), Parameter(number), Parameter(artifact), Parameter(ordinals.lowerBound),
            Parameter(ordinals.upperBound), Parameter(ledger.inserted), Parameter(ledger.updated),
            Parameter(ledger.unchanged), Parameter(ledger.quarantined), Parameter(ledger.skipped),
            Parameter(readTo),
        ]
    }
}

struct AddToRun: Statement {
    let run: Int
    let ledger: RunLedger

    static let sql = """
        update run
        set read = read + $2::bigint, inserted = inserted + $3::bigint, updated = updated + $4::bigint,
          unchanged = unchanged + $5::bigint, quarantined = quarantined + $6::bigint, skipped = skipped + $7::bigint,
          deleted = deleted + $8::bigint
        where id = $1::bigint
        """
    var parameters: [Parameter] {
        [
            Parameter(run), Parameter(ledger.read), Parameter(ledger.inserted), Parameter(ledger.updated),
            Parameter(ledger.unchanged), Parameter(ledger.quarantined), Parameter(ledger.skipped),
            Parameter(ledger.deleted),
        ]
    }
}

/// A record on its way into quarantine.
struct QuarantineEntry: Sendable {
    let ordinal: Int
    let line: Int?
    let bytes: Range<Int>?
    let raw: [UInt8]?
    let stage: String
    let reason: Diagnostic
    let findings: [Diagnostic]
    /// What a person is to decide before it can be applied, and the number of that case.
    var question: MatchQuestion?
    var matchCase: Int?
}

/// Of faulty records of a file, those that a person had ignored when the same bytes came before.
struct IgnoredBefore: Statement {
    let sha256: [UInt8]
    let source: Int
    let faults: [(ordinal: Int, reason: Diagnostic)]

    static let sql = """
        select i.ordinal
        from unnest($3::bigint[], $4::text[], $5::text[]) as i(ordinal, code, field)
        where exists (
          select from quarantine q
          join artifact a on a.id = q.artifact_id
          where a.sha256 = $1 and a.source_id = $2::bigint and q.status = 'ignored'
            and q.ordinal = i.ordinal and q.code = i.code and q.field is not distinct from i.field
        )
        """
    var parameters: [Parameter] {
        [
            Parameter(Bytes(sha256)), Parameter(source), Parameter(faults.map(\.ordinal)),
            Parameter(faults.map(\.reason.code)), Parameter(faults.map(\.reason.place.field)),
        ]
    }
    typealias Row = Int
}

/// Keeps records whole with their reason; one that waits already with the same reason is not kept twice.
struct WriteQuarantine: Statement {
    let entries: [QuarantineEntry]
    let run: Int
    let artifact: Int
    let mapping: Int?

    static let sql = """
        insert into quarantine
          (run_id, artifact_id, mapping_version_id, ordinal, line, byte_start, byte_end, raw, stage, field, code,
           value, facts, findings, match_case_id)
        select $1::bigint, $2::bigint, $3::bigint, i.ordinal, i.line, i.byte_start, i.byte_end, i.raw, i.stage,
          i.field, i.code, i.value, i.facts, i.findings, i.match_case
        from unnest($4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[], $9::text[], $10::text[],
          $11::text[], $12::text[], $13::jsonb[], $14::jsonb[], $15::bigint[])
          as i(ordinal, line, byte_start, byte_end, raw, stage, field, code, value, facts, findings, match_case)
        where not exists (
          select from quarantine q
          join artifact a on a.id = q.artifact_id
          where a.sha256 = (select sha256 from artifact where id = $2::bigint)
            and q.ordinal = i.ordinal and q.code = i.code and q.field is not distinct from i.field
            and q.status in ('open', 'fixed')
            and a.source_id is not distinct from (select source_id from artifact where id = $2::bigint)
            and (select name from mapping_version where id = q.mapping_version_id)
              is not distinct from (select name from mapping_version where id = $3::bigint)
        )
        """
    var parameters: [Parameter] {
        [
            Parameter(run), Parameter(artifact), Parameter(mapping), Parameter(entries.map(\.ordinal)),
            Parameter(entries.map(\.line)), Parameter(entries.map(\.bytes?.lowerBound)),
            Parameter(entries.map(\.bytes?.upperBound)), Parameter(entries.map { $0.raw.map(Bytes.init) }),
            Parameter(entries.map(\.stage)), Parameter(entries.map(\.reason.place.field)),
            Parameter(entries.map(\.reason.code)), Parameter(entries.map(\.reason.place.value)),
            Parameter(entries.map { JSONText(facts: $0.reason.facts) }),
            Parameter(entries.map { JSONText(findings: $0.findings) }), Parameter(entries.map(\.matchCase)),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
// The statements that keep how much sources are to be believed, and the runs that do it.

internal import CRM
internal import PostgreSQL

struct KeepTrustChange: Statement {
    let source: Int
    let trust: Int
    let user: Int?

    static let sql = """
        insert into trust_change (source_id, after, user_id) values ($1::bigint, $2::bigint, $3::bigint)
        returning id
        """
    var parameters: [Parameter] { [Parameter(source), Parameter(trust), Parameter(user)] }
    typealias Row = Int
}

struct FindTrustChange: Statement {
    struct Change: Sendable {
        let id: Int
        let source: Int
        /// What the source is called.
        let title: String
        let run: Int?
        /// The last row that was decided again.
        let place: (kind: Redecision.Kind, id: Int)?
        let expected: Int
    }

    let id: Int

    static let sql = """
        select c.id, c.source_id::bigint, coalesce(s.name, s.code), c.run_id, c.entity, c.entity_id, c.expected
        from trust_change c
        join source_system s on s.id = c.source_id
        where c.id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Change {
        let (id, source, title): (Int, Int, String) = (try row.next(), try row.next(), try row.next())
        let run = try row.next(Int?.self)
        let kind = try row.next(String?.self).flatMap(Redecision.Kind.init(rawValue:))
        let last = try row.next(Int?.self)
        return Change(
            id: id, source: source, title: title, run: run,
            place: kind.flatMap { kind in last.map { (kind, $0) } }, expected: try row.next())
    }
}

/// Makes the run of a wish, holds its lock, and changes how much the source is believed.
struct BeginTrust: Statement {
    let id: Int

    static let sql = """
        with wish as (
          select c.id, c.source_id, c.after, c.user_id, s.trust
          from trust_change c
          join source_system s on s.id = c.source_id
          where c.id = $1::bigint and c.run_id is null and s.trust <> c.after
          for no key update
        ), made as (
          insert into run (kind, source_id, user_id) select 'trust', source_id, user_id from wish returning id
        ), told as (
          update trust_change c set run_id = made.id, before = wish.trust from made, wish where c.id = wish.id
        ), believed as (
          update source_system s set trust = wish.after from wish where s.id = wish.source_id
        )
        select id from made, lateral (select pg_advisory_lock(29301, id::int)) held
        """
    var parameters: [Parameter] { [Parameter(id)] }
    typealias Row = Int
}

/// Conditions on a change `c` of the run `r` and its source `s`.
enum TrustCondition {
    /// Whether nobody has changed since how much the source is believed, but for what was taken back.
    static let isLast = """
        s.trust = c.after and not exists (
            select from trust_change d
            join run o on o.id = d.run_id
            where d.source_id = c.source_id and d.run_id > c.run_id and o.undone_by is null and o.undoes is null
          )
        """
    static let isUnfinished = """
        r.kind = 'trust' and r.undone_by is null and r.state in ('failed', 'stopped') and \(isLast)
        """
}

/// Lets a run go on that did not get to its end.
struct ReopenTrust: Statement {
    let run: Int

    static let sql = """
        update run r
        set state = 'running', finished_at = null, error = null
        from trust_change c
        join source_system s on s.id = c.source_id
        where r.id = $1::bigint and c.run_id = r.id and \(TrustCondition.isUnfinished)
        returning r.id
        """
    var parameters: [Parameter] { [Parameter(run)] }
    typealias Row = Int
}

/// The wish of a run that can go on, where no job of it lives.
struct UnfinishedTrust: Statement {
    let run: Int

    static let sql = """
        select c.id
        from run r
        join trust_change c on c.run_id = r.id
        join source_system s on s.id = c.source_id
        where r.id = $1::bigint and \(TrustCondition.isUnfinished)
          and not exists (select from job j where j.unique_key = 'trust:' || c.id)
        """
    var parameters: [Parameter] { [Parameter(run)] }
    typealias Row = Int
}

/// Who goes on with a run no longer wants it to end.
struct ForgetStop: Statement {
    let run: Int

    static let sql = "update run set stop_asked_at = null, stop_asked_by = null where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(run)] }
}

struct KeepExpected: Statement {
    let id: Int
    let count: Int

    static let sql = "update trust_change set expected = $2::bigint where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(id), Parameter(count)] }
}

struct KeepTrustPlace: Statement {
    let id: Int
    let kind: Redecision.Kind
    let row: Int

    static let sql = "update trust_change set entity = $2, entity_id = $3::bigint where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(id), Parameter(kind.rawValue), Parameter(row)] }
}

struct LastBatch: Statement {
    struct Batch: Sendable {
        let number: Int
        let ordinal: Int
    }

    let run: Int

    static let sql = """
        select no::bigint, last_ordinal from run_batch where run_id = $1::bigint order by no desc limit 1
        """
    var parameters: [Parameter] { [Parameter(run)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Batch {
        Batch(number: try row.next(), ordinal: try row.next())
    }
}

/// The rows of a run that keep a number because another has theirs.
struct KeptNumbers: Statement {
    struct Waiting: Sendable {
        let problem: Int
        let kind: String
        let row: Int
    }

    let run: Int

    static let sql = """
        select id, problem->>'entity', (problem->>'row')::bigint
        from run_problem
        where run_id = $1::bigint
          and problem->>'code' in ('\(RedecisionFinding.siren.rawValue)', '\(RedecisionFinding.siret.rawValue)')
        order by id
        """
    var parameters: [Parameter] { [Parameter(run)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Waiting {
        Waiting(problem: try row.next(), kind: try row.next(), row: try row.next())
    }
}

struct ForgetProblems: Statement {
    let ids: [Int]

    static let sql = "delete from run_problem where id = any($1::bigint[])"
    var parameters: [Parameter] { [Parameter(ids)] }
}

/// Gives a source the trust of before a run, and keeps that for taking it back in turn.
///
/// The run counts as taken back even where every row of it was changed since and stays.
struct RestoreTrust: Statement {
    let run: Int
    let undo: Int

    static let sql = """
        with known as (
          select source_id, before, after from trust_change where run_id = $1::bigint
        ), believed as (
          update source_system s set trust = known.before from known where s.id = known.source_id
        ), told as (
          insert into trust_change (source_id, before, after, run_id)
          select source_id, after, before, $2::bigint from known
        ), undone as (
          update run set undone_by = $2 where id = $1 and exists (select from known)
        )
        select source_id::bigint from known
        """
    var parameters: [Parameter] { [Parameter(run), Parameter(undo)] }
    typealias Row = Int
}

/// The rows of the accounts and people that an undo has written.
struct RestoredRows: Statement {
    struct Restored: Sendable {
        let entity: String
        let id: Int
    }

    let run: Int

    static let sql = """
        select distinct entity, entity_id from run_change
        where run_id = $1::bigint and entity in ('party', 'site') and op = 'update'
        """
    var parameters: [Parameter] { [Parameter(run)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Restored {
        Restored(entity: try row.next(), id: try row.next())
    }
}

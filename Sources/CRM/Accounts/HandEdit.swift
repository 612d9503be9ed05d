// SPDX-License-Identifier: Apache-2.0
// The run of an edit by hand, whatever it changes of an account: begun, claimed, ended, and known as one's own.

package import PostgreSQL

extension AccountEdits {
    /// Whether a run is this user's own edit of an account that he still sees.
    package static func isOwn(
        _ run: Int, of account: Int, by user: AppUser, on connection: Connection
    ) async throws(PostgreSQLError) -> Bool {
        guard try await Accounts.sees(account, scope: user.scope, on: connection) else { return false }
        return try await connection.run(EditOf(run: run, user: user.id, account: account)).first != nil
    }

    static let editStatements: [any Statement.Type] = [
        LockPartiesForEdit.self, BeginEdit.self, WriteHumanClaims.self, EndEdit.self, EditOf.self,
    ]
}

/// The lock that imports hold while they write parties.
struct LockPartiesForEdit: Statement {
    static let sql = "select pg_advisory_xact_lock(29302, 0) is null"
    typealias Row = Bool
}

struct BeginEdit: Statement {
    let user: Int

    static let sql = """
        insert into run (kind, source_id, user_id)
        select 'edit', id, $1::bigint from source_system where code = 'person'
        returning id
        """
    var parameters: [Parameter] { [Parameter(user)] }
    typealias Row = Int
}

/// Writes what a person says; what the person said before is kept for an undo.
struct WriteHumanClaims: Statement {
    let entities: [String]
    let ids: [Int]
    let fields: [String]
    let values: [String]
    let run: Int
    let user: Int

    static let sql = """
        with i as (
          select i.*, s.id as source_id
          from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) as i(entity, entity_id, field, value),
            source_system s
          where s.code = 'person'
        ), kept as (
          insert into claim_change (run_id, entity, entity_id, field, source_id, before)
          select $5::bigint, c.entity, c.entity_id, c.field, c.source_id, to_jsonb(c)
          from i
          join field_claim c using (entity, entity_id, field, source_id)
        )
        insert into field_claim (entity, entity_id, field, source_id, value, run_id, user_id)
        select entity, entity_id, field, source_id, nullif(value, ''), $5, $6::bigint
        from i
        on conflict (entity, entity_id, field, source_id) do update
        set value = excluded.value, observed_at = now(), run_id = excluded.run_id, artifact_id = null, line = null,
          user_id = excluded.user_id
        """
    var parameters: [Parameter] {
        [
            Parameter(entities), Parameter(ids), Parameter(fields), Parameter(values), Parameter(run),
            Parameter(user),
        ]
    }
}

struct EndEdit: Statement {
    let run: Int
    let party: Int
    let user: Int
    /// The table of what was changed.
    var entity = "party"
    /// A person or a site of the account, where the edit is about one.
    var changed: Int?
    var isNew = false

    static let sql = """
        with logged as (
          insert into change_log (entity, entity_id, op, run_id, user_id)
          values ($6, coalesce($5::bigint, $2::bigint), case when $4::boolean then 'insert' else 'update' end, $1::bigint, $3::bigint)
        ), audited as (
          insert into audit (user_id, action, entity, entity_id, facts)
          values ($3, case when $4 and $5 is null then 'account.made' else 'account.edited' end, 'party', $2,
            jsonb_build_object('run', $1::text))
        )
        update run set state = 'succeeded', finished_at = now(), read = 1, inserted = $4::int, updated = 1 - $4::int
        where id = $1
        """
    var parameters: [Parameter] {
        [
            Parameter(run), Parameter(party), Parameter(user), Parameter(isNew), Parameter(changed),
            Parameter(entity),
        ]
    }
}

/// The audit of an account is an index range; the log of changes has none by run.
struct EditOf: Statement {
    let run: Int
    let user: Int
    let account: Int

    static let sql = """
        select true from audit a
        join run r on r.id = $1::bigint and r.user_id = $2::bigint and r.kind = 'edit'
        where a.entity = 'party' and a.entity_id = $3::bigint and a.action in ('account.edited', 'account.made')
          and a.facts->>'run' = $1::text
        limit 1
        """
    var parameters: [Parameter] { [Parameter(run), Parameter(user), Parameter(account)] }
    typealias Row = Bool
}

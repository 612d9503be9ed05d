// SPDX-License-Identifier: Apache-2.0
// The statements that find, make and change people and the jobs they have.

internal import PostgreSQL

/// People by what a source knows them by, with their present jobs.
struct FindPersons: Statement {
    struct Person: Sendable {
        let identity: String
        let id: Int
        /// The account and title of each present job.
        let accounts: [Int]
        let titles: [String]
        /// Accounts that somebody said by hand the person has left.
        let left: [Int]
        /// Accounts where somebody wrote by hand what the person does there.
        let named: [Int]
    }

    let source: Int
    let identities: [String]

    /// What people claim of a person `h` under fields that begin so.
    private static func byHand(_ prefix: String) -> String {
        """
        from field_claim c join source_system y on y.id = c.source_id and y.code = 'person'
          where c.entity = 'person' and c.entity_id = h.id and starts_with(c.field, '\(prefix)')
        """
    }

    static let sql = """
        select k.value, h.id,
          array(select r.to_id from relation r where r.from_id = h.id and r.kind = 'works_for' and upper_inf(r.valid) order by r.id),
          array(select coalesce(r.label, '') from relation r where r.from_id = h.id and r.kind = 'works_for' and upper_inf(r.valid) order by r.id),
          array(select split_part(c.field, ':', 2)::bigint \(byHand("job:")) and c.value is null),
          array(select split_part(c.field, ':', 2)::bigint \(byHand("job_title:")))
        from unnest($2::text[]) k(value)
        cross join lateral (
          select e.entity_id as id from external_identity e
          where e.source_id = $1::bigint and e.ext_type = 'person' and e.ext_id = k.value and e.entity = 'party'
          limit 1
        ) h
        """
    var parameters: [Parameter] { [Parameter(source), Parameter(identities)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Person {
        Person(
            identity: try row.next(), id: try row.next(), accounts: try row.next(), titles: try row.next(),
            left: try row.next(), named: try row.next())
    }
}

struct InsertPersons: Statement {
    let persons: [PartyWriter.NewPerson]
    let source: Int
    let run: Int

    static let sql = """
        with i as (
          select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
            as i(id, identity, civility, first_name, last_name, language)
        ), new_party as (
          insert into party (id, kind, name, status, created_run)
          select id, 'person', concat_ws(' ', first_name, last_name), 'other', $8::bigint from i
        ), new_identity as (
          insert into external_identity (source_id, ext_type, ext_id, entity, entity_id, created_run)
          select $7::bigint, 'person', identity, 'party', id, $8::bigint from i
        )
        insert into person (party_id, civility, first_name, last_name, language)
        select id, civility, first_name, last_name, language from i
        """
    var parameters: [Parameter] {
        func values(_ field: String) -> Parameter { Parameter(persons.map { $0.values[field] }) }
        return [
            Parameter(persons.map(\.id)), Parameter(persons.map(\.identity)), values("civility"),
            values("first_name"), values("last_name"), values("language"), Parameter(source), Parameter(run),
        ]
    }
}

/// Gives people the values that their claims win; what was there goes to `run_change`.
struct UpdatePersonColumns: Statement, ColumnsByClaims {
    let ids: [Int]
    let run: Int

    static let entity = "person"
    static let fields = ["civility", "first_name", "last_name", "language"]

    static func old(isKept: String) -> String {
        """
        select p.id, p.name, o.civility, o.first_name, o.last_name, o.language,
            \(fields.map { won($0, over: "o") }.joined(separator: ", "))
          from party p
          join person o on o.party_id = p.id
          join winning w on w.entity_id = p.id
        """
    }

    static let sql = """
        \(differing(isKept: "false")), changed as (
          update party p
          set name = coalesce(nullif(concat_ws(' ', w_first_name, w_last_name), ''), p.name), version = p.version + 1
          from differing d where p.id = d.id
          returning p.id, p.version
        ), changed_person as (
          update person o set civility = w_civility, first_name = w_first_name, last_name = w_last_name,
            language = w_language
          from differing d where o.party_id = d.id
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $2::bigint, 'party', d.id, 'update', \(before(fields)) || jsonb_build_object('name', d.name), changed.version
        from differing d
        join changed using (id)
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run)] }
}

/// Ends present jobs at other accounts and renames those at the same one, unless a person has named it; both go to
/// `run_change`.
struct EndJobs: Statement {
    let jobs: [PartyWriter.Job]
    let run: Int

    static let sql = """
        with i as (
          select * from unnest($1::bigint[], $2::bigint[], $3::text[]) as i(person, account, title)
        ), old as (
          select r.id, r.valid, r.label, r.to_id = i.account as is_same, i.title
          from i
          join relation r on r.from_id = i.person and r.kind = 'works_for' and upper_inf(r.valid)
          where r.to_id <> i.account or i.title is not null and r.label is distinct from i.title and not exists (
            select from field_claim h
            join source_system y on y.id = h.source_id and y.code = 'person'
            where h.entity = 'person' and h.entity_id = i.person and h.field = 'job_title:' || i.account
          )
        ), changed as (
          update relation r
          set valid = case when old.is_same then r.valid
              else daterange(lower(r.valid), greatest(lower(r.valid), current_date)) end,
            label = case when old.is_same then old.title else r.label end, version = r.version + 1
          from old where r.id = old.id
          returning r.id, r.version
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $4::bigint, 'relation', old.id, 'update',
          case when old.is_same then jsonb_build_object('label', old.label) else jsonb_build_object('valid', old.valid) end,
          changed.version
        from old
        join changed using (id)
        """
    var parameters: [Parameter] {
        [
            Parameter(jobs.map(\.person)), Parameter(jobs.map(\.account)), Parameter(jobs.map(\.title)),
            Parameter(run),
        ]
    }
}

/// Begins jobs at accounts where a person has none, and which nobody said by hand he has left.
struct BeginJobs: Statement {
    let jobs: [PartyWriter.Job]
    let run: Int

    static let sql = """
        insert into relation (from_id, to_id, kind, label, created_run)
        select i.person, i.account, 'works_for', i.title, $4::bigint
        from unnest($1::bigint[], $2::bigint[], $3::text[]) as i(person, account, title)
        where not exists (
          select from relation r
          where r.from_id = i.person and r.to_id = i.account and r.kind = 'works_for' and upper_inf(r.valid)
        ) and not \(deniedByHand("person", "i.person", "'job:' || i.account"))
        """
    var parameters: [Parameter] {
        [
            Parameter(jobs.map(\.person)), Parameter(jobs.map(\.account)), Parameter(jobs.map(\.title)),
            Parameter(run),
        ]
    }
}

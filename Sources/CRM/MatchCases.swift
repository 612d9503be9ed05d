// SPDX-License-Identifier: Apache-2.0
// Descriptions of parties that a person has to give an account, once for all records that have them.

package import PostgreSQL

/// A description and what was decided on it.
package struct MatchCase: Sendable {
    /// Number of the row.
    package let id: Int
    /// Code of the finding.
    package let reason: String
    /// The description, as a JSON object of texts.
    package let reference: JSONText
    /// Accounts that come into question, as a JSON array of objects with `id`, `name`, `siren`, `city`, `shares`.
    package let candidates: JSONText
    /// Number of quarantined records that wait for it.
    package let records: Int
    /// The account that was decided on.
    package let account: Int?
}

/// Questions on descriptions of parties, and their answers.
package enum MatchCases {
    /// Opens cases that are not open yet.
    ///
    /// - Returns: their numbers, by fingerprint.
    package static func open(
        _ questions: [MatchQuestion], source: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [[UInt8]: Int] {
        guard !questions.isEmpty else { return [:] }
        var first: [[UInt8]: MatchQuestion] = [:]
        for question in questions where first[question.fingerprint] == nil {
            first[question.fingerprint] = question
        }
        let rows = try await connection.run(OpenMatchCases(source: source, questions: Array(first.values)))
        return Dictionary(rows.map { ($0.fingerprint, $0.id) }) { first, _ in first }
    }

    /// Cases that wait for a decision, the one with most records first; decided ones too where wanted.
    package static func list(
        decided: Bool = false, limit: Int = 100, on connection: Connection
    ) async throws(PostgreSQLError) -> [MatchCase] {
        try await connection.run(ListMatchCases(decided: decided, limit: limit))
    }

    /// Decides that a description means an account, from now on.
    ///
    /// - Returns: number of records that can be replayed now; nil where there is no such case or account.
    package static func decide(
        _ id: Int, account: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Int? {
        guard try await connection.run(DecideMatch(id: id, account: account)).first != nil else { return nil }
        return try await connection.execute(FreeQuarantine(matchCase: id))
    }

    /// Decides that a description does not mean an account.
    ///
    /// - Returns: number of records that can be replayed now; nil where there is no such case or account.
    package static func never(
        _ id: Int, account: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Int? {
        guard try await connection.run(NeverMatch(id: id, account: account)).first != nil else { return nil }
        return try await connection.execute(FreeQuarantine(matchCase: id))
    }

    static let statements: [any Statement.Type] = [
        OpenMatchCases.self, ListMatchCases.self, DecideMatch.self, NeverMatch.self, FreeQuarantine.self,
    ]
}

struct OpenMatchCases: Statement {
    struct Row: Sendable {
        let fingerprint: [UInt8]
        let id: Int
    }

    let source: Int
    let questions: [MatchQuestion]

    static let sql = """
        with i as (
          select * from unnest($2::bytea[], $3::jsonb[], $4::text[], $5::jsonb[])
            as i(fingerprint, reference, reason, candidates)
        ), made as (
          insert into match_case (source_id, fingerprint, reference, reason, candidates)
          select $1::bigint, fingerprint, reference, reason, candidates from i
          on conflict do nothing
          returning fingerprint, id
        )
        select fingerprint, id from made
        union all
        select c.fingerprint, c.id
        from i
        join match_case c on c.source_id = $1::bigint and c.fingerprint = i.fingerprint
        """
    var parameters: [Parameter] {
        [
            Parameter(source), Parameter(questions.map { Bytes($0.fingerprint) }),
            Parameter(questions.map(\.reference)), Parameter(questions.map(\.reason)),
            Parameter(questions.map { JSONText("[\($0.candidates.list)]") }),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(fingerprint: try row.next(Bytes.self).array, id: try row.next())
    }
}

struct ListMatchCases: Statement {
    let decided: Bool
    let limit: Int

    // `shares`: which parts of the description the candidate has too.
    static let sql = """
        select c.id, c.reason, c.reference, coalesce(k.list, '[]'), coalesce(q.records, 0), c.party_id
        from match_case c
        left join lateral (
          select count(*) as records from quarantine q
          where q.match_case_id = c.id and q.status in ('open', 'fixed')
        ) q on true
        left join lateral (
          select jsonb_agg(jsonb_build_object(
            'id', p.id, 'name', p.name, 'siren', o.siren, 'city', s.city,
            'shares', array_remove(array[
              case when o.siren = c.reference->>'siren' then 'siren' end,
              case when o.vat = c.reference->>'vat' then 'vat' end,
              case when exists (select from site t where t.party_id = p.id and t.siret = c.reference->>'siret') then 'siret' end,
              case when p.name_norm = name_norm(c.reference->>'name') then 'name' end,
              case when s.postal_code = c.reference->>'postal_code' then 'postal_code' end
            ], null)) order by p.id) as list
          from jsonb_array_elements_text(c.candidates) as e(id)
          join party p on p.id = e.id::bigint
          left join org o on o.party_id = p.id
          left join site s on s.party_id = p.id and s.is_main
          where not exists (select from match_never n where n.case_id = c.id and n.party_id = p.id)
        ) k on true
        where case when $1::boolean then c.party_id is not null
          else c.party_id is null and coalesce(q.records, 0) > 0 end
        order by q.records desc, c.id
        limit $2::bigint
        """
    var parameters: [Parameter] { [Parameter(decided), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> MatchCase {
        MatchCase(
            id: try row.next(), reason: try row.next(), reference: try row.next(), candidates: try row.next(),
            records: try row.next(), account: try row.next())
    }
}

/// Stores a decision; the code that the description has in its system belongs to the account's main site then.
struct DecideMatch: Statement {
    let id: Int
    let account: Int

    static let sql = """
        with decided as (
          update match_case c
          set party_id = p.id, decided_at = now(),
            site_id = (select s.id from site s where s.party_id = p.id order by s.is_main desc, s.id limit 1)
          from party p
          where c.id = $1::bigint and p.id = $2::bigint
          returning c.source_id, c.site_id, c.reference
        ), bound as (
          insert into external_identity (source_id, ext_type, ext_id, entity, entity_id)
          select source_id, 'account', reference->>'code', 'site', site_id
          from decided
          where reference ? 'code' and site_id is not null
          on conflict do nothing
        )
        select true from decided
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(account)] }
    typealias Row = Bool
}

struct NeverMatch: Statement {
    let id: Int
    let account: Int

    static let sql = """
        with withdrawn as (
          update match_case set party_id = null, site_id = null, decided_at = null
          where id = $1::bigint and party_id = $2::bigint
        )
        insert into match_never (case_id, party_id)
        select c.id, p.id from match_case c, party p where c.id = $1::bigint and p.id = $2::bigint
        on conflict (case_id, party_id) do update set party_id = excluded.party_id
        returning true
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(account)] }
    typealias Row = Bool
}

/// The records that waited for a case can be replayed.
struct FreeQuarantine: Statement {
    let matchCase: Int

    static let sql = """
        update quarantine set status = 'fixed' where match_case_id = $1::bigint and status in ('open', 'fixed')
        """
    var parameters: [Parameter] { [Parameter(matchCase)] }
}

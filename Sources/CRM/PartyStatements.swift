// SPDX-License-Identifier: Apache-2.0
// The statements that make and change parties, sites and claims; every list travels as an array.

internal import PostgreSQL

struct TakeIDs: Statement {
    let sequence: String
    let count: Int

    static let sql = "select nextval($1::text::regclass) from generate_series(1, $2::bigint)"
    var parameters: [Parameter] { [Parameter(sequence), Parameter(count)] }
    typealias Row = Int
}

struct InsertParties: Statement {
    let ids: [Int]
    let names: [String]
    let statuses: [String]
    let sirens: [String?]
    let vats: [String?]
    let legalIDs: [String?]
    let run: Int

    static let sql = """
        with i as (
          select * from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
            as i(id, name, status, siren, vat, legal_id)
        ), new_party as (
          insert into party (id, kind, name, status, created_run)
          select id, 'organisation', name, status, $7::bigint from i
        )
        insert into org (party_id, siren, vat, legal_id)
        select id, siren, vat, legal_id from i
        """
    var parameters: [Parameter] {
        [
            Parameter(ids), Parameter(names), Parameter(statuses), Parameter(sirens), Parameter(vats),
            Parameter(legalIDs), Parameter(run),
        ]
    }
}

struct InsertSites: Statement {
    let ids: [Int]
    let parties: [Int]
    let references: [PartyReference]
    let areMain: [Bool]
    let run: Int

    static let sql = """
        insert into site (id, party_id, siret, gln, street, postal_code, city, country, is_main, created_run)
        select id, party_id, siret, gln, street, postal_code, city, country, is_main, $10::bigint
        from unnest(
          $1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
          $9::boolean[]
        ) as i(id, party_id, siret, gln, street, postal_code, city, country, is_main)
        """
    var parameters: [Parameter] {
        [
            Parameter(ids), Parameter(parties), Parameter(references.map(\.siret)),
            Parameter(references.map(\.gln)), Parameter(references.map(\.street)),
            Parameter(references.map(\.postalCode)), Parameter(references.map(\.city)),
            Parameter(references.map(\.country)), Parameter(areMain), Parameter(run),
        ]
    }
}

/// One-based numbers of the codes that are bound to no site yet.
struct MissingCodes: Statement {
    let source: Int
    let codes: [String]

    static let sql = """
        select i.no
        from unnest($2::text[]) with ordinality as i(code, no)
        left join lateral (
          select 1 as known from external_identity e
          where e.source_id = $1::bigint and e.ext_type = 'account' and e.ext_id = i.code
        ) e on true
        where e.known is null
        order by i.no
        """
    var parameters: [Parameter] { [Parameter(source), Parameter(codes)] }
    typealias Row = Int
}

/// Binds codes to sites.
struct InsertExternalIdentities: Statement {
    let source: Int
    let codes: [String]
    let sites: [Int]
    let run: Int

    static let sql = """
        insert into external_identity (source_id, ext_type, ext_id, entity, entity_id, created_run)
        select $1::bigint, 'account', code, 'site', site_id, $4::bigint
        from unnest($2::text[], $3::bigint[]) as i(code, site_id)
        on conflict do nothing
        """
    var parameters: [Parameter] { [Parameter(source), Parameter(codes), Parameter(sites), Parameter(run)] }
}

/// One-based numbers of the contact points that are not there yet, and that nobody took away by hand; of equal ones,
/// the first.
struct MissingContactPoints: Statement {
    let contacts: [PartyWriter.Contact]

    static let sql = """
        with i as (
          select distinct on (party_id, kind, norm) party_id, kind, norm, no
          from unnest($1::bigint[], $2::text[], $3::text[]) with ordinality as i(party_id, kind, norm, no)
          order by party_id, kind, norm, no
        )
        select i.no from i
        left join lateral (
          select 1 as known from contact_point c
          where c.party_id = i.party_id and c.kind = i.kind and c.value_norm = i.norm
        ) c on true
        where c.known is null and not \(deniedByHand("party", "i.party_id", "i.kind || ':' || i.norm"))
        order by i.no
        """
    var parameters: [Parameter] {
        [
            Parameter(contacts.map(\.party)), Parameter(contacts.map(\.kind)),
            Parameter(contacts.map(\.norm)),
        ]
    }
    typealias Row = Int
}

struct InsertContactPoints: Statement {
    let contacts: [PartyWriter.Contact]
    let run: Int

    static let sql = """
        insert into contact_point (party_id, kind, value_norm, value, created_run)
        select party_id, kind, norm, value, $5::bigint
        from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as i(party_id, kind, norm, value)
        on conflict do nothing
        """
    var parameters: [Parameter] {
        [
            Parameter(contacts.map(\.party)), Parameter(contacts.map(\.kind)),
            Parameter(contacts.map(\.norm)),
            Parameter(contacts.map(\.value)), Parameter(run),
        ]
    }
}

/// The claims that this source has not made yet with this value, and what it said before; a claim that is newer
/// than a replayed record is left alone.
struct DifferingClaims: Statement {
    struct Row: Sendable {
        /// One-based.
        let number: Int
        let before: String?
    }

    let claims: [PartyWriter.Claim]
    let context: ImportContext

    static let sql = """
        select i.no, c.value
        from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) with ordinality
          as i(entity, entity_id, field, value, no)
        left join lateral (
          select c.value, c.artifact_id, 1 as known
          from field_claim c
          where c.entity = i.entity and c.entity_id = i.entity_id and c.field = i.field
            and c.source_id = $5::bigint
        ) c on true
        where c.known is null
          or c.value is distinct from i.value and ($6::bigint is null or c.artifact_id <= $6)
        order by i.no
        """
    var parameters: [Parameter] {
        [
            Parameter(claims.map(\.entity)), Parameter(claims.map(\.id)), Parameter(claims.map(\.field)),
            Parameter(claims.map(\.value)), Parameter(context.source),
            Parameter(context.isReplay ? context.artifact : nil),
        ]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(number: try row.next(), before: try row.next())
    }
}

/// Writes the claims on new rows.
struct InsertClaims: Statement {
    let claims: [PartyWriter.Claim]
    let context: ImportContext

    static let sql = """
        insert into field_claim (entity, entity_id, field, source_id, value, run_id, artifact_id, line)
        select entity, entity_id, field, $6::bigint, value, $7::bigint, $8::bigint, line
        from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])
          as i(entity, entity_id, field, value, line)
        """
    var parameters: [Parameter] { PartyWriter.parameters(claims, context) }
}

/// Writes claims that differ from those before, which are kept for an undo.
struct ReplaceClaims: Statement {
    let claims: [PartyWriter.Claim]
    let context: ImportContext

    static let sql = """
        with i as (
          select *
          from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[])
            as i(entity, entity_id, field, value, line)
        ), kept as (
          insert into claim_change (run_id, entity, entity_id, field, source_id, before)
          select $7::bigint, c.entity, c.entity_id, c.field, c.source_id, to_jsonb(c)
          from i
          join field_claim c on c.entity = i.entity and c.entity_id = i.entity_id and c.field = i.field
            and c.source_id = $6::bigint
          where c.run_id is distinct from $7
          on conflict do nothing
        )
        insert into field_claim (entity, entity_id, field, source_id, value, run_id, artifact_id, line)
        select entity, entity_id, field, $6::bigint, value, $7::bigint, $8::bigint, line
        from i
        on conflict (entity, entity_id, field, source_id) do update
        set value = excluded.value, observed_at = now(), run_id = excluded.run_id,
          artifact_id = excluded.artifact_id, line = excluded.line
        """
    var parameters: [Parameter] { PartyWriter.parameters(claims, context) }
}

extension PartyWriter {
    fileprivate static func parameters(_ claims: [Claim], _ context: ImportContext) -> [Parameter] {
        [
            Parameter(claims.map(\.entity)), Parameter(claims.map(\.id)), Parameter(claims.map(\.field)),
            Parameter(claims.map(\.value)), Parameter(claims.map(\.line)), Parameter(context.source),
            Parameter(context.run), Parameter(context.artifact),
        ]
    }
}

/// The winning claims of some rows as columns: the source's trust decides, then the time. A person may claim that there
/// is no value, which wins over files too: `has_` and the field's name tell whether anybody claims anything.
///
/// - Parameter trust: how much a source `s` is believed.
func winners(of entity: String, _ fields: [String], trust: String = "s.trust") -> String {
    let columns = fields.map {
        "max(value) filter (where field = '\($0)') as \($0), bool_or(field = '\($0)') as has_\($0)"
    }.joined(separator: ", ")
    return """
        with winner as (
          select distinct on (c.entity_id, c.field) c.entity_id, c.field, c.value
          from field_claim c
          join source_system s on s.id = c.source_id
          where c.entity = '\(entity)' and c.entity_id = any($1::bigint[])
          order by c.entity_id, c.field, \(trust) desc, c.observed_at desc
        ), winning as (
          select entity_id, \(columns) from winner group by entity_id
        )
        """
}

/// The value of a field that the claims `w` win over a row's own, as `w_` and its name.
func won(_ field: String, over row: String, unless isKept: String? = nil) -> String {
    let condition = "w.has_\(field)" + (isKept.map { " and not \($0)" } ?? "")
    return "case when \(condition) then w.\(field) else \(row).\(field) end as w_\(field)"
}

/// Rows whose columns are not what their claims win, for whatever is done with them.
protocol ColumnsByClaims {
    /// The entity of the claims.
    static var entity: String { get }
    /// The columns.
    static var fields: [String] { get }
    /// SQL of a row's number, its columns as they are, and what they are to be with `w_` in front.
    ///
    /// - Parameter isKept: SQL of whether a row keeps a number that no two rows share.
    static func old(isKept: String) -> String
}

extension ColumnsByClaims {
    /// The common table expression `differing`, of the rows `$1`.
    static func differing(isKept: String, trust: String = "s.trust") -> String {
        let new = fields.map { "w_\($0)" }.joined(separator: ", ")
        return """
            \(winners(of: entity, fields, trust: trust)), old as (
              \(old(isKept: isKept))
            ), differing as (
              select * from old
              where (\(fields.joined(separator: ", "))) is distinct from (\(new))
            )
            """
    }
}

/// Gives parties the name and numbers that their claims win; what was there goes to `run_change`.
struct UpdatePartyColumns: Statement, ColumnsByClaims {
    let ids: [Int]
    let run: Int
    /// Whether they keep the number that no two rows share.
    var keepsNumber = false

    static let entity = "party"
    static let fields = ["name", "siren", "vat", "legal_id"]

    static func old(isKept: String) -> String {
        """
        select p.id, p.name, o.siren, o.vat, o.legal_id, coalesce(w.name, p.name) as w_name,
            \(won("siren", over: "o", unless: isKept)), \(won("vat", over: "o")), \(won("legal_id", over: "o"))
          from party p
          join org o on o.party_id = p.id
          join winning w on w.entity_id = p.id
        """
    }

    static let sql = """
        \(differing(isKept: "$3::boolean")), changed as (
          update party p set name = w_name, version = p.version + 1
          from differing d where p.id = d.id
          returning p.id, p.version
        ), changed_org as (
          update org o set siren = w_siren, vat = w_vat, legal_id = w_legal_id
          from differing d where o.party_id = d.id
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $2::bigint, 'party', d.id, 'update', \(before(fields)), changed.version
        from differing d
        join changed using (id)
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run), Parameter(keepsNumber)] }
}

/// The differing fields of a row `d` as they are, whose new values are in columns that begin with `w_`.
func before(_ fields: [String]) -> String {
    let pairs = fields.map { "('\($0)', to_jsonb(d.\($0)), to_jsonb(d.w_\($0)))" }.joined(separator: ", ")
    return """
        (
          select jsonb_object_agg(f.name, f.old)
          from (values \(pairs)) as f(name, old, new)
          where f.old is distinct from f.new
        )
        """
}

/// Gives sites the address and numbers that their claims win; what was there goes to `run_change`.
struct UpdateSiteColumns: Statement, ColumnsByClaims {
    let ids: [Int]
    let run: Int
    /// Whether they keep the number that no two rows share.
    var keepsNumber = false

    static let entity = "site"
    static let fields = ["name", "siret", "gln", "phone", "street", "postal_code", "city", "country"]

    static func old(isKept: String) -> String {
        let columns = fields.map { won($0, over: "s", unless: $0 == "siret" ? isKept : nil) }
        return """
            select s.id, \(fields.map { "s.\($0)" }.joined(separator: ", ")),
                \(columns.joined(separator: ", "))
              from site s join winning w on w.entity_id = s.id
            """
    }

    static let sql = """
        \(differing(isKept: "$3::boolean")), changed as (
          update site s set \(fields.map { "\($0) = w_\($0)" }.joined(separator: ", ")),
            version = s.version + 1
          from differing d where s.id = d.id
          returning s.id, s.version
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $2::bigint, 'site', d.id, 'update', \(before(fields)), changed.version
        from differing d
        join changed using (id)
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run), Parameter(keepsNumber)] }
}

/// The sites of some parties, the main one first.
struct SitesOfParties: Statement {
    struct Row: Sendable {
        let party: Int
        let site: Int
        let isMain: Bool
        let siret: String?
        /// Whether this source has a code for it.
        let hasCode: Bool
    }

    let parties: [Int]
    let source: Int

    static let sql = """
        select s.party_id, s.id, s.is_main, s.siret, exists (
          select from external_identity e
          where e.entity = 'site' and e.entity_id = s.id and e.source_id = $2::bigint and e.ext_type = 'account'
        )
        from site s
        where s.party_id = any($1::bigint[])
        order by s.party_id, s.is_main desc, s.id
        """
    var parameters: [Parameter] { [Parameter(parties), Parameter(source)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            party: try row.next(), site: try row.next(), isMain: try row.next(), siret: try row.next(),
            hasCode: try row.next())
    }
}

struct WriteChangeLog: Statement {
    let entities: [String]
    let ids: [Int]
    let ops: [String]
    let source: Int
    let run: Int

    static let sql = """
        insert into change_log (entity, entity_id, op, source_id, run_id)
        select entity, entity_id, op, $4::bigint, $5::bigint
        from unnest($1::text[], $2::bigint[], $3::text[]) as i(entity, entity_id, op)
        """
    var parameters: [Parameter] {
        [Parameter(entities), Parameter(ids), Parameter(ops), Parameter(source), Parameter(run)]
    }
}

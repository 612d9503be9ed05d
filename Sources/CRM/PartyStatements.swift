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

/// Binds codes to sites; returns the sites that got a new one.
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
        returning entity_id
        """
    var parameters: [Parameter] { [Parameter(source), Parameter(codes), Parameter(sites), Parameter(run)] }
    typealias Row = Int
}

/// Adds contact points that are not there; returns the parties that got one.
struct InsertContactPoints: Statement {
    let parties: [Int]
    let kinds: [String]
    let norms: [String]
    let values: [String]
    let run: Int

    static let sql = """
        with i as (
          select distinct on (party_id, kind, norm) party_id, kind, norm, value
          from unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) as i(party_id, kind, norm, value)
        ), missing as (
          select i.* from i
          left join lateral (
            select 1 as known from contact_point c
            where c.party_id = i.party_id and c.kind = i.kind and c.value_norm = i.norm
          ) c on true
          where c.known is null
        )
        insert into contact_point (party_id, kind, value_norm, value, created_run)
        select party_id, kind, norm, value, $5::bigint from missing
        returning party_id
        """
    var parameters: [Parameter] {
        [Parameter(parties), Parameter(kinds), Parameter(norms), Parameter(values), Parameter(run)]
    }
    typealias Row = Int
}

/// One-based numbers of the claims that this source has not made yet with this value.
struct DifferingClaims: Statement {
    let claims: [PartyWriter.Claim]
    let source: Int

    static let sql = """
        select i.no
        from unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) with ordinality
          as i(entity, entity_id, field, value, no)
        left join lateral (
          select c.value, 1 as known
          from field_claim c
          where c.entity = i.entity and c.entity_id = i.entity_id and c.field = i.field
            and c.source_id = $5::bigint
        ) c on true
        where c.known is null or c.value is distinct from i.value
        order by i.no
        """
    var parameters: [Parameter] {
        [
            Parameter(claims.map(\.entity)), Parameter(claims.map(\.id)), Parameter(claims.map(\.field)),
            Parameter(claims.map(\.value)), Parameter(source),
        ]
    }
    typealias Row = Int
}

/// Writes claims; where one batch makes two for the same field, the later record wins.
struct WriteClaims: Statement {
    let claims: [PartyWriter.Claim]
    let context: ImportContext

    static let sql = """
        insert into field_claim (entity, entity_id, field, source_id, value, run_id, artifact_id, line)
        select distinct on (entity, entity_id, field)
          entity, entity_id, field, $6::bigint, value, $7::bigint, $8::bigint, line
        from unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::bigint[]) with ordinality
          as i(entity, entity_id, field, value, line, no)
        order by entity, entity_id, field, no desc
        on conflict (entity, entity_id, field, source_id) do update
        set value = excluded.value, observed_at = now(), run_id = excluded.run_id,
          artifact_id = excluded.artifact_id, line = excluded.line
        """
    var parameters: [Parameter] {
        [
            Parameter(claims.map(\.entity)), Parameter(claims.map(\.id)), Parameter(claims.map(\.field)),
            Parameter(claims.map(\.value)), Parameter(claims.map(\.line)), Parameter(context.source),
            Parameter(context.run), Parameter(context.artifact),
        ]
    }
}

/// The winning claims of some rows as columns: the source's trust decides, then the time.
private func winners(of entity: String, _ fields: [String]) -> String {
    let columns = fields.map { "max(value) filter (where field = '\($0)') as \($0)" }.joined(separator: ", ")
    return """
        with winner as (
          select distinct on (c.entity_id, c.field) c.entity_id, c.field, c.value
          from field_claim c
          join source_system s on s.id = c.source_id
          where c.entity = '\(entity)' and c.entity_id = any($1::bigint[])
          order by c.entity_id, c.field, s.trust desc, c.observed_at desc
        ), winning as (
          select entity_id, \(columns) from winner group by entity_id
        )
        """
}

struct UpdatePartyColumns: Statement {
    let ids: [Int]
    let run: Int

    static let sql = """
        \(winners(of: "party", ["name"])), old as (
          select p.id, p.name, w.name as new_name
          from party p join winning w on w.entity_id = p.id
          where w.name is not null and p.name is distinct from w.name
        ), changed as (
          update party p set name = old.new_name, version = p.version + 1
          from old where p.id = old.id
          returning p.id, p.version
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $2::bigint, 'party', old.id, 'update', jsonb_build_object('name', old.name), changed.version
        from old join changed using (id)
        returning entity_id
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run)] }
    typealias Row = Int
}

struct UpdateOrgColumns: Statement {
    let ids: [Int]
    let run: Int

    static let sql = """
        \(winners(of: "party", ["siren", "vat", "legal_id"])), old as (
          select o.*, p.version, w.siren as w_siren, w.vat as w_vat, w.legal_id as w_legal_id
          from org o join party p on p.id = o.party_id join winning w on w.entity_id = o.party_id
          where (o.siren, o.vat, o.legal_id) is distinct from
            (coalesce(w.siren, o.siren), coalesce(w.vat, o.vat), coalesce(w.legal_id, o.legal_id))
        ), changed as (
          update org o set siren = coalesce(w_siren, o.siren), vat = coalesce(w_vat, o.vat),
            legal_id = coalesce(w_legal_id, o.legal_id)
          from old where o.party_id = old.party_id
          returning o.party_id
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $2::bigint, 'org', old.party_id, 'update',
          jsonb_build_object('siren', old.siren, 'vat', old.vat, 'legal_id', old.legal_id), old.version
        from old join changed using (party_id)
        returning entity_id
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run)] }
    typealias Row = Int
}

struct UpdateSiteColumns: Statement {
    let ids: [Int]
    let run: Int

    static let sql = """
        \(winners(of: "site", ["siret", "gln", "street", "postal_code", "city", "country"])), old as (
          select s.id, s.siret, s.gln, s.street, s.postal_code, s.city, s.country,
            coalesce(w.siret, s.siret) as w_siret, coalesce(w.gln, s.gln) as w_gln,
            coalesce(w.street, s.street) as w_street, coalesce(w.postal_code, s.postal_code) as w_postal_code,
            coalesce(w.city, s.city) as w_city, coalesce(w.country, s.country) as w_country
          from site s join winning w on w.entity_id = s.id
        ), differing as (
          select * from old
          where (siret, gln, street, postal_code, city, country) is distinct from
            (w_siret, w_gln, w_street, w_postal_code, w_city, w_country)
        ), changed as (
          update site s set siret = w_siret, gln = w_gln, street = w_street, postal_code = w_postal_code,
            city = w_city, country = w_country, version = s.version + 1
          from differing d where s.id = d.id
          returning s.id, s.version
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $2::bigint, 'site', d.id, 'update',
          jsonb_build_object('siret', d.siret, 'gln', d.gln, 'street', d.street, 'postal_code', d.postal_code,
            'city', d.city, 'country', d.country), changed.version
        from differing d join changed using (id)
        returning entity_id
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run)] }
    typealias Row = Int
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

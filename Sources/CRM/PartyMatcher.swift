// SPDX-License-Identifier: Apache-2.0
// Finds the parties that records speak of: one set-based look-up a key, decided in the mapping's order.

internal import PostgreSQL

/// Where a reference leads.
enum PartyMatch: Sendable, Hashable {
    /// One party, its site where the key names one, and the key; no key = a person said so.
    case found(party: Int, site: Int?, by: PartyKey?)
    /// Several parties at the first level that has any.
    case several([Int])
    /// Parties of the same name in the same town: never certain.
    case similar([Int])
    /// Keys that only one party can have name different parties.
    case contradictory([Int])
    case unknown

    /// The parties in question.
    var candidates: [Int] {
        switch self {
        case .found(let party, _, _): [party]
        case .several(let parties), .similar(let parties), .contradictory(let parties): parties
        case .unknown: []
        }
    }
}

/// Looks references up by the keys of a mapping.
struct PartyMatcher: Sendable {
    let keys: [PartyKey]
    let source: Int
    let decisions: MatchDecisions

    private struct Hit: Hashable {
        let party: Int
        let site: Int?
        let siren: String?
    }

    /// One match a reference, in their order.
    func match(_ references: [PartyReference], on connection: Connection) async throws -> [PartyMatch] {
        var hits: [PartyKey: [String: Set<Hit>]] = [:]
        for key in keys {
            let values = Set(references.compactMap { $0.value(key) }).sorted()
            guard !values.isEmpty else { continue }
            var found: [String: Set<Hit>] = [:]
            for row in try await find(values, by: key, on: connection) {
                found[row.value, default: []].insert(Hit(party: row.party, site: row.site, siren: row.siren))
            }
            hits[key] = found
        }
        let isNeverEmpty = decisions.never.isEmpty
        return references.map { reference in
            let never = isNeverEmpty ? [] : decisions.never[reference.fingerprint] ?? []
            let match = decide(reference, hits, never)
            if case .found = match { return match }
            guard !decisions.accounts.isEmpty, let known = decisions.accounts[reference.fingerprint] else {
                return match
            }
            return .found(party: known.party, site: known.site, by: nil)
        }
    }

    private func find(
        _ values: [String], by key: PartyKey, on connection: Connection
    ) async throws(PostgreSQLError) -> [PartyHit] {
        switch key {
        case .external: try await connection.run(FindByExternalCode(source: source, values: values))
        case .siret: try await connection.run(FindBySIRET(values: values))
        case .vat: try await connection.run(FindByVAT(values: values))
        case .siren: try await connection.run(FindBySIREN(values: values))
        case .gln: try await connection.run(FindByGLN(values: values))
        case .nameAndPostalCode: try await connection.run(FindByNameAndPostalCode(values: values))
        }
    }

    private func decide(
        _ reference: PartyReference, _ hits: [PartyKey: [String: Set<Hit>]], _ never: Set<Int>
    ) -> PartyMatch {
        var decision: PartyMatch?
        var unique: Set<Int> = []
        for key in keys {
            guard let value = reference.value(key), let all = hits[key]?[value] else { continue }
            let found = never.isEmpty ? all : all.filter { !never.contains($0.party) }
            guard let first = found.first else { continue }
            let parties = Set(found.map(\.party))
            guard key != .nameAndPostalCode else {
                decision = decision ?? .similar(parties.sorted())
                continue
            }
            // Another company that shares a VAT number, a code used twice: not the one the record means.
            if let siren = reference.siren, found.contains(where: { $0.siren != nil && $0.siren != siren }) {
                return .contradictory(parties.sorted())
            }
            if key.isUnique { unique.formUnion(parties) }
            guard decision == nil else { continue }
            decision =
                parties.count == 1
                ? .found(party: first.party, site: found.count == 1 ? first.site : nil, by: key)
                : .several(parties.sorted())
        }
        if unique.count > 1 { return .contradictory(unique.sorted()) }
        return decision ?? .unknown
    }
}

/// A party that has a looked-up value.
///
/// Every look-up is lateral with a limit: a plain join may hash the whole table for every batch.
struct PartyHit: Sendable {
    let value: String
    let party: Int
    let site: Int?
    let siren: String?

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        value = try row.next()
        party = try row.next()
        site = try row.next()
        siren = try row.next()
    }
}

struct FindByExternalCode: Statement {
    let source: Int
    let values: [String]

    static let sql = """
        select k.value, h.party_id, h.id, h.siren
        from unnest($2::text[]) k(value)
        cross join lateral (
          select s.party_id, s.id, o.siren
          from external_identity e
          join site s on s.id = e.entity_id
          join org o on o.party_id = s.party_id
          where e.source_id = $1::bigint and e.ext_type = 'account' and e.ext_id = k.value
            and e.entity = 'site' and e.gone_at is null
          limit 1
        ) h
        """
    var parameters: [Parameter] { [Parameter(source), Parameter(values)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> PartyHit { try PartyHit(&row) }
}

struct FindBySIRET: Statement {
    let values: [String]

    static let sql = """
        select k.value, h.party_id, h.id, h.siren
        from unnest($1::text[]) k(value)
        cross join lateral (
          select s.party_id, s.id, o.siren
          from site s
          join org o on o.party_id = s.party_id
          where s.siret = k.value
          limit 1
        ) h
        """
    var parameters: [Parameter] { [Parameter(values)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> PartyHit { try PartyHit(&row) }
}

struct FindByVAT: Statement {
    let values: [String]

    static let sql = """
        select k.value, h.party_id, null::bigint, h.siren
        from unnest($1::text[]) k(value)
        cross join lateral (
          select o.party_id, o.siren from org o where o.vat collate "C" = k.value limit 20
        ) h
        """
    var parameters: [Parameter] { [Parameter(values)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> PartyHit { try PartyHit(&row) }
}

struct FindBySIREN: Statement {
    let values: [String]

    static let sql = """
        select k.value, h.party_id, null::bigint, h.siren
        from unnest($1::text[]) k(value)
        cross join lateral (select o.party_id, o.siren from org o where o.siren = k.value limit 1) h
        """
    var parameters: [Parameter] { [Parameter(values)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> PartyHit { try PartyHit(&row) }
}

struct FindByGLN: Statement {
    let values: [String]

    static let sql = """
        select k.value, h.party_id, h.id, h.siren
        from unnest($1::text[]) k(value)
        cross join lateral (
          select s.party_id, s.id, o.siren
          from site s
          join org o on o.party_id = s.party_id
          where s.gln = k.value
          limit 20
        ) h
        """
    var parameters: [Parameter] { [Parameter(values)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> PartyHit { try PartyHit(&row) }
}

/// Parties by their name, accents and case apart, and the postal code of a site.
struct FindByNameAndPostalCode: Statement {
    let values: [String]

    static let sql = """
        select k.value, h.id, h.site, h.siren
        from unnest($1::text[]) k(value)
        cross join lateral (
          select p.id, s.id as site, o.siren
          from party p
          join site s on s.party_id = p.id and s.postal_code = split_part(k.value, chr(31), 2)
          join org o on o.party_id = p.id
          where p.name_norm collate "C" = name_norm(split_part(k.value, chr(31), 1)) collate "C"
            and p.merged_into is null
          limit 20
        ) h
        """
    var parameters: [Parameter] { [Parameter(values)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> PartyHit { try PartyHit(&row) }
}

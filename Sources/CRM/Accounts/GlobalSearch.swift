// SPDX-License-Identifier: Apache-2.0
// Type-ahead over everything that a user sees: names, numbers, phones, documents.

package import PostgreSQL

/// Something found.
package struct SearchHit: Sendable, Hashable {
    /// What it is.
    package enum Kind: String, Sendable {
        case account, person, document
    }

    /// What it is.
    package let kind: Kind
    /// The account that it opens; nil for a person who works nowhere.
    package let account: Int?
    /// The document that it opens; nil for anything else.
    package let document: Int?
    /// What it is called.
    package let text: String
    /// What tells it apart: a town, a number, a phone.
    package let note: String?
}

/// Searches.
package enum GlobalSearch {
    /// What a text may mean, at most eight of each kind: the beginning of a name or any part of it (from three characters
    /// on), a SIREN, SIRET or VAT number, a phone or e-mail address, a code, a document's number.
    ///
    /// - Parameter scope: whose eyes (``AppUser/scope``).
    package static func find(
        _ text: String, scope: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [SearchHit] {
        let compact = text.filter { !$0.isWhitespace }.uppercased()
        let digits = compact.filter(\.isNumber)
        var hits = try await connection.run(FindNames(scope: scope, text: text))
        if compact.count >= 3, hits.count < enough {
            hits +=
                scope == 0
                ? try await connection.run(FindWords(scope: scope, text: text))
                : try await connection.run(FindWordsInScope(scope: scope, text: text))
        }
        if compact.count >= 3 {
            hits += try await connection.run(
                FindNumbers(
                    scope: scope, text: compact, digits: digits.count >= 6 ? digits : "",
                    typed: text.filter { !$0.isWhitespace }))
        }
        var seen: Set<SearchHit> = []
        return hits.filter { seen.insert($0).inserted }
    }

    /// Names that begin so, of which there are enough: words inside other names are not looked for.
    private static let enough = 8

    static let statements: [any Statement.Type] = [
        FindNames.self, FindWords.self, FindWordsInScope.self, FindNumbers.self,
    ]
}

extension SearchHit {
    init(_ row: inout RowReader) throws(PostgreSQLError) {
        kind = Kind(rawValue: try row.next(String.self)) ?? .account
        account = try row.next()
        document = try row.next()
        text = try row.next()
        note = try row.next()
    }
}

/// Names that begin so: accounts first, then people.
struct FindNames: Statement {
    let scope: Int
    let text: String

    static let sql = """
        (select 'account', p.id, null::bigint, p.name, concat_ws(' ', t.postal_code, t.city)
         from (
           select party_id, name_norm from party_scope
           where scope_id = $1::bigint and is_account and name_norm >= name_norm($2::text) collate "C"
             and name_norm < (name_norm($2) || chr(1114111)) collate "C"
           order by name_norm, party_id
           limit 8
         ) s
         join party p on p.id = s.party_id
         left join site t on t.party_id = p.id and t.is_main
         order by s.name_norm, p.id)
        union all
        (select 'person', (
             select r.to_id from relation r
             where r.from_id = p.id and r.kind = 'works_for' and upper_inf(r.valid) limit 1), null::bigint, p.name, (
             select o.name from relation r
             join party_scope v on v.party_id = r.to_id and v.scope_id = $1
             join party o on o.id = r.to_id
             where r.from_id = p.id and r.kind = 'works_for' and upper_inf(r.valid) limit 1)
         from (
           select party_id, name_norm from party_scope
           where scope_id = $1 and not is_account and name_norm >= name_norm($2) collate "C"
             and name_norm < (name_norm($2) || chr(1114111)) collate "C"
           order by name_norm, party_id
           limit 8
         ) s
         join party p on p.id = s.party_id and p.kind = 'person'
         order by s.name_norm, p.id)
        """
    var parameters: [Parameter] { [Parameter(scope), Parameter(text)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SearchHit { try SearchHit(&row) }
}

/// Names that hold the text anywhere; one type for each way of going through them.
protocol WordSearch: Statement where Row == SearchHit {
    /// SQL of at most eight accounts, or people, as `party_id` and `place`, by which they are sorted.
    static func found(_ kind: WordSearchKind) -> String
    var scope: Int { get }
    var text: String { get }
}

/// What a search by words goes through.
enum WordSearchKind {
    case accounts, people
}

extension WordSearch {
    /// A person works where the user sees it.
    static var sql: String {
        """
        (select 'account', p.id, null::bigint, p.name, concat_ws(' ', t.postal_code, t.city)
         from (\(found(.accounts))) s
         join party p on p.id = s.party_id
         left join site t on t.party_id = p.id and t.is_main
         order by s.place, p.id)
        union all
        (select 'person', r.to_id, null::bigint, p.name, o.name
         from (\(found(.people))) s
         join party p on p.id = s.party_id and p.kind = 'person'
         left join lateral (
           select r.to_id from relation r
           join party_scope v on v.party_id = r.to_id and v.scope_id = $1
           where r.from_id = p.id and r.kind = 'works_for' and upper_inf(r.valid) limit 1
         ) r on true
         left join party o on o.id = r.to_id
         order by s.place, p.id)
        """
    }
    var parameters: [Parameter] { [Parameter(scope), Parameter(text)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SearchHit { try SearchHit(&row) }
}

/// For whoever sees everything: by the trigrams of names, among the first hundred of each kind.
struct FindWords: WordSearch {
    let scope: Int
    let text: String

    static func found(_ kind: WordSearchKind) -> String {
        """
        select p.id as party_id, p.name as place
        from parties_like($2::text, '\(kind == .accounts ? "organisation" : "person")', 100) p
        where exists (
          select from party_scope v
          where v.party_id = p.id and v.scope_id = $1::bigint \(kind == .accounts ? "and v.is_account" : ""))
        limit 8
        """
    }
}

/// For whoever sees a part: by walking that part, at most 20,000 names of it.
struct FindWordsInScope: WordSearch {
    let scope: Int
    let text: String

    static func found(_ kind: WordSearchKind) -> String {
        """
        select party_id, name_norm as place
        from (
          select party_id, name_norm from party_scope
          where scope_id = $1::bigint and \(kind == .accounts ? "is_account" : "not is_account")
          order by name_norm, party_id
          limit 20000
        ) n
        where strpos(name_norm, name_norm($2::text)) > 0
        limit 8
        """
    }
}

/// Numbers, phones and documents; each way of finding has its index.
struct FindNumbers: Statement {
    let scope: Int
    let text: String
    let digits: String
    /// As it was typed, without blanks.
    let typed: String

    static let sql = """
        with hit as materialized (
          (select party_id, siren as note from org where siren = $2::text limit 8)
          union all
          (select party_id, vat from org where vat collate "C" = $2 limit 8)
          union all
          (select party_id, siret from site where siret = $2 limit 8)
          union all
          (select party_id, value from contact_point
           where kind = 'email' and value_norm collate "C" = lower($2) limit 8)
          union all
          (select party_id, value from contact_point
           where kind = 'phone' and $3::text <> '' and (
             value_norm collate "C" = $3 or value_norm collate "C" = '+' || $3
             or value_norm collate "C" = '+33' || ltrim($3, '0')) limit 8)
          union all
          (select party_id, phone from site
           where $3 <> '' and phone collate "C" in ($3, '+' || $3, '+33' || ltrim($3, '0')) limit 8)
          union all
          (select s.party_id, e.ext_id from external_identity e
           join site s on s.id = e.entity_id
           where e.entity = 'site' and e.ext_id collate "C" in ($2, $4::text) limit 8)
        )
        (select 'account', p.id, null::bigint, p.name, h.note
         from hit h
         join party_scope v on v.party_id = h.party_id and v.scope_id = $1::bigint
         join party p on p.id = h.party_id
         limit 8)
        union all
        (select 'document', d.party_id, d.id, d.number, p.name
         from (
           -- whoever sees a part only looks through so many: the number that was typed in full comes first
           select id, number, party_id from (
             select id, number, party_id from sales_doc
             where number collate "C" >= $2 and number collate "C" < $2 || chr(1114111)
             order by number collate "C"
             limit 2000
           ) c
           where exists (select from party_scope v where v.party_id = c.party_id and v.scope_id = $1)
           limit 8
         ) d
         join party p on p.id = d.party_id
         limit 8)
        """
    var parameters: [Parameter] {
        [Parameter(scope), Parameter(text), Parameter(digits), Parameter(typed)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SearchHit { try SearchHit(&row) }
}

// SPDX-License-Identifier: Apache-2.0
// Reading accounts: parties that are prospects or clients.

package import Model
package import PostgreSQL

/// An account in a list.
package struct AccountSummary: Sendable, Hashable {
    /// Number of the row.
    package let id: Int
    /// Registered name.
    package let name: String
    /// `suspect`, `prospect`, `client`, `former` or `other`.
    package let status: String
    /// Nine digits, as imported.
    package let siren: String?
    /// Town of the main site.
    package let city: String?
    /// Number of documents addressed to it.
    package let documents: Int
}

/// Everything the CRM knows about one account.
package struct AccountDetail: Sendable {
    /// The organisation.
    package struct Identity: Sendable {
        /// Number of the row.
        package let id: Int
        /// Registered name.
        package let name: String
        /// `suspect`, `prospect`, `client`, `former` or `other`.
        package let status: String
        /// Nine digits, as imported.
        package let siren: String?
        /// VAT number with country prefix.
        package let vat: String?
        /// Identifier in the register of its country, where it is no SIREN.
        package let legalID: String?
    }

    /// An address of it.
    package struct Site: Sendable {
        /// Number of the row.
        package let id: Int
        /// What people call it.
        package let name: String?
        /// Its own phone, as imports compare phones.
        package let phone: String?
        /// Fourteen digits, as imported.
        package let siret: String?
        /// Street with number.
        package let street: String?
        /// Postal code as written.
        package let postalCode: String?
        /// Town of the main site.
        package let city: String?
        /// ISO 3166-1 alpha-2.
        package let country: String?
        /// Whether it speaks for the account.
        package let isMain: Bool
    }

    /// A way to reach it.
    package struct ContactPoint: Sendable {
        /// `phone`, `email`, `email_domain` or `iban`.
        package let kind: String
        /// The value as the source wrote it.
        package let value: String
    }

    /// What a source says about a field, and where it said so.
    package struct Claim: Sendable {
        /// `party` or `site`.
        package let entity: String
        /// Column of the entity.
        package let field: String
        /// The value as the source wrote it.
        package let value: String?
        /// Code of the source system.
        package let source: String
        /// Name of the file.
        package let file: String?
        /// One-based line of the file.
        package let line: Int?
        /// When the source said so last.
        package let observedAt: Timestamp
    }

    /// A code that a source system uses for it.
    package struct Code: Sendable {
        /// Code of the source system.
        package let source: String
        /// The code itself.
        package let code: String
    }

    /// Name and official numbers.
    package let identity: Identity
    /// Addresses, the main one first.
    package let sites: [Site]
    /// Ways to reach it, by kind.
    package let contactPoints: [ContactPoint]
    /// Codes of all its sites.
    package let codes: [Code]
    /// Who said what, the most trusted source first.
    package let claims: [Claim]
}

/// Reads accounts; every list is bounded.
package enum Accounts {
    /// Accounts whose name contains every letter sequence of `text` (accents and case apart), or whose SIREN,
    /// SIRET, VAT number or code it is; by name, at most `limit`.
    package static func search(
        _ text: String, limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [AccountSummary] {
        try await connection.run(SearchAccounts(text: text, limit: limit))
    }

    /// Accounts by name, behind the one given, at most `limit`.
    package static func list(
        after: AccountSummary? = nil, limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [AccountSummary] {
        try await connection.run(ListAccounts(afterName: after?.name, afterID: after?.id, limit: limit))
    }

    /// One account; nil where there is none with this number.
    package static func show(_ id: Int, on connection: Connection) async throws(PostgreSQLError)
        -> AccountDetail?
    {
        guard let identity = try await connection.run(ShowAccount(id: id)).first else { return nil }
        return AccountDetail(
            identity: identity, sites: try await connection.run(AccountSites(id: id)),
            contactPoints: try await connection.run(AccountContactPoints(id: id)),
            codes: try await connection.run(AccountCodes(id: id)),
            claims: try await connection.run(AccountClaims(id: id)))
    }
}

private let summaryColumns = """
    p.id, p.name, p.status, o.siren,
    (select s.city from site s where s.party_id = p.id and s.is_main),
    (select count(*) from sales_doc d where d.party_id = p.id)
    """

extension AccountSummary {
    fileprivate init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        name = try row.next()
        status = try row.next()
        siren = try row.next()
        city = try row.next()
        documents = try row.next()
    }
}

struct SearchAccounts: Statement {
    let text: String
    let limit: Int

    // One index a way of finding; one condition with OR would walk the whole table.
    static let sql = """
        with hit as materialized (
          select id from party
          where name_norm like '%' || replace(replace(name_norm($1::text), '\\', '\\\\'), '%', '\\%') || '%'
          union
          select party_id from org where siren = $2
          union
          select party_id from org where vat collate "C" = $2
          union
          select party_id from site where siret = $2
          union
          select s.party_id
          from external_identity e
          join site s on s.id = e.entity_id
          where e.entity = 'site' and e.ext_id collate "C" = $1
        )
        select \(summaryColumns)
        from hit
        join party p using (id)
        left join org o on o.party_id = p.id
        where p.status <> 'other' and p.merged_into is null
        order by p.name_norm collate "C", p.id
        limit $3::bigint
        """
    var parameters: [Parameter] {
        [Parameter(text), Parameter(text.filter { !$0.isWhitespace }.uppercased()), Parameter(limit)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountSummary {
        try AccountSummary(&row)
    }
}

struct ListAccounts: Statement {
    let afterName: String?
    let afterID: Int?
    let limit: Int

    static let sql = """
        select \(summaryColumns)
        from party p
        left join org o on o.party_id = p.id
        where p.status <> 'other' and p.merged_into is null
          and ($1::text is null or (p.name_norm collate "C", p.id) > (name_norm($1) collate "C", $2::bigint))
        order by p.name_norm collate "C", p.id
        limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(afterName), Parameter(afterID), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountSummary {
        try AccountSummary(&row)
    }
}

struct ShowAccount: Statement {
    let id: Int

    static let sql = """
        select p.id, p.name, p.status, o.siren, o.vat, o.legal_id
        from party p
        left join org o on o.party_id = p.id
        where p.id = $1::bigint
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountDetail.Identity {
        AccountDetail.Identity(
            id: try row.next(), name: try row.next(), status: try row.next(), siren: try row.next(),
            vat: try row.next(), legalID: try row.next())
    }
}

struct AccountSites: Statement {
    let id: Int

    static let sql = """
        select id, name, phone, siret, street, postal_code, city, country, is_main
        from site
        where party_id = $1::bigint
        order by is_main desc, id
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountDetail.Site {
        AccountDetail.Site(
            id: try row.next(), name: try row.next(), phone: try row.next(), siret: try row.next(),
            street: try row.next(), postalCode: try row.next(), city: try row.next(),
            country: try row.next(), isMain: try row.next())
    }
}

struct AccountContactPoints: Statement {
    let id: Int

    static let sql = """
        select kind, value
        from contact_point
        where party_id = $1::bigint
        order by kind, value_norm
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountDetail.ContactPoint {
        AccountDetail.ContactPoint(kind: try row.next(), value: try row.next())
    }
}

struct AccountCodes: Statement {
    let id: Int

    static let sql = """
        select y.code, e.ext_id
        from site s
        join external_identity e on e.entity = 'site' and e.entity_id = s.id
        join source_system y on y.id = e.source_id
        where s.party_id = $1::bigint
        order by y.code, e.ext_id
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountDetail.Code {
        AccountDetail.Code(source: try row.next(), code: try row.next())
    }
}

struct AccountClaims: Statement {
    let id: Int

    static let sql = """
        select c.entity, c.field, c.value, y.code, a.name, c.line, c.observed_at
        from field_claim c
        join source_system y on y.id = c.source_id
        left join artifact a on a.id = c.artifact_id
        where (c.entity = 'party' and c.entity_id = $1::bigint)
          or (c.entity = 'site' and c.entity_id in (select id from site where party_id = $1::bigint))
        order by c.entity, c.entity_id, c.field, y.trust desc
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountDetail.Claim {
        AccountDetail.Claim(
            entity: try row.next(), field: try row.next(), value: try row.next(), source: try row.next(),
            file: try row.next(), line: try row.next(), observedAt: try row.next())
    }
}

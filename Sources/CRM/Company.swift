// SPDX-License-Identifier: Apache-2.0
// Our own company: the issuer of documents that name none.

package import PostgreSQL

/// The party that is our own company.
package enum Company {
    /// A number that no row has, for previews in a database without it.
    package static let provisional = -2 << 40

    /// Our own company; nil before anything needed it.
    package static func known(on connection: Connection) async throws(PostgreSQLError) -> Int? {
        try await connection.run(OwnCompany()).first
    }

    /// Our own company, made where it is not known yet.
    ///
    /// - Parameter siren: its SIREN; a party that has it already is the company. Where it is not known, the party
    ///   that issued every document so far is.
    package static func ensure(siren: String?, on connection: Connection) async throws -> Int {
        if let known = try await known(on: connection) { return known }
        return try await connection.transaction { connection in
            try await connection.script("select pg_advisory_xact_lock(29302, 0)")
            if let known = try await known(on: connection) { return known }
            return try await connection.run(MakeCompany(siren: siren)).first ?? 0
        }
    }
}

struct OwnCompany: Statement {
    static let sql = "select party_id from company"
    typealias Row = Int
}

struct MakeCompany: Statement {
    let siren: String?

    static let sql = """
        with known as (
          select party_id as id from org where siren = $1
          union all
          -- without a SIREN: who issued every document so far
          select min(issuer_id) from sales_doc where $1 is null having count(distinct issuer_id) = 1
        ), made as (
          insert into party (kind, name, status)
          select 'organisation', 'Notre société', 'other' where not exists (select from known)
          returning id
        ), made_org as (
          insert into org (party_id, siren) select id, $1 from made
        ), made_site as (
          insert into site (party_id, is_main) select id, true from made
        )
        insert into company (party_id)
        select id from known union all select id from made
        returning party_id
        """
    var parameters: [Parameter] { [Parameter(siren)] }
    typealias Row = Int
}

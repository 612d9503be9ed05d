// SPDX-License-Identifier: Apache-2.0
// Everything about one account, for one page, in six statements.

package import Model
package import PostgreSQL

/// What a user sees of an account.
package struct AccountView: Sendable {
    /// Who it is.
    package struct Identity: Sendable {
        /// Number of the row.
        package let id: Int
        /// Registered name.
        package let name: String
        /// `suspect`, `prospect`, `client`, `former` or `other`.
        package let status: String
        /// Its rank among the clients.
        package let tier: String?
        /// Nine digits, as imported.
        package let siren: String?
        /// VAT number with country prefix.
        package let vat: String?
        /// Identifier in the register of its country, where it is no SIREN.
        package let legalID: String?
        /// Activity code.
        package let naf: String?
        /// Days within which it pays.
        package let payDays: Int?
        /// Who looks after it.
        package let owner: String?
        /// Where it belongs.
        package let territory: String?
        /// Number of the main site.
        package let mainSite: Int?
    }

    /// Something listed about it: a way to reach it, a code, somebody who works there.
    package struct Entry: Sendable {
        /// `phone`, `email`, `email_domain`, `iban`, `code`, `person`.
        package let kind: String
        /// The value, or the name.
        package let value: String
        /// The source system of a code; the position of a person.
        package let note: String?
        /// Number of a person.
        package let id: Int?
        /// First phone of a person.
        package let phone: String?
        /// First e-mail address of a person.
        package let email: String?
    }

    /// What somebody says about a field, and where.
    package struct Claim: Sendable {
        /// `party` or `site`.
        package let entity: String
        /// Number of the row.
        package let entityID: Int
        /// Column of the entity.
        package let field: String
        /// The value.
        package let value: String?
        /// Code of the source system.
        package let source: String
        /// What people call it; nil where they call it by its code.
        package let sourceName: String?
        /// Who, where it was a person.
        package let person: String?
        /// Name of the file.
        package let file: String?
        /// One-based line of the file.
        package let line: Int?
        /// Number of the run that brought it.
        package let run: Int?
        /// When.
        package let at: Timestamp
    }

    /// A figure of it.
    package struct Figure: Sendable {
        /// `open`, `overdue`, `sales`, `sales_before`, `contract`, `month`, `product`.
        package let kind: String
        /// Month as `2026-11`, product, number of a contract.
        package let key: String
        /// The amount; for a contract, of its year.
        package let amount: Decimal?
        /// How many documents.
        package let count: Int
        /// A day: the oldest due date, the end of a contract.
        package let day: CalendarDate?
    }

    /// Who it is.
    package let identity: Identity
    /// Addresses, the main one first.
    package let sites: [AccountDetail.Site]
    /// Ways to reach it, codes, people.
    package let entries: [Entry]
    /// Who said what, the most trusted first.
    package let claims: [Claim]
    /// The latest documents, at most ten.
    package let documents: [DocumentSummary]
    /// Sums over all its documents.
    package let figures: [Figure]
    /// What is planned with it, the next first, at most ten.
    package let planned: [AgendaEntry]
    /// What happened, newest first, at most twenty.
    package let timeline: [TimelineEntry]
}

extension Accounts {
    /// An account as a user sees it; that he looked is written to the audit, once a day.
    ///
    /// - Parameter before: entries of the timeline behind this one.
    /// - Returns: nil where it does not exist, or not for him: both look the same.
    package static func view(
        _ id: Int, for user: AppUser, before: TimelineCursor? = nil, on connection: Connection
    ) async throws(PostgreSQLError) -> AccountView? {
        guard
            let identity = try await connection.run(
                ViewAccount(id: id, scope: user.scope, user: user.id)
            ).first
        else { return nil }
        return AccountView(
            identity: identity, sites: try await connection.run(AccountSites(id: id)),
            entries: try await connection.run(AccountEntries(id: id)),
            claims: try await connection.run(ClaimsOfAccount(id: id)),
            documents: try await connection.run(DocumentsOfAccount(account: id, limit: 10)),
            figures: try await connection.run(AccountFigures(id: id)),
            planned: try await connection.run(AgendaAhead(party: id)),
            timeline: try await connection.run(TimelineOf(party: id, before: before, limit: 21)))
    }

    static let viewStatements: [any Statement.Type] = [
        ViewAccount.self, AccountEntries.self, ClaimsOfAccount.self, DocumentsOfAccount.self,
        AccountFigures.self,
    ]
}

struct ViewAccount: Statement {
    let id: Int
    let scope: Int
    let user: Int

    static let sql = """
        with seen as (
          select p.id, p.name, p.status, p.tier, o.siren, o.vat, o.legal_id, o.naf, o.pay_days::bigint as pay_days,
            u.name as owner, t.name as territory,
            (select s.id from site s where s.party_id = p.id and s.is_main) as main_site
          from party_scope s
          join party p on p.id = s.party_id
          left join org o on o.party_id = p.id
          left join app_user u on u.id = p.owner_id
          left join territory t on t.id = p.territory_id
          where s.party_id = $1::bigint and s.scope_id = $2::bigint
        ), noted as (
          insert into audit (user_id, action, entity, entity_id)
          select $3::bigint, 'account.seen', 'party', id from seen
          where not exists (
            select from audit a
            where a.entity = 'party' and a.entity_id = $1 and a.user_id = $3 and a.action = 'account.seen'
              and a.at > now() - interval '1 day')
        )
        select * from seen
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(scope), Parameter(user)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountView.Identity {
        AccountView.Identity(
            id: try row.next(), name: try row.next(), status: try row.next(), tier: try row.next(),
            siren: try row.next(), vat: try row.next(), legalID: try row.next(), naf: try row.next(),
            payDays: try row.next(), owner: try row.next(), territory: try row.next(),
            mainSite: try row.next())
    }
}

struct AccountEntries: Statement {
    let id: Int

    static let sql = """
        (select c.kind, c.value, null::text, null::bigint, null::text, null::text from contact_point c where c.party_id = $1::bigint
         order by c.is_main desc, c.kind, c.value_norm limit 50)
        union all
        (select 'code', e.ext_id, coalesce(y.name, y.code), null, null, null
         from site s
         join external_identity e on e.entity = 'site' and e.entity_id = s.id
         join source_system y on y.id = e.source_id
         where s.party_id = $1 limit 50)
        union all
        (select 'person', p.name, r.label, p.id, (
            select c.value from contact_point c where c.party_id = p.id and c.kind = 'phone'
            order by c.is_main desc, c.value_norm limit 1), (
            select c.value from contact_point c where c.party_id = p.id and c.kind = 'email'
            order by c.is_main desc, c.value_norm limit 1)
         from relation r
         join party p on p.id = r.from_id
         where r.to_id = $1 and r.kind = 'works_for' and upper_inf(r.valid) and p.merged_into is null
         order by p.name limit 50)
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountView.Entry {
        AccountView.Entry(
            kind: try row.next(), value: try row.next(), note: try row.next(), id: try row.next(),
            phone: try row.next(), email: try row.next())
    }
}

struct ClaimsOfAccount: Statement {
    let id: Int

    static let sql = """
        select c.entity, c.entity_id, c.field, c.value, y.code, y.name, u.name, a.name, c.line, c.run_id, c.observed_at
        from (
          select * from field_claim where entity = 'party' and entity_id = $1::bigint
          union all
          select f.* from site s
          join field_claim f on f.entity = 'site' and f.entity_id = s.id
          where s.party_id = $1
        ) c
        join source_system y on y.id = c.source_id
        left join app_user u on u.id = c.user_id
        left join artifact a on a.id = c.artifact_id
        order by c.entity, c.entity_id, c.field, y.trust desc, c.observed_at desc
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountView.Claim {
        AccountView.Claim(
            entity: try row.next(), entityID: try row.next(), field: try row.next(), value: try row.next(),
            source: try row.next(), sourceName: try row.next(), person: try row.next(),
            file: try row.next(), line: try row.next(), run: try row.next(), at: try row.next())
    }
}

/// Sums of an account's invoices, less its credit notes; a line without a product counts under its label.
struct AccountFigures: Statement {
    let id: Int

    static let sql = """
        with doc as materialized (
          select d.id, d.kind, d.number, d.issued_on, d.due_on, d.ends_on, d.open_amount, d.billing_status, d.status,
            d.net_total, case when d.kind = 'credit_note' then -1 else 1 end as sign
          from sales_doc d
          where d.party_id = $1::bigint
        ), sold as (
          select *, sign * coalesce(net_total, 0) as net
          from doc
          where kind in ('invoice', 'credit_note') and billing_status is distinct from 'cancelled'
            and issued_on >= (date_trunc('month', current_date) - interval '23 months')
        ), line as (
          select coalesce(nullif(l.label, ''), l.product_ref, '') as product, sum(s.sign * l.net) as net, count(*) as n
          from sold s
          join sales_doc_line l on l.doc_id = s.id
          where s.issued_on >= (date_trunc('month', current_date) - interval '11 months')
          group by 1
          order by 2 desc nulls last
          limit 5
        )
        select 'open', '', sum(case when kind = 'credit_note' then -abs(open_amount) else open_amount end), count(*), min(due_on) from doc
        where open_amount <> 0 and kind in ('invoice', 'credit_note')
        union all
        select 'overdue', '', sum(open_amount), count(*), min(due_on) from doc
        where billing_status = 'overdue' and open_amount <> 0
        union all
        select 'sales', '', sum(net), count(*), null from sold
        where issued_on >= (date_trunc('month', current_date) - interval '11 months')
        union all
        select 'sales_before', '', sum(net), count(*), null from sold
        where issued_on < (date_trunc('month', current_date) - interval '11 months')
        union all
        select 'month', to_char(issued_on, 'YYYY-MM'), sum(net), count(*), null from sold group by 2
        union all
        select 'product', product, net, n, null from line where net is not null
        union all
        (select 'contract', number, net_total, 1, ends_on from doc
         where kind = 'contract' and ends_on >= current_date order by ends_on limit 3)
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AccountView.Figure {
        AccountView.Figure(
            kind: try row.next(), key: try row.next(), amount: try row.next(), count: try row.next(),
            day: try row.next())
    }
}

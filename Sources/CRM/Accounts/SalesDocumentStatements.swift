// SPDX-License-Identifier: Apache-2.0
// The statements behind the page of a commercial document.

internal import Model
internal import PostgreSQL

struct ViewSalesDocument: Statement {
    private static let days = [
        ("issue_date", "issued_on"), ("due_date", "due_on"), ("signed_on", "signed_on"),
        ("starts_on", "starts_on"), ("ends_on", "ends_on"), ("closed_on", "closed_on"),
        ("next_billing_on", "next_billing_on"),
    ]
    private static let amounts = [
        "line_total", "allowance_total", "charge_total", "net_total", "tax_total", "gross_total", "prepaid",
        "rounding", "payable", "open_amount",
    ]

    let id: Int
    let scope: Int
    let user: Int

    static let sql = """
        with seen as (
          select d.*
          from sales_doc d
          join party_scope v on v.party_id = d.party_id and v.scope_id = $2::bigint
          where d.id = $1::bigint
        ), noted as (
          insert into audit (user_id, action, entity, entity_id)
          select $3::bigint, 'document.seen', 'sales_doc', id from seen
          where not exists (
            select from audit a
            where a.entity = 'sales_doc' and a.entity_id = $1 and a.user_id = $3 and a.action = 'document.seen'
              and a.at > now() - interval '1 day')
        )
        select d.id, d.kind, d.number, d.party_id, p.name, i.name,
          nullif(concat_ws(', ', s.street, nullif(concat_ws(' ', s.postal_code, s.city), '')), ''),
          coalesce(d.billing_status, d.status), d.label, d.currency, d.is_stub, d.type_code, d.customization,
          d.order_ref, d.period, d.renewal, d.notice_days::bigint, y.code, a.name, d.line, d.created_run,
          \(days.map { "d.\($0.1)" }.joined(separator: ", ")),
          \(amounts.map { "d.\($0)" }.joined(separator: ", "))
        from seen d
        join party p on p.id = d.party_id
        join party i on i.id = d.issuer_id
        join source_system y on y.id = d.source_id
        left join site s on s.id = d.bill_site_id
        left join artifact a on a.id = d.artifact_id
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(scope), Parameter(user)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SalesDocumentView.Head {
        let (id, kind, number) = (
            try row.next(Int.self), try row.next(String.self), try row.next(String.self)
        )
        let account = (try row.next(Int.self), try row.next(String.self))
        let issuer: String = try row.next()
        let (address, status, label) = (try optional(&row), try optional(&row), try optional(&row))
        let currency = try optional(&row)
        let isStub: Bool = try row.next()
        let (type, customization, order) = (try optional(&row), try optional(&row), try optional(&row))
        let (period, renewal) = (try optional(&row), try optional(&row))
        let notice: Int? = try row.next()
        let source: String = try row.next()
        let file = try optional(&row)
        let (line, run): (Int?, Int?) = (try row.next(), try row.next())
        var found: [(field: String, day: CalendarDate)] = []
        for (field, _) in days {
            if let day: CalendarDate = try row.next(CalendarDate?.self) { found.append((field, day)) }
        }
        var sums: [(field: String, amount: Decimal)] = []
        for field in amounts {
            if let amount: Decimal = try row.next(Decimal?.self) { sums.append((field, amount)) }
        }
        return SalesDocumentView.Head(
            id: id, kind: kind, number: number, account: account.0, accountName: account.1,
            issuerName: issuer, address: address, status: status, label: label, currency: currency,
            isStub: isStub, typeCode: type, customization: customization, orderReference: order,
            period: period, renewal: renewal, noticeDays: notice, source: source, file: file, line: line,
            run: run, days: found, amounts: sums)
    }

    private static func optional(_ row: inout RowReader) throws(PostgreSQLError) -> String? {
        try row.next(String?.self)
    }
}

struct LinesOfDocument: Statement {
    let id: Int
    let after: Int
    let limit: Int

    static let sql = """
        select no::bigint, line_no, label, product_ref, qty, unit_price, rate, net
        from sales_doc_line
        where doc_id = $1::bigint and no > $2::bigint
        order by no
        limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(after), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SalesDocumentView.Line {
        SalesDocumentView.Line(
            place: try row.next(), number: try row.next(), label: try row.next(), product: try row.next(),
            quantity: try row.next(), price: try row.next(), rate: try row.next(), net: try row.next())
    }
}

struct TaxesOfDocument: Statement {
    let id: Int

    static let sql = """
        select category, rate, base, amount
        from sales_doc_tax
        where doc_id = $1::bigint
        order by no
        limit 50
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SalesDocumentView.Tax {
        SalesDocumentView.Tax(
            category: try row.next(), rate: try row.next(), base: try row.next(), amount: try row.next())
    }
}

struct InstalmentsOfDocument: Statement {
    let id: Int

    static let sql = """
        select false, no::text, due_on, amount, open_amount, null::text, null::text
        from instalment
        where doc_id = $1::bigint
        order by no
        limit 50
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SalesDocumentView.Money {
        try SalesDocumentView.Money(&row)
    }
}

/// Payments that settle the document, by the rule that its billing status goes by (``DeriveBillingStatus``).
struct PaymentsOfDocument: Statement {
    let id: Int

    static let sql = """
        select true, p.number, p.paid_on, a.amount, null::numeric, p.method, p.currency
        from sales_doc d
        join allocation a on a.invoice collate "C" = d.number
        join payment p on p.id = a.payment_id and (p.party_id is null or p.party_id = d.party_id)
          and (p.currency is null or d.currency is null or p.currency = d.currency)
        where d.id = $1::bigint and d.kind in ('invoice', 'credit_note') and not exists (
          select from sales_doc o
          where o.number collate "C" = d.number and o.kind = d.kind and o.party_id = d.party_id and o.id <> d.id
            and o.issued_on <= p.paid_on and (o.issued_on > d.issued_on or d.issued_on > p.paid_on)
        )
        order by p.paid_on, p.id, a.no
        limit 50
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SalesDocumentView.Money {
        try SalesDocumentView.Money(&row)
    }
}

extension SalesDocumentView.Money {
    fileprivate init(_ row: inout RowReader) throws(PostgreSQLError) {
        isPayment = try row.next()
        number = try row.next()
        day = try row.next()
        amount = try row.next()
        open = try row.next()
        method = try row.next()
        currency = try row.next()
    }
}

/// A credit note may correct another account's invoice: what is not for this user is left out.
struct RelatedDocuments: Statement {
    let id: Int
    let scope: Int

    static let sql = """
        select r.relation, d.id, d.kind, d.number, coalesce(d.issued_on, d.signed_on, d.starts_on),
          coalesce(d.gross_total, d.net_total), d.currency
        from (
          select 'contract' as relation, contract_id as id from sales_doc where id = $1::bigint
          union all
          select 'corrects', parent_id from sales_doc where id = $1
          union all
          (select 'corrected_by', id from sales_doc where parent_id = $1 order by id desc limit 25)
          union all
          (select 'billed_by', id from sales_doc where contract_id = $1 order by id desc limit 25)
        ) r
        join sales_doc d on d.id = r.id
        join party_scope v on v.party_id = d.party_id and v.scope_id = $2::bigint
        order by 1, 5 desc nulls last, 2 desc
        limit 50
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(scope)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SalesDocumentView.Related {
        SalesDocumentView.Related(
            relation: try row.next(), id: try row.next(), kind: try row.next(), number: try row.next(),
            day: try row.next(), amount: try row.next(), currency: try row.next())
    }
}

/// What platforms told, by the rule that the billing status goes by (``DeriveBillingStatus``).
struct EventsOfDocument: Statement {
    let id: Int

    static let sql = """
        select e.status_code, e.status, e.occurred_at, (
          select string_agg(concat_ws(' ', r.code, r.text), '; ' order by r.no)
          from einvoice_reason r where r.event_id = e.id)
        from sales_doc d
        join einvoice_event e on e.invoice collate "C" = d.number
          and (e.invoice_date is null or d.issued_on is null or e.invoice_date = d.issued_on)
          and (e.issuer_siren is null or not exists (
            select from org o where o.party_id = d.issuer_id and o.siren <> e.issuer_siren
          ))
        where d.id = $1::bigint and d.kind in ('invoice', 'credit_note')
        order by e.occurred_at desc nulls last, e.id desc
        limit 50
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SalesDocumentView.Event {
        SalesDocumentView.Event(
            code: try row.next(), text: try row.next(), at: try row.next(), reason: try row.next())
    }
}

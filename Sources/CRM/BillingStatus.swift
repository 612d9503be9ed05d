// SPDX-License-Identifier: Apache-2.0
// What is still open of a document, and the status that follows from payments, statuses and the ledger.

internal import Model
package import PostgreSQL

/// The billing status of documents: `open`, `partly_paid`, `paid`, `overdue`, `disputed`, `cancelled`.
///
/// The ledger decides where it knows the document: what its client's entries with its number leave unlettered is
/// open. Otherwise payments allocated to it and credit notes on it count. Then, in this order: cancelled (refused
/// 210, rejected 213, wholly credited, or the ERP says so), paid (nothing open, 212, or the ERP says so), disputed
/// (207, or the ERP says so), overdue, partly paid, open. A credit note is open until the invoice that it corrects is
/// there, and paid with it; it is never overdue.
///
/// Source: lifecycle codes of the French reform's CDAR messages.
enum BillingStatus {
    /// The status and open amount of a new document, as far as it tells them itself.
    static func atFirst(_ record: Record, today: CalendarDate) -> (status: String, open: Decimal) {
        let amount = record.decimal("payable") ?? record.decimal("gross_total") ?? Decimal(0)
        let isCredit = record.text("kind") == "credit_note"
        // A credit note is written with either sign; what it is worth is meant.
        let due = isCredit && amount.isNegative ? amount.negated : amount
        let given = record.text("billing_status")
        if given == "cancelled" { return ("cancelled", Decimal(0)) }
        if given == "paid" || due.unscaled == 0 { return ("paid", Decimal(0)) }
        if given == "disputed" { return ("disputed", due) }
        if isCredit { return ("open", due) }
        if let day = record.date("due_date"), day < today { return ("overdue", due) }
        return (given == "partly_paid" ? "partly_paid" : "open", due)
    }

    /// Whose doing it is that a status may be another: a source's and a run's, or the calendar's.
    struct Cause {
        var source: Int?
        var run: Int?
    }

    /// Works the status of documents out again, and logs those that changed as what caused that.
    static func derive(
        _ ids: Set<Int>, because cause: Cause, on connection: Connection
    ) async throws(PostgreSQLError) {
        guard !ids.isEmpty else { return }
        let ids = ids.sorted()
        try await connection.execute(DeriveBillingStatus(ids: ids, cause: cause))
        try await connection.execute(DeriveInstalments(ids: ids))
    }

    static let statements: [any Statement.Type] = [
        DeriveBillingStatus.self, DeriveInstalments.self, MentionedBefore.self, DocumentsByNumber.self,
        DueDocuments.self, LinkContracts.self, MakeContractStubs.self, LinkCreditNotes.self,
        LinkToContract.self,
    ]
}

extension ImportContext {
    /// The run's and its source's doing.
    var cause: BillingStatus.Cause { BillingStatus.Cause(source: source, run: run) }
}

struct DeriveBillingStatus: Statement {
    let ids: [Int]
    let cause: BillingStatus.Cause

    static let sql = """
        with d as (
          select id, kind, number, party_id, issuer_id, issued_on, currency, due_on, given_status,
            case kind when 'credit_note' then abs(coalesce(payable, gross_total, 0))
              else coalesce(payable, gross_total, 0) end as due,
            kind = 'credit_note' and parent_id is not null as is_applied
          from sales_doc
          where id = any($1::bigint[]) and kind in ('invoice', 'credit_note')
        ), paid as (
          select d.id, sum(a.amount) as amount
          from d
          join allocation a on a.invoice collate "C" = d.number
          join payment p on p.id = a.payment_id and (p.party_id is null or p.party_id = d.party_id)
            and (p.currency is null or d.currency is null or p.currency = d.currency)
          -- numbers begin anew each year: the last document before the payment is meant
          where not exists (
            select from sales_doc o
            where o.number collate "C" = d.number and o.kind = d.kind and o.party_id = d.party_id and o.id <> d.id
              and o.issued_on <= p.paid_on and (o.issued_on > d.issued_on or d.issued_on > p.paid_on)
          )
          group by 1
        ), credited as (
          select c.parent_id as id, sum(abs(coalesce(c.payable, c.gross_total))) as amount
          from sales_doc c
          where c.parent_id in (select id from d) and c.kind = 'credit_note'
          group by 1
        ), event as (
          select distinct on (d.id) d.id, e.status_code as code
          from d
          join einvoice_event e on e.invoice collate "C" = d.number
            and (e.invoice_date is null or d.issued_on is null or e.invoice_date = d.issued_on)
            and (e.issuer_siren is null or not exists (
              select from org o where o.party_id = d.issuer_id and o.siren <> e.issuer_siren
            ))
          where e.status_code in ('205', '207', '210', '212', '213')
          order by d.id, e.occurred_at desc nulls last, e.id desc
        ), collected as (
          -- a platform tells each collection; one without an amount means all of it
          select d.id, case when bool_and(e.amount is not null) then sum(e.amount) end as amount
          from d
          join einvoice_event e on e.invoice collate "C" = d.number and e.status_code = '212'
            and (e.invoice_date is null or d.issued_on is null or e.invoice_date = d.issued_on)
            and (e.issuer_siren is null or not exists (
              select from org o where o.party_id = d.issuer_id and o.siren <> e.issuer_siren
            ))
          group by 1
        ), ledger as (
          select d.id, coalesce(sum(coalesce(l.debit, 0) - coalesce(l.credit, 0)) filter (where l.letter is null), 0) as open
          from d
          join ledger_entry l on l.doc_ref collate "C" = d.number and l.party_id = d.party_id
          group by 1
        ), sums as (
          select d.*, event.code, coalesce(credited.amount, 0) as credited,
            event.code = '212' and coalesce(collected.amount >= d.due, true) as is_collected,
            -- payments and collections tell of the same money
            coalesce(case d.kind when 'credit_note' then -ledger.open else ledger.open end,
              d.due - coalesce(greatest(paid.amount, collected.amount), 0) - coalesce(credited.amount, 0)) as open
          from d
          left join paid using (id)
          left join credited using (id)
          left join event using (id)
          left join collected using (id)
          left join ledger using (id)
        ), result as (
          select id, case
              when given_status = 'cancelled' or code in ('210', '213') or due > 0 and credited >= due then 'cancelled'
              when is_applied or open <= 0 or given_status = 'paid' or is_collected then 'paid'
              when given_status = 'disputed' or code = '207' then 'disputed'
              when due_on < current_date and kind = 'invoice' then 'overdue'
              when open < due or given_status = 'partly_paid' then 'partly_paid'
              else 'open'
            end as status,
            case when is_applied or given_status in ('paid', 'cancelled') or code in ('210', '213') or is_collected
              or due > 0 and credited >= due then 0 else greatest(open, 0) end as open
          from sums
        ), changed as (
          update sales_doc t
          set billing_status = r.status, open_amount = r.open
          from result r
          where t.id = r.id and (t.billing_status, t.open_amount) is distinct from (r.status, r.open)
          returning t.id
        )
        insert into change_log (entity, entity_id, op, fields, source_id, run_id)
        select 'sales_doc', id, 'update', '{billing_status,open_amount}', $2::bigint, $3::bigint from changed
        """
    var parameters: [Parameter] {
        [Parameter(ids), Parameter(cause.source), Parameter(cause.run)]
    }
}

/// One instalment a document, until a source tells more.
struct DeriveInstalments: Statement {
    let ids: [Int]

    static let sql = """
        insert into instalment as i (doc_id, no, due_on, amount, open_amount)
        select id, 1, coalesce(due_on, issued_on), coalesce(payable, gross_total), coalesce(open_amount, 0)
        from sales_doc
        where id = any($1::bigint[]) and kind in ('invoice', 'credit_note')
        on conflict (doc_id, no) do update
        set due_on = excluded.due_on, amount = excluded.amount, open_amount = excluded.open_amount
        where (i.due_on, i.amount, i.open_amount)
          is distinct from (excluded.due_on, excluded.amount, excluded.open_amount)
        """
    var parameters: [Parameter] { [Parameter(ids)] }
}

/// Of new documents, those that a payment, a status, a ledger entry or a credit note spoke of before.
struct MentionedBefore: Statement {
    let ids: [Int]

    static let sql = """
        select d.id
        from sales_doc d
        where d.id = any($1::bigint[]) and (
          exists (select from allocation a where a.invoice collate "C" = d.number)
          or exists (select from einvoice_event e where e.invoice collate "C" = d.number)
          or exists (select from ledger_entry l where l.doc_ref collate "C" = d.number)
        )
        """
    var parameters: [Parameter] { [Parameter(ids)] }
    typealias Row = Int
}

/// Invoices and credit notes with one of some numbers.
struct DocumentsByNumber: Statement {
    let numbers: [String]

    static let sql = """
        select d.id
        from unnest($1::text[]) as k(number)
        join sales_doc d on d.number collate "C" = k.number and d.kind in ('invoice', 'credit_note')
        """
    var parameters: [Parameter] { [Parameter(numbers)] }
    typealias Row = Int
}

/// Documents that a day makes overdue.
package enum OverdueDocuments {
    /// Works their status out again; a day that changes nothing writes nothing.
    package static func derive(on connection: Connection) async throws(PostgreSQLError) {
        while true {
            let ids = try await connection.run(DueDocuments())
            if ids.isEmpty { return }
            try await BillingStatus.derive(Set(ids), because: .init(), on: connection)
            // Whatever keeps one of them from becoming overdue would be asked again for ever.
            if ids.count < DueDocuments.limit { return }
        }
    }
}

struct DueDocuments: Statement {
    static let limit = 5000
    static let sql = """
        select id from sales_doc
        where kind = 'invoice' and billing_status in ('open', 'partly_paid') and due_on < current_date
        order by id
        limit 5000
        """
    typealias Row = Int
}

// SPDX-License-Identifier: Apache-2.0
// Documents that name others: the contract of an invoice, the invoice that a credit note corrects.

internal import Model
internal import PostgreSQL

/// Links documents; a link is derived from what the documents say, and is no content of theirs.
enum DocumentLinks {
    /// Links documents that were just written.
    ///
    /// - Returns: documents whose billing status may be another now.
    static func link(
        _ documents: [(record: Record, id: Int)], _ context: ImportContext, on connection: Connection
    ) async throws(PostgreSQLError) -> [Int] {
        let withContract = documents.filter { $0.record.text("contract_ref") != nil }.map(\.id)
        if !withContract.isEmpty {
            try await connection.execute(MakeContractStubs(ids: withContract, run: context.run))
            try await connection.execute(LinkContracts(ids: withContract))
        }
        let corrections = documents.filter { $0.record.text("preceding_invoice") != nil }.map(\.id)
        // An invoice may come behind the credit note that corrects it.
        return try await connection.run(
            LinkCreditNotes(corrections: corrections, ids: documents.map(\.id)))
    }
}

/// Contracts that invoices name and nobody knows yet: stubs, until the contract itself comes.
struct MakeContractStubs: Statement {
    let ids: [Int]
    let run: Int

    static let sql = """
        with missing as (
          select distinct on (d.source_id, d.issuer_id, d.contract_ref) d.*
          from sales_doc d
          where d.id = any($1::bigint[]) and not exists (
            select from sales_doc c
            where c.kind = 'contract' and c.number collate "C" = d.contract_ref and c.party_id = d.party_id
          )
          order by d.source_id, d.issuer_id, d.contract_ref, d.id
        ), made as (
          insert into sales_doc (kind, number, source_id, issuer_id, party_id, content_hash, is_stub, artifact_id,
            ordinal, line, created_run)
          select 'contract', contract_ref, source_id, issuer_id, party_id, '', true, artifact_id, ordinal, line,
            $2::bigint
          from missing
          on conflict do nothing
          returning id, source_id
        )
        insert into change_log (entity, entity_id, op, source_id, run_id)
        select 'sales_doc', id, 'insert', source_id, $2::bigint from made
        """
    var parameters: [Parameter] { [Parameter(ids), Parameter(run)] }
}

struct LinkContracts: Statement {
    let ids: [Int]

    static let sql = """
        update sales_doc d
        set contract_id = c.id
        from (
          select i.id as invoice, min(c.id) as id
          from sales_doc i
          join sales_doc c on c.kind = 'contract' and c.number collate "C" = i.contract_ref and c.party_id = i.party_id
          where i.id = any($1::bigint[])
          group by 1
        ) c
        where d.id = c.invoice and d.contract_id is distinct from c.id
        """
    var parameters: [Parameter] { [Parameter(ids)] }
}

/// Links credit notes to the invoices they correct, both ways round; returns both.
struct LinkCreditNotes: Statement {
    /// New credit notes.
    let corrections: [Int]
    /// New documents of any kind.
    let ids: [Int]

    static let sql = """
        with pair as (
          select c.id, (
            select i.id from sales_doc i
            where i.kind = 'invoice' and i.number collate "C" = c.preceding_invoice and i.issuer_id = c.issuer_id
            order by i.issued_on desc
            limit 1
          ) as invoice
          from sales_doc c
          where c.id = any($1::bigint[])
          union
          select c.id, i.id
          from sales_doc i
          join sales_doc c on c.preceding_invoice collate "C" = i.number and c.issuer_id = i.issuer_id
          where i.id = any($2::bigint[]) and i.kind = 'invoice' and c.parent_id is null
        ), linked as (
          update sales_doc d set parent_id = p.invoice
          from pair p
          where d.id = p.id and p.invoice is not null and d.parent_id is distinct from p.invoice
        )
        select invoice from pair where invoice is not null
        union
        select id from pair where invoice is not null
        union
        -- the invoice that a credit note corrected until now
        select c.parent_id from sales_doc c where c.id = any($1::bigint[]) and c.parent_id is not null
        """
    var parameters: [Parameter] { [Parameter(corrections), Parameter(ids)] }
    typealias Row = Int
}

/// Links the invoices that name contracts which were just written.
struct LinkToContract: Statement {
    let ids: [Int]

    static let sql = """
        update sales_doc d
        set contract_id = c.id
        from sales_doc c
        where c.id = any($1::bigint[]) and d.contract_ref collate "C" = c.number and d.party_id = c.party_id
          and d.contract_id is null
        """
    var parameters: [Parameter] { [Parameter(ids)] }
}

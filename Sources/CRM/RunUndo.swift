// SPDX-License-Identifier: Apache-2.0
// Takes back what a run wrote, set by set: restored, kept where somebody changed it since, blocked where needed.

internal import Diagnostics
package import PostgreSQL

/// How many rows of a table an undo takes one way.
package struct UndoCount: Sendable {
    /// Name of the table; `person` for parties that are one.
    package let entity: String
    /// `delete`, `restore`, `reinsert`, `keep` or `block`.
    package let action: String
    /// Number of rows.
    package let count: Int
}

/// A row that an undo leaves as it is.
package struct UndoException: Sendable {
    /// Name of the table; `person` for parties that are one.
    package let entity: String
    /// Number of the row.
    package let id: Int
    /// What people know it by: a document's number, a name, an address.
    package let label: String?
    /// `kept` or `blocked`.
    package let outcome: String
    /// `changed-by-run`, `edited`, `referred-to`, `exists`, `unsupported`.
    package let reason: String
    /// What changed it or refers to it, as a JSON object of texts.
    package let facts: JSONText
}

/// Takes runs back.
///
/// A row that the run made goes; one that it changed gets back what was there before; one that an undo took away
/// comes back. That is decided for all rows first (``plan(_:on:)``), then written (``write(_:by:on:)``), in one
/// transaction of the caller.
package enum RunUndo {
    /// Decides what becomes of every row that a run wrote.
    ///
    /// - Returns: the number of rows, by table and action.
    package static func plan(_ run: Int, on connection: Connection) async throws(PostgreSQLError)
        -> [UndoCount]
    {
        try await makePlan(on: connection)
        try await connection.script(
            """
            create temp table undo_claim on commit drop as
            select run_id, entity, entity_id, field, source_id, before, after, null::text as reason
            from claim_change where run_id = \(run)
            """)
        for table in UndoTable.all { try await connection.script(table.classify(run)) }
        try await connection.script(
            """
            analyze undo_row;
            insert into undo_claim
            select c.run_id, c.entity, c.entity_id, c.field, c.source_id, null, null, null
            from field_claim c
            where c.run_id = \(run) and not exists (
              select from undo_claim u
              where (u.entity, u.entity_id, u.field, u.source_id) = (c.entity, c.entity_id, c.field, c.source_id)
            );
            create index on undo_claim (entity, entity_id)
            """)
        try await connection.script(UndoTable.keepReplaced)
        for sql in UndoTable.all.compactMap({ $0.keepTaken() }) { try await connection.script(sql) }
        for table in UndoTable.all { for sql in table.block(run) { try await connection.script(sql) } }
        for table in UndoTable.all.reversed() {
            for sql in table.dropUnsupported() { try await connection.script(sql) }
        }
        for table in UndoTable.all {
            for sql in table.spareDescriptions() { try await connection.script(sql) }
        }
        return try await connection.run(CountUndo())
    }

    /// Makes the plan's table, which lasts as long as the transaction.
    package static func makePlan(on connection: Connection) async throws(PostgreSQLError) {
        try await connection.script(
            """
            create temp table undo_row (entity text, id bigint, key jsonb, action text, before jsonb, version int,
              restores int, reason text, facts jsonb) on commit drop;
            create index on undo_row (entity, id)
            """)
    }

    /// What the plan leaves as it is, at most `limit` rows.
    package static func exceptions(
        limit: Int = 100, on connection: Connection
    ) async throws(PostgreSQLError) -> [UndoException] {
        try await connection.run(ListUndo(limit: limit))
    }

    /// Carries the plan out; every step is written down, so that this run can be taken back too.
    package static func write(
        _ run: Int, by undo: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.script(
            """
            insert into undo_exception (run_id, entity, entity_id, outcome, reason, facts)
            select distinct on (entity, id) \(undo), entity, id,
              case when reason = 'referred-to' then 'blocked' else 'kept' end, reason, coalesce(facts, '{}')
            from undo_row
            where reason is not null
            """)
        for table in UndoTable.all {
            let columns: [String] = try await connection.run(AdHoc(TableColumns.sql(table.name)))
            let filled: [String] = try await connection.run(AdHoc(table.filled(columns)))
            if !filled.isEmpty { try await connection.script(table.delete(undo, writing: filled)) }
        }
        for table in UndoTable.all { try await connection.script(table.restore(undo)) }
        for table in UndoTable.all.reversed() {
            let columns: [String] = try await connection.run(AdHoc(TableColumns.sql(table.name)))
            var children: [(name: String, parent: String, columns: [String])] = []
            for child in table.children {
                let columns: [String] = try await connection.run(AdHoc(TableColumns.sql(child.name)))
                children.append((child.name, child.parent, columns))
            }
            try await connection.script(table.reinsert(undo, columns, children))
        }
        try await connection.script(claims(undo))
        // Another source may still claim what the run had claimed too.
        for (entity, update) in [("party", 0), ("site", 1), ("person", 2)] {
            let ids: [Int] = try await connection.run(
                AdHoc(
                    "select distinct entity_id from undo_claim where reason is null and entity = '\(entity)'")
            )
            guard !ids.isEmpty else { continue }
            switch update {
            case 0: try await connection.execute(UpdatePartyColumns(ids: ids, run: undo))
            case 1: try await connection.execute(UpdateSiteColumns(ids: ids, run: undo))
            default: try await connection.execute(UpdatePersonColumns(ids: ids, run: undo))
            }
        }
        let numbers: [String] = try await connection.run(AdHoc(touchedDocuments(undo)))
        try await BillingStatus.derive(numbers: numbers, because: .init(run: undo), on: connection)
        try await connection.script(
            """
            \(logged(undo));
            update quarantine set status = case when overrides = '{}' then 'open' else 'fixed' end, closed_at = null
            where replay_run_id = \(run) and status = 'replayed';
            update quarantine set status = 'replayed', closed_at = now()
            where replay_run_id = (select undoes from run where id = \(run)) and status in ('open', 'fixed');
            update run set undone_by = \(undo)
            where id = \(run) and (exists (select from undo_row where reason is null) or not exists (select from undo_row));
            update run set undone_by = null where id = (select undoes from run where id = \(run))
            """)
    }

    /// Writes the changes down as imports do: a phone, a job or a code that comes or goes changes its party or site.
    ///
    /// They are no source's own: whoever leaves out a source's changes must hear that they were taken back.
    private static func logged(_ undo: Int) -> String {
        func owner(_ table: String, _ id: String, _ column: String) -> String {
            """
            coalesce(
              (select t.\(column)::text from \(table) t where t.\(id) = u.id \(table == "external_identity" ? "and \(UndoTable.sameCode)" : "") limit 1),
              u.before->>'\(column)',
              (select c.before->>'\(column)' from run_change c
               where c.run_id = \(undo) and c.entity = '\(table)' and c.entity_id = u.id and c.op = 'delete'
               \(table == "external_identity" ? "and c.before @> u.key" : "") limit 1))
            """
        }
        return """
            insert into change_log (entity, entity_id, op, run_id)
            select entity, id, case action when 'delete' then 'delete' when 'restore' then 'update' else 'insert' end, \(undo)
            from undo_row
            where reason is null and entity not in ('contact_point', 'external_identity', 'relation')
            union all
            select distinct 'party', id, 'update', \(undo) from undo_row where reason is null and entity = 'contact_point'
            union all
            select distinct 'party', o.owner::bigint, 'update', \(undo)
            from undo_row u, lateral (select \(owner("relation", "id", "from_id")) as owner) o
            where u.reason is null and u.entity = 'relation' and o.owner is not null
            union all
            select distinct o.owner, u.id, 'update', \(undo)
            from undo_row u, lateral (select \(owner("external_identity", "entity_id", "entity")) as owner) o
            where u.reason is null and u.entity = 'external_identity' and o.owner is not null
            """
    }

    /// Numbers of the documents whose billing status may be another after an undo.
    private static func touchedDocuments(_ undo: Int) -> String {
        """
        select distinct number from (
          \(mentioned("run_change", "run_id = \(undo)"))
          union all
          \(mentioned("undo_row", "reason is null and before is not null"))
          union all
          select l.doc_ref from undo_row u join ledger_entry l on l.id = u.id where u.entity = 'ledger_entry'
          union all
          select e.invoice from undo_row u join einvoice_event e on e.id = u.id where u.entity = 'einvoice_event'
          union all
          select a.invoice from undo_row u join allocation a on a.payment_id = u.id where u.entity = 'payment'
          union all
          select d.number from undo_row u join sales_doc d on d.id = u.id
          where u.entity = 'sales_doc' and u.action <> 'delete' and u.reason is null
        ) n
        where number is not null
        """
    }

    /// Numbers that images of rows mention; each image is looked into once, since that unpacks it.
    private static func mentioned(_ images: String, _ condition: String) -> String {
        let fields = [
            ("sales_doc", "preceding_invoice"), ("ledger_entry", "doc_ref"), ("einvoice_event", "invoice"),
        ]
        let selects = fields.map { entity, field in
            "select before->>'\(field)' as number from \(images) where \(condition) and entity = '\(entity)'"
        }
        let allocated = """
            select e->>'invoice' from \(images), jsonb_array_elements(before->'allocation') e
            where \(condition) and entity = 'payment' and jsonb_typeof(before->'allocation') = 'array'
            """
        return (selects + [allocated]).joined(separator: "\nunion all\n")
    }

    /// Gives back the claims that the run replaced, and takes away those it made.
    private static func claims(_ undo: Int) -> String {
        let key =
            "(c.entity, c.entity_id, c.field, c.source_id) = (u.entity, u.entity_id, u.field, u.source_id)"
        return """
            update undo_claim u set reason = 'kept'
            where exists (
              select from undo_row r
              where r.entity = case u.entity when 'person' then 'party' else u.entity end and r.id = u.entity_id
                and r.reason is not null
            ) or case when u.after is null
              then exists (select from field_claim c where \(key)) and not exists (
                select from field_claim c where \(key) and c.run_id = u.run_id)
              else not exists (select from field_claim c where \(key) and to_jsonb(c) = u.after) end;
            insert into claim_change (run_id, entity, entity_id, field, source_id, before, after)
            select \(undo), u.entity, u.entity_id, u.field, u.source_id, to_jsonb(c), u.before
            from undo_claim u
            left join field_claim c on \(key)
            where u.reason is null;
            delete from field_claim c using undo_claim u where \(key) and u.reason is null;
            insert into field_claim
            select (jsonb_populate_record(null::field_claim, u.before)).* from undo_claim u
            where u.reason is null and u.before is not null
            """
    }
}

/// The columns of a table that can be written.
private enum TableColumns {
    static func sql(_ table: String) -> String {
        """
        select attname::text from pg_attribute
        where attrelid = '\(table)'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum
        """
    }
}

struct CountUndo: Statement {
    static let sql = """
        select \(UndoRow.table), case reason when 'referred-to' then 'block' else coalesce('keep' || left(reason, 0), action) end,
          count(*)
        from undo_row u
        group by 1, 2
        order by 1, 2
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> UndoCount {
        UndoCount(entity: try row.next(), action: try row.next(), count: try row.next())
    }
}

struct ListUndo: Statement {
    let limit: Int

    static let sql = """
        select \(UndoRow.table), id, \(UndoRow.label),
          case reason when 'referred-to' then 'blocked' else 'kept' end, reason, coalesce(facts, '{}')
        from undo_row u
        where reason is not null
        order by entity, id
        limit $1::bigint
        """
    var parameters: [Parameter] { [Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> UndoException {
        UndoException(
            entity: try row.next(), id: try row.next(), label: try row.next(), outcome: try row.next(),
            reason: try row.next(), facts: try row.next())
    }
}

/// The words for a row of the plan, `u`.
private enum UndoRow {
    static let table = """
        case when u.entity = 'party' and (
          exists (select from person p where p.party_id = u.id) or u.before @? '$.person[0]'
        ) then 'person' else u.entity end
        """
    static let label = """
        case u.entity
          when 'party' then coalesce((select p.name from party p where p.id = u.id), u.before->>'name')
          when 'site' then coalesce(
            (select concat_ws(' ', s.siret, s.city) from site s where s.id = u.id),
            concat_ws(' ', u.before->>'siret', u.before->>'city'))
          when 'sales_doc' then coalesce(
            (select d.number from sales_doc d where d.id = u.id), u.before->>'number')
          when 'contact_point' then u.key->>'value_norm'
          when 'external_identity' then u.key->>'ext_id'
          else coalesce(u.before->>'number', u.before->>'ext_key')
        end
        """
}

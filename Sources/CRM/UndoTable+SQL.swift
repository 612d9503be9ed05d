// SPDX-License-Identifier: Apache-2.0
// The steps of an undo on one table. Run numbers are the only values in them, and are numbers.

extension UndoTable {
    /// A row as JSON, with the rows that are part of it.
    ///
    /// - Parameter filled: the columns and children that are worth writing down; nil = all.
    private func image(of filled: [String]? = nil) -> String {
        let columns =
            filled?.filter { name in !children.contains { $0.name == name } }.map { "t.\($0)" } ?? ["t.*"]
        let parts = children.map { child in
            let rows =
                filled?.contains(child.name) == false
                ? "'[]'::jsonb"
                : "coalesce((select jsonb_agg(to_jsonb(c)) from \(child.name) c where c.\(child.parent) = t.id), '[]')"
            return "\(rows) as \(child.name)"
        }
        // One row of all columns: to join two JSON objects would copy the larger one.
        return "(select to_jsonb(y) from (select \((columns + parts).joined(separator: ", "))) y)"
    }

    /// Columns that tell rows apart.
    private var identity: [(name: String, type: String)] { key.isEmpty ? [(id, "bigint")] : key }

    /// The key of a row as JSON.
    private var keyImage: String {
        "jsonb_build_object(\(identity.map { "'\($0.name)', t.\($0.name)" }.joined(separator: ", ")))"
    }

    /// Whether a row is the one with a key.
    private func hasKey(_ json: String) -> String {
        identity.map { "t.\($0.name) = (\(json)->>'\($0.name)')::\($0.type)" }.joined(separator: " and ")
    }

    private var content: String { "content_version('\(name)', t.\(id), t.version)" }

    /// Lists the rows that a run wrote, with what is to become of them.
    func classify(_ run: Int) -> String {
        let version = hasVersion ? "t.version" : "null::int"
        let last = "coalesce(l.version, i.version, 1)"
        let fate =
            hasVersion
            ? "case when t.version <> \(last) and \(content) <> content_version('\(name)', t.\(id), \(last)) then \(changedBy) end"
            : "null"
        let made = """
            with changed as (
              select entity_id, max(version_after) as version from run_change
              where run_id = \(run) and entity = '\(name)' and op = 'update'
              group by 1
            ), remade as (
              select entity_id, version_after as version, before from run_change
              where run_id = \(run) and entity = '\(name)' and op = 'insert'
            )
            insert into undo_row (entity, id, key, action, version, reason)
            select '\(name)', t.\(id), \(keyImage), 'delete', \(version), \(fate)
            """
        // Two passes, because one condition with OR walks the whole table.
        let created = """
            \(made)
            from \(name) t
            left join changed l on l.entity_id = t.\(id)
            left join remade i on i.entity_id = t.\(id) and \(hasKey("i.before"))
            where t.created_run = \(run)
            """
        let again = """
            \(made)
            from remade i
            join \(name) t on \(hasKey("i.before")) and t.\(id) = i.entity_id
            left join changed l on l.entity_id = t.\(id)
            where t.created_run is distinct from \(run)
            """
        guard hasVersion else { return created + ";\n" + again + ";\n" + classifyDeleted(run) }
        let changed = """
            insert into undo_row (entity, id, key, action, before, version, restores, reason)
            select '\(name)', t.\(id), \(keyImage), 'restore', c.before, t.version,
              content_version('\(name)', t.\(id), c.first - 1),
              case when \(content) <> content_version('\(name)', t.\(id), c.last) then \(changedBy) end
            from (
              select c.entity_id, min(c.version_after) as first, max(c.version_after) as last,
                (
                  select jsonb_object_agg(e.key, e.value order by d.version_after desc)
                  from run_change d, jsonb_each(d.before) e
                  where d.run_id = \(run) and d.entity = '\(name)' and d.entity_id = c.entity_id and d.op = 'update'
                ) as before
              from run_change c
              where c.run_id = \(run) and c.entity = '\(name)' and c.op = 'update'
              group by c.entity_id
            ) c
            join \(name) t on t.\(id) = c.entity_id
            where not exists (select from undo_row u where u.entity = '\(name)' and u.id = c.entity_id)
            """
        return [created, again, changed, classifyDeleted(run)].joined(separator: ";\n")
    }

    /// The rows that the run, an undo, took away.
    private func classifyDeleted(_ run: Int) -> String {
        """
        insert into undo_row (entity, id, key, action, before, version, restores, reason)
        select '\(name)', c.entity_id, c.before, 'reinsert', c.before, c.version_after,
          content_version('\(name)', c.entity_id, c.version_after),
          case when exists (select from \(name) t where \(hasKey("c.before"))) \(naturalTwin) then 'exists' end
        from run_change c
        where c.run_id = \(run) and c.entity = '\(name)' and c.op = 'delete'
        """
    }

    /// Whether another row has taken its place meanwhile.
    private var naturalTwin: String {
        natural.map { "or exists (select from \(name) t where \($0))" } ?? ""
    }

    /// Keeps rows as they are whose unique value of before is another row's now, which keeps it.
    func keepTaken() -> String? {
        unique.map { unique in
            """
            update undo_row u
            set reason = 'exists'
            where u.entity = '\(name)' and u.action = 'restore' and u.reason is null
              and exists (
                select from \(unique.table) t
                where t.\(unique.field) = u.before->>'\(unique.field)' and t.\(unique.owner) <> u.id
                  and not exists (
                    select from undo_row g
                    where g.entity = '\(name)' and g.id = t.\(unique.owner) and g.action in ('delete', 'restore')
                      and g.reason is null
                  )
              )
            """
        }
    }

    /// An account that came again meanwhile has its code at another site: the old one does not come back as well.
    static let keepReplaced = """
        update undo_row p
        set reason = 'exists'
        from undo_row e
        join undo_row s on s.entity = 'site' and s.action = 'reinsert' and s.id = (e.before->>'entity_id')::bigint
        where e.entity = 'external_identity' and e.action = 'reinsert' and e.reason = 'exists'
          and e.before->>'entity' = 'site' and p.action = 'reinsert' and p.reason is null
          and (p.entity, p.id) in (('site', s.id), ('party', (s.before->>'party_id')::bigint))
        """

    /// Leaves away rows that cannot be without one which is gone and does not come back.
    func dropUnsupported() -> [String] {
        needs.map { need in
            """
            update undo_row u
            set reason = 'unsupported', facts = jsonb_build_object('by', '\(need.table)', 'id', u.before->>'\(need.column)')
            where u.entity = '\(name)' and u.action in ('reinsert', 'restore') and u.reason is null
              and u.before->>'\(need.column)' is not null
              and not exists (
                select from \(need.table) p
                where p.id = (u.before->>'\(need.column)')::bigint and not exists (
                  select from undo_row g
                  where g.entity = '\(need.table)' and g.id = p.id and g.action = 'delete' and g.reason is null
                )
              )
              and not exists (
                select from undo_row v
                where v.entity = '\(need.table)' and v.id = (u.before->>'\(need.column)')::bigint
                  and v.action = 'reinsert' and v.reason is null
              )
            """
        }
    }

    /// Whether a run or a person changed a row since.
    private var changedBy: String {
        "case when exists (select from run_change c where c.entity = '\(name)' and c.entity_id = t.\(id) and c.version_after = t.version) then 'changed-by-run' else 'edited' end"
    }

    /// Spares rows that something refers to which stays, and rows that describe spared ones.
    func block(_ run: Int) -> [String] {
        let blocked = references.map { reference in
            // Several rows may share the number: then each is known by its key.
            let key = UndoTable.all.first { $0.name == reference.table }?.key ?? []
            let isSame =
                key.isEmpty
                ? "w.id = r.\(reference.id)"
                : "w.key = jsonb_build_object(\(key.map { "'\($0.name)', r.\($0.name)" }.joined(separator: ", ")))"
            return """
                update undo_row u
                set reason = 'referred-to', facts = jsonb_build_object('by', '\(reference.table)', 'id', s.id::text)
                from (
                  select t.\(id) as row, min(r.\(reference.id)) as id
                  from undo_row v
                  join \(name) t on t.\(id) = v.id
                  join \(reference.table) r on \(reference.condition)
                  where v.entity = '\(name)' and v.action = 'delete' and v.reason is null
                    and not exists (
                      select from undo_row w
                      where w.entity = '\(reference.table)' and \(isSame) and w.action = 'delete'
                        and w.reason is null
                    )
                  group by 1
                ) s
                where u.entity = '\(name)' and u.id = s.row and u.action = 'delete' and u.reason is null
                """
        }
        return blocked
    }

    /// Spares rows that describe spared ones.
    func spareDescriptions() -> [String] {
        parents.map { parent in
            """
            update undo_row u
            set reason = 'referred-to', facts = jsonb_build_object('by', '\(parent.table)', 'id', p.id::text)
            from \(name) t, \(parent.table) p, undo_row v
            where u.entity = '\(name)' and u.action = 'delete' and u.reason is null and \(hasKey("u.key"))
              and \(parent.condition) and v.entity = '\(parent.table)' and v.id = p.id and v.action = 'delete'
              and v.reason is not null
            """
        }
    }

    /// Whether a code `t` is the plan's `u`.
    static let sameCode =
        "t.source_id = (u.key->>'source_id')::int and t.ext_type = u.key->>'ext_type' and t.ext_id = u.key->>'ext_id'"

    /// Which of the plan's rows go.
    private var isDeleted: String { "u.entity = '\(name)' and u.action = 'delete' and u.reason is null" }

    /// Lists those of its columns, and of its children, that any row which goes has a value in; nothing when none goes.
    ///
    /// A flat export fills half of the columns and no lines: writing down the rest takes longer than the deletion.
    func filled(_ columns: [String]) -> String {
        let values = columns.map { "case when count(t.\($0)) > 0 then '\($0)' end" }
        let own = """
            select unnest(array_remove(array[\(values.joined(separator: ", "))], null))
            from undo_row u
            join \(name) t on \(isPlanned)
            where \(isDeleted)
            """
        let parts = children.map { child in
            """
            select '\(child.name)' where exists (
              select from undo_row u join \(child.name) c on c.\(child.parent) = u.id where \(isDeleted)
            )
            """
        }
        return ([own] + parts).joined(separator: "\nunion all\n")
    }

    /// Whether a row `t` is the plan's `u`.
    private var isPlanned: String {
        key.isEmpty ? "t.\(id) = u.id" : "\(hasKey("u.key")) and t.\(id) = u.id"
    }

    /// Takes rows away, and writes them down whole; the rows that are part of them go with them (on delete cascade).
    ///
    /// - Parameter filled: what ``filled(_:)`` lists.
    func delete(_ undo: Int, writing filled: [String]) -> String {
        let wanted = isDeleted
        // That a credit note corrects an invoice is worked out from its text, and is again when the invoice is back.
        let unlinked =
            name == "sales_doc"
            ? [
                "update sales_doc t set parent_id = null from undo_row u where t.parent_id = u.id and \(wanted)"
            ] : []
        let statements =
            unlinked + [
                """
                insert into run_change (run_id, entity, entity_id, op, before, version_after)
                select \(undo), '\(name)', u.id, 'delete', \(image(of: filled)), \(hasVersion ? "t.version" : "0")
                from undo_row u
                join \(name) t on \(isPlanned)
                where \(wanted)
                """
            ] + ["delete from \(name) t using undo_row u where \(isPlanned) and \(wanted)"]
        return statements.joined(separator: ";\n")
    }

    /// Gives rows back what was there before.
    func restore(_ undo: Int) -> String {
        guard hasVersion else { return "select 1" }
        return ([restoreRows(undo)] + children.map { restoreChild($0.name, $0.parent) }).joined(
            separator: ";\n")
    }

    private func restoreRows(_ undo: Int) -> String {
        let wanted = "u.entity = '\(name)' and u.action = 'restore' and u.reason is null"
        return """
            insert into run_change (run_id, entity, entity_id, op, before, version_after, restores)
            select \(undo), '\(name)', u.id, 'update',
              (select jsonb_object_agg(e.key, i.image->e.key) from jsonb_each(u.before) e), t.version + 1, u.restores
            from undo_row u
            join \(name) t on t.id = u.id
            -- offset 0: the image is made once a row, not once a key
            cross join lateral (select \(imageForRestore) as image offset 0) i
            where \(wanted);
            do $$
            declare columns text;
            begin
              select string_agg(format('%1$I = r.%1$I', attname), ', ') into columns
              from pg_attribute
              where attrelid = '\(name)'::regclass and attnum > 0 and not attisdropped and attgenerated = ''
                and attname not in ('id', 'version', 'hash_version');
              if exists (select from pg_attribute where attrelid = '\(name)'::regclass and attname = 'hash_version') then
                columns := columns || ', hash_version = t.version + 1';
              end if;
              execute 'update \(name) t set ' || columns || ', version = t.version + 1
                from undo_row u, lateral jsonb_populate_record((select x from \(name) x where x.id = u.id), u.before) r
                where t.id = u.id and u.entity = ''\(name)'' and u.action = ''restore'' and u.reason is null';
            end $$
            """
    }

    /// Of a party, its numbers are columns of another table.
    private var imageForRestore: String {
        name == "party"
            ? "to_jsonb(t) || coalesce((select to_jsonb(o) from org o where o.party_id = t.id), '{}') || coalesce((select to_jsonb(o) from person o where o.party_id = t.id), '{}')"
            : image()
    }

    private func restoreChild(_ child: String, _ parent: String) -> String {
        if name == "party" {
            // A party's numbers or a person's names are columns of another table.
            let columns =
                child == "org"
                ? ["siren", "vat", "legal_id"] : ["civility", "first_name", "last_name", "language"]
            let sets = columns.map {
                "\($0) = case when u.before ? '\($0)' then u.before->>'\($0)' else o.\($0) end"
            }
            return """
                update \(child) o
                set \(sets.joined(separator: ", "))
                from undo_row u
                where o.party_id = u.id and u.entity = 'party' and u.action = 'restore' and u.reason is null
                """
        }
        let wanted =
            "u.entity = '\(name)' and u.action = 'restore' and u.reason is null and u.before ? '\(child)'"
        return """
            delete from \(child) c using undo_row u where c.\(parent) = u.id and \(wanted);
            insert into \(child)
            select r.*
            from undo_row u, jsonb_array_elements(case jsonb_typeof(u.before->'\(child)') when 'array' then u.before->'\(child)' else '[]' end) e,
              lateral jsonb_populate_record(null::\(child), e || jsonb_build_object('\(parent)', u.id)) r
            where \(wanted)
            """
    }

    /// Brings rows back that the undone undo had taken away.
    func reinsert(
        _ undo: Int, _ columns: [String], _ children: [(name: String, parent: String, columns: [String])]
    ) -> String {
        let wanted = "u.entity = '\(name)' and u.action = 'reinsert' and u.reason is null"
        let names = columns.joined(separator: ", ")
        // Links to documents that may be gone are worked out again.
        let links = name == "sales_doc" ? ["parent_id", "contract_id"] : []
        let values = columns.map { column in
            column == "version" ? "u.version + 1" : links.contains(column) ? "null" : "r.\(column)"
        }.joined(separator: ", ")
        let relinked = links.map { link in
            """
            update sales_doc t set \(link) = x.id
            from undo_row u, sales_doc x
            where t.id = u.id and x.id = (u.before->>'\(link)')::bigint and \(wanted)
            """
        }
        let rows = """
            insert into \(name) (\(names)) overriding system value
            select \(values)
            from undo_row u, lateral jsonb_populate_record(null::\(name), u.before) r
            where \(wanted);
            insert into run_change (run_id, entity, entity_id, op, before, version_after, restores)
            select \(undo), '\(name)', u.id, 'insert', u.key, coalesce(u.version, 0) + 1, u.restores
            from undo_row u
            where \(wanted)
            """
        let parts = children.map { child in
            """
            insert into \(child.name) (\(child.columns.joined(separator: ", ")))
            select \(child.columns.map { "r.\($0)" }.joined(separator: ", "))
            from undo_row u, jsonb_array_elements(coalesce(u.before->'\(child.name)', '[]')) e,
              lateral jsonb_populate_record(null::\(child.name), e) r
            where \(wanted)
            """
        }
        return ([rows] + parts + relinked).joined(separator: ";\n")
    }
}

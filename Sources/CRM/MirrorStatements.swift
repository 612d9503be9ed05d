// SPDX-License-Identifier: Apache-2.0
// The statements of a mirror: what is known of a batch, what of it differs, and how it is written.

internal import Model
internal import PostgreSQL

/// A row that a key names already.
struct KnownMirror: Sendable {
    let id: Int
    let hash: [UInt8]
    /// The file it was last read from.
    let artifact: Int?
}

/// The row of each key; one result a key, in their order.
///
/// `lateral` with `limit 1`, because a plain join hashes the whole table for every batch.
struct FindMirrors<Table: MirrorTable>: Statement {
    let source: Int
    let keys: [[Value]]

    static var sql: String {
        let names = Table.key.map(\.name)
        let arrays = Table.key.enumerated().map { "$\($0 + 2)::\($1.sqlType)[]" }.joined(separator: ", ")
        return """
            select m.id, m.hash, m.artifact_id
            from unnest(\(arrays)) with ordinality as k(\(names.joined(separator: ", ")), no)
            left join lateral (
              select m.id, m.artifact_id,
                case when m.version = m.hash_version then m.content_hash else '' end as hash
              from \(Table.name) m
              where m.source_id = $1::bigint and \(names.map { "m.\($0) = k.\($0)" }.joined(separator: " and "))
              limit 1
            ) m on true
            order by k.no
            """
    }
    var parameters: [Parameter] {
        let columns = Table.key.indices.map { number in
            if Table.key[number].type == .int {
                return Parameter(
                    keys.map { key in if case .integer(let number) = key[number] { number } else { 0 } })
            }
            return Parameter(keys.map { $0[number].description })
        }
        return [Parameter(source)] + columns
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> KnownMirror? {
        let id = try row.next(Int?.self)
        let hash = try row.next(Bytes?.self)
        let artifact = try row.next(Int?.self)
        guard let id, let hash else { return nil }
        return KnownMirror(id: id, hash: hash.array, artifact: artifact)
    }
}

/// What differs between a staged record and the row it names.
struct MirrorDifference: Sendable {
    /// The record's place in its batch.
    let index: Int
    /// Differing columns as they are and as they will be, as JSON objects.
    let before: JSONText
    let after: JSONText
}

/// Compares staged records with the rows they name, notes what differs beside them, and returns it.
///
/// A field that the record does not have leaves the column as it is; so do child rows, where it has none at all.
struct CompareMirrors<Table: MirrorTable>: Statement {
    static var sql: String {
        let pairs = Table.columns.map { column in
            "('\(column.name)', to_jsonb(t.\(column.name)), to_jsonb(n.\(column.name)))"
        }
        let children = Table.children.map { child in
            """
            select '\(child.name)' as name,
              (select jsonb_agg(to_jsonb(c) - '\(child.parent)' order by c.no) from \(child.name) c where c.\(child.parent) = t.id) as old,
              (select jsonb_agg(to_jsonb(c) - '\(child.parent)' order by c.no) from stage_\(child.name) c where c.\(child.parent) = t.id) as new
            """
        }
        let all = ["values \(pairs.joined(separator: ", "))"] + children
        return """
            update stage_\(Table.name) s
            set before = d.before, after = d.after
            from \(Table.name) t
            cross join lateral (
              select * from stage_\(Table.name) n where n.id = t.id
            ) n
            cross join lateral (
              select jsonb_object_agg(c.name, c.old) as before, jsonb_object_agg(c.name, c.new) as after
              from (
                \(all.joined(separator: " union all "))
              ) as c(name, old, new)
              where (c.new is not null or c.name = any(n.cleared)) and c.old is distinct from c.new
            ) d
            where t.id = s.id and d.before is not null
            returning s.batch_index, d.before, d.after
            """
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> MirrorDifference {
        MirrorDifference(index: try row.next(), before: try row.next(), after: try row.next())
    }
}

/// Writes the staged records that differ; what was there before goes to `run_change`.
struct UpdateMirrors<Table: MirrorTable>: Statement {
    let context: ImportContext
    /// The records that may be written, by their place in the batch.
    let indices: [Int]

    static var sql: String {
        let sets = Table.columns.map { column in
            if let other = column.partOf {
                return
                    "\(column.name) = case when s.\(other) <> t.\(other) then s.\(column.name) else coalesce(s.\(column.name), t.\(column.name)) end"
            }
            return
                "\(column.name) = case when '\(column.name)' = any(s.cleared) then null else coalesce(s.\(column.name), t.\(column.name)) end"
        }
        return """
            with old as (
              select s.id, s.before || jsonb_build_object(
                'content_hash', case when t.version = t.hash_version then t.content_hash else '' end,
                'artifact_id', t.artifact_id, 'ordinal', t.ordinal, 'line', t.line) as before
              from stage_\(Table.name) s
              join \(Table.name) t on t.id = s.id
              where s.batch_index = any($1::bigint[])
            ), changed as (
              update \(Table.name) t
              set \(sets.joined(separator: ", ")),
                content_hash = s.content_hash, artifact_id = $2::bigint, ordinal = s.ordinal, line = s.line,
                version = t.version + 1, hash_version = t.version + 1
              from stage_\(Table.name) s
              where t.id = s.id and s.batch_index = any($1::bigint[])
              returning t.id, t.version
            )
            insert into run_change (run_id, entity, entity_id, op, before, version_after)
            select $3::bigint, '\(Table.name)', old.id, 'update', old.before, changed.version
            from old
            join changed using (id)
            """
    }
    var parameters: [Parameter] { [Parameter(indices), Parameter(context.artifact), Parameter(context.run)] }
}

extension MirrorTable {
    /// The statements of this mirror, for the test that PREPAREs them.
    static var statements: [any Statement.Type] {
        [FindMirrors<Self>.self, CompareMirrors<Self>.self, UpdateMirrors<Self>.self]
    }

    /// Adds to staged rows those that are known and not among them, so that they stay or are closed; nil where they go.
    ///
    /// A record without any row says nothing about them.
    static func retention(of child: MirrorChild, _ policy: ChildPolicy) -> String? {
        guard policy.missing != .delete, let key = child.columns.first(where: { $0.field == policy.key })
        else {
            return nil
        }
        let columns = child.columns.map(\.name)
        let values = columns.map { name in
            policy.missing == .close && name == "closed_on"
                ? "coalesce(l.closed_on, current_date)" : "l.\(name)"
        }
        return """
            insert into stage_\(child.name) (\(child.parent), no, \(columns.joined(separator: ", ")))
            select l.\(child.parent), m.last + row_number() over (partition by l.\(child.parent) order by l.no),
              \(values.joined(separator: ", "))
            from stage_\(name) s
            join \(child.name) l on l.\(child.parent) = s.id
            cross join lateral (
              select max(x.no) as last from stage_\(child.name) x where x.\(child.parent) = s.id
            ) m
            where m.last > 0 and l.\(key.name) is not null and not exists (
              select from stage_\(child.name) x where x.\(child.parent) = s.id and x.\(key.name) = l.\(key.name)
            )
            """
    }

    /// Gives staged rows the numbers of what has been made meanwhile; their hash then tells nothing.
    static var renumbering: [String] {
        columns.filter { $0.type == .int && !$0.isInt4 }.map { column in
            """
            update stage_\(name) s set \(column.name) = n.real, content_hash = ''
            from unnest($1::bigint[], $2::bigint[]) as n(provisional, real)
            where s.\(column.name) = n.provisional
            """
        }
    }

    /// Takes away the child rows of changed records, and puts the staged ones in their place.
    static func replacements(of child: MirrorChild) -> [String] {
        let wanted = """
            select id from stage_\(name) where before ? '\(child.name)' and batch_index = any($1::bigint[])
            """
        let columns = ([child.parent, "no"] + child.columns.map(\.name)).joined(separator: ", ")
        return [
            "delete from \(child.name) where \(child.parent) in (\(wanted))",
            """
            insert into \(child.name) (\(columns))
            select \(columns) from stage_\(child.name) where \(child.parent) in (\(wanted))
            """,
        ]
    }

    /// Makes the temporary tables that records are compared in; they are empty in every transaction.
    static var stageScript: String {
        let own = """
            create temp table if not exists stage_\(name) (like \(name) including defaults, batch_index bigint, cleared text[], before jsonb, after jsonb)
              on commit delete rows;
            create index if not exists stage_\(name)_id on stage_\(name) (id);
            """
        let rows = children.map { child in
            """
            create temp table if not exists stage_\(child.name) (like \(child.name)) on commit delete rows;
            create index if not exists stage_\(child.name)_parent on stage_\(child.name) (\(child.parent));
            """
        }
        return ([own] + rows).joined(separator: "\n")
    }
}

// SPDX-License-Identifier: Apache-2.0
// The systems that data comes from, and how much each is believed.

package import Model
package import PostgreSQL

/// A system that data comes from, or people.
package struct SourceSystem: Sendable {
    /// Number of the row.
    package let id: Int
    /// What flows call it.
    package let code: String
    /// `erp`, `crm`, `person`, `directory`.
    package let kind: String
    /// 0 to 100; of two values, that of the higher one is kept.
    package let trust: Int
    /// When a run of it began last; nil where none did.
    package let lastRunAt: Timestamp?
    /// Roughly how many values it gave, by the statistics of the database; nil where these know nothing of it.
    package let claims: Int?
}

/// Keeps the systems that data comes from.
package enum SourceSystems {
    /// All of them, the most believed first.
    package static func list(on connection: Connection) async throws(PostgreSQLError) -> [SourceSystem] {
        try await connection.run(ListSources())
    }

    static let statements: [any Statement.Type] = [ListSources.self]
}

/// The counts are those of the last `analyze`: nothing is scanned for a page.
struct ListSources: Statement {
    static let sql = """
        with estimate as (
          select v.value::int as source_id, (c.reltuples * v.share)::bigint as claims
          from pg_class c
          join pg_stats s on s.schemaname = 'public' and s.tablename = c.relname and s.attname = 'source_id'
          cross join lateral unnest(s.most_common_vals::text::text[], s.most_common_freqs) as v(value, share)
          where c.oid = 'field_claim'::regclass and c.reltuples > 0
        )
        select s.id::bigint, s.code, s.kind, s.trust::bigint,
          (select r.started_at from run r where r.source_id = s.id order by r.id desc limit 1), e.claims
        from source_system s
        left join estimate e on e.source_id = s.id
        order by s.trust desc, s.code
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> SourceSystem {
        SourceSystem(
            id: try row.next(), code: try row.next(), kind: try row.next(), trust: try row.next(),
            lastRunAt: try row.next(), claims: try row.next())
    }
}

// SPDX-License-Identifier: Apache-2.0
// The texts that mappings had: who saved them and when, what read which file last.

package import Model
package import PostgreSQL

/// A text that a mapping had.
package struct MappingVersion: Sendable {
    /// Number of the row.
    package let id: Int
    /// Name of the mapping.
    package let name: String
    /// The version that it says.
    package let version: Int
    /// When Relais first saw it.
    package let madeAt: Timestamp
    /// Who saved it in the console; nil where it came in by a file.
    package let author: String?
    /// The text; empty in lists.
    package let text: String
}

/// When a mapping last read a file.
package struct MappingUse: Sendable {
    /// Name of the mapping.
    package let name: String
    /// When the file came.
    package let at: Timestamp
    /// Name of the file.
    package let file: String
}

extension MappingStore {
    /// The versions of a mapping, the latest first, behind `before`, at most `limit`.
    package static func versions(
        of name: String, before: Int? = nil, limit: Int = 20, on connection: Connection
    ) async throws(PostgreSQLError) -> [MappingVersion] {
        try await connection.run(ListMappingVersions(name: name, id: nil, before: before, limit: limit))
    }

    /// One version of a mapping with its text; nil where it has none with this number.
    package static func version(
        _ id: Int, of name: String, on connection: Connection
    ) async throws(PostgreSQLError) -> MappingVersion? {
        try await connection.run(ListMappingVersions(name: name, id: id, before: nil, limit: 1)).first
    }

    /// When each mapping last read a file.
    package static func lastUses(on connection: Connection) async throws(PostgreSQLError) -> [MappingUse] {
        try await connection.run(LastMappingUses())
    }

    static let statements: [any Statement.Type] = [
        ListMappingVersions.self, LastMappingVersion.self, LastMappingUses.self, LockMapping.self,
        SampleFile.self, SampleRecord.self,
    ]
}

struct ListMappingVersions: Statement {
    let name: String
    let id: Int?
    let before: Int?
    let limit: Int

    static let sql = """
        select m.id, m.name, m.version::bigint, coalesce(a.at, m.created_at), u.name,
          case when $2::bigint is null then '' else m.text end
        from mapping_version m
        left join lateral (
          select at, user_id from audit
          where entity = 'mapping' and entity_id = m.id and action = 'mapping.saved'
          order by at desc
          limit 1
        ) a on true
        left join app_user u on u.id = a.user_id
        where m.name = $1 and ($2 is null or m.id = $2) and ($3::bigint is null or m.id < $3)
        order by m.id desc
        limit $4::bigint
        """
    var parameters: [Parameter] {
        [Parameter(name), Parameter(id), Parameter(before), Parameter(limit)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> MappingVersion {
        MappingVersion(
            id: try row.next(), name: try row.next(), version: try row.next(), madeAt: try row.next(),
            author: try row.next(), text: try row.next())
    }
}

struct LastMappingVersion: Statement {
    let name: String

    static let sql = "select max(version)::bigint from mapping_version where name = $1"
    var parameters: [Parameter] { [Parameter(name)] }
    typealias Row = Int?
}

struct LastMappingUses: Statement {
    static let sql = """
        select distinct on (m.name) m.name, a.received_at, a.name
        from mapping_version m
        join lateral (
          select received_at, name from artifact where mapping_version_id = m.id order by id desc limit 1
        ) a on true
        order by m.name, a.received_at desc
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> MappingUse {
        MappingUse(name: try row.next(), at: try row.next(), file: try row.next())
    }
}

/// Held until the transaction ends; 29308 follows the locks of flows, uploads and users.
struct LockMapping: Statement {
    let name: String

    static let sql = "select pg_advisory_xact_lock(29308, hashtext($1)) is null"
    var parameters: [Parameter] { [Parameter(name)] }
    typealias Row = Bool
}

// SPDX-License-Identifier: Apache-2.0
// Who saw or did what.

package import Model
package import PostgreSQL

/// Something that somebody did.
package struct AuditEntry: Sendable {
    /// Number of the row; newest first.
    package let id: Int
    /// When.
    package let at: Timestamp
    /// Who; nil where nobody was signed in.
    package let user: String?
    /// What, as a key of the message catalogue behind `audit.`.
    package let action: String
    /// What it was done to.
    package let entity: String?
    /// Its number.
    package let entityID: Int?
}

/// The log of what people saw and did: ids and codes, never values.
package enum Audit {
    /// Writes an entry.
    package static func write(
        _ action: String, by user: Int?, of entity: String? = nil, _ id: Int? = nil,
        facts: [String: String] = [:], on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(
            WriteAudit(user: user, action: action, entity: entity, id: id, facts: JSONText(facts: facts)))
    }

    /// Entries behind one, newest first.
    package static func list(
        before: TimelineCursor? = nil, limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [AuditEntry] {
        try await connection.run(ListAudit(before: before, limit: limit))
    }

    static let statements: [any Statement.Type] = [WriteAudit.self, ListAudit.self]
}

struct WriteAudit: Statement {
    let user: Int?
    let action: String
    let entity: String?
    let id: Int?
    let facts: JSONText

    static let sql = """
        insert into audit (user_id, action, entity, entity_id, facts)
        values ($1::bigint, $2, $3, $4::bigint, $5::jsonb)
        """
    var parameters: [Parameter] {
        [Parameter(user), Parameter(action), Parameter(entity), Parameter(id), Parameter(facts)]
    }
}

struct ListAudit: Statement {
    let before: TimelineCursor?
    let limit: Int

    static let sql = """
        select a.id, a.at, u.name, a.action, a.entity, a.entity_id
        from audit a
        left join app_user u on u.id = a.user_id
        where $1::timestamptz is null or (a.at, a.id) < ($1, $2::bigint)
        order by a.at desc, a.id desc
        limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(before?.at), Parameter(before?.id), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AuditEntry {
        AuditEntry(
            id: try row.next(), at: try row.next(), user: try row.next(), action: try row.next(),
            entity: try row.next(), entityID: try row.next())
    }
}

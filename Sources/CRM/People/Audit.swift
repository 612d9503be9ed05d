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
    /// What it is called, where that is nobody's secret: flows, users and sources.
    package let label: String?
    /// Names and codes that the action was about.
    package let facts: JSONText
}

/// Which entries are meant; everything that is said must be true of them.
package struct AuditFilter: Sendable, Hashable {
    /// Number of who did it.
    package var user: Int?
    /// What was done.
    package var action: String?
    /// What kind of thing it was done to.
    package var entity: String?
    /// The number of that thing.
    package var entityID: Int?
    /// The first day.
    package var from: CalendarDate?
    /// The last day.
    package var to: CalendarDate?
    /// The zone whose days these are.
    package var zone: String

    /// All entries.
    package init(zone: String) {
        self.zone = zone
    }
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
        _ filter: AuditFilter, before: TimelineCursor? = nil, limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [AuditEntry] {
        // Each has an index that gives the order too.
        if filter.entity != nil, filter.entityID != nil {
            return try await connection.run(AuditOfObject(filter: filter, before: before, limit: limit))
        }
        if filter.user != nil {
            return try await connection.run(AuditOfUser(filter: filter, before: before, limit: limit))
        }
        if filter.action != nil {
            return try await connection.run(AuditOfAction(filter: filter, before: before, limit: limit))
        }
        if filter.entity != nil {
            return try await connection.run(AuditOfKind(filter: filter, before: before, limit: limit))
        }
        return try await connection.run(AuditOfAll(filter: filter, before: before, limit: limit))
    }

    /// A piece of the entries as CSV with semicolons, newest first, at most a thousand.
    ///
    /// - Parameters:
    ///   - before: where the piece before ended; nil for the first.
    ///   - words: what each action is called.
    ///   - dates: how PostgreSQL is to write moments.
    /// - Returns: the bytes and where they end; nil behind the last piece.
    package static func exportPiece(
        _ filter: AuditFilter, before: TimelineCursor?, words: [String: String], dates: String,
        on connection: Connection
    ) async throws -> (bytes: [UInt8], last: TimelineCursor)? {
        let entries = try await list(filter, before: before, limit: 1000, on: connection)
        guard let newest = entries.first, let last = entries.last else { return nil }
        func quoted(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
        // To the microsecond, which no text of ours has.
        func place(_ entry: AuditEntry) -> String {
            "('epoch'::timestamptz + \(entry.at.microsecondsSince1970) * interval '1 microsecond', \(entry.id))"
        }
        let named = words.sorted { $0.key < $1.key }.map { "(\(quoted($0.key)), \(quoted($0.value)))" }
        let equal = [
            filter.user.map { "a.user_id = \($0)" }, filter.action.map { "a.action = \(quoted($0))" },
            filter.entity.map { "a.entity = \(quoted($0))" }, filter.entityID.map { "a.entity_id = \($0)" },
        ].compactMap(\.self).map { "and \($0)" }.joined(separator: " ")
        let sql = """
            copy (
              select to_char(a.at at time zone \(quoted(filter.zone)), \(quoted(dates))), \(spreadsheetText("u.name")),
                coalesce(w.name, a.action), a.entity, a.entity_id, nullif(a.facts::text, '{}')
              from audit a
              left join app_user u on u.id = a.user_id
              left join (values \(named.joined(separator: ", "))) w(code, name) on w.code = a.action
              where (a.at, a.id) between \(place(last)) and \(place(newest)) \(equal)
              order by a.at desc, a.id desc
            ) to stdout (format csv, delimiter ';')
            """
        var bytes: [UInt8] = []
        try await connection.copyOut(sql) { bytes += $0 }
        return (bytes, TimelineCursor(at: last.at, id: last.id))
    }

    static let statements: [any Statement.Type] = [
        WriteAudit.self, AuditOfObject.self, AuditOfUser.self, AuditOfAction.self, AuditOfKind.self,
        AuditOfAll.self,
    ]
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

// MARK: - Lists

/// A list of entries; one type for each index that may lead, since a plan is made once for all values.
protocol AuditList: Statement where Row == AuditEntry {
    /// What is always asked for.
    static var leading: String { get }
    var filter: AuditFilter { get }
    var before: TimelineCursor? { get }
    var limit: Int { get }
}

extension AuditList {
    static var sql: String {
        """
        select a.id, a.at, u.name, a.action, a.entity, a.entity_id,
          case a.entity
            when 'flow' then (select f.name from flow f where f.id = a.entity_id)
            when 'user' then (select o.name from app_user o where o.id = a.entity_id)
            when 'source' then coalesce(
              (select coalesce(s.name, s.code) from source_system s where s.id = a.entity_id), a.facts->>'name')
          end, a.facts
        from audit a
        left join app_user u on u.id = a.user_id
        where \(leading)
          and ($1::bigint is null or a.user_id = $1) and ($2::text is null or a.action = $2)
          and ($3::text is null or a.entity = $3) and ($4::bigint is null or a.entity_id = $4)
          and a.at >= coalesce($5::date::timestamp at time zone $7, '-infinity')
          and a.at < coalesce(($6::date + 1)::timestamp at time zone $7, 'infinity')
          and (a.at, a.id) < (coalesce($8::timestamptz, 'infinity'), coalesce($9::bigint, 0))
        order by a.at desc, a.id desc
        limit $10::bigint
        """
    }

    var parameters: [Parameter] {
        [
            Parameter(filter.user), Parameter(filter.action), Parameter(filter.entity),
            Parameter(filter.entityID), Parameter(filter.from), Parameter(filter.to),
            Parameter(filter.zone), Parameter(before?.at), Parameter(before?.id), Parameter(limit),
        ]
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> AuditEntry {
        AuditEntry(
            id: try row.next(), at: try row.next(), user: try row.next(), action: try row.next(),
            entity: try row.next(), entityID: try row.next(), label: try row.next(), facts: try row.next())
    }
}

struct AuditOfObject: AuditList {
    static let leading = "a.entity = $3 and a.entity_id = $4::bigint"
    let filter: AuditFilter
    let before: TimelineCursor?
    let limit: Int
}

struct AuditOfUser: AuditList {
    static let leading = "a.user_id = $1::bigint"
    let filter: AuditFilter
    let before: TimelineCursor?
    let limit: Int
}

struct AuditOfAction: AuditList {
    static let leading = "a.action = $2"
    let filter: AuditFilter
    let before: TimelineCursor?
    let limit: Int
}

struct AuditOfKind: AuditList {
    static let leading = "a.entity = $3"
    let filter: AuditFilter
    let before: TimelineCursor?
    let limit: Int
}

struct AuditOfAll: AuditList {
    static let leading = "true"
    let filter: AuditFilter
    let before: TimelineCursor?
    let limit: Int
}

// SPDX-License-Identifier: Apache-2.0
// Records that wait for a person: listed, grouped, corrected, closed.

internal import Diagnostics
package import Mapping
package import PostgreSQL

/// A record that could not be applied.
package struct QuarantinedRecord: Sendable {
    /// Number of the row.
    package let id: Int
    /// Number of the run that read it.
    package let run: Int
    /// Name of the file.
    package let file: String
    /// One-based number in the file; 0 for the whole file.
    package let ordinal: Int
    /// One-based line of the file.
    package let line: Int?
    /// `parse`, `map`, `validate`, `match` or `write`.
    package let stage: String
    /// JSON name of the field at fault.
    package let field: String?
    /// Stable code of the reason.
    package let code: String
    /// The value found, at most 200 characters.
    package let value: String?
    /// Facts for the message of the code.
    package let facts: JSONText
    /// `open`, `fixed`, `replayed` or `ignored`.
    package let status: String
    /// Values that a person gave, as a JSON object of texts.
    package let overrides: JSONText
    /// Why it was ignored.
    package let why: String?
    /// The run that applied it.
    package let replayRun: Int?
    /// The case that a person has to decide.
    package let matchCase: Int?
    /// `name@version` of the mapping that read it.
    package let mapping: String?
}

/// Records that wait for the same reason.
package struct QuarantineGroup: Sendable {
    /// Stable code of the reason.
    package let code: String
    /// JSON name of the field at fault.
    package let field: String?
    /// Number of records.
    package let count: Int
    /// Of these, those that a person has corrected.
    package let fixed: Int
}

/// Which quarantined records are meant.
package struct QuarantineFilter: Sendable {
    /// These records.
    package var ids: [Int]?
    /// Those of a run.
    package var run: Int?
    /// Those with a reason.
    package var code: String?
    /// Closed ones too.
    package var withClosed = false

    /// Records that satisfy everything given.
    package init(ids: [Int]? = nil, run: Int? = nil, code: String? = nil, withClosed: Bool = false) {
        self.ids = ids
        self.run = run
        self.code = code
        self.withClosed = withClosed
    }

    var parameters: [Parameter] {
        [Parameter(ids), Parameter(run), Parameter(code), Parameter(withClosed)]
    }

    static let sql = """
        ($1::bigint[] is null or q.id = any($1)) and ($2::bigint is null or q.run_id = $2)
          and ($3::text is null or q.code = $3) and ($4::boolean or q.status in ('open', 'fixed'))
        """
}

/// The quarantine.
package enum Quarantine {
    /// Records, the oldest first, behind `after`, at most `limit`.
    package static func list(
        _ filter: QuarantineFilter, after: Int = 0, limit: Int = 100, on connection: Connection
    ) async throws(PostgreSQLError) -> [QuarantinedRecord] {
        try await connection.run(ListQuarantine(filter: filter, after: after, limit: limit))
    }

    /// What waits, by reason and field, the most frequent first.
    package static func groups(
        _ filter: QuarantineFilter = QuarantineFilter(), on connection: Connection
    ) async throws(PostgreSQLError) -> [QuarantineGroup] {
        try await connection.run(GroupQuarantine(filter: filter))
    }

    /// A record's own bytes; nil where they are only kept with its file.
    package static func raw(_ id: Int, on connection: Connection) async throws(PostgreSQLError) -> [UInt8]? {
        try await connection.run(RawQuarantine(id: id)).first??.array
    }

    /// Gives fields of waiting records new values, beside the raw record, which stays.
    ///
    /// - Returns: number of records.
    /// - Throws: `OVERRIDE-FIELD` and `OVERRIDE-VALUE`, before anything is written.
    package static func correct(
        _ filter: QuarantineFilter, _ fields: [String: String], _ library: MappingLibrary,
        on connection: Connection
    ) async throws -> Int {
        for name in try await connection.run(MappingsInQuarantine(filter: filter)) {
            guard let target = try? library.mapping(name).target else { continue }
            var overrides = RecordOverrides()
            try overrides.replace(fields, of: RecordPlace(ordinal: 1, bytes: nil), in: target)
        }
        return try await connection.execute(
            CorrectQuarantine(filter: filter, fields: JSONText(facts: fields)))
    }

    /// Takes the values back that were given to waiting records.
    ///
    /// - Returns: number of records.
    package static func reset(
        _ filter: QuarantineFilter, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        try await connection.execute(ResetQuarantine(filter: filter))
    }

    /// Closes waiting records without applying them.
    ///
    /// - Returns: number of records.
    package static func ignore(
        _ filter: QuarantineFilter, why: String, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        try await connection.execute(IgnoreQuarantine(filter: filter, why: why))
    }
}

struct ListQuarantine: Statement {
    let filter: QuarantineFilter
    let after: Int
    let limit: Int

    static let sql = """
        select q.id, q.run_id, a.name, q.ordinal, q.line, q.stage, q.field, q.code, q.value, q.facts, q.status,
          q.overrides, q.why, q.replay_run_id, q.match_case_id, m.name || '@' || m.version
        from quarantine q
        join artifact a on a.id = q.artifact_id
        left join mapping_version m on m.id = q.mapping_version_id
        where \(QuarantineFilter.sql) and q.id > $5::bigint
        order by q.id
        limit $6::bigint
        """
    var parameters: [Parameter] { filter.parameters + [Parameter(after), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QuarantinedRecord {
        QuarantinedRecord(
            id: try row.next(), run: try row.next(), file: try row.next(), ordinal: try row.next(),
            line: try row.next(), stage: try row.next(), field: try row.next(), code: try row.next(),
            value: try row.next(), facts: try row.next(), status: try row.next(),
            overrides: try row.next(), why: try row.next(), replayRun: try row.next(),
            matchCase: try row.next(), mapping: try row.next())
    }
}

struct GroupQuarantine: Statement {
    let filter: QuarantineFilter

    static let sql = """
        select q.code, q.field, count(*), count(*) filter (where q.status = 'fixed')
        from quarantine q
        where \(QuarantineFilter.sql)
        group by 1, 2
        order by 3 desc, 1, 2
        limit 100
        """
    var parameters: [Parameter] { filter.parameters }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QuarantineGroup {
        QuarantineGroup(
            code: try row.next(), field: try row.next(), count: try row.next(), fixed: try row.next())
    }
}

struct RawQuarantine: Statement {
    let id: Int

    static let sql = "select raw from quarantine where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(id)] }
    typealias Row = Bytes?
}

struct MappingsInQuarantine: Statement {
    let filter: QuarantineFilter

    static let sql = """
        select distinct m.name
        from quarantine q
        join mapping_version m on m.id = q.mapping_version_id
        where \(QuarantineFilter.sql)
        """
    var parameters: [Parameter] { filter.parameters }
    typealias Row = String
}

struct CorrectQuarantine: Statement {
    let filter: QuarantineFilter
    let fields: JSONText

    static let sql = """
        update quarantine q set overrides = q.overrides || $5::jsonb, status = 'fixed'
        where \(QuarantineFilter.sql) and q.status in ('open', 'fixed') and q.ordinal > 0
        """
    var parameters: [Parameter] { filter.parameters + [Parameter(fields)] }
}

struct ResetQuarantine: Statement {
    let filter: QuarantineFilter

    static let sql = """
        update quarantine q set overrides = '{}', status = 'open'
        where \(QuarantineFilter.sql) and q.status in ('open', 'fixed') and q.overrides <> '{}'
        """
    var parameters: [Parameter] { filter.parameters }
}

struct IgnoreQuarantine: Statement {
    let filter: QuarantineFilter
    let why: String

    static let sql = """
        update quarantine q set status = 'ignored', why = $5::text, closed_at = now()
        where \(QuarantineFilter.sql) and q.status in ('open', 'fixed')
        """
    var parameters: [Parameter] { filter.parameters + [Parameter(why)] }
}

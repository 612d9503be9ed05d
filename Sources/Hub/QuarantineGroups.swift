// SPDX-License-Identifier: Apache-2.0
// The quarantine as people mend it: by cause, with the values that are wrong and one record to look at.

package import Model
package import PostgreSQL

/// Records that wait for one reason, with what is needed to mend them together.
package struct QuarantineCause: Sendable {
    /// A value that some of them have.
    package struct Value: Sendable {
        /// As found, at most 200 characters; nil = none.
        package let text: String?
        /// Number of records.
        package let count: Int
        /// When the first of them came.
        package let since: Timestamp
    }

    /// One of the records.
    package struct Sample: Sendable {
        /// Number of the row.
        package let id: Int
        /// Name of the file.
        package let file: String
        /// One-based line of the file.
        package let line: Int?
        /// The beginning of its bytes, at most 4,000; nil where they are only kept with the file.
        package let raw: [UInt8]?
        /// Facts for the message of the code.
        package let facts: JSONText
    }

    /// Stable code of the reason.
    package let code: String
    /// JSON name of the field at fault.
    package let field: String?
    /// Number of records.
    package let count: Int
    /// Of these, those that a person has corrected.
    package let fixed: Int
    /// When the oldest came.
    package let oldest: Timestamp
    /// `parse`, `map`, `validate`, `match` or `write`.
    package let stage: String
    /// Flows that brought them, at most three names.
    package let flows: [String]
    /// `name@version` of the mappings that read them, at most three.
    package let mappings: [String]
    /// Whether each is one record of a file, which corrections can reach; a refused file is not.
    package let isOfRecords: Bool
}

/// Of which flow or run records are meant.
package struct CauseScope: Sendable {
    /// Name of the flow; nil = any, and none.
    package var flow: String?
    /// Number of the run; nil = any.
    package var run: Int?

    /// A scope.
    package init(flow: String? = nil, run: Int? = nil) {
        (self.flow, self.run) = (flow, run)
    }

    /// `q` is the quarantine; the flow and the run are these two parameters.
    static func sql(_ flow: Int, _ run: Int) -> String {
        """
        ($\(flow)::text is null or exists (
            select from run r join flow f on f.id = r.flow_id where r.id = q.run_id and f.name = $\(flow)))
          and ($\(run)::bigint is null or q.run_id = $\(run))
        """
    }

    var parameters: [Parameter] { [Parameter(flow), Parameter(run)] }
}

extension Quarantine {
    /// Records that wait for a person, of all causes.
    package static func waiting(on connection: Connection) async throws(PostgreSQLError) -> Int {
        try await connection.run(CountWaiting()).first ?? 0
    }

    /// How many records have which status, and how many were replayed in the last thirty days.
    package static func counts(on connection: Connection) async throws(PostgreSQLError) -> [String: Int] {
        Dictionary(
            try await connection.run(CountQuarantine()).map { ($0.status, $0.count) },
            uniquingKeysWith: { $1 })
    }

    /// What waits by cause, the largest first, at most a hundred causes.
    package static func causes(
        _ scope: CauseScope = CauseScope(), on connection: Connection
    ) async throws(PostgreSQLError) -> [QuarantineCause] {
        try await connection.run(ListCauses(scope: scope))
    }

    /// The values that the records of a cause have, the most frequent first, at most `limit`.
    package static func values(
        of code: String, _ field: String?, _ scope: CauseScope = CauseScope(), limit: Int = 20,
        on connection: Connection
    ) async throws(PostgreSQLError) -> [QuarantineCause.Value] {
        try await connection.run(ListCauseValues(code: code, field: field, scope: scope, limit: limit))
    }

    /// One record of a cause, the oldest.
    package static func sample(
        of code: String, _ field: String?, _ scope: CauseScope = CauseScope(), on connection: Connection
    ) async throws(PostgreSQLError) -> QuarantineCause.Sample? {
        try await connection.run(SampleCause(code: code, field: field, scope: scope)).first
    }

    /// The records of a cause, or those of them with a value (nil = without one), at most ten thousand.
    package static func ids(
        of code: String, _ field: String?, value: String?? = .none, _ scope: CauseScope = CauseScope(),
        on connection: Connection
    ) async throws(PostgreSQLError) -> [Int] {
        try await connection.run(
            CauseRecords(
                code: code, field: field, isOfValue: value != nil, value: value ?? nil, scope: scope))
    }

    /// The records that wait for a decision on a description.
    package static func ids(ofCase id: Int, on connection: Connection) async throws(PostgreSQLError) -> [Int]
    {
        try await connection.run(CaseRecords(id: id))
    }

    static let causeStatements: [any Statement.Type] = [
        CountWaiting.self, CountQuarantine.self, ListCauses.self, ListCauseValues.self, SampleCause.self,
        CauseRecords.self, CaseRecords.self, ListCauseLines.self,
    ]
}

struct CountWaiting: Statement {
    static let sql = "select count(*) from quarantine where status in ('open', 'fixed')"
    typealias Row = Int
}

struct CountQuarantine: Statement {
    static let sql = """
        select status, count(*) from quarantine
        where status in ('open', 'fixed') or closed_at > now() - interval '30 days'
        group by status
        """
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> (status: String, count: Int) {
        (status: try row.next(), count: try row.next())
    }
}

struct ListCauses: Statement {
    let scope: CauseScope

    static let sql = """
        select q.code, q.field, count(*), count(*) filter (where q.status = 'fixed'), min(q.created_at),
          min(q.stage),
          (array_agg(distinct f.name) filter (where f.name is not null))[1:3]::text[],
          (array_agg(distinct m.name || '@' || m.version) filter (where m.name is not null))[1:3]::text[],
          bool_and(q.ordinal > 0)
        from quarantine q
        join run r on r.id = q.run_id
        left join flow f on f.id = r.flow_id
        left join mapping_version m on m.id = q.mapping_version_id
        where q.status in ('open', 'fixed') and ($1::text is null or f.name = $1)
          and ($2::bigint is null or q.run_id = $2)
        group by 1, 2
        order by 3 desc, 1, 2
        limit 100
        """
    var parameters: [Parameter] { scope.parameters }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QuarantineCause {
        QuarantineCause(
            code: try row.next(), field: try row.next(), count: try row.next(), fixed: try row.next(),
            oldest: try row.next(), stage: try row.next(), flows: try row.next([String]?.self) ?? [],
            mappings: try row.next([String]?.self) ?? [], isOfRecords: try row.next())
    }
}

struct ListCauseValues: Statement {
    let code: String
    let field: String?
    let scope: CauseScope
    let limit: Int

    static let sql = """
        select value, count(*), min(created_at)
        from quarantine q
        where code = $1 and field is not distinct from $2 and status in ('open', 'fixed')
          and \(CauseScope.sql(4, 5))
        group by value
        order by 2 desc, 1
        limit $3::bigint
        """
    var parameters: [Parameter] {
        [Parameter(code), Parameter(field), Parameter(limit)] + scope.parameters
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QuarantineCause.Value {
        QuarantineCause.Value(text: try row.next(), count: try row.next(), since: try row.next())
    }
}

struct SampleCause: Statement {
    let code: String
    let field: String?
    let scope: CauseScope

    static let sql = """
        select q.id, a.name, q.line, substr(q.raw, 1, 4000), q.facts
        from quarantine q
        join artifact a on a.id = q.artifact_id
        where q.code = $1 and q.field is not distinct from $2 and q.status in ('open', 'fixed')
          and \(CauseScope.sql(3, 4))
        order by q.id
        limit 1
        """
    var parameters: [Parameter] { [Parameter(code), Parameter(field)] + scope.parameters }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QuarantineCause.Sample {
        QuarantineCause.Sample(
            id: try row.next(), file: try row.next(), line: try row.next(),
            raw: try row.next(Bytes?.self)?.array, facts: try row.next())
    }
}

struct CauseRecords: Statement {
    let code: String
    let field: String?
    let isOfValue: Bool
    let value: String?
    let scope: CauseScope

    static let sql = """
        select id from quarantine q
        where code = $1 and field is not distinct from $2 and status in ('open', 'fixed')
          and (not $3::boolean or value is not distinct from $4) and \(CauseScope.sql(5, 6))
        order by id
        limit 10000
        """
    var parameters: [Parameter] {
        [Parameter(code), Parameter(field), Parameter(isOfValue), Parameter(value)] + scope.parameters
    }
    typealias Row = Int
}

struct CaseRecords: Statement {
    let id: Int

    static let sql = """
        select id from quarantine
        where match_case_id = $1::bigint and status in ('open', 'fixed')
        order by id
        limit 10000
        """
    var parameters: [Parameter] { [Parameter(id)] }
    typealias Row = Int
}

// SPDX-License-Identifier: Apache-2.0
// The records of one cause, one by one, each with its bytes.

package import Model
package import PostgreSQL

/// A record of a cause.
package struct QuarantinedLine: Sendable {
    /// Number of the row.
    package let id: Int
    /// Name of the file.
    package let file: String
    /// One-based line of the file.
    package let line: Int?
    /// The value at fault, at most 200 characters.
    package let value: String?
    /// Facts for the message of the code.
    package let facts: JSONText
    /// The beginning of its bytes, at most 4,000; nil where they are only kept with the file.
    package let raw: [UInt8]?
    /// What a person gave the field, where it was not applied yet.
    package let given: String?
    /// When it came.
    package let since: Timestamp
}

extension Quarantine {
    /// The records of a cause, the oldest first, behind `after`, at most `limit`.
    package static func lines(
        of code: String, _ field: String?, _ scope: CauseScope = CauseScope(), after: Int = 0,
        limit: Int = 50, on connection: Connection
    ) async throws(PostgreSQLError) -> [QuarantinedLine] {
        try await connection.run(
            ListCauseLines(code: code, field: field, scope: scope, after: after, limit: limit))
    }
}

struct ListCauseLines: Statement {
    let code: String
    let field: String?
    let scope: CauseScope
    let after: Int
    let limit: Int

    static let sql = """
        select q.id, a.name, q.line, q.value, q.facts, substr(q.raw, 1, 4000), q.overrides ->> q.field,
          q.created_at
        from quarantine q
        join artifact a on a.id = q.artifact_id
        where q.code = $1 and q.field is not distinct from $2 and q.status in ('open', 'fixed')
          and q.id > $3::bigint and \(CauseScope.sql(5, 6))
        order by q.id
        limit $4::bigint
        """
    var parameters: [Parameter] {
        [Parameter(code), Parameter(field), Parameter(after), Parameter(limit)] + scope.parameters
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> QuarantinedLine {
        QuarantinedLine(
            id: try row.next(), file: try row.next(), line: try row.next(), value: try row.next(),
            facts: try row.next(), raw: try row.next(Bytes?.self)?.array, given: try row.next(),
            since: try row.next())
    }
}

// SPDX-License-Identifier: Apache-2.0
// Requests that programs may send twice: the second one gets the answer of the first, and changes nothing.

package import PostgreSQL

/// The key under which a program sends a request, and what the request is.
package struct RequestKey: Sendable {
    /// Number of the user whose token was shown.
    package let user: Int
    /// What the program calls the request, 1 to 255 characters.
    package let key: String
    /// SHA-256 of everything that it asks.
    package let fingerprint: [UInt8]

    /// The key of a request.
    package init(user: Int, key: String, fingerprint: [UInt8]) {
        (self.user, self.key, self.fingerprint) = (user, key, fingerprint)
    }
}

/// What a program was answered.
package struct RememberedAnswer: Sendable, Hashable {
    /// HTTP status.
    package let status: Int
    /// Path of what was made.
    package let location: String?
    /// JSON.
    package let body: String

    /// An answer.
    package init(status: Int, location: String?, body: String) {
        (self.status, self.location, self.body) = (status, location, body)
    }
}

/// Keeps answers for a day.
///
/// - Source: draft-ietf-httpapi-idempotency-key-header.
package enum RememberedAnswers {
    /// What became of a request that has a key.
    package enum Outcome: Sendable {
        /// It is answered now.
        case first(RememberedAnswer)
        /// It was answered before, with this.
        case again(RememberedAnswer)
        /// The key is that of another request.
        case reused
    }

    /// Answers a request at most once: what `body` writes is committed with its answer, or neither is.
    ///
    /// The same key in another request waits until this one is committed. An answer that `body` throws is not kept.
    package static func once(
        _ key: RequestKey, on connection: Connection, _ body: (Connection) async throws -> RememberedAnswer
    ) async throws -> Outcome {
        try await connection.transaction { connection in
            if try await connection.run(BeginRequest(key: key)).first == nil {
                guard let kept = try await connection.run(FindRequest(key: key)).first else { return .reused }
                return .again(kept)
            }
            let answer = try await body(connection)
            try await connection.execute(KeepAnswer(key: key, answer: answer))
            return .first(answer)
        }
    }

    /// Forgets answers older than a day.
    package static func forgetOld(on connection: Connection) async throws(PostgreSQLError) {
        try await connection.execute(ForgetRequests())
    }

    static let statements: [any Statement.Type] = [
        BeginRequest.self, FindRequest.self, KeepAnswer.self, ForgetRequests.self,
    ]
}

/// Waits for a transaction that holds the same key.
struct BeginRequest: Statement {
    let key: RequestKey

    static let sql = """
        insert into api_request (user_id, key, fingerprint)
        values ($1::bigint, $2, $3)
        on conflict (user_id, key) do nothing
        returning true
        """
    var parameters: [Parameter] {
        [Parameter(key.user), Parameter(key.key), Parameter(Bytes(key.fingerprint))]
    }
    typealias Row = Bool
}

struct FindRequest: Statement {
    let key: RequestKey

    static let sql = """
        select status, location, body
        from api_request
        where user_id = $1::bigint and key = $2 and fingerprint = $3 and status is not null
        """
    var parameters: [Parameter] {
        [Parameter(key.user), Parameter(key.key), Parameter(Bytes(key.fingerprint))]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> RememberedAnswer {
        RememberedAnswer(status: try row.next(), location: try row.next(), body: try row.next())
    }
}

struct KeepAnswer: Statement {
    let key: RequestKey
    let answer: RememberedAnswer

    static let sql = """
        update api_request set status = $3::bigint::int, location = $4, body = $5
        where user_id = $1::bigint and key = $2
        """
    var parameters: [Parameter] {
        [
            Parameter(key.user), Parameter(key.key), Parameter(answer.status), Parameter(answer.location),
            Parameter(answer.body),
        ]
    }
}

struct ForgetRequests: Statement {
    static let sql = "delete from api_request where made_at < now() - interval '1 day'"
}

// SPDX-License-Identifier: Apache-2.0
// What programs send: JSON read strictly, and requests that may come twice.

internal import CRM
internal import Crypto
internal import Diagnostics
internal import Hummingbird
internal import JSON
internal import NIOCore
internal import PostgreSQL

/// The members of an object that a program sends; none comes twice, none is unknown.
struct APIBody: Sendable {
    /// Bytes of a body, at most.
    private static let limit = 64 << 10

    /// As sent.
    let bytes: [UInt8]
    private let members: [(name: String, value: JSONNode)]

    /// Reads an object whose members are all among `known`.
    ///
    /// - Throws: `API-BODY` for anything else, with the member; `JSON-…` with the line.
    init(of request: Request, known: [String]) async throws {
        let type = request.headers[.contentType]?.split(separator: ";").first.map {
            String($0).trimmingBlanks
        }
        guard type == "application/json" || type == "application/merge-patch+json" else {
            throw HTTPError(.unsupportedMediaType)
        }
        let body = try await request.body.collect(upTo: Self.limit)
        bytes = Array(body.readableBytesView)
        guard String(validating: bytes, as: UTF8.self) != nil else { throw JSONError(.encoding) }
        guard case .object(let found) = try JSONParser.parse(bytes) else { throw ServerError(.body) }
        members = found.map { ($0.key, $0.value) }
        if let stranger = members.first(where: { !known.contains($0.name) }) {
            throw ServerError(
                .member, ["known": known.joined(separator: ", ")], at: Place(field: stranger.name))
        }
    }

    /// The text of a member, empty for null; nil where there is no such member.
    ///
    /// - Throws: `API-TEXT` for a list, an object or a truth value.
    func text(_ name: String) throws -> String? {
        guard let value = members.first(where: { $0.name == name })?.value else { return nil }
        switch value {
        case .string, .number: return value.text?.replacing("\0", with: "")
        case .null: return ""
        default: throw ServerError(.text, at: Place(field: name))
        }
    }
}

/// Answers requests that write.
extension APIRoutes {
    /// Answers, at most once where the program says what it calls the request: in one transaction with what it writes.
    ///
    /// - Parameter body: what the request asks, beside its method and path.
    /// - Throws: `API-KEY`, `API-KEY-REUSED`.
    func once(
        _ request: Request, by user: AppUser, body: [UInt8],
        _ write: @Sendable (Connection) async throws -> RememberedAnswer
    ) async throws -> Response {
        guard let key = try Self.key(of: request) else {
            return Self.response(try await pool.transaction { try await write($0) })
        }
        var hasher = SHA256()
        hasher.update(data: Array("\(request.method.rawValue) \(request.uri.string)\n".utf8))
        hasher.update(data: body)
        let named = RequestKey(user: user.id, key: key, fingerprint: Array(hasher.finalize()))
        let outcome = try await pool.withConnection {
            try await RememberedAnswers.once(named, on: $0, write)
        }
        switch outcome {
        case .first(let answer): return Self.response(answer)
        case .again(let answer):
            var response = Self.response(answer)
            response.headers.set("Idempotency-Replayed", "true")
            return response
        case .reused: throw ServerError(.keyReused, at: Place(value: key))
        }
    }

    /// The key, with or without the quotes of a structured field; nil where there is none.
    private static func key(of request: Request) throws -> String? {
        guard var key = request.headers.value("Idempotency-Key") else { return nil }
        if key.count >= 2, key.hasPrefix("\""), key.hasSuffix("\"") {
            key = String(key.dropFirst().dropLast())
        }
        guard 1...255 ~= key.utf8.count, key.utf8.allSatisfy({ 0x20...0x7E ~= $0 }) else {
            throw ServerError(.requestKey)
        }
        return key
    }

    private static func response(_ answer: RememberedAnswer) -> Response {
        var headers: HTTPFields = [.contentType: "application/json; charset=utf-8"]
        headers[.location] = answer.location
        return Response(
            status: .init(code: answer.status), headers: headers,
            body: .init(byteBuffer: .init(string: answer.body)))
    }
}

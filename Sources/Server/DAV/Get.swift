// SPDX-License-Identifier: Apache-2.0
// GET: an object, byte for byte as it was sent.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL

extension DAVRoutes {
    func get(_ asked: DAVRequest) async throws -> Response {
        switch try await place(asked.path, for: asked.user) {
        case .object(let object, let collection):
            let condition = asked.condition
            if let match = condition.match, !DAVCondition(match: match).holds(object) {
                throw DAVRefusal.stale
            }
            if let tags = condition.noneMatch, !DAVCondition(noneMatch: tags).holds(object) {
                return DAVAnswer.empty(.notModified, Self.fields(of: object))
            }
            let content = try await pool.withConnection {
                try await DAVObjects.read(object.name, in: collection.id, on: $0)
            }
            guard let content else { throw DAVRefusal.notFound }
            return Self.answer(content, status: .ok)
        case .free, .vacant, .nowhere: throw DAVRefusal.notFound
        default: throw notAllowed
        }
    }

    /// An object as an answer.
    static func answer(_ content: DAVContent, status: HTTPResponse.Status) -> Response {
        var headers = fields(of: content.object)
        headers[.contentType] = content.object.contentType
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: .init(bytes: content.bytes)))
    }

    /// What an object is known by.
    static func fields(of object: DAVObject) -> HTTPFields {
        var headers: HTTPFields = [.eTag: "\"\(object.etag)\""]
        headers[.lastModified] = DAVDate.http(object.modifiedAt)
        headers[.cacheControl] = "private, no-cache"
        if let tag = object.scheduleTag { headers.set("Schedule-Tag", "\"\(tag)\"") }
        return headers
    }
}

// SPDX-License-Identifier: Apache-2.0
// DELETE: an object or a collection; what it was is kept, to be brought back.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL

extension DAVRoutes {
    func delete(_ asked: DAVRequest) async throws -> Response {
        switch try await place(asked.path, for: asked.user) {
        case .object(let object, let collection):
            let outcome = try await pool.withConnection { connection in
                try await DAVObjects.delete(
                    object.name, in: collection.id, if: asked.condition, by: asked.user.id, on: connection)
            }
            switch outcome {
            case .refused: throw DAVRefusal.stale
            case .gone: throw DAVRefusal.notFound
            default: return DAVAnswer.empty(.noContent)
            }
        case .collection(let collection):
            // Part of a collection cannot be deleted (RFC 4918, 9.6.1).
            if let depth = try asked.depth(), depth != .infinity { throw DAVRefusal.badRequest }
            let isDeleted = try await pool.transaction { connection in
                try await DAVCollections.delete(collection, by: asked.user.id, on: connection)
            }
            guard isDeleted else { throw DAVRefusal.forbidden }
            return DAVAnswer.empty(.noContent)
        case .free, .vacant, .nowhere: throw DAVRefusal.notFound
        default: throw DAVRefusal.forbidden
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// COPY and MOVE: objects from one collection to another, and plain collections whole.

internal import CRM
internal import Diagnostics
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL

extension DAVRoutes {
    /// - Source: RFC 4918, 9.8 and 9.9.
    func transfer(_ asked: DAVRequest, moves: Bool) async throws -> Response {
        let path = try Self.destination(asked)
        let overwrites = asked.header("Overwrite")?.uppercased() != "F"
        let source = try await place(asked.path, for: asked.user)
        switch source {
        case .free, .vacant, .nowhere: throw DAVRefusal.notFound
        case .object(let object, let collection):
            guard path.steps != asked.path.steps else { throw DAVRefusal.forbidden }
            return try await transfer(
                object, from: collection, to: path, asked, overwrites: overwrites, moves: moves)
        case .collection(let collection) where collection.kind == .plain:
            guard !path.steps.starts(with: asked.path.steps) else { throw DAVRefusal.forbidden }
            return try await transfer(collection, to: path, asked, overwrites: overwrites, moves: moves)
        default: throw DAVRefusal.forbidden
        }
    }

    /// Where it goes: here, or at another server, which is none of our business.
    private static func destination(_ asked: DAVRequest) throws(DAVRefusal) -> DAVPath {
        guard let text = asked.header("Destination") else { throw .badRequest }
        if let scheme = text.range(of: "://") {
            let host = text[scheme.upperBound...].prefix { $0 != "/" }
            guard let own = asked.request.head.authority, host.lowercased() == own.lowercased() else {
                throw DAVRefusal(.badGateway)
            }
        }
        guard let path = DAVPath(text) else { throw .badRequest }
        return path
    }

    private func transfer(
        _ object: DAVObject, from collection: DAVCollection, to path: DAVPath, _ asked: DAVRequest,
        overwrites: Bool, moves: Bool
    ) async throws -> Response {
        let (target, name): (DAVCollection, String)
        var givesWay = false
        switch try await place(path, for: asked.user) {
        case .object(let there, let collection): (target, name) = (collection, there.name)
        case .vacant(let collection, let free): (target, name) = (collection, free)
        case .collection(let there) where there.kind == .plain && overwrites:
            // A collection gives way to a file.
            guard let step = path.steps.last, let parent = try await parent(of: path, for: asked.user) else {
                throw DAVRefusal.forbidden
            }
            _ = try await pool.transaction {
                try await DAVCollections.delete(there, by: asked.user.id, on: $0)
            }
            (target, name, givesWay) = (parent, step, true)
        case .collection(let there) where there.kind == .plain: throw DAVRefusal.stale
        case .nowhere: throw DAVRefusal.conflict
        default: throw DAVRefusal.forbidden
        }
        let terms = DAVTerms(target.kind)
        guard target.kind == collection.kind else { throw DAVRefusal(.forbidden, terms.validData) }
        guard target.kind != .calendar || target.components.contains(object.component) else {
            throw DAVRefusal(.forbidden, .calendar("supported-calendar-component"))
        }
        let destination = DAVObjects.Destination(collection: target.id, name: name, overwrites: overwrites)
        let outcome = try await pool.withConnection { connection in
            try await DAVObjects.transfer(
                object.name, from: collection.id, to: destination, moves: moves, if: asked.condition,
                by: asked.user.id, on: connection)
        }
        switch outcome {
        case .made(let object):
            return DAVAnswer.empty(givesWay ? .noContent : .created, Self.fields(of: object))
        case .replaced(let object), .same(let object):
            return DAVAnswer.empty(.noContent, Self.fields(of: object))
        case .refused: throw DAVRefusal.stale
        case .taken(let other):
            throw DAVRefusal(
                .forbidden, terms.uidConflict,
                href: DAVPath.href(path.steps.dropLast() + [other], isCollection: false))
        case .gone: throw DAVRefusal.notFound
        }
    }

    /// The collection around an address; nil where that is none.
    private func parent(of path: DAVPath, for user: AppUser) async throws -> DAVCollection? {
        let href = DAVPath.href(Array(path.steps.dropLast()), isCollection: true)
        guard let above = DAVPath(href), case .collection(let parent) = try await place(above, for: user)
        else {
            return nil
        }
        return parent
    }

    private func transfer(
        _ collection: DAVCollection, to path: DAVPath, _ asked: DAVRequest, overwrites: Bool, moves: Bool
    ) async throws -> Response {
        let target = try await place(path, for: asked.user)
        guard let slug = path.steps.last else { throw DAVRefusal.forbidden }
        var parent: DAVCollection?
        switch target {
        case .free(.files, _): break
        case .vacant(let around, _): parent = around
        case .collection, .object:
            guard overwrites else { throw DAVRefusal.stale }
            parent = try await self.parent(of: path, for: asked.user)
        case .nowhere: throw DAVRefusal.conflict
        default: throw DAVRefusal.forbidden
        }
        guard parent == nil || parent?.kind == .plain else { throw DAVRefusal.forbidden }
        let isDeep = try asked.depth() ?? .infinity != .zero
        try await pool.transaction { [parent] connection in
            switch target {
            case .collection(let there):
                _ = try await DAVCollections.delete(there, by: asked.user.id, on: connection)
            case .object(let there, let around):
                _ = try await DAVObjects.delete(
                    there.name, in: around.id, if: DAVCondition(), by: asked.user.id, on: connection)
            default: break
            }
            if moves {
                try await DAVCollections.move(collection.id, to: slug, in: parent?.id, on: connection)
            } else {
                try await DAVCollections.copy(
                    collection, to: slug, in: parent?.id, isDeep: isDeep, by: asked.user.id, on: connection)
            }
        }
        switch target {
        case .collection, .object: return DAVAnswer.empty(.noContent)
        default: return DAVAnswer.empty(.created)
        }
    }
}

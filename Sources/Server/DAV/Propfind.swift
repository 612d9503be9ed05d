// SPDX-License-Identifier: Apache-2.0
// PROPFIND: what is there, and what it is like.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    /// Objects of one part of an answer.
    static let partSize = 2000

    /// - Source: RFC 4918, 9.1.
    func propfind(_ asked: DAVRequest) async throws -> Response {
        let depth = try asked.depth() ?? .zero
        let list = try Self.properties(try await asked.xml(), minimal: asked.prefers("return=minimal"))
        let node = try await node(asked.path, for: asked.user)
        if depth == .infinity, Self.isCollection(node.place) {
            throw DAVRefusal(.forbidden, .dav("propfind-finite-depth"))
        }
        let values = DAVValues(user: asked.user, zone: zone)
        var first = DAVWriter()
        values.response(node, list, into: &first)
        guard depth == .one else { return DAVAnswer.multistatus { $0.append(first) } }
        for child in try await children(of: node, for: asked.user) {
            values.response(child, list, into: &first)
        }
        guard case .collection(let collection) = node.place else {
            return DAVAnswer.multistatus { $0.append(first) }
        }
        return try await DAVAnswer.multistatus(from: "") { [first] place in
            var part = DAVAnswer.Part<String>()
            if place.isEmpty { part.writer.append(first) }
            let objects = try await pool.withConnection {
                try await DAVObjects.list(collection.id, after: place, limit: Self.partSize, on: $0)
            }
            for object in objects {
                values.response(Self.node(object, in: collection, at: node.href), list, into: &part.writer)
            }
            part.next = objects.count == Self.partSize ? objects.last?.name : nil
            return part
        }
    }

    /// The address of an object in a collection, whose own is known.
    static func node(_ object: DAVObject, in collection: DAVCollection, at href: String) -> DAVNode {
        DAVNode(place: .object(object, collection), href: href + DAVPath.encoded(object.name))
    }

    static func isCollection(_ place: DAVPlace) -> Bool {
        if case .object = place { false } else { true }
    }

    /// What a body asks for; no body asks for all.
    ///
    /// - Throws: 400 for another body.
    static func properties(_ body: XMLTree?, minimal: Bool) throws(DAVRefusal) -> DAVPropertyList {
        guard let body else { return DAVPropertyList(all: true) }
        guard body.name == .dav("propfind") else { throw .badRequest }
        let kinds = ["prop", "allprop", "propname"].map { body.child(.dav($0)) }
        guard kinds.count(where: { $0 != nil }) == 1 else { throw .badRequest }
        if let prop = kinds[0] {
            var list = DAVPropertyList(prop)
            list.isMinimal = minimal
            return list
        }
        var list = DAVPropertyList(all: kinds[1] != nil)
        if let more = body.child(.dav("include")) {
            let known = Set(list.entries.map(\.name))
            list.entries += DAVPropertyList(more).entries.filter { !known.contains($0.name) }
        }
        return list
    }

    /// Collections inside something; objects are not among them.
    func children(of node: DAVNode, for user: AppUser) async throws -> [DAVNode] {
        func at(_ step: String, _ place: DAVPlace) -> DAVNode {
            DAVNode(place: place, href: node.href + DAVPath.encoded(step) + "/")
        }
        switch node.place {
        case .root:
            let spaces = DAVSpace.allCases.filter { $0 != .files || hasFiles }
            return [at("principals", .principals)] + spaces.map { at($0.rawValue, .homes($0)) }
        case .principals:
            let own = try await pool.withConnection { try await DAVPrincipals.find(user.login, on: $0) }
            return own.map { [at(user.login, .principal($0))] } ?? []
        case .homes(let space): return [at(user.login, .home(space))]
        case .home(let space):
            return try await pool.withConnection { connection in
                try await DAVCollections.list(space.kind, of: user.id, on: connection).map {
                    at($0.slug, .collection($0))
                }
            }
        case .collection(let collection) where collection.kind == .plain:
            return try await pool.withConnection { connection in
                try await DAVCollections.children(of: collection.id, on: connection).map {
                    at($0.slug, .collection($0))
                }
            }
        default: return []
        }
    }
}

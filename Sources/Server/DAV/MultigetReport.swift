// SPDX-License-Identifier: Apache-2.0
// calendar-multiget and addressbook-multiget: many objects at once, by their addresses.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    /// Objects that are read at once.
    private static let multigetSize = 100

    /// - Source: RFC 4791, 7.9; RFC 6352, 8.7.
    func multiget(_ report: DAVReport, _ kind: DAVCollection.Kind) async throws -> Response {
        let (collection, base) = try Self.around(report.node, kind)
        let hrefs = report.body.children.filter { $0.name == .dav("href") }.map(\.text.trimmingBlanks)
        guard !hrefs.isEmpty else { throw DAVRefusal.badRequest }
        let steps = DAVPath(base)?.steps ?? []
        let wanted = hrefs.map { href -> (href: String, name: String?) in
            let path = DAVPath(href)?.steps ?? []
            let isInside = path.count == steps.count + 1 && path.starts(with: steps)
            return (href, isInside ? path.last : nil)
        }
        let (list, values) = (report.properties, report.values)
        return try await DAVAnswer.multistatus(from: 0) { place in
            let some = wanted[place...].prefix(Self.multigetSize)
            var part = DAVAnswer.Part<Int>()
            let names = some.compactMap(\.name)
            let found = try await pool.withConnection {
                try await DAVObjects.read(names, in: collection.id, on: $0)
            }
            let contents = Dictionary(found.map { ($0.object.name, $0) }) { first, _ in first }
            for (href, name) in some {
                if let content = name.flatMap({ contents[$0] }) {
                    let node = Self.node(content.object, in: collection, at: base)
                    values.response(node, list, bytes: content.bytes, into: &part.writer)
                } else {
                    part.writer.response(name.map { base + DAVPath.encoded($0) } ?? href, .notFound)
                }
            }
            part.next = some.endIndex < wanted.endIndex ? some.endIndex : nil
            return part
        }
    }

    /// The collection that is asked, or the one around the object that is.
    private static func around(
        _ node: DAVNode, _ kind: DAVCollection.Kind
    ) throws(DAVRefusal) -> (DAVCollection, String) {
        switch node.place {
        case .collection(let collection) where collection.kind == kind: return (collection, node.href)
        case .object(_, let collection) where collection.kind == kind:
            let steps = DAVPath(node.href)?.steps ?? []
            return (collection, DAVPath.href(Array(steps.dropLast()), isCollection: true))
        default: throw DAVRefusal(.forbidden, .dav("supported-report"))
        }
    }
}

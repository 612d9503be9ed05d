// SPDX-License-Identifier: Apache-2.0
// sync-collection: what changed since a program looked last.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    /// Names that one answer tells at most; whoever wants more goes on with its token.
    private static let mostChanges = 50_000

    /// Any Depth is taken: Thunderbird sends 1 where the standard wants 0, and empties the calendar when it is refused.
    ///
    /// - Source: RFC 6578, 3.2.
    func synchronise(_ report: DAVReport) async throws -> Response {
        let collection = try report.collection(nil)
        guard let text = report.body.child(.dav("sync-token"))?.text.trimmingBlanks else {
            throw DAVRefusal.badRequest
        }
        let token = DAVToken(text)
        guard text.isEmpty || token != nil else { throw DAVRefusal(.forbidden, .dav("valid-sync-token")) }
        let limit = min(try report.limit(in: .dav) ?? .max, Self.mostChanges)
        let list = report.properties
        let (changes, contents) = try await pool.withConnection { connection in
            let changes = try await DAVSync.changes(
                in: collection.id, since: token, limit: limit, on: connection)
            guard let changes else { throw DAVRefusal(.forbidden, .dav("valid-sync-token")) }
            var contents: [String: [UInt8]] = [:]
            if list.needsBytes {
                let names = changes.entries.compactMap { $0.object?.name }
                let found = try await DAVObjects.read(names, in: collection.id, on: connection)
                contents = Dictionary(found.map { ($0.object.name, $0.bytes) }) { $1 }
            }
            return (changes, contents)
        }
        let values = report.values
        return DAVAnswer.multistatus { writer in
            for entry in changes.entries {
                if let object = entry.object {
                    let node = Self.node(object, in: collection, at: report.node.href)
                    values.response(node, list, bytes: contents[object.name], into: &writer)
                } else {
                    writer.response(report.node.href + DAVPath.encoded(entry.name), .notFound)
                }
            }
            if changes.isCut { writer.cutOff(report.node.href) }
            writer.element("D:sync-token", text: changes.token.text)
        }
    }
}

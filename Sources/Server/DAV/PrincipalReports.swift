// SPDX-License-Identifier: Apache-2.0
// expand-property, principal-match, principal-property-search: who is who, and what leads where.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    // MARK: - What leads where

    /// Things that lead to things, at most so deep.
    private static let deepest = 3

    /// - Source: RFC 3253, 3.8.
    func expandProperties(_ report: DAVReport) async throws -> Response {
        let depth = try report.asked.depth() ?? .zero
        var nodes = [report.node]
        if depth == .one { nodes += try await children(of: report.node, for: report.asked.user) }
        var writer = DAVWriter()
        for node in nodes {
            try await expand(report.body, of: node, for: report.asked.user, level: 0, into: &writer)
        }
        return DAVAnswer.multistatus { [writer] in $0.append(writer) }
    }

    private func expand(
        _ element: XMLTree, of node: DAVNode, for user: AppUser, level: Int, into writer: inout DAVWriter
    ) async throws {
        var (found, missing) = (DAVWriter(), DAVWriter())
        let values = DAVValues(user: user, zone: zone)
        for asked in element.children where asked.name == .dav("property") {
            guard let local = asked.attribute("name") else { throw DAVRefusal.badRequest }
            let name = XMLName(local, namespace: asked.attribute("namespace") ?? DAVNamespace.dav.uri)
            var value = DAVWriter()
            guard let property = DAVProperty.byName[name],
                values.write(property, of: node, asked: nil, bytes: nil, into: &value)
            else {
                missing.empty(name)
                continue
            }
            let isExpanded = asked.children.contains { $0.name == .dav("property") }
            guard isExpanded, level < Self.deepest else {
                found.append(value)
                continue
            }
            var inside = DAVWriter()
            for href in Self.hrefs(in: value) {
                guard let path = DAVPath(href), let target = try? await self.node(path, for: user) else {
                    inside.response(href, .notFound)
                    continue
                }
                try await expand(asked, of: target, for: user, level: level + 1, into: &inside)
            }
            found.element(property.rawValue) { [inside] in $0.append(inside) }
        }
        writer.element("D:response") { [found, missing] writer in
            writer.href(node.href)
            if !found.bytes.isEmpty || missing.bytes.isEmpty { writer.propstat(.ok, found) }
            if !missing.bytes.isEmpty { writer.propstat(.notFound, missing) }
        }
    }

    /// The addresses that a value holds: paths of ours, which need no unescaping.
    private static func hrefs(in value: DAVWriter) -> [String] {
        String(decoding: value.bytes, as: UTF8.self).matches(of: /<D:href>(\/[^<]*)<\/D:href>/).map {
            String($0.1)
        }
    }

    // MARK: - Who is who

    /// - Source: RFC 3744, 9.3.
    func principalMatch(_ report: DAVReport) async throws -> Response {
        let user = report.asked.user
        var nodes: [DAVNode] = []
        if report.body.child(.dav("self")) != nil {
            let own = try await pool.withConnection { try await DAVPrincipals.find(user.login, on: $0) }
            nodes = own.map { [DAVNode(place: .principal($0), href: DAVPath.principal($0.login))] } ?? []
        } else if report.body.child(.dav("principal-property")) != nil {
            // What is shown to whoever asks is his, so far.
            nodes = try await children(of: report.node, for: user).filter {
                if case .collection = $0.place { true } else { false }
            }
        } else {
            throw DAVRefusal.badRequest
        }
        let (list, values) = (report.properties, report.values)
        return DAVAnswer.multistatus { writer in
            for node in nodes { values.response(node, list, into: &writer) }
        }
    }

    /// People by name or address: those who may be invited.
    ///
    /// - Source: RFC 3744, 9.4.
    func principalSearch(_ report: DAVReport) async throws -> Response {
        switch report.node.place {
        case .root, .principals, .principal: break
        default:
            guard report.body.child(.dav("apply-to-principal-collection-set")) != nil else {
                throw DAVRefusal(.forbidden, .dav("supported-report"))
            }
        }
        let isAny = report.body.attribute("test") == "anyof"
        var found: [DAVPrincipal]?
        let searches = report.body.children.filter { $0.name == .dav("property-search") }
        // Without a condition, everybody is meant.
        if searches.isEmpty {
            found = try await pool.withConnection {
                try await DAVPrincipals.search(name: nil, email: nil, on: $0)
            }
        }
        for search in searches {
            guard let prop = search.child(.dav("prop")), let text = search.child(.dav("match"))?.text else {
                throw DAVRefusal.badRequest
            }
            var some: [DAVPrincipal] = []
            for name in prop.children.map(\.name) {
                let property = DAVProperty.byName[name]
                guard property == .displayName || property == .calendarUserAddressSet else { continue }
                some += try await pool.withConnection { connection in
                    let address = text.replacing("mailto:", with: "")
                    return property == .displayName
                        ? try await DAVPrincipals.search(name: text, email: nil, on: connection)
                        : try await DAVPrincipals.search(name: nil, email: address, on: connection)
                }
            }
            if let before = found {
                found = isAny ? before + some.filter { !before.contains($0) } : before.filter(some.contains)
            } else {
                found = some
            }
        }
        var list = report.properties
        // The caldav library writes what it wants beside `prop`, not in it.
        list.entries += DAVPropertyList(report.body).entries.filter { entry in
            entry.property != nil && !list.entries.contains { $0.name == entry.name }
        }
        let values = report.values
        return DAVAnswer.multistatus { [list] writer in
            for principal in found ?? [] {
                let node = DAVNode(place: .principal(principal), href: DAVPath.principal(principal.login))
                values.response(node, list, into: &writer)
            }
        }
    }

    /// - Source: RFC 3744, 9.5.
    static var searchableProperties: Response {
        var writer = DAVWriter()
        writer.raw(DAVAnswer.declaration + "<D:principal-search-property-set\(DAVNamespace.declarations)>")
        for (property, words) in [
            (DAVProperty.displayName, "Name"), (.calendarUserAddressSet, "E-mail address"),
        ] {
            writer.element("D:principal-search-property") { writer in
                writer.raw("<D:prop><\(property.rawValue)/></D:prop>")
                writer.raw("<D:description xml:lang=\"en\">\(words)</D:description>")
            }
        }
        writer.raw("</D:principal-search-property-set>")
        return DAVAnswer.xml(writer, status: .ok)
    }
}

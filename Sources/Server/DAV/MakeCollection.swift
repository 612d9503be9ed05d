// SPDX-License-Identifier: Apache-2.0
// MKCALENDAR and MKCOL: further agendas and address books.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL
internal import XML

extension DAVRoutes {
    private static let kinds: [(type: XMLName, kind: DAVCollection.Kind)] = [
        (.calendar("calendar"), .calendar), (.card("addressbook"), .addressbook),
    ]
    /// What a calendar may hold.
    private static let components = ["VEVENT", "VTODO", "VJOURNAL"]

    /// - Source: RFC 4791, 5.3.1; RFC 5689, 3; RFC 4918, 9.3.
    func makeCollection(_ asked: DAVRequest) async throws -> Response {
        let isCalendar = asked.request.method.rawValue == "MKCALENDAR"
        let body = try await wanted(asked, root: isCalendar ? .calendar("mkcalendar") : .dav("mkcol"))
        var types = isCalendar ? [XMLName.calendar("calendar")] : []
        var components = Self.components
        for prop in body?.children.compactMap({ $0.child(.dav("prop")) }) ?? [] {
            if let type = prop.child(.dav("resourcetype")) { types += type.children.map(\.name) }
            if let set = prop.child(.calendar("supported-calendar-component-set")) {
                components = set.children.compactMap { $0.attribute("name")?.uppercased() }
            }
        }
        let kind = try Self.kind(types)
        var draft = try await draft(kind, at: asked, isCalendar: isCalendar)
        if kind == .calendar {
            guard !components.isEmpty, components.allSatisfy(Self.components.contains) else {
                throw DAVRefusal(.forbidden, .calendar("supported-calendar-component"))
            }
            draft.components = components
        }
        if let body {
            let changes = DAVPropertyChanges(body)
            let after = changes.applied(to: draft.look, isNew: true)
            guard after.faults.isEmpty else { return Self.refused(changes, after.faults, isCalendar) }
            draft.look = after.look
        }
        let made = try await pool.transaction { [draft] connection in
            try await DAVCollections.make(draft, for: asked.user.id, on: connection)
        }
        // Somebody else was faster.
        guard made != nil else { throw notAllowed }
        return DAVAnswer.empty(.created)
    }

    private func wanted(_ asked: DAVRequest, root: XMLName) async throws -> XMLTree? {
        let type = asked.header("Content-Type")?.lowercased()
        if let type, !type.contains("xml") {
            let bytes = try await asked.body(upTo: Self.largest, orElse: .dav("error"))
            if bytes.isEmpty { return nil }
            throw DAVRefusal(.unsupportedMediaType)
        }
        let body = try await asked.xml()
        guard body == nil || body?.name == root else { throw DAVRefusal(.unsupportedMediaType) }
        return body
    }

    private static func kind(_ types: [XMLName]) throws(DAVRefusal) -> DAVCollection.Kind {
        let special = types.filter { $0 != .dav("collection") }
        guard let first = special.first else { return .plain }
        guard Set(special).count == 1, let kind = kinds.first(where: { $0.type == first })?.kind else {
            throw DAVRefusal(.forbidden, .dav("valid-resourcetype"))
        }
        return kind
    }

    /// Where it is to be, if it may be there.
    private func draft(
        _ kind: DAVCollection.Kind, at asked: DAVRequest, isCalendar: Bool
    ) async throws -> DAVCollectionDraft {
        switch try await place(asked.path, for: asked.user) {
        case .free(let space, let slug):
            guard space.kind == kind else {
                throw DAVRefusal(
                    .forbidden,
                    isCalendar ? .calendar("calendar-collection-location-ok") : .dav("valid-resourcetype"))
            }
            return DAVCollectionDraft(kind: kind, slug: slug)
        case .vacant(let parent, let slug):
            guard parent.kind == .plain, kind == .plain else {
                throw DAVRefusal(
                    .forbidden,
                    isCalendar ? .calendar("calendar-collection-location-ok") : .dav("valid-resourcetype"))
            }
            var draft = DAVCollectionDraft(kind: kind, slug: slug)
            draft.parent = parent.id
            return draft
        case .nowhere: throw DAVRefusal.conflict
        default:
            throw isCalendar ? DAVRefusal(.forbidden, .dav("resource-must-be-null")) : notAllowed
        }
    }

    /// - Source: RFC 5689, 3.4 and 5.2.
    private static func refused(
        _ changes: DAVPropertyChanges, _ faults: [(name: XMLName, fault: DAVPropertyChanges.Fault)],
        _ isCalendar: Bool
    ) -> Response {
        let name = isCalendar ? "C:mkcalendar-response" : "D:mkcol-response"
        var writer = DAVWriter()
        writer.raw(DAVAnswer.declaration + "<\(name)\(DAVNamespace.declarations)>")
        changes.write(faults, into: &writer)
        writer.raw("</\(name)>")
        return DAVAnswer.xml(writer, status: .failedDependency)
    }
}

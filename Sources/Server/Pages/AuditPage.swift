// SPDX-License-Identifier: Apache-2.0
// `/audit`: who saw or did what?

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import Model
internal import PostgreSQL
internal import Words

/// The audit as its template sees it.
struct AuditPage: Page {
    /// An entry.
    struct Row: Sendable {
        let at: String
        let who: String
        let what: String
        let which: String
        let url: String?
    }

    static let template = "audit"
    static let entry = "/audit"
    let title: String
    let users: [Choice]
    let actions: [Choice]
    let entities: [Choice]
    let object: String
    let from: String
    let to: String
    let rows: [Row]
    let isEmpty: Bool
    let emptyText: String
    let unfiltered: String?
    let exportURL: String
    let pager: PagerView?
    let problem: Problem?
}

extension Site {
    private static let entriesPerPage = 50

    /// The audit's routes.
    func addAudit(to router: Router<WebContext>) {
        router.get("audit") { request, context in
            _ = try context.administering()
            let saying = try saying(request, context)
            let query = AuditQuery(request, zone: zone)
            let page = try await audit(query, request, saying)
            return try await answer(
                page, to: request, context, status: query.fault == nil ? .ok : .unprocessableContent)
        }
        router.get("audit.csv") { request, context in
            let user = try context.administering()
            let words = try saying(request, context).words
            let query = AuditQuery(request, zone: zone)
            if let fault = query.fault { throw ServerError(fault) }
            return try await file(query.filter, for: user, words, context)
        }
    }

    private func file(
        _ filter: AuditFilter, for user: AppUser, _ words: Words, _ context: WebContext
    ) async throws -> Response {
        let header = ["when", "who", "what", "object", "objectNumber", "facts"]
        let actions = Dictionary(
            uniqueKeysWithValues: Self.actions(words).map { ($0, words("audit.\($0)")) })
        let dates = words.language == .french ? "DD/MM/YYYY HH24:MI:SS" : "YYYY-MM-DD HH24:MI:SS"
        return try await file(
            "audit.csv", "audit.exported", header: header.map { words("page.audit.\($0)") }, for: user,
            context
        ) { before, connection in
            try await Audit.exportPiece(
                filter, before: before, words: actions, dates: dates, on: connection)
        }
    }

    private func audit(_ query: AuditQuery, _ request: Request, _ saying: Saying) async throws -> AuditPage {
        let words = saying.words
        let before = request.number("before").flatMap { micros in
            request.number("entry").map {
                TimelineCursor(at: Timestamp(microsecondsSince1970: Int64(micros)), id: $0)
            }
        }
        let (entries, users) = try await pool.withConnection { connection in
            (
                query.fault == nil
                    ? try await Audit.list(
                        query.filter, before: before, limit: Self.entriesPerPage + 1, on: connection) : [],
                try await AppUsers.list(on: connection)
            )
        }
        let shown = entries.prefix(Self.entriesPerPage)
        let title = words("page.audit.title")
        let filter = query.filter
        let next = entries.count > Self.entriesPerPage ? shown.last : nil
        return AuditPage(
            title: query.fault == nil ? title : words("page.form.wrong", ["title": title]),
            users: choices(
                users.map { (String($0.id), $0.name) }, filter.user.map(String.init),
                words("page.audit.anybody")),
            actions: choices(
                Self.actions(words).map { ($0, words("audit.\($0)")) }.sorted { $0.1 < $1.1 }, filter.action,
                words("page.audit.anything")),
            entities: choices(
                AuditQuery.entities.map { ($0, words("page.audit.kind_\($0)")) }, filter.entity,
                words("page.audit.anyObject")),
            object: filter.entityID.map(String.init) ?? "", from: query.from ?? "", to: query.to ?? "",
            rows: shown.map { Self.row($0, saying) }, isEmpty: shown.isEmpty,
            emptyText: words(query.isFiltered ? "page.audit.noneLikeThis" : "page.audit.empty"),
            unfiltered: query.isFiltered ? "/audit" : nil, exportURL: query.link("/audit.csv"),
            pager: PagerView(
                text: words("page.audit.shown", count: shown.count),
                first: before == nil ? nil : query.link("/audit"),
                next: next.map { query.link("/audit", before: TimelineCursor(at: $0.at, id: $0.id)) }),
            problem: query.fault.map { Problem($0, words) })
    }

    /// Everything that the audit can say, by its codes.
    private static func actions(_ words: Words) -> [String] {
        words.keys.filter { $0.hasPrefix("audit.") }.map { String($0.dropFirst(6)) }.sorted()
    }

    private func choices(_ all: [(String, String)], _ chosen: String?, _ any: String) -> [Choice] {
        [Choice(value: "", text: any, isChosen: chosen == nil)]
            + all.map { Choice(value: $0.0, text: $0.1, isChosen: $0.0 == chosen) }
    }

    private static func row(_ entry: AuditEntry, _ saying: Saying) -> AuditPage.Row {
        let words = saying.words
        let paths = ["party": "/accounts/", "run": "/runs/", "preview": "/previews/"]
        let id = entry.entityID.map(String.init) ?? ""
        let which = entry.entity.map { entity in
            entry.label ?? words("page.audit.entity_\(entity)", ["id": id])
        }
        let url: String? =
            switch (entry.entity, entry.label) {
            case ("flow", let name?): "/flows/\(name)"
            case ("user", _?): "/users"
            case ("source", _): "/sources"
            case (let entity?, _): entry.entityID.flatMap { id in paths[entity].map { $0 + String(id) } }
            case (nil, _): nil
            }
        let name = entry.facts.objectOfTexts["name"]
        let what = words("audit.\(entry.action)")
        return AuditPage.Row(
            at: saying.moment(entry.at), who: entry.user ?? words("page.audit.nobody"),
            what: what.prefix(1).uppercased() + what.dropFirst(),
            which: [which ?? name, change(entry, words)].compactMap(\.self).joined(separator: " · "), url: url
        )
    }
}

extension Site {
    /// What a source was called or how it was believed, and is; what that says is nobody's secret.
    private static func change(_ entry: AuditEntry, _ words: Words) -> String? {
        let facts = entry.facts.objectOfTexts
        guard entry.entity == "source", let before = facts["before"], let after = facts["after"] else {
            return nil
        }
        return words("page.audit.change", ["before": before, "after": after])
    }
}

/// What the address asks of the audit.
struct AuditQuery: Sendable {
    /// What entries are about.
    static let entities = ["party", "run", "flow", "user", "preview", "source"]

    private(set) var filter: AuditFilter
    /// The days as they were typed.
    let from: String?
    let to: String?
    /// The first day that is none.
    private(set) var fault: Diagnostic?

    init(_ request: Request, zone: String) {
        filter = AuditFilter(zone: zone)
        (from, to) = (request.query("from"), request.query("to"))
        filter.user = request.number("user")
        filter.action = request.query("action").flatMap { $0.contains(#/^[a-z.-]{1,60}$/#) ? $0 : nil }
        filter.entity = request.query("entity").flatMap { Self.entities.contains($0) ? $0 : nil }
        filter.entityID = request.number("object")
        filter.from = day(from, "from")
        filter.to = day(to, "to")
    }

    var isFiltered: Bool { filter != AuditFilter(zone: filter.zone) || fault != nil }

    func link(_ path: String, before: TimelineCursor? = nil) -> String {
        Link.to(
            path,
            [
                "user": filter.user.map(String.init), "action": filter.action, "entity": filter.entity,
                "object": filter.entityID.map(String.init), "from": from, "to": to,
                "before": before.map { String($0.at.microsecondsSince1970) },
                "entry": before.map { String($0.id) },
            ])
    }

    private mutating func day(_ text: String?, _ field: String) -> CalendarDate? {
        guard let text else { return nil }
        do throws(ServerError) {
            return try Saying.day(text, field: field)
        } catch {
            fault = fault ?? error.diagnostic
            return nil
        }
    }
}

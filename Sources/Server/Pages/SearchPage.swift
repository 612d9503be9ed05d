// SPDX-License-Identifier: Apache-2.0
// `/search`: find, whatever it is; the palette asks the same.

internal import CRM
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// What was found, as the template sees it.
struct SearchPage: Page {
    /// Hits of one kind.
    struct Group: Sendable {
        let title: String
        let hits: [Hit]
    }

    /// A hit.
    struct Hit: Sendable, Encodable {
        let kind: String
        let icon: String
        let text: String
        let note: String
        let url: String
    }

    static let template = "search"
    static let entry = ""
    let title: String
    let query: String
    let groups: [Group]
    let isEmpty: Bool
}

extension Site {
    /// The search's routes.
    func addSearch(to router: Router<WebContext>) {
        router.get("search") { request, context in
            let user = try context.user()
            let saying = try saying(request, context)
            let query = request.query("q") ?? ""
            let hits = try await find(query, user, saying)
            let kinds = ["account", "person", "document", "page"]
            let page = SearchPage(
                title: saying.words("page.search.title"), query: query,
                groups: kinds.compactMap { kind in
                    let ofKind = hits.filter { $0.kind == kind }
                    return ofKind.isEmpty
                        ? nil : .init(title: saying.words("page.search.\(kind)"), hits: ofKind)
                }, isEmpty: hits.isEmpty && !query.isEmpty)
            return try await answer(page, to: request, context)
        }
        router.get("search.json") { request, context in
            let user = try context.user()
            let hits = try await find(request.query("q") ?? "", user, try saying(request, context))
            return try Response.json(["hits": Array(hits.prefix(8))])
        }
    }

    private func find(_ query: String, _ user: AppUser, _ saying: Saying) async throws -> [SearchPage.Hit] {
        let text = String(query.trimmingBlanks.prefix(100))
        guard !text.isEmpty else { return [] }
        let found =
            user.scope < 0
            ? []
            : try await pool.withConnection { try await GlobalSearch.find(text, scope: user.scope, on: $0) }
        let icons = ["account": "people", "person": "people", "document": "doc"]
        let hits = found.map { hit in
            SearchPage.Hit(
                kind: hit.kind.rawValue, icon: icons[hit.kind.rawValue] ?? "find", text: hit.text,
                note: hit.note ?? "",
                url: hit.document.map { "/sales-documents/\($0)" } ?? hit.account.map { "/accounts/\($0)" }
                    ?? "/search")
        }
        return hits + pages(text, user, saying)
    }

    /// Pages whose name begins so.
    private func pages(_ text: String, _ user: AppUser, _ saying: Saying) -> [SearchPage.Hit] {
        let navigation = Navigation(
            user, current: "", waiting: 0, { saying.words($0) }, number: { String($0) })
        return (navigation.sections.flatMap(\.entries) + navigation.others).filter {
            $0.title.lowercased().hasPrefix(text.lowercased())
        }.map { entry in
            SearchPage.Hit(
                kind: "page", icon: entry.icon, text: entry.title, note: saying.words("page.search.page"),
                url: entry.url)
        }
    }
}

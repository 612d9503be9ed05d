// SPDX-License-Identifier: Apache-2.0
// `/sources`: whom to trust when two systems say different things?

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// The sources as their template sees them.
struct SourcesPage: Page {
    /// A source.
    struct Row: Sendable {
        let title: String
        /// The code, where the title is another.
        let code: String?
        /// Where it is changed; nil for people, and for those who may not.
        let url: String?
        let kind: String
        let trust: String
        let last: String
        let claims: String
    }

    /// The form of a new one, as it was typed.
    struct Draft: Sendable {
        let code: String
        let name: String
        let kinds: [Choice]
        let trust: String
        /// The field at fault.
        let isWrong: [String: Bool]
    }

    static let template = "sources"
    static let entry = "/sources"
    let title: String
    let rows: [Row]
    /// nil for those who may not add one.
    let draft: Draft?
    let problem: Problem?
}

extension Site {
    /// The sources' routes: whom to believe decides what is kept of every client, which is administering.
    func addSources(to router: Router<WebContext>, _ changes: TrustChanges) {
        router.get("sources") { request, context in
            _ = try context.operating()
            return try await answer(try await sources(request, context), to: request, context)
        }
        router.form("sources") { form, request, context in
            let user = try context.administering()
            let code = form.text("code")
            do {
                let trust = try SourceSystems.trust(form.text("trust"))
                try await pool.withConnection { connection in
                    try await SourceSystems.add(
                        code, name: form.text("name"), kind: form.text("kind"), trust: trust, by: user.id,
                        on: connection)
                }
            } catch let error as SourceError {
                let page = try await sources(request, context, form, error.diagnostic)
                return try await answer(page, to: request, context, status: .unprocessableContent)
            }
            let saying = try saying(request, context)
            return see(
                "/sources",
                Told(
                    text: saying.words("page.sources.added", ["name": form.text("name"), "code": code]),
                    undo: "/sources/\(Link.encoded(code))/delete"))
        }
        SourcePages(site: self, changes: changes).add(to: router)
    }

    /// The page; `form` is what was typed when it could not be added.
    func sources(
        _ request: Request, _ context: WebContext, _ form: Form? = nil, _ fault: Diagnostic? = nil
    ) async throws -> SourcesPage {
        let saying = try saying(request, context)
        let words = saying.words
        let mayChange = try context.user().isAdmin
        let sources = try await pool.withConnection { try await SourceSystems.list(on: $0) }
        let title = words("page.sources.title")
        let chosen = form?.text("kind") ?? SourceSystems.kinds.first
        return SourcesPage(
            title: fault == nil ? title : words("page.form.wrong", ["title": title]),
            rows: sources.map { source in
                SourcesPage.Row(
                    title: source.title, code: source.name == nil ? nil : source.code,
                    url: mayChange && !source.isPeople ? "/sources/\(Link.encoded(source.code))" : nil,
                    kind: words("page.sources.kind_\(source.kind)"), trust: words.number(source.trust),
                    last: source.lastRunAt.map(saying.momentShort) ?? words("page.sources.never"),
                    claims: source.claims.map { words("page.sources.claims", count: $0) }
                        ?? words("page.sources.unknown"))
            },
            draft: mayChange
                ? SourcesPage.Draft(
                    code: form?.text("code") ?? "", name: form?.text("name") ?? "",
                    kinds: SourceSystems.kinds.map {
                        Choice(value: $0, text: words("page.sources.kind_\($0)"), isChosen: $0 == chosen)
                    }, trust: form?.text("trust") ?? "50",
                    isWrong: fault?.place.field.map { [$0: true] } ?? [:]) : nil,
            problem: fault.map { Problem($0, words) })
    }
}

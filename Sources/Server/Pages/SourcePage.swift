// SPDX-License-Identifier: Apache-2.0
// `/sources/erp`: how much is it to be believed, what would that change, and what is it called?

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// A source as its template sees it.
struct SourcePage: Page {
    /// What another trust would do.
    struct Outlook: Sendable {
        let trust: String
        let text: String
        let action: String
    }

    static let template = "source"
    static let entry = "/sources"
    let title: String
    let name: String
    let sub: String
    /// Where its forms go.
    let url: String
    let history: String
    /// The trust as typed, or as it is.
    let trust: String
    let isTrustWrong: Bool
    let outlook: Outlook?
    /// The name as typed, or as it is.
    let typedName: String
    let isNameWrong: Bool
    let problem: Problem?
}

/// The pages of sources.
struct SourcePages: Sendable {
    let site: Site
    let changes: TrustChanges

    func add(to router: Router<WebContext>) {
        router.get("sources/:code") { request, context in
            _ = try context.administering()
            let code = try context.code()
            let trust = request.query("trust")
            do {
                let page = try await page(code, request, context, trust: trust)
                return try await site.answer(page, to: request, context)
            } catch let error as SourceError where !error.has(.unknown) && !error.has(.people) {
                return try await refuse(error, code, request, context, trust: trust)
            }
        }
        router.form("sources/:code/trust") { form, request, context in
            let user = try context.administering()
            let code = try context.code()
            let text = form.text("trust")
            do {
                let trust = try SourceSystems.trust(text)
                let source = try await site.pool.withConnection {
                    try await SourceSystems.show(code, on: $0)
                }
                let id = try await changes.start(code, trust: trust, by: user.id)
                return try await told(id, source, trust, request, context)
            } catch let error as SourceError where !error.has(.unknown) && !error.has(.people) {
                return try await refuse(error, code, request, context, trust: text)
            }
        }
        router.form("sources/:code/name") { form, request, context in
            let user = try context.administering()
            let code = try context.code()
            // The form of an undo has no fields.
            let name = form["name"] ?? request.query("name") ?? ""
            do {
                let before = try await site.pool.withConnection {
                    try await SourceSystems.rename(code, to: name, by: user.id, on: $0)
                }
                let saying = try site.saying(request, context)
                let source = try await site.pool.withConnection {
                    try await SourceSystems.show(code, on: $0)
                }
                let url = "/sources/\(Link.encoded(code))"
                return site.see(
                    url,
                    Told(
                        text: saying.words("page.sources.renamed", ["name": source.title]),
                        undo: (source.name ?? "") == before ? nil : Link.to("\(url)/name", ["name": before])))
            } catch let error as SourceError where error.has(.name) {
                return try await refuse(error, code, request, context, name: name)
            }
        }
        router.form("sources/:code/delete") { _, request, context in
            let user = try context.administering()
            let code = try context.code()
            do {
                try await site.pool.withConnection {
                    try await SourceSystems.remove(code, by: user.id, on: $0)
                }
            } catch let error as SourceError where error.has(.used) {
                let page = try await site.sources(request, context, nil, error.diagnostic)
                return try await site.answer(page, to: request, context, status: .unprocessableContent)
            }
            let saying = try site.saying(request, context)
            return site.see("/sources", Told(text: saying.words("page.sources.removed", ["code": code])))
        }
    }

    /// Leads to the run, whose page shows how far it is; where that is over already, the message takes it back.
    private func told(
        _ id: Int, _ source: SourceSystem, _ trust: Int, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let saying = try site.saying(request, context)
        guard let run = try await changes.begun(id) else {
            return site.see(
                "/sources/\(Link.encoded(source.code))", Told(text: saying.words("page.sources.waiting")))
        }
        let isOver =
            try await site.pool.withConnection { try await Runs.show(run, on: $0) }?.state != "running"
        let facts = ["source": source.title, "before": String(source.trust), "after": String(trust)]
        return site.see(
            "/runs/\(run)",
            Told(text: saying.words("page.run.trust", facts), undo: isOver ? "/runs/\(run)/undo" : nil))
    }

    private func refuse(
        _ error: SourceError, _ code: String, _ request: Request, _ context: WebContext,
        trust: String? = nil, name: String? = nil
    ) async throws -> Response {
        let page = try await page(code, request, context, trust: trust, name: name, error.diagnostic)
        return try await site.answer(page, to: request, context, status: .unprocessableContent)
    }

    /// The page, with what the trust asked for would do; `fault` is why that or a name cannot be.
    private func page(
        _ code: String, _ request: Request, _ context: WebContext, trust typed: String? = nil,
        name: String? = nil, _ fault: Diagnostic? = nil
    ) async throws -> SourcePage {
        let saying = try site.saying(request, context)
        let words = saying.words
        let wanted = fault == nil ? try typed.map { try SourceSystems.trust($0.trimmingBlanks) } : nil
        let (source, outlook) = try await site.pool.transaction { connection in
            let source = try await SourceSystems.changeable(code, on: connection)
            let outlook =
                if let wanted {
                    try await TrustChanges.outlook(code, trust: wanted, on: connection)
                } else {
                    try await Redecision.outlook(of: source.id, trust: source.trust, on: connection)
                }
            return (source, outlook)
        }
        let accounts = outlook.accounts < Redecision.most ? "accounts" : "moreAccounts"
        let persons = outlook.persons < Redecision.most ? "persons" : "morePersons"
        let title = words("page.sources.one", ["name": source.title])
        return SourcePage(
            title: fault == nil ? title : words("page.form.wrong", ["title": title]), name: source.title,
            sub: words(
                "page.sources.reach",
                [
                    "kind": words("page.sources.kind_\(source.kind)"), "code": source.code,
                    "accounts": words("page.sources.\(accounts)", count: outlook.accounts),
                    "persons": words("page.sources.\(persons)", count: outlook.persons),
                ]),
            url: "/sources/\(Link.encoded(code))",
            history: Link.to("/audit", ["entity": "source", "object": String(source.id)]),
            trust: typed ?? String(source.trust), isTrustWrong: fault?.place.field == "trust",
            outlook: wanted.map { wanted in
                SourcePage.Outlook(
                    trust: String(wanted),
                    text: words(
                        "page.sources.outlook", count: outlook.changed,
                        ["looked": words("page.sources.looked", count: outlook.looked)]),
                    action: words(
                        "page.sources.apply", ["before": String(source.trust), "after": String(wanted)]))
            },
            typedName: name ?? source.name ?? "", isNameWrong: fault?.place.field == "name",
            problem: fault.map { Problem($0, words) })
    }
}

extension WebContext {
    /// The code in the path.
    fileprivate func code() throws -> String {
        guard let code = parameters.get("code") else { throw ServerError(.notFound) }
        return code
    }
}

// SPDX-License-Identifier: Apache-2.0
// `/sources`: whom to trust when two systems say different things?

internal import CRM
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// The sources as their template sees them.
struct SourcesPage: Page {
    /// A source.
    struct Row: Sendable {
        let code: String
        let kind: String
        let trust: String
        let last: String
        let claims: String
    }

    static let template = "sources"
    static let entry = "/sources"
    let title: String
    let rows: [Row]
}

extension Site {
    /// The sources' route.
    func addSources(to router: Router<WebContext>) {
        router.get("sources") { request, context in
            _ = try context.operating()
            let saying = try saying(request, context)
            let words = saying.words
            let sources = try await pool.withConnection { try await SourceSystems.list(on: $0) }
            let page = SourcesPage(
                title: words("page.sources.title"),
                rows: sources.map { source in
                    SourcesPage.Row(
                        code: source.code, kind: words("page.sources.kind_\(source.kind)"),
                        trust: words.number(source.trust),
                        last: source.lastRunAt.map(saying.momentShort) ?? words("page.sources.never"),
                        claims: source.claims.map { words("page.sources.claims", count: $0) }
                            ?? words("page.sources.unknown"))
                })
            return try await answer(page, to: request, context)
        }
    }
}

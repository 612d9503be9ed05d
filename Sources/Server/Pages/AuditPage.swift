// SPDX-License-Identifier: Apache-2.0
// `/audit`: who saw or did what?

internal import CRM
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
    let rows: [Row]
    let isEmpty: Bool
    let pager: PagerView?
}

extension Site {
    private static let entriesPerPage = 50

    /// The audit's route.
    func addAudit(to router: Router<WebContext>) {
        router.get("audit") { request, context in
            _ = try context.administering()
            let saying = try saying(request, context)
            let before = request.number("before").flatMap { micros in
                request.number("entry").map {
                    TimelineCursor(at: Timestamp(microsecondsSince1970: Int64(micros)), id: $0)
                }
            }
            let entries = try await pool.withConnection {
                try await Audit.list(before: before, limit: Self.entriesPerPage + 1, on: $0)
            }
            let shown = entries.prefix(Self.entriesPerPage)
            let page = AuditPage(
                title: saying.words("page.audit.title"), rows: shown.map { Self.row($0, saying) },
                isEmpty: shown.isEmpty,
                pager: PagerView(
                    text: saying.words("page.audit.shown", count: shown.count),
                    first: before == nil ? nil : "/audit",
                    next: entries.count > Self.entriesPerPage
                        ? shown.last.map {
                            Link.to(
                                "/audit",
                                ["before": String($0.at.microsecondsSince1970), "entry": String($0.id)])
                        } : nil))
            return try await answer(page, to: request, context)
        }
    }

    private static func row(_ entry: AuditEntry, _ saying: Saying) -> AuditPage.Row {
        let paths = ["party": "/accounts/", "run": "/runs/"]
        let which = entry.entity.map { entity in
            saying.words("page.audit.entity_\(entity)", ["id": entry.entityID.map(String.init) ?? ""])
        }
        return AuditPage.Row(
            at: saying.moment(entry.at), who: entry.user ?? saying.words("page.audit.nobody"),
            what: saying.words("audit.\(entry.action)"), which: which ?? "",
            url: entry.entity.flatMap { paths[$0] }.flatMap { path in entry.entityID.map { path + String($0) }
            })
    }
}

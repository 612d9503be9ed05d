// SPDX-License-Identifier: Apache-2.0
// `/sales-documents/1204`: what was sold, what is to be paid of it, and where that was read?

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import Model
internal import PostgreSQL
internal import Words

/// A commercial document as its template sees it.
struct SalesDocumentPage: Page {
    /// A key number.
    struct Figure: Sendable {
        let name: String
        let value: String
        let note: String
        let isLate: Bool
    }

    /// A fact, or a sum.
    struct Fact: Sendable {
        let label: String
        let value: String
        let url: String?
    }

    /// A line of the document.
    struct Line: Sendable {
        let label: String
        let note: String
        let quantity: String
        let price: String
        let rate: String
        let net: String
    }

    /// The tax of one rate.
    struct Tax: Sendable {
        let rate: String
        let base: String
        let amount: String
    }

    /// An instalment or a payment.
    struct Money: Sendable {
        let what: String
        let day: String
        let amount: String
        let open: String
    }

    /// A document that belongs to it.
    struct Related: Sendable {
        let number: String
        let url: String
        let note: String
        let amount: String
    }

    /// What a platform told.
    struct Event: Sendable {
        let when: String
        let text: String
        let note: String
    }

    static let template = "sales-document"
    static let entry = "/accounts"
    let title: String
    let accountName: String
    let accountURL: String
    let badges: [BadgeView]
    let sub: String
    let isStub: Bool
    let figures: [Figure]
    let facts: [Fact]
    let origin: [Fact]
    let lines: [Line]
    let hasLines: Bool
    let pager: PagerView?
    let taxes: [Tax]
    let hasTaxes: Bool
    let sums: [Fact]
    let money: [Money]
    let hasMoney: Bool
    let related: [Related]
    let hasRelated: Bool
    let events: [Event]
    let hasEvents: Bool
}

extension Site {
    /// The document's route.
    func addSalesDocument(to router: Router<WebContext>) {
        router.get("sales-documents/:id") { request, context in
            let user = try context.user()
            let id = try context.number()
            let after = max(0, request.number("after") ?? 0)
            let found = try await pool.withConnection { connection in
                try await SalesDocuments.view(id, for: user, after: after, on: connection)
            }
            guard let view = found else { throw ServerError(.notFound) }
            let page = SalesDocumentPage(
                view, try saying(request, context), isLater: after > 0, showsRuns: user.mayOperate)
            return try await answer(page, to: request, context)
        }
    }
}

extension SalesDocumentPage {
    init(_ view: SalesDocumentView, _ saying: Saying, isLater: Bool, showsRuns: Bool) {
        let texts = SalesDocumentTexts(view, saying)
        let head = view.head
        title = texts.title
        accountName = head.accountName
        accountURL = "/accounts/\(head.account)"
        badges = texts.badges
        sub = texts.sub
        isStub = head.isStub
        figures = texts.figures
        facts = texts.facts
        origin = texts.origin(showsRuns: showsRuns)
        let shown = view.lines.prefix(SalesDocuments.linesPerPage)
        lines = shown.map { texts.line($0) }
        hasLines = !lines.isEmpty
        let path = "/sales-documents/\(head.id)"
        let isMore = view.lines.count > SalesDocuments.linesPerPage
        pager =
            isMore || isLater
            ? PagerView(
                text: saying.words("page.salesDocument.linesShown", count: shown.count),
                first: isLater ? path : nil,
                next: isMore ? shown.last.map { Link.to(path, ["after": String($0.place)]) } : nil)
            : nil
        taxes = view.taxes.map { texts.tax($0) }
        hasTaxes = !taxes.isEmpty
        sums = texts.sums
        money = view.money.map { texts.money($0) }
        hasMoney = !money.isEmpty
        related = view.related.map { texts.related($0) }
        hasRelated = !related.isEmpty
        events = view.events.map { texts.event($0) }
        hasEvents = !events.isEmpty
    }
}

// SPDX-License-Identifier: Apache-2.0
// The 360° view: reading an account, writing to its timeline, taking over a claim.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import Model
internal import PostgreSQL
internal import Words

extension Site {
    /// The account's routes.
    func addAccount(to router: Router<WebContext>) {
        router.get("accounts/:id") { request, context in
            let user = try context.user()
            let id = try context.number()
            let saying = try saying(request, context)
            let cursor = request.number("before").flatMap { micros in
                request.number("entry").map {
                    TimelineCursor(at: Timestamp(microsecondsSince1970: Int64(micros)), id: $0)
                }
            }
            let found = try await pool.withConnection { connection in
                try await Accounts.view(id, for: user, before: cursor, on: connection)
            }
            guard let view = found else { throw ServerError(.notFound) }
            let page = AccountPage(view, saying, isLater: cursor != nil)
            return try await answer(page, to: request, context)
        }
        router.form("accounts/:id/notes") { form, request, context in
            let user = try context.user()
            let id = try context.number()
            let saying = try saying(request, context)
            let channel = form.text("channel")
            let subject = String(form.text("subject").prefix(200))
            let body = String(form.text("body").prefix(20_000))
            guard Timeline.channels.contains(channel), !subject.isEmpty else {
                throw ServerError(.request)
            }
            let made = try await pool.withConnection { connection in
                try await Timeline.write(
                    channel, subject: subject, body: body.isEmpty ? nil : body, about: id, by: user,
                    on: connection)
            }
            guard made != nil else { throw ServerError(.notFound) }
            return see("/accounts/\(id)", Told(text: saying.words("page.account.written")))
        }
        addAccountEdit(to: router)
        addPeople(to: router)
        addSites(to: router)
    }
}

extension AccountPage {
    init(_ view: AccountView, _ saying: Saying, isLater: Bool) {
        let words = saying.words
        let identity = view.identity
        let texts = AccountTexts(view, saying)
        let late = texts.figure("overdue")
        title = identity.name
        number = String(identity.id)
        name = identity.name
        var badges = [BadgeView.status(identity.status, saying)]
        if let tier = identity.tier { badges.append(BadgeView("plain", tier)) }
        if let late, late.count > 0 {
            badges.append(BadgeView("late", words("page.account.late", count: late.count)))
        }
        self.badges = badges
        sub = texts.sub
        phone = view.entries.first { $0.kind == "phone" }.map { Phone(url: AccountTexts.dial($0.value)) }
        editURL = "/accounts/\(identity.id)/edit"
        planURL = "/agenda/new?account=\(identity.id)"
        noteURL = "/accounts/\(identity.id)/notes"
        figures = texts.figures
        facts = texts.facts
        sites = texts.sites
        hasSites = !view.sites.isEmpty
        sitesNote = words("page.account.sitesCount", count: view.sites.count)
        newSiteURL = "/accounts/\(identity.id)/sites/new"
        people = texts.people
        newPersonURL = "/accounts/\(identity.id)/people/new"
        hasPeople = !people.isEmpty
        ahead = texts.ahead
        hasAhead = !ahead.isEmpty
        documents = view.documents.map { texts.document($0) }
        hasDocuments = !documents.isEmpty
        documentsNote =
            view.documents.count < 10
            ? words("page.account.documentsCount", count: view.documents.count)
            : words("page.account.latest", count: view.documents.count)
        channels = Timeline.channels.map {
            Choice(value: $0, text: words("page.channel.\($0)"), isChosen: false)
        }
        timeline = view.timeline.prefix(20).map { texts.event($0) }
        hasTimeline = !view.timeline.isEmpty
        let last = view.timeline.prefix(20).last
        let path = "/accounts/\(identity.id)"
        pager = PagerView(
            text: "", first: isLater ? path : nil,
            next: view.timeline.count > 20
                ? last.map {
                    Link.to(
                        path, ["before": String($0.at.microsecondsSince1970), "entry": String($0.id)])
                } : nil)
        sales = SalesChart(view.figures, today: texts.today, saying)
        products = texts.products
        hasProducts = !products.isEmpty
    }
}

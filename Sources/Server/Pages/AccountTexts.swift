// SPDX-License-Identifier: Apache-2.0
// An account's figures, facts and documents as its page says them.

internal import CRM
internal import Model
internal import Words

/// Says what is known of an account.
struct AccountTexts {
    let view: AccountView
    let saying: Saying
    let today: CalendarDate

    init(_ view: AccountView, _ saying: Saying) {
        self.view = view
        self.saying = saying
        today = saying.words.day(saying.now, in: saying.zone)
    }

    private var words: Words { saying.words }

    func figure(_ kind: String) -> AccountView.Figure? { view.figures.first { $0.kind == kind } }

    /// Where it is and who looks after it.
    var sub: String {
        let main = view.sites.first
        let place = [main?.postalCode, main?.city].compactMap(\.self).joined(separator: " ")
        let owner = view.identity.owner.map { words("page.account.followed", ["name": $0]) }
        let territory = view.identity.territory.map { words("page.account.territory", ["name": $0]) }
        return [place.isEmpty ? nil : place, owner, territory].compactMap(\.self).joined(
            separator: "\u{A0}· ")
    }

    var figures: [AccountPage.Figure] {
        let sales = figure("sales")
        let before = figure("sales_before")
        let open = figure("open")
        let overdue = figure("overdue")
        let contract = figure("contract")
        let zero = Decimal(0)
        var figures = [
            AccountPage.Figure(
                title: words("page.account.sales12"), value: words.moneyRounded(sales?.amount ?? zero, "EUR"),
                note: trend(sales?.amount, before?.amount), isLate: false),
            AccountPage.Figure(
                title: words("page.account.open"), value: words.moneyRounded(open?.amount ?? zero, "EUR"),
                note: words("page.account.documentsCount", count: open?.count ?? 0), isLate: false),
            AccountPage.Figure(
                title: words("page.account.overdue"),
                value: words.moneyRounded(overdue?.amount ?? zero, "EUR"),
                note: overdue?.day.map { day in
                    words("page.account.days", count: today.daysSince1970 - day.daysSince1970)
                } ?? words("page.account.nothingOverdue"),
                isLate: overdue.map { $0.count > 0 } ?? false),
        ]
        if let contract, let day = contract.day {
            figures.append(
                AccountPage.Figure(
                    title: words("page.account.contract", ["number": contract.key]),
                    value: words.dateShort(day, today: today),
                    note: words("page.account.inDays", count: day.daysSince1970 - today.daysSince1970),
                    isLate: false))
        }
        return figures
    }

    private func trend(_ now: Decimal?, _ before: Decimal?) -> String {
        guard let now = now.flatMap({ Double($0.description) }),
            let before = before.flatMap({ Double($0.description) }), before > 0
        else { return words("page.account.noYearBefore") }
        guard let percent = Int(exactly: ((now - before) / before * 100).rounded()), abs(percent) < 100_000
        else {
            return words("page.account.noYearBefore")
        }
        let sign = percent > 0 ? "+\u{A0}" : percent < 0 ? "−" : ""
        return words("page.account.trend", ["percent": sign + words.number(abs(percent))])
    }

    /// What is planned, then what ends.
    var ahead: [AccountPage.Ahead] {
        let planned = view.planned.compactMap { entry in
            entry.span.map { span in
                let day = words.day(span.start, in: saying.zone)
                let title = entry.title.isEmpty ? words("page.agenda.untitled") : entry.title
                return AccountPage.Ahead(
                    when: words.dateShort(day, today: today), text: title,
                    note: [span.isAllDay ? nil : saying.clock(span.start), entry.location].compactMap(\.self)
                        .joined(separator: "\u{A0}· "))
            }
        }
        return planned + contractEnds
    }

    private var contractEnds: [AccountPage.Ahead] {
        view.figures.filter { $0.kind == "contract" }.compactMap { contract in
            contract.day.map { day in
                AccountPage.Ahead(
                    when: words.dateShort(day, today: today),
                    text: words("page.account.contractEnds", ["number": contract.key]),
                    note: words("page.account.inDays", count: day.daysSince1970 - today.daysSince1970))
            }
        }
    }

    var products: [AccountPage.Product] {
        let rows = view.figures.filter { $0.kind == "product" && $0.amount != nil }
        let most = rows.compactMap { $0.amount.flatMap { Double($0.description) } }.max() ?? 0
        guard most > 0 else { return [] }
        return rows.map { row in
            let value = row.amount.flatMap { Double($0.description) } ?? 0
            return AccountPage.Product(
                name: row.key.isEmpty ? words("page.account.noLabel") : row.key,
                amount: words.moneyRounded(row.amount ?? Decimal(0), "EUR"),
                width: String(max(0, (value / most * 1000).rounded() / 10)))
        }
    }

    func document(_ document: DocumentSummary) -> AccountPage.Document {
        let isLate = document.status == "overdue"
        // A credit note takes back: its file says so by its kind, not by a sign.
        let amount = (document.gross ?? document.net).map {
            document.kind == "credit_note" ? $0.magnitude.negated : $0
        }
        let next: String =
            if isLate, let due = document.dueOn, let open = document.open {
                words(
                    "page.account.lateBy",
                    [
                        "days": words("page.account.days", count: today.daysSince1970 - due.daysSince1970),
                        "open": words.money(open, document.currency ?? "EUR"),
                    ])
            } else if let due = document.dueOn, document.status != "paid" {
                words(
                    document.kind == "contract" ? "page.account.until" : "page.account.due",
                    ["day": words.dateShort(due, today: today)])
            } else {
                ""
            }
        return AccountPage.Document(
            number: document.number, url: "/sales-documents/\(document.id)",
            kind: words("page.kind.\(document.kind)"),
            date: document.issuedOn.map { words.dateShort($0, today: today) } ?? "",
            amount: amount.map { words.money($0, document.currency ?? "EUR") } ?? "",
            badge: document.status.map { .billing($0, saying) }, next: next, isLate: isLate)
    }

    func event(_ entry: TimelineEntry) -> AccountPage.Event {
        let icons = ["call": "call", "email": "mail", "letter": "mail", "visit": "place", "meeting": "cal"]
        let who = entry.person.map { "\u{A0}· " + $0 } ?? ""
        return AccountPage.Event(
            icon: icons[entry.channel] ?? "note", channel: words("page.channel.\(entry.channel)"),
            subject: entry.subject + who, body: entry.body, datetime: entry.at.description,
            moment: saying.moment(entry.at), at: saying.ago(entry.at))
    }

    // MARK: - Facts

    var facts: [AccountPage.Fact] {
        let identity = view.identity
        var facts: [AccountPage.Fact] = []
        func add(
            _ label: String, _ value: String?, _ field: String, _ entity: String = "party", url: String? = nil
        ) {
            let entityID = entity == "party" ? identity.id : identity.mainSite ?? 0
            let said = said(entity, entityID, field)
            // What somebody emptied by hand stays in sight: others may say something.
            let shown =
                value.flatMap { $0.isEmpty ? nil : $0 } ?? said.map { _ in words("page.account.noValue") }
            guard let shown else { return }
            facts.append(
                AccountPage.Fact(label: words("page.field.\(label)"), value: shown, url: url, said: said))
        }
        add("name", identity.name, "name")
        add("siren", identity.siren.map { words.siren($0) }, "siren")
        add("vat", identity.vat.map { words.vat($0) }, "vat")
        add("legal_id", identity.legalID, "legal_id")
        let main = view.sites.first { $0.id == identity.mainSite }
        add("siret", main?.siret.map { words.siret($0) }, "siret", "site")
        add("street", main?.street, "street", "site")
        add("city", main?.city, "city", "site")
        for entry in view.entries where entry.kind != "person" {
            let value = entry.kind == "phone" ? words.phone(entry.value) : entry.value
            let url: String? =
                entry.kind == "phone"
                ? Self.dial(entry.value) : entry.kind == "email" ? "mailto:\(entry.value)" : nil
            let label =
                entry.kind == "code"
                ? words("page.field.codeOf", ["source": source(entry.note ?? "", nil)])
                : words("page.field.\(entry.kind)")
            let claim = ContactField(rawValue: entry.kind).map { "\(entry.kind):\($0.norm(of: entry.value))" }
            facts.append(
                AccountPage.Fact(
                    label: label, value: value, url: url,
                    said: claim.flatMap { said("party", identity.id, $0) }))
        }
        if let days = identity.payDays {
            facts.append(
                AccountPage.Fact(
                    label: words("page.field.pay_days"), value: words("page.account.days", count: days),
                    url: nil, said: nil))
        }
        return facts
    }

    var people: [AccountPage.Person] {
        view.entries.filter { $0.kind == "person" }.map { person in
            AccountPage.Person(
                name: person.value, note: person.note ?? "",
                url: "/accounts/\(view.identity.id)/people/\(person.id ?? 0)",
                phone: person.phone.map { .init(url: Self.dial($0), text: words.phone($0)) },
                email: person.email.map { .init(url: "mailto:\($0)", text: $0) })
        }
    }

    /// A link for the phone: digits and a leading plus only.
    static func dial(_ phone: String) -> String {
        "tel:" + phone.filter { $0.isASCII && ($0.isNumber || $0 == "+") }
    }

    private func said(_ entity: String, _ id: Int, _ field: String) -> AccountPage.Said? {
        let claims = view.claims.filter { $0.entity == entity && $0.entityID == id && $0.field == field }
        guard let first = claims.first else { return nil }
        return AccountPage.Said(
            source: first.sourceName ?? source(first.source, first.person), title: text(of: first),
            isHuman: first.source == "person",
            claims: claims.enumerated().map { index, claim in
                AccountPage.ClaimView(
                    value: claim.value ?? words("page.account.noValue"), said: text(of: claim),
                    isKept: index == 0,
                    take: index == 0 || AccountField(rawValue: field) == nil
                        ? nil
                        : AccountPage.Take(
                            url: "/accounts/\(view.identity.id)/take", field: field, value: claim.value ?? "",
                            version: first.value ?? ""))
            })
    }

    private func source(_ code: String, _ person: String?) -> String {
        if code == "person" { return words("page.source.person") }
        return words.known("page.source.\(code)") ?? code
    }

    /// `ERP, clients.csv, ligne 12, lun. 23 nov. 2026 à 06:31`, or who typed it.
    private func text(of claim: AccountView.Claim) -> String {
        if claim.source == "person" {
            return words(
                "page.account.typedBy", ["name": claim.person ?? "", "at": saying.moment(claim.at)])
        }
        let file = claim.file.map { String($0.split(separator: "/").last ?? Substring($0)) }
        let line = claim.line.map { words("page.quarantine.line", ["line": words.number($0)]) }
        return [claim.sourceName ?? source(claim.source, nil), file, line, saying.moment(claim.at)]
            .compactMap(\.self)
            .joined(separator: ", ")
    }

    var sites: [AccountPage.SiteView] {
        view.sites.prefix(50).map { site in
            let town = [site.postalCode, site.city].compactMap(\.self).joined(separator: " ")
            let parts = [site.street, town.isEmpty ? nil : town, site.country == "FR" ? nil : site.country]
            let address = parts.compactMap(\.self).joined(separator: ", ")
            let siret = site.siret.map { words("page.account.siret", ["siret": words.siret($0)]) }
            let notes = [site.name == nil || address.isEmpty ? nil : address, siret]
            return AccountPage.SiteView(
                name: site.name ?? (address.isEmpty ? words("page.account.noAddress") : address),
                url: "/accounts/\(view.identity.id)/sites/\(site.id)",
                note: notes.compactMap(\.self).joined(separator: "\u{A0}· "),
                phone: site.phone.map { .init(url: Self.dial($0), text: words.phone($0)) },
                badge: site.isMain ? BadgeView("plain", words("page.account.main")) : nil)
        }
    }
}

extension BadgeView {
    /// The billing status of a document; a contract's own is said as it is.
    static func billing(_ status: String, _ saying: Saying) -> BadgeView {
        let kinds = [
            "overdue": "late", "paid": "ok", "open": "upd", "partly_paid": "part", "disputed": "warn",
        ]
        return BadgeView(kinds[status] ?? "", saying.words.known("page.billing.\(status)") ?? status)
    }
}

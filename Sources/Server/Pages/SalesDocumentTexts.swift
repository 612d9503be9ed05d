// SPDX-License-Identifier: Apache-2.0
// A commercial document's figures, facts and rows as its page says them.

internal import CRM
internal import Model
internal import Words

/// Says what is known of a document.
struct SalesDocumentTexts {
    let view: SalesDocumentView
    let saying: Saying
    let today: CalendarDate

    init(_ view: SalesDocumentView, _ saying: Saying) {
        self.view = view
        self.saying = saying
        today = saying.words.day(saying.now, in: saying.zone)
    }

    private var words: Words { saying.words }
    private var head: SalesDocumentView.Head { view.head }

    private func day(_ field: String) -> CalendarDate? { head.days.first { $0.field == field }?.day }
    private func amount(_ field: String) -> Decimal? { head.amounts.first { $0.field == field }?.amount }

    private func money(_ value: Decimal?, _ currency: String? = nil) -> String {
        value.map { words.money($0, currency ?? head.currency ?? "EUR") } ?? ""
    }

    /// `20 %`; nothing where no rate is given.
    private func percent(_ rate: Decimal?) -> String {
        rate.map { words("page.salesDocument.percent", ["rate": saying.value($0.reduced.description)]) } ?? ""
    }

    var title: String { words("page.kind.\(head.kind)") + " " + head.number }

    var badges: [BadgeView] {
        var badges = head.status.map { [BadgeView.billing($0, saying)] } ?? []
        if view.isElectronic {
            badges.append(BadgeView("plain", words("page.salesDocument.electronic")))
        }
        return badges
    }

    var sub: String {
        let begun = head.days.first.map { field, day in
            words("page.salesDocument.\(field)") + " " + words.dateLong(day)
        }
        return [head.label, begun].compactMap(\.self).joined(separator: "\u{A0}· ")
    }

    var figures: [SalesDocumentPage.Figure] {
        let isLate = head.status == "overdue"
        return ["net_total", "tax_total", "gross_total", "open_amount"].compactMap { field in
            guard let value = amount(field) else { return nil }
            let isOpen = field == "open_amount"
            let due = isOpen && value.unscaled != 0 ? day("due_date") : nil
            let note = due.map { due in
                isLate
                    ? words("page.salesDocument.late", count: today.daysSince1970 - due.daysSince1970)
                    : words("page.account.due", ["day": words.dateShort(due, today: today)])
            }
            return SalesDocumentPage.Figure(
                name: words("page.salesDocument.\(field)"), value: money(value), note: note ?? "",
                isLate: isOpen && isLate)
        }
    }

    var facts: [SalesDocumentPage.Fact] {
        var facts = [
            SalesDocumentPage.Fact(
                label: words("page.salesDocument.account"), value: head.accountName,
                url: "/accounts/\(head.account)")
        ]
        func add(_ field: String, _ value: String?) {
            guard let value else { return }
            facts.append(.init(label: words("page.salesDocument.\(field)"), value: value, url: nil))
        }
        add("issuer", head.issuerName)
        add("address", head.address)
        for (field, day) in head.days { add(field, words.dateShort(day, today: today)) }
        add("orderReference", head.orderReference)
        add("period", head.period)
        add("renewal", head.renewal)
        add("notice", head.noticeDays.map { words("page.account.days", count: $0) })
        return facts
    }

    /// Where it was read.
    func origin(showsRuns: Bool) -> [SalesDocumentPage.Fact] {
        var facts: [SalesDocumentPage.Fact] = []
        func add(_ field: String, _ value: String?, url: String? = nil) {
            guard let value else { return }
            facts.append(.init(label: words("page.salesDocument.\(field)"), value: value, url: url))
        }
        add("source", words.known("page.source.\(head.source)") ?? head.source)
        add("file", head.file.map { String($0.split(separator: "/").last ?? Substring($0)) })
        add("line", head.line.map { words.number($0) })
        add("run", head.run.map { words.number($0) }, url: showsRuns ? head.run.map { "/runs/\($0)" } : nil)
        add("customization", head.customization)
        add("typeCode", head.typeCode)
        return facts
    }

    /// The amounts that are no key numbers.
    var sums: [SalesDocumentPage.Fact] {
        let shown: Set = ["net_total", "tax_total", "gross_total", "open_amount"]
        return head.amounts.filter { !shown.contains($0.field) }.map { field, amount in
            .init(label: words("page.salesDocument.\(field)"), value: money(amount), url: nil)
        }
    }

    func line(_ line: SalesDocumentView.Line) -> SalesDocumentPage.Line {
        let note = [line.number, line.product].compactMap(\.self).joined(separator: "\u{A0}· ")
        return SalesDocumentPage.Line(
            label: line.label ?? line.product ?? words("page.account.noLabel"), note: note,
            quantity: line.quantity.map { saying.value($0.reduced.description) } ?? "",
            price: money(line.price), rate: percent(line.rate), net: money(line.net))
    }

    func tax(_ tax: SalesDocumentView.Tax) -> SalesDocumentPage.Tax {
        SalesDocumentPage.Tax(
            rate: tax.rate == nil ? tax.category ?? "" : percent(tax.rate), base: money(tax.base),
            amount: money(tax.amount))
    }

    func money(_ money: SalesDocumentView.Money) -> SalesDocumentPage.Money {
        let method = money.method.map { "\u{A0}· " + $0 } ?? ""
        return SalesDocumentPage.Money(
            what: words(
                money.isPayment ? "page.salesDocument.payment" : "page.salesDocument.instalment",
                ["number": money.number]) + method,
            day: money.day.map { words.dateShort($0, today: today) } ?? "",
            amount: self.money(money.amount, money.currency), open: self.money(money.open))
    }

    func related(_ document: SalesDocumentView.Related) -> SalesDocumentPage.Related {
        let day = document.day.map { words.dateShort($0, today: today) }
        let note = [words("page.salesDocument.related_\(document.relation)"), day].compactMap(\.self)
        return SalesDocumentPage.Related(
            number: words("page.kind.\(document.kind)") + " " + document.number,
            url: "/sales-documents/\(document.id)", note: note.joined(separator: "\u{A0}· "),
            amount: money(document.amount, document.currency))
    }

    func event(_ event: SalesDocumentView.Event) -> SalesDocumentPage.Event {
        SalesDocumentPage.Event(
            when: event.at.map { saying.momentShort($0) } ?? "",
            text: words.known("page.salesDocument.event_\(event.code)") ?? event.text ?? event.code,
            note: event.reason ?? "")
    }
}

// SPDX-License-Identifier: Apache-2.0
// `/accounts/63`: what must I know before I call?

internal import CRM
internal import Hummingbird
internal import Model
internal import PostgreSQL
internal import Words

/// An account as its template sees it.
struct AccountPage: Page {
    /// A key number.
    struct Figure: Sendable {
        let title: String
        let value: String
        let note: String
        let isLate: Bool
    }

    /// A fact with who says it.
    struct Fact: Sendable {
        let label: String
        let value: String
        let url: String?
        let said: Said?
    }

    /// Who says a value, and what others say.
    struct Said: Sendable {
        let source: String
        let title: String
        let isHuman: Bool
        let claims: [ClaimView]
    }

    /// One claim on a value.
    struct ClaimView: Sendable {
        let value: String
        let said: String
        let isKept: Bool
        let take: Take?
    }

    /// The form that makes a claim one's own.
    struct Take: Sendable {
        let url: String
        let field: String
        let value: String
        let version: String
    }

    /// A place of the account's.
    struct SiteView: Sendable {
        /// What people call it, or else its address.
        let name: String
        let url: String
        let note: String
        let phone: Reach?
        let badge: BadgeView?
    }

    /// Somebody who works there.
    struct Person: Sendable {
        let name: String
        let note: String
        let url: String
        let phone: Reach?
        let email: Reach?
    }

    /// A link that calls or writes.
    struct Reach: Sendable {
        let url: String
        let text: String
    }

    /// Something that is to come.
    struct Ahead: Sendable {
        let when: String
        let text: String
        let note: String
    }

    /// A commercial document.
    struct Document: Sendable {
        let number: String
        let url: String
        let kind: String
        let date: String
        let amount: String
        let badge: BadgeView?
        let next: String
        let isLate: Bool
    }

    /// Something that happened.
    struct Event: Sendable {
        let icon: String
        let channel: String
        let subject: String
        let body: String?
        let datetime: String
        let moment: String
        let at: String
    }

    /// A product's share of the sales.
    struct Product: Sendable {
        let name: String
        let amount: String
        let width: String
    }

    /// The phone to call.
    struct Phone: Sendable {
        let url: String
    }

    static let template = "account"
    static let entry = "/accounts"
    let title: String
    let number: String
    let name: String
    let badges: [BadgeView]
    let sub: String
    let phone: Phone?
    let editURL: String
    let noteURL: String
    let planURL: String
    let figures: [Figure]
    let facts: [Fact]
    let sites: [SiteView]
    let hasSites: Bool
    let sitesNote: String
    let newSiteURL: String
    let people: [Person]
    let newPersonURL: String
    let hasPeople: Bool
    let ahead: [Ahead]
    let hasAhead: Bool
    let documents: [Document]
    let hasDocuments: Bool
    let documentsNote: String
    let channels: [Choice]
    let timeline: [Event]
    let hasTimeline: Bool
    let pager: PagerView?
    let sales: SalesChart?
    let products: [Product]
    let hasProducts: Bool
}

/// Sales by month: the last twelve beside the twelve before.
struct SalesChart: Sendable {
    /// A column.
    struct Bar: Sendable {
        let kind: String
        let x: Int
        let y: String
        let width: Int
        let height: String
    }

    let label: String
    let top: String
    let middle: String
    let bars: [Bar]
    let months: [String]

    /// nil where nothing was sold.
    init?(_ figures: [AccountView.Figure], today: CalendarDate, _ saying: Saying) {
        let sums = Dictionary(
            figures.filter { $0.kind == "month" }.map { ($0.key, max(0, Self.double($0.amount))) }
        ) { $1 }
        let most = sums.values.max() ?? 0
        guard most > 0, most < 1e15 else { return nil }
        let scale = Self.roundedUp(most)
        let parts = today.parts
        var bars: [Bar] = []
        var months: [String] = []
        for index in 0..<12 {
            // Months since the year 0, the last of the twelve being this one.
            let month = parts.year * 12 + parts.month - 1 - 11 + index
            months.append(saying.words("page.account.month_\(month % 12 + 1)"))
            for (kind, before, x, width) in [("same", 12, 4, 7), ("accent", 0, 12, 9)] {
                let key = Self.key(month - before)
                guard let sum = sums[key], sum > 0 else { continue }
                let height = sum / scale * 100
                bars.append(
                    Bar(
                        kind: kind, x: x + index * 25, y: Self.text(100 - height), width: width,
                        height: Self.text(height)))
            }
        }
        (self.bars, self.months) = (bars, months)
        top = saying.words.moneyRounded(Decimal(Int(scale)), "EUR")
        middle = saying.words.number(Int(scale / 2))
        let best = sums.max { $0.value < $1.value }
        label = saying.words(
            "page.account.salesLabel",
            ["most": saying.words.moneyRounded(Decimal(Int(most)), "EUR"), "month": best?.key ?? ""])
    }

    private static func key(_ month: Int) -> String {
        let number = month % 12 + 1
        return "\(month / 12)-\(number < 10 ? "0" : "")\(number)"
    }

    private static func double(_ amount: Decimal?) -> Double {
        amount.flatMap { Double($0.description) } ?? 0
    }

    private static func roundedUp(_ value: Double) -> Double {
        var step = 2.0
        while true {
            for factor in [1.0, 2, 3, 5] where step * factor >= value { return step * factor }
            step *= 10
        }
    }

    private static func text(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}

// SPDX-License-Identifier: Apache-2.0
// A commercial document as programs read it.

internal import CRM
internal import Model

/// The document of `/api/v1/sales-documents/{id}`; its lines are those of one page.
struct SalesDocumentAnswer: Encodable {
    struct Line: Encodable {
        let place: Int
        let label: String?
        let product: String?
        let quantity: String?
        let unit_price: String?
        let tax_rate: String?
        let net: String?
    }

    struct Tax: Encodable {
        let category: String?
        let rate: String?
        let base: String?
        let amount: String?
    }

    struct Money: Encodable {
        let kind: String
        let number: String
        let day: String?
        let amount: String?
        let open_amount: String?
    }

    struct Related: Encodable {
        let relation: String
        let id: Int
        let kind: String
        let number: String
    }

    let id: Int
    let kind: String
    let number: String
    let account: Int
    let status: String?
    let currency: String?
    let is_electronic: Bool
    let source: String
    let file: String?
    let file_line: Int?
    let days: [String: String]
    let amounts: [String: String]
    let lines: [Line]
    let taxes: [Tax]
    let money: [Money]
    let related: [Related]
    /// The query that asks for the lines behind these; missing on the last page.
    let next: String?

    init(_ view: SalesDocumentView) {
        let head = view.head
        (id, kind, number, account) = (head.id, head.kind, head.number, head.account)
        (status, currency, is_electronic) = (head.status, head.currency, view.isElectronic)
        (source, file, file_line) = (head.source, head.file, head.line)
        days = Dictionary(head.days.map { ($0.field, $0.day.description) }) { $1 }
        amounts = Dictionary(head.amounts.map { ($0.field, $0.amount.description) }) { $1 }
        let shown = view.lines.prefix(SalesDocuments.linesPerPage)
        lines = shown.map {
            Line(
                place: $0.place, label: $0.label, product: $0.product, quantity: $0.quantity?.description,
                unit_price: $0.price?.description, tax_rate: $0.rate?.description, net: $0.net?.description)
        }
        taxes = view.taxes.map {
            Tax(
                category: $0.category, rate: $0.rate?.description, base: $0.base?.description,
                amount: $0.amount?.description)
        }
        money = view.money.map {
            Money(
                kind: $0.isPayment ? "payment" : "instalment", number: $0.number, day: $0.day?.description,
                amount: $0.amount?.description, open_amount: $0.open?.description)
        }
        related = view.related.map {
            Related(relation: $0.relation, id: $0.id, kind: $0.kind, number: $0.number)
        }
        next =
            view.lines.count > SalesDocuments.linesPerPage
            ? shown.last.map { "after=\($0.place)" } : nil
    }
}

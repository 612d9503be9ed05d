// SPDX-License-Identifier: Apache-2.0
// The values of an account in a list.

internal import CRM
internal import Words

/// Says an account's values, column by column.
struct AccountCells {
    let saying: Saying

    init(_ saying: Saying) {
        self.saying = saying
    }

    func isNumber(_ column: AccountColumn) -> Bool { column == .openAmount || column == .overdueAmount }

    func cell(of account: AccountRow, _ column: AccountColumn) -> AccountsPage.Cell {
        let words = saying.words
        switch column {
        case .status: return .init(kind: "end", badge: .status(account.status, saying))
        case .postalCode: return .init(kind: "nowrap", text: account.postalCode ?? "")
        case .city: return .init(text: account.city ?? "")
        case .country: return .init(kind: "away", text: account.country ?? "")
        case .street: return .init(kind: "away", text: account.street ?? "")
        case .siren: return .init(kind: "nowrap away", text: account.siren.map { words.siren($0) } ?? "")
        case .vat: return .init(kind: "nowrap away", text: account.vat.map { words.vat($0) } ?? "")
        case .owner: return .init(kind: "away", text: account.owner ?? "")
        case .territory: return .init(kind: "away", text: account.territory ?? "")
        case .openAmount:
            let text = account.open.map { words.money($0, "EUR") }
            return account.isLate ? .init(kind: "n", late: text) : .init(kind: "n", text: text ?? "")
        case .overdueAmount:
            return .init(kind: "n", late: account.overdue.map { words.money($0, "EUR") })
        case .lastInteraction:
            return .init(kind: "nowrap", text: account.lastInteraction.map { saying.momentShort($0) } ?? "")
        case .lastInvoice:
            let today = words.day(saying.now, in: saying.zone)
            return .init(
                kind: "nowrap away",
                text: account.lastInvoice.map { words.dateShort($0, today: today) } ?? "")
        }
    }
}

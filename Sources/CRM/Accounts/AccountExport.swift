// SPDX-License-Identifier: Apache-2.0
// The columns of a list of accounts, and the list as a file for spreadsheets.

internal import Model
package import PostgreSQL

/// A column of the list of accounts beside its name, which is always there.
package enum AccountColumn: String, Sendable, CaseIterable {
    case status
    case postalCode = "postal_code"
    case city, country, street, siren, vat, owner, territory
    case openAmount = "open_amount"
    case overdueAmount = "overdue_amount"
    case lastInteraction = "last_interaction"
    case lastInvoice = "last_invoice"

    /// What a user sees who has chosen nothing.
    package static let usual: [AccountColumn] = [.status, .city, .siren, .owner, .openAmount]

    /// The value of an account as programs read it: days and moments as ISO 8601, amounts with a point.
    fileprivate func text(of account: AccountRow) -> String? {
        switch self {
        case .status: account.status
        case .postalCode: account.postalCode
        case .city: account.city
        case .country: account.country
        case .street: account.street
        case .siren: account.siren
        case .vat: account.vat
        case .owner: account.owner
        case .territory: account.territory
        case .openAmount: account.open?.description
        case .overdueAmount: account.overdue?.description
        case .lastInteraction: account.lastInteraction?.description
        case .lastInvoice: account.lastInvoice?.description
        }
    }

    /// Whether a minus before it is no formula.
    fileprivate var isAmount: Bool { self == .openAmount || self == .overdueAmount }
}

extension Accounts {
    private static let pieceSize = 1000

    /// The next thousand accounts of a list as CSV: number, name and the chosen columns. A text that a spreadsheet would
    /// take for a formula gets an apostrophe before it.
    ///
    /// - Parameter after: where the piece before ended; nil for the first, which begins with the header.
    /// - Returns: the bytes and where they end; nil behind the last piece.
    package static func exportPiece(
        scope: Int, user: Int = 0, _ filter: AccountFilter = AccountFilter(),
        columns: [AccountColumn] = AccountColumn.usual, after: AccountCursor?, on connection: Connection
    ) async throws(PostgreSQLError) -> (bytes: [UInt8], last: AccountCursor)? {
        let rows = try await page(
            scope: scope, user: user, filter, after: after, limit: pieceSize, on: connection)
        guard let last = rows.last else { return nil }
        var text = after == nil ? line(["id", "name"] + columns.map(\.rawValue)) : ""
        for row in rows {
            let values = columns.map { column in
                let value = column.text(of: row) ?? ""
                return column.isAmount ? value : plain(value)
            }
            text += line([String(row.id), plain(row.name)] + values)
        }
        return (Array(text.utf8), AccountCursor(nameNorm: last.nameNorm, id: last.id))
    }

    private static func plain(_ text: String) -> String {
        text.first.map { "=+@-\t\r".contains($0) } == true ? "'" + text : text
    }

    /// A record of RFC 4180, with semicolons as French spreadsheets expect them.
    private static func line(_ values: [String]) -> String {
        values.map { value in
            value.utf8.contains { [0x22, 0x3B, 0x0A, 0x0D].contains($0) }
                ? "\"" + value.replacing("\"", with: "\"\"") + "\"" : value
        }.joined(separator: ";") + "\n"
    }
}

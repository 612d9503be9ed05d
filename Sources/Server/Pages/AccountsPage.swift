// SPDX-License-Identifier: Apache-2.0
// `/accounts`: who, among mine?

internal import CRM
internal import Hummingbird
internal import NIOCore
internal import PostgreSQL
internal import Words

/// The list of accounts as its template sees it.
struct AccountsPage: Page {
    /// An account.
    struct Row: Sendable {
        let name: String
        let url: String
        let badge: BadgeView
        let city: String
        let siren: String
        let owner: String
        let open: String?
        let isLate: Bool
    }

    static let template = "accounts"
    static let entry = "/accounts"
    let title: String
    let query: String
    let statuses: [Choice]
    let rows: [Row]
    let isEmpty: Bool
    let emptyText: String
    let unfiltered: String?
    let importURL: String?
    let exportURL: String
    let pager: PagerView?
}

/// A value of a list to choose from.
struct Choice: Sendable {
    let value: String
    let text: String
    let isChosen: Bool
}

extension Site {
    private static let accountsPerPage = 50
    private static let statuses = ["client", "prospect", "suspect", "former"]

    /// The list's routes.
    func addAccounts(to router: Router<WebContext>) {
        router.get("accounts") { request, context in
            let user = try context.user()
            let saying = try saying(request, context)
            return try await answer(
                try await accounts(request, user, saying), to: request, context)
        }
        router.get("accounts.csv") { request, context in
            let user = try context.user()
            let slot = try exports.take(for: String(user.id))
            try await pool.withConnection { connection in
                try await Audit.write("accounts.exported", by: user.id, on: connection)
            }
            let body = ResponseBody { writer in
                defer { slot.hold() }
                var last: AccountCursor?
                while true {
                    let after = last
                    let piece = try await pool.withConnection {
                        try await Accounts.exportPiece(scope: user.scope, after: after, on: $0)
                    }
                    guard let piece else { break }
                    // However slowly it is read, no connection to the database waits for that.
                    try await writer.write(ByteBuffer(bytes: piece.bytes))
                    last = piece.last
                }
                try await writer.finish(nil)
            }
            return Response(
                status: .ok,
                headers: [
                    .contentType: "text/csv; charset=utf-8",
                    .contentDisposition: "attachment; filename=\"clients.csv\"",
                ], body: body)
        }
    }

    private func accounts(
        _ request: Request, _ user: AppUser, _ saying: Saying
    ) async throws -> AccountsPage {
        let words = saying.words
        let query = request.query("q")
        let status = request.query("status").flatMap { Self.statuses.contains($0) ? $0 : nil }
        let cursor = request.query("after").flatMap { name in
            request.number("id").map { AccountCursor(nameNorm: name, id: $0) }
        }
        let found = try await pool.withConnection { connection in
            try await Accounts.page(
                scope: user.scope, prefix: query, status: status, after: cursor,
                limit: Self.accountsPerPage + 1, on: connection)
        }
        func link(_ cursor: AccountCursor?) -> String {
            Link.to(
                "/accounts",
                ["q": query, "status": status, "after": cursor?.nameNorm, "id": cursor.map { String($0.id) }])
        }
        let shown = found.prefix(Self.accountsPerPage)
        let isFiltered = query != nil || status != nil
        return AccountsPage(
            title: words("page.accounts.title"), query: query ?? "",
            statuses: ([nil] + Self.statuses.map(Optional.some)).map {
                Choice(
                    value: $0 ?? "",
                    text: words($0.map { "page.accounts.status_\($0)" } ?? "page.accounts.anyStatus"),
                    isChosen: $0 == status)
            },
            rows: shown.map { row($0, saying) }, isEmpty: shown.isEmpty,
            emptyText: words(isFiltered ? "page.accounts.noneLikeThis" : "page.accounts.none"),
            unfiltered: isFiltered ? "/accounts" : nil,
            importURL: !isFiltered && user.mayHandle ? "/imports/new" : nil, exportURL: "/accounts.csv",
            pager: PagerView(
                text: words("page.accounts.shown", count: shown.count),
                first: cursor == nil ? nil : link(nil),
                next: found.count > Self.accountsPerPage
                    ? link(shown.last.map { AccountCursor(nameNorm: $0.nameNorm, id: $0.id) }) : nil))
    }

    private func row(_ account: AccountRow, _ saying: Saying) -> AccountsPage.Row {
        AccountsPage.Row(
            name: account.name, url: "/accounts/\(account.id)", badge: .status(account.status, saying),
            city: account.city ?? "", siren: account.siren.map { saying.words.siren($0) } ?? "",
            owner: account.owner ?? "",
            open: account.open.map { saying.words.money($0, "EUR") }, isLate: account.isLate)
    }
}

extension BadgeView {
    /// The status of a party.
    static func status(_ status: String, _ saying: Saying) -> BadgeView {
        BadgeView(status == "client" ? "ok" : "", saying.words("page.accounts.status_\(status)"))
    }
}

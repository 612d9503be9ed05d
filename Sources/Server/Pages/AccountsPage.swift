// SPDX-License-Identifier: Apache-2.0
// `/accounts`: who, among mine?

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// The list of accounts as its template sees it.
struct AccountsPage: Page {
    /// A column's head.
    struct Column: Sendable {
        let title: String
        let kind: String
    }

    /// An account.
    struct Row: Sendable {
        let name: String
        let url: String
        let cells: [Cell]
    }

    /// A value of an account; `kind` is the cell's class.
    struct Cell: Sendable {
        var kind = ""
        var text = ""
        /// The text of what is overdue.
        var late: String?
        var badge: BadgeView?
    }

    /// A filter with a name.
    struct Tab: Sendable {
        let name: String
        let url: String
        let isCurrent: Bool
    }

    /// The forms that change the name of the filter one looks at, and delete it.
    struct Kept: Sendable {
        let name: String
        let renameURL: String
        let deleteURL: String
    }

    /// The form that gives the filter one looks at a name.
    struct Nameless: Sendable {
        let name: String
        let query: String
        let status: String
        let whose: String
    }

    static let template = "accounts"
    static let entry = "/accounts"
    let title: String
    let tabs: [Tab]
    let query: String
    let statuses: [Choice]
    let whose: [Choice]
    let kept: Kept?
    let nameless: Nameless?
    let columns: [Column]
    let rows: [Row]
    let isEmpty: Bool
    let emptyText: String
    let unfiltered: String?
    let importURL: String?
    let exportURL: String
    let pager: PagerView?
    let choices: [Choice]
    let back: String
    let problem: Problem?
}

/// A value of a list to choose from.
struct Choice: Sendable {
    let value: String
    let text: String
    let isChosen: Bool
}

extension AccountFilter {
    static let statuses = ["client", "prospect", "suspect", "former"]

    /// The filter that an address or a form asks for; what is no choice is left out.
    init(_ value: (String) -> String?) {
        self.init(
            prefix: String((value("q") ?? "").prefix(100)),
            status: value("status").flatMap { Self.statuses.contains($0) ? $0 : nil },
            whose: value("whose").flatMap(Whose.init(rawValue:)) ?? .all)
    }

    var isNone: Bool { self == AccountFilter() }

    /// The address of a list with this filter.
    func link(to path: String, behind cursor: AccountCursor? = nil) -> String {
        Link.to(
            path,
            [
                "q": prefix.isEmpty ? nil : prefix, "status": status,
                "whose": whose == .all ? nil : whose.rawValue, "after": cursor?.nameNorm,
                "id": cursor.map { String($0.id) },
            ])
    }
}

extension Site {
    private static let accountsPerPage = 50

    /// The list's routes.
    func addAccounts(to router: Router<WebContext>) {
        router.get("accounts") { request, context in
            _ = try context.user()
            return try await answer(
                try await accounts(request, context, AccountFilter(request.query)), to: request, context)
        }
        router.get("accounts.csv") { request, context in
            try await export(AccountFilter(request.query), for: try context.user(), context)
        }
        addListSettings(to: router)
    }

    private func export(
        _ filter: AccountFilter, for user: AppUser, _ context: WebContext
    ) async throws -> Response {
        let columns = try await pool.withConnection { connection in
            try await ListSettings.read(user.id, on: connection).columns
        }
        return try await file(
            "clients.csv", "accounts.exported", header: Accounts.exportHeader(columns), for: user, context
        ) { after, connection in
            try await Accounts.exportPiece(
                scope: user.scope, user: user.id, filter, columns: columns, after: after, on: connection)
        }
    }

    /// The list.
    ///
    /// - Parameters:
    ///   - name: what was typed as the name of the filter.
    ///   - fault: why it was not taken.
    func accounts(
        _ request: Request, _ context: WebContext, _ filter: AccountFilter, name: String? = nil,
        fault: Diagnostic? = nil
    ) async throws -> AccountsPage {
        let user = try context.user()
        let saying = try saying(request, context)
        let words = saying.words
        let cursor = request.query("after").flatMap { name in
            request.number("id").map { AccountCursor(nameNorm: name, id: $0) }
        }
        let (settings, found) = try await pool.withConnection { connection in
            (
                try await ListSettings.read(user.id, on: connection),
                try await Accounts.page(
                    scope: user.scope, user: user.id, filter, after: cursor,
                    limit: Self.accountsPerPage + 1, on: connection)
            )
        }
        let shown = found.prefix(Self.accountsPerPage)
        let current = settings.filters.first { $0.filter == filter }
        let cells = AccountCells(saying)
        return AccountsPage(
            title: words("page.accounts.title"), tabs: tabs(settings.filters, filter, words),
            query: filter.prefix,
            statuses: ([nil] + AccountFilter.statuses.map(Optional.some)).map {
                Choice(
                    value: $0 ?? "",
                    text: words($0.map { "page.accounts.status_\($0)" } ?? "page.accounts.anyStatus"),
                    isChosen: $0 == filter.status)
            },
            whose: AccountFilter.Whose.allCases.map {
                Choice(
                    value: $0.rawValue, text: words("page.accounts.whose_\($0.rawValue)"),
                    isChosen: $0 == filter.whose)
            },
            kept: current.map {
                .init(
                    name: name ?? $0.name, renameURL: "/accounts/filters/\($0.id)",
                    deleteURL: "/accounts/filters/\($0.id)/delete")
            },
            nameless: filter.isNone || current != nil
                ? nil
                : .init(
                    name: name ?? "", query: filter.prefix, status: filter.status ?? "",
                    whose: filter.whose.rawValue),
            columns: settings.columns.map {
                .init(title: words("page.accounts.\($0.rawValue)"), kind: cells.isNumber($0) ? "n" : "")
            },
            rows: shown.map { row in
                .init(
                    name: row.name, url: "/accounts/\(row.id)",
                    cells: settings.columns.map { cells.cell(of: row, $0) })
            },
            isEmpty: shown.isEmpty,
            emptyText: words(filter.isNone ? "page.accounts.none" : "page.accounts.noneLikeThis"),
            unfiltered: filter.isNone ? nil : "/accounts",
            importURL: filter.isNone && user.mayHandle ? "/imports/new" : nil,
            exportURL: filter.link(to: "/accounts.csv"),
            pager: PagerView(
                text: words("page.accounts.shown", count: shown.count),
                first: cursor == nil ? nil : filter.link(to: "/accounts"),
                next: found.count > Self.accountsPerPage
                    ? shown.last.map {
                        filter.link(
                            to: "/accounts", behind: AccountCursor(nameNorm: $0.nameNorm, id: $0.id))
                    } : nil),
            choices: AccountColumn.allCases.map {
                Choice(
                    value: $0.rawValue, text: words("page.accounts.\($0.rawValue)"),
                    isChosen: settings.columns.contains($0))
            }, back: filter.link(to: "/accounts"), problem: fault.map { Problem($0, words) })
    }

    private func tabs(
        _ saved: [SavedFilter], _ filter: AccountFilter, _ words: Words
    ) -> [AccountsPage.Tab] {
        [.init(name: words("page.accounts.all"), url: "/accounts", isCurrent: filter.isNone)]
            + saved.map {
                .init(name: $0.name, url: $0.filter.link(to: "/accounts"), isCurrent: $0.filter == filter)
            }
    }
}

extension BadgeView {
    /// The status of a party.
    static func status(_ status: String, _ saying: Saying) -> BadgeView {
        BadgeView(status == "client" ? "ok" : "", saying.words("page.accounts.status_\(status)"))
    }
}

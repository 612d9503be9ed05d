// SPDX-License-Identifier: Apache-2.0
// `/users`: who may do what?

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// The users as their template sees them.
struct UsersPage: Page {
    /// A user.
    struct Row: Sendable {
        let login: String
        let name: String
        let role: String
        let team: String
        let badge: BadgeView
        let isDisabled: Bool
    }

    /// A one-time link, shown once.
    struct NewLink: Sendable {
        let title: String
        let url: String
        let note: String
    }

    static let template = "users"
    static let entry = "/users"
    let title: String
    let sub: String
    let rows: [Row]
    let roles: [Choice]
    let link: NewLink?
    let login: String
    let name: String
    let problem: Problem?
}

extension Site {
    /// The users' routes.
    func addUsers(to router: Router<WebContext>) {
        router.get("users") { request, context in
            _ = try context.administering()
            return try await answer(try await users(request, context), to: request, context)
        }
        router.form("users") { form, request, context in
            let admin = try context.administering()
            var draft = AppUsers.Draft(
                login: form.text("login"), name: form.text("name"),
                role: AppUser.Role(rawValue: form.text("role")) ?? .rep)
            draft.team = form.text("team").isEmpty ? nil : form.text("team")
            (draft.isAdmin, draft.seesClients) = (form.isOn("admin"), form.isOn("clients"))
            do {
                let (user, link) = try await pool.transaction { [draft] connection in
                    let user = try await AppUsers.add(draft, passwordHash: nil, on: connection)
                    try await Audit.write("user.added", by: admin.id, of: "user", user.id, on: connection)
                    return (user, try await SignIn.link(for: user.id, on: connection))
                }
                let page = try await users(request, context, link: (user.name, link))
                return try await answer(page, to: request, context)
            } catch let error as PeopleError {
                let page = try await users(request, context, draft: draft, error)
                return try await answer(page, to: request, context, status: .unprocessableContent)
            }
        }
        router.form("users/:login") { form, request, context in
            let admin = try context.administering()
            let login = context.parameters.get("login") ?? ""
            let saying = try saying(request, context)
            do {
                let user = try await pool.withConnection { try await AppUsers.show(login, on: $0) }
                guard form.text("do") != "link" else {
                    let link = try await pool.withConnection { connection in
                        try await Audit.write("user.link", by: admin.id, of: "user", user.id, on: connection)
                        return try await SignIn.link(for: user.id, on: connection)
                    }
                    let page = try await users(request, context, link: (user.name, link))
                    return try await answer(page, to: request, context)
                }
                let isDisabled = form.text("do") == "disable"
                try await pool.withConnection { connection in
                    try await AppUsers.disable(login, isDisabled, on: connection)
                    try await Audit.write(
                        isDisabled ? "user.disabled" : "user.enabled", by: admin.id, of: "user", user.id,
                        on: connection)
                }
                let key = isDisabled ? "page.users.disabledNow" : "page.users.enabledNow"
                return see("/users", Told(text: saying.words(key, ["name": user.name])))
            } catch let error as PeopleError {
                let page = try await users(request, context, error)
                return try await answer(page, to: request, context, status: .unprocessableContent)
            }
        }
    }

    private func users(
        _ request: Request, _ context: WebContext, link: (name: String, token: SecretToken)? = nil,
        draft: AppUsers.Draft? = nil, _ error: PeopleError? = nil
    ) async throws -> UsersPage {
        let saying = try saying(request, context)
        let words = saying.words
        let all = try await pool.withConnection { try await AppUsers.list(on: $0) }
        return UsersPage(
            title: words("page.users.title"), sub: words("page.users.count", count: all.count),
            rows: all.map { user in
                let role = words("page.role.\(user.role.rawValue)")
                return UsersPage.Row(
                    login: user.login, name: user.name,
                    role: user.isAdmin ? "\(role), \(words("page.role.admin"))" : role, team: user.team ?? "",
                    badge: user.disabledAt == nil
                        ? BadgeView("ok", words("page.users.active"))
                        : BadgeView("", words("page.users.off")),
                    isDisabled: user.disabledAt != nil)
            },
            roles: AppUser.Role.allCases.map {
                Choice(value: $0.rawValue, text: words("page.role.\($0.rawValue)"), isChosen: false)
            },
            link: link.map { link in
                UsersPage.NewLink(
                    title: words("page.users.linkTitle", ["name": link.name]),
                    url: "/welcome/\(link.token.text)", note: words("page.users.linkNote"))
            }, login: draft?.login ?? "", name: draft?.name ?? "",
            problem: error.map { Problem($0.diagnostic, words) })
    }
}

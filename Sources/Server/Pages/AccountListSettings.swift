// SPDX-License-Identifier: Apache-2.0
// The list of accounts as one user wants it: columns, and filters with names.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL
internal import Words

extension Site {
    /// The routes of columns, and of filters with names.
    func addListSettings(to router: Router<WebContext>) {
        router.form("accounts/columns") { form, request, context in
            let user = try context.user()
            // The message of the choice before says what it was: to take it back is to choose that again.
            let wanted = request.query("was")?.split(separator: ",").map(String.init)
            let columns = Set(wanted ?? form.fields("column").map(\.value))
            let chosen = AccountColumn.allCases.filter { columns.contains($0.rawValue) }
            let before = try await pool.withConnection { connection in
                let before = try await ListSettings.read(user.id, on: connection).columns
                try await ListSettings.choose(chosen, for: user.id, on: connection)
                return before
            }
            let undo = Link.to(
                "/accounts/columns", ["was": before.map(\.rawValue).joined(separator: ",")])
            let told = Told(
                text: try saying(request, context).words("page.accounts.chosen"),
                undo: wanted == nil ? undo : nil)
            return see(Link.local(form.text("back")) ?? "/accounts", told)
        }
        router.form("accounts/filters") { form, request, context in
            let user = try context.user()
            let filter = AccountFilter { form[$0] }
            let name = form.text("name")
            let naming = try await pool.withConnection {
                try await ListSettings.save(filter, as: name, for: user.id, on: $0)
            }
            guard case .done(let id) = naming else {
                return try await refuse(naming, filter, name, request, context)
            }
            let told = Told(
                text: try saying(request, context).words("page.accounts.kept", ["name": name]),
                undo: "/accounts/filters/\(id)/delete")
            return see(filter.link(to: "/accounts"), told)
        }
        router.form("accounts/filters/:id") { form, request, context in
            let user = try context.user()
            let id = try context.number()
            let name = form.text("name")
            let (known, naming) = try await pool.withConnection { connection in
                let known = try await ListSettings.read(user.id, on: connection).filters.first { $0.id == id }
                return (
                    known, try await ListSettings.rename(id, to: name, of: user.id, on: connection)
                )
            }
            guard let known else { throw ServerError(.notFound) }
            guard case .done = naming else {
                return try await refuse(naming, known.filter, name, request, context)
            }
            let told = Told(
                text: try saying(request, context).words("page.accounts.renamed", ["name": name]),
                undo: "/accounts/filters/\(id)/restore")
            return see(known.filter.link(to: "/accounts"), told)
        }
        router.form("accounts/filters/:id/delete") { _, request, context in
            let user = try context.user()
            let id = try context.number()
            let gone = try await pool.withConnection {
                try await ListSettings.delete(id, of: user.id, on: $0)
            }
            guard let name = gone else { throw ServerError(.notFound) }
            let told = Told(
                text: try saying(request, context).words("page.accounts.forgotten", ["name": name]),
                undo: "/accounts/filters/\(id)/restore")
            return see("/accounts", told)
        }
        router.form("accounts/filters/:id/restore") { _, request, context in
            let user = try context.user()
            let id = try context.number()
            let (naming, filters) = try await pool.withConnection { connection in
                (
                    try await ListSettings.restore(id, of: user.id, on: connection),
                    try await ListSettings.read(user.id, on: connection).filters
                )
            }
            guard case .done = naming, let known = filters.first(where: { $0.id == id }) else {
                guard naming == .unseen else {
                    return try await refuse(naming, AccountFilter(), "", request, context)
                }
                throw ServerError(.notFound)
            }
            let told = Told(text: try saying(request, context).words("page.accounts.restored"))
            return see(known.filter.link(to: "/accounts"), told)
        }
    }

    private func refuse(
        _ naming: ListSettings.Naming, _ filter: AccountFilter, _ name: String, _ request: Request,
        _ context: WebContext
    ) async throws -> Response {
        let fault =
            switch naming {
            case .bad: Diagnostic(code: "FILTER-NAME", facts: ["limit": String(ListSettings.longestName)])
            case .taken: Diagnostic(code: "FILTER-TAKEN", facts: ["name": name])
            case .full: Diagnostic(code: "FILTER-FULL", facts: ["limit": String(ListSettings.mostFilters)])
            case .done, .unseen: throw ServerError(.notFound)
            }
        let page = try await accounts(request, context, filter, name: name, fault: fault)
        return try await answer(page, to: request, context, status: .unprocessableContent)
    }
}

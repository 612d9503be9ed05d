// SPDX-License-Identifier: Apache-2.0
// `/accounts/63/edit`: changing an account by hand, so that nobody's change is lost.

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// The form as its template sees it.
struct EditAccountPage: Page {
    /// A field.
    struct Field: Sendable {
        let name: String
        let label: String
        let hint: String?
        let value: String
        let was: String
        let error: String?
        let isRequired: Bool
    }

    /// What somebody else wrote in the same field.
    struct Conflict: Sendable {
        let text: String
    }

    static let template = "edit-account"
    static let entry = "/accounts"
    let title: String
    let name: String
    let url: String?
    let action: String
    let fields: [Field]
    let conflicts: [Conflict]
    let hasConflicts: Bool
    let problem: Problem?
}

extension Site {
    func addAccountEdit(to router: Router<WebContext>) {
        router.get("accounts/new") { request, context in
            guard try context.user().scope >= 0 else { throw ServerError(.forbidden) }
            let blank = Dictionary(uniqueKeysWithValues: AccountField.allCases.map { ($0, "") })
            return try await answer(
                edit(nil, try saying(request, context), now: blank, was: blank), to: request, context)
        }
        router.form("accounts") { form, request, context in try await create(form, request, context) }
        router.get("accounts/:id/edit") { request, context in
            let user = try context.user()
            let id = try context.number()
            let current = try await pool.withConnection {
                try await AccountEdits.fields(of: id, for: user, on: $0)
            }
            guard let current else { throw ServerError(.notFound) }
            let page = edit(id, try saying(request, context), now: current, was: current)
            return try await answer(page, to: request, context)
        }
        router.form("accounts/:id/edit") { form, request, context in
            var (now, was): ([AccountField: String], [AccountField: String]) = ([:], [:])
            for field in AccountField.allCases {
                guard let value = form[field.rawValue] else { continue }
                now[field] = field.normalised(value.trimmingBlanks)
                was[field] = form["was." + field.rawValue] ?? ""
            }
            return try await save(now, was, request, context)
        }
        router.form("accounts/:id/take") { form, request, context in
            guard let field = AccountField(rawValue: form.text("field")) else { throw ServerError(.request) }
            return try await save(
                [field: form.text("value")], [field: form.text("version")], request, context)
        }
        router.form("accounts/:id/undo/:run") { _, request, context in
            let user = try context.user()
            let id = try context.number()
            let run = try context.number("run")
            let isOwn = try await pool.withConnection {
                try await AccountEdits.isOwn(run, of: id, by: user, on: $0)
            }
            // Only one's own edit of this account: everything else is a run of the console.
            guard isOwn else { throw ServerError(.notFound) }
            _ = try await UndoEngine(pool: pool).undo(run)
            try await pool.withConnection {
                try await Audit.write("run.undone", by: user.id, of: "run", run, on: $0)
            }
            let saying = try saying(request, context)
            let isThere = try await pool.withConnection {
                try await Accounts.sees(id, scope: user.scope, on: $0)
            }
            return see(
                isThere ? "/accounts/\(id)" : "/accounts", Told(text: saying.words("page.edit.undone")))
        }
    }

    private func create(_ form: Form, _ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.user()
        guard user.scope >= 0 else { throw ServerError(.forbidden) }
        let saying = try saying(request, context)
        var now: [AccountField: String] = [:]
        for field in AccountField.allCases { now[field] = field.normalised(form.text(field.rawValue)) }
        var errors: [AccountField: String] = [:]
        for (field, text) in now {
            if let code = field.fault(in: text) { errors[field] = saying.words("page.edit.fault.\(code)") }
        }
        guard errors.isEmpty else {
            return try await refuse(edit(nil, saying, now: now, was: [:], errors: errors), request, context)
        }
        let made = try await pool.withConnection { [now] in
            try await AccountEdits.create(now, by: user, on: $0)
        }
        switch made {
        case .made(let account, let run):
            let told = Told(
                text: saying.words("page.edit.made"), undo: "/accounts/\(account)/undo/\(run)")
            return see("/accounts/\(account)", told)
        case .taken(let field):
            let errors = [field: saying.words("page.edit.fault.EDIT-TAKEN")]
            return try await refuse(edit(nil, saying, now: now, was: [:], errors: errors), request, context)
        case .unmade: throw ServerError(.unexpected)
        }
    }

    private func save(
        _ now: [AccountField: String], _ was: [AccountField: String], _ request: Request,
        _ context: WebContext
    ) async throws -> Response {
        let user = try context.user()
        let id = try context.number()
        let saying = try saying(request, context)
        let words = saying.words
        var errors: [AccountField: String] = [:]
        for (field, text) in now where text != field.normalised(was[field] ?? "") {
            // A claim of nothing does not win over a file's.
            let code = text.isEmpty && field != .name ? "EDIT-EMPTY" : field.fault(in: text)
            if let code { errors[field] = words("page.edit.fault.\(code)") }
        }
        guard errors.isEmpty else {
            return try await refuse(edit(id, saying, now: now, was: was, errors: errors), request, context)
        }
        let outcome = try await pool.withConnection {
            try await AccountEdits.save(now, was: was, of: id, by: user, on: $0)
        }
        switch outcome {
        case .saved(let run):
            let told = run.map { run in
                Told(text: words("page.edit.saved"), undo: "/accounts/\(id)/undo/\(run)")
            }
            return see("/accounts/\(id)", told ?? Told(text: words("page.edit.same")))
        case .unseen: throw ServerError(.notFound)
        case .taken(let field):
            let errors = [field: words("page.edit.fault.EDIT-TAKEN")]
            return try await refuse(edit(id, saying, now: now, was: was, errors: errors), request, context)
        case .conflicts(let conflicts):
            // The form now begins with what the other wrote: saving it again is a decision.
            var was = was
            for conflict in conflicts { was[conflict.field] = conflict.theirs }
            let page = edit(id, saying, now: now, was: was, conflicts: conflicts)
            return try await answer(page, to: request, context, status: .conflict)
        }
    }

    private func refuse(
        _ page: EditAccountPage, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        try await answer(page, to: request, context, status: .unprocessableContent)
    }

    private func edit(
        _ id: Int?, _ saying: Saying, now: [AccountField: String], was: [AccountField: String],
        errors: [AccountField: String] = [:], conflicts: [AccountConflict] = []
    ) -> EditAccountPage {
        let words = saying.words
        let title = id == nil ? words("page.edit.new") : words("page.edit.title", ["name": was[.name] ?? ""])
        let url = id.map { "/accounts/\($0)" }
        return EditAccountPage(
            title: errors.isEmpty && conflicts.isEmpty ? title : words("page.form.wrong", ["title": title]),
            name: was[.name] ?? "", url: url, action: url.map { $0 + "/edit" } ?? "/accounts",
            fields: AccountField.allCases.filter { now[$0] != nil }.map { field in
                EditAccountPage.Field(
                    name: field.rawValue,
                    label: field == .name
                        ? words("page.field.name")
                        : words("page.edit.optional", ["field": words("page.field.\(field.rawValue)")]),
                    hint: words.known("page.edit.hint.\(field.rawValue)"), value: now[field] ?? "",
                    was: was[field] ?? "", error: errors[field], isRequired: field == .name)
            },
            conflicts: conflicts.map { conflict in
                .init(
                    text: words(
                        "page.edit.theirs",
                        [
                            "field": words("page.field.\(conflict.field.rawValue)"), "mine": conflict.mine,
                            "theirs": conflict.theirs,
                        ]))
            }, hasConflicts: !conflicts.isEmpty,
            problem: errors.isEmpty
                ? nil
                : Problem(Diagnostic(code: "FORM-FAULTS", facts: ["count": String(errors.count)]), words))
    }
}

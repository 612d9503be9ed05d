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

    /// A form of one button.
    struct Remove: Sendable {
        let url: String
        let text: String
    }

    /// An account that this may be.
    struct Likely: Sendable {
        let name: String
        let url: String
        let note: String
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
    let likely: [Likely]
    let hasLikely: Bool
    /// The name that may be saved in spite of accounts like it; nil where nothing is like it, or it is the same one.
    let anyway: Anyway?
    /// The form that takes a person away; nil for an account, and for whoever is not there yet.
    let remove: Remove?
    let problem: Problem?

    /// What stands above a form with faults.
    static func problem(_ faults: Int, _ words: Words) -> Problem? {
        faults == 0 ? nil : Problem(Diagnostic(code: "FORM-FAULTS", facts: ["count": String(faults)]), words)
    }
}

/// The button that saves in spite of a warning.
struct Anyway: Sendable {
    let value: String
    let text: String
}

extension Site {
    func addAccountEdit(to router: Router<WebContext>) {
        router.get("accounts/new") { request, context in
            guard try context.user().scope >= 0 else { throw ServerError(.forbidden) }
            let blank = Dictionary(uniqueKeysWithValues: AccountField.allCases.map { ($0, "") })
            return try await answer(
                edit(nil, Typed(now: blank, was: blank), try saying(request, context)), to: request, context)
        }
        router.form("accounts") { form, request, context in try await create(form, request, context) }
        router.get("accounts/:id/edit") { request, context in
            let user = try context.user()
            let id = try context.number()
            let found = try await pool.withConnection { connection in
                (
                    try await AccountEdits.fields(of: id, for: user, on: connection),
                    try await AccountEdits.contacts(of: id, on: connection)
                )
            }
            guard let current = found.0 else { throw ServerError(.notFound) }
            let contacts = found.1.map { ContactChange(field: $0.field, was: $0.value, now: $0.value) }
            let typed = Typed(now: current, was: current, contacts: contacts)
            let page = edit(id, typed, try saying(request, context))
            return try await answer(page, to: request, context)
        }
        router.form("accounts/:id/edit") { form, request, context in
            var (now, was): ([AccountField: String], [AccountField: String]) = ([:], [:])
            for field in AccountField.allCases {
                guard let value = form[field.rawValue] else { continue }
                now[field] = field.normalised(value.trimmingBlanks)
                was[field] = form["was." + field.rawValue] ?? ""
            }
            let typed = Typed(
                now: now, was: was, contacts: ContactInputs(form).changes, confirmed: form.text("anyway"))
            return try await save(typed, request, context)
        }
        router.form("accounts/:id/take") { form, request, context in
            guard let field = AccountField(rawValue: form.text("field")) else { throw ServerError(.request) }
            // What a file says already is no new name.
            let typed = Typed(
                now: [field: form.text("value")], was: [field: form.text("version")], showsContacts: false,
                confirmed: form.text("value"))
            return try await save(typed, request, context)
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
        let typed = Typed(
            now: now, was: [:], contacts: ContactInputs(form).changes, confirmed: form.text("anyway"))
        let errors = typed.faults(saying.words)
        guard errors.isEmpty else {
            return try await refuse(edit(nil, typed, saying, errors: errors), request, context)
        }
        if let warning = try await warn(nil, typed, user, request, context) { return warning }
        let made = try await pool.withConnection {
            try await AccountEdits.create(typed.now, contacts: typed.contacts, by: user, on: $0)
        }
        switch made {
        case .made(let account, let run):
            let told = Told(
                text: saying.words("page.edit.made"), undo: "/accounts/\(account)/undo/\(run)")
            return see("/accounts/\(account)", told)
        case .taken(let field):
            let errors = [field.rawValue: saying.words("page.edit.fault.EDIT-TAKEN")]
            return try await refuse(edit(nil, typed, saying, errors: errors), request, context)
        case .unmade: throw ServerError(.unexpected)
        }
    }

    private func save(_ typed: Typed, _ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.user()
        let id = try context.number()
        let saying = try saying(request, context)
        let words = saying.words
        let errors = typed.faults(words)
        guard errors.isEmpty else {
            return try await refuse(edit(id, typed, saying, errors: errors), request, context)
        }
        if let warning = try await warn(id, typed, user, request, context) { return warning }
        let outcome = try await pool.withConnection {
            try await AccountEdits.save(
                typed.now, was: typed.was, contacts: typed.contacts, of: id, by: user, on: $0)
        }
        switch outcome {
        case .saved(let run):
            let told = run.map { run in
                Told(text: words("page.edit.saved"), undo: "/accounts/\(id)/undo/\(run)")
            }
            return see("/accounts/\(id)", told ?? Told(text: words("page.edit.same")))
        case .unseen: throw ServerError(.notFound)
        case .taken(let field):
            let errors = [field.rawValue: words("page.edit.fault.EDIT-TAKEN")]
            return try await refuse(edit(id, typed, saying, errors: errors), request, context)
        case .conflicts(let conflicts):
            let page = edit(id, typed.after(conflicts), saying, conflicts: conflicts)
            return try await answer(page, to: request, context, status: .conflict)
        }
    }

    /// The form once more where it may be an account that is there already; nil where nothing stands against saving.
    private func warn(
        _ id: Int?, _ typed: Typed, _ user: AppUser, _ request: Request, _ context: WebContext
    ) async throws -> Response? {
        let likely = try await pool.withConnection {
            try await AccountEdits.likely(typed.changed, except: id, for: user, on: $0)
        }
        let saying = try saying(request, context)
        var errors: [String: String] = [:]
        for field in likely.compactMap(\.takenField) {
            errors[field.rawValue] = saying.words("page.edit.fault.EDIT-TAKEN")
        }
        guard errors.isEmpty else {
            let page = edit(id, typed, saying, errors: errors, likely: likely)
            return try await refuse(page, request, context)
        }
        guard !likely.isEmpty, typed.confirmed != typed.now[.name] else { return nil }
        let page = edit(id, typed, saying, likely: likely)
        return try await answer(page, to: request, context, status: .conflict)
    }

    private func refuse(
        _ page: EditAccountPage, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        try await answer(page, to: request, context, status: .unprocessableContent)
    }

    private func edit(
        _ id: Int?, _ typed: Typed, _ saying: Saying, errors: [String: String] = [:],
        conflicts: [AccountConflict] = [], likely: [LikelyAccount] = []
    ) -> EditAccountPage {
        let words = saying.words
        let (now, was) = (typed.now, typed.was)
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
                    was: was[field] ?? "", error: errors[field.rawValue], isRequired: field == .name)
            } + (typed.showsContacts ? ContactInputs(typed.contacts).fields(saying, errors) : []),
            conflicts: conflicts.map { conflict in
                .init(
                    text: words(
                        "page.edit.theirs",
                        [
                            "field": words(
                                "page.field.\(conflict.field?.rawValue ?? conflict.contact?.rawValue ?? "")"),
                            "mine": conflict.mine, "theirs": conflict.theirs,
                        ]))
            }, hasConflicts: !conflicts.isEmpty,
            likely: likely.map { account in
                let siren = account.siren.map { "SIREN " + words.siren($0) }
                let reason = words("page.edit.likely_\(account.reason.rawValue)")
                return .init(
                    name: account.name, url: "/accounts/\(account.id)",
                    note: [account.city, siren, reason].compactMap(\.self).joined(separator: "\u{A0}· "))
            }, hasLikely: !likely.isEmpty,
            anyway: likely.isEmpty || !errors.isEmpty
                ? nil
                : Anyway(
                    value: now[.name] ?? "",
                    text: words(id == nil ? "page.edit.createAnyway" : "page.edit.saveAnyway")),
            remove: nil, problem: EditAccountPage.problem(errors.count, words))
    }
}

/// What was typed of an account.
private struct Typed: Sendable {
    var now: [AccountField: String]
    var was: [AccountField: String]
    var contacts: [ContactChange] = []
    /// Whether the form has phones and addresses.
    var showsContacts = true
    /// The name that was confirmed in spite of accounts like it.
    var confirmed = ""

    var changed: [AccountField: String] { now.filter { $0.value != $0.key.normalised(was[$0.key] ?? "") } }

    /// What is wrong, by input.
    func faults(_ words: Words) -> [String: String] {
        var codes = ContactInputs(contacts).faults
        for (field, text) in changed { codes[field.rawValue] = field.fault(in: text) }
        if now[.name]?.isEmpty == true { codes[AccountField.name.rawValue] = "EDIT-NAME" }
        return codes.mapValues { words("page.edit.fault.\($0)") }
    }

    /// The form that begins with what the other wrote: saving it again is a decision.
    func after(_ conflicts: [AccountConflict]) -> Typed {
        var form = self
        for conflict in conflicts {
            if let field = conflict.field { form.was[field] = conflict.theirs }
        }
        form.contacts = contacts.map { change in
            let isLost = conflicts.contains { $0.contact == change.field && $0.mine == change.now }
            return isLost ? ContactChange(field: change.field, was: "", now: change.now) : change
        }
        return form
    }
}

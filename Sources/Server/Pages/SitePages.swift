// SPDX-License-Identifier: Apache-2.0
// `/accounts/63/sites/81`: the sites of an account, added and changed by hand.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL
internal import Words

extension Site {
    func addSites(to router: Router<WebContext>) {
        router.get("accounts/:id/sites/new") { request, context in
            let account = try await editedAccount(context)
            let page = site(SiteForm(account: account, site: nil), try saying(request, context))
            return try await answer(page, to: request, context)
        }
        router.form("accounts/:id/sites") { form, request, context in
            let account = try await editedAccount(context)
            return try await save(SiteForm(form, account: account, site: nil), request, context)
        }
        router.get("accounts/:id/sites/:site") { request, context in
            let account = try await editedAccount(context)
            let id = try context.number("site")
            let user = try context.user()
            let fields = try await pool.withConnection {
                try await SiteEdits.fields(of: id, at: account.id, for: user, on: $0)
            }
            guard let fields else { throw ServerError(.notFound) }
            let page = site(SiteForm(account: account, site: id, fields), try saying(request, context))
            return try await answer(page, to: request, context)
        }
        router.form("accounts/:id/sites/:site") { form, request, context in
            let account = try await editedAccount(context)
            let id = try context.number("site")
            return try await save(SiteForm(form, account: account, site: id), request, context)
        }
    }

    private func save(_ form: SiteForm, _ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.user()
        let saying = try saying(request, context)
        let account = form.account
        func refuse(_ codes: [SiteField: String]) async throws -> Response {
            let errors = codes.mapValues { saying.words("page.edit.fault.\($0)") }
            let page = site(form, saying, errors: errors)
            return try await answer(page, to: request, context, status: .unprocessableContent)
        }
        guard form.faults.isEmpty else { return try await refuse(form.faults) }
        let outcome = try await pool.withConnection { connection in
            guard let id = form.site else {
                return try await SiteEdits.add(form.draft, at: account.id, by: user, on: connection)
            }
            return try await SiteEdits.save(form.draft, of: id, at: account.id, by: user, on: connection)
        }
        switch outcome {
        case .saved(nil): return see(account.url, Told(text: saying.words("page.edit.same")))
        case .saved(let run?):
            let key = form.site == nil ? "page.site.added" : "page.edit.saved"
            return see(account.url, try toldOfEdit(key, run, account, request, context))
        case .taken: return try await refuse([.siret: "EDIT-SITE-TAKEN"])
        case .unseen: throw ServerError(.notFound)
        case .conflicts(let conflicts):
            let page = site(form.after(conflicts), saying, conflicts: conflicts)
            return try await answer(page, to: request, context, status: .conflict)
        }
    }

    private func site(
        _ form: SiteForm, _ saying: Saying, errors: [SiteField: String] = [:],
        conflicts: [SiteEdits.Conflict] = []
    ) -> EditAccountPage {
        let words = saying.words
        func label(_ field: SiteField) -> String {
            words(field == .name ? "page.site.name" : "page.field.\(field.rawValue)")
        }
        let title =
            form.site == nil ? words("page.site.new") : words("page.edit.title", ["name": form.name])
        let isWrong = !errors.isEmpty || !conflicts.isEmpty
        return EditAccountPage(
            title: isWrong ? words("page.form.wrong", ["title": title]) : title, name: form.account.name,
            url: form.account.url,
            action: form.account.url + "/sites" + (form.site.map { "/\($0)" } ?? ""),
            fields: SiteField.allCases.map { field in
                let value = form.draft.now[field] ?? ""
                return EditAccountPage.Field(
                    name: field.rawValue, label: words("page.edit.optional", ["field": label(field)]),
                    hint: words.known("page.edit.hint.\(field.rawValue)"),
                    value: field == .phone && errors[field] == nil ? words.phone(value) : value,
                    was: form.draft.was[field] ?? "", error: errors[field], isRequired: false)
            },
            conflicts: conflicts.map { conflict in
                .init(
                    text: words(
                        "page.edit.theirs",
                        ["field": label(conflict.field), "mine": conflict.mine, "theirs": conflict.theirs]))
            }, hasConflicts: !conflicts.isEmpty, likely: [], hasLikely: false, anyway: nil, remove: nil,
            problem: EditAccountPage.problem(errors.count, words))
    }
}

/// What a form says of a site.
struct SiteForm: Sendable {
    let account: EditedAccount
    /// nil for one that is being added.
    let site: Int?
    private(set) var draft: SiteEdits.Draft

    /// The form that begins with what is known; blank for a new site.
    init(account: EditedAccount, site: Int?, _ fields: [SiteField: String] = [:]) {
        (self.account, self.site) = (account, site)
        draft = SiteEdits.Draft(was: fields, now: fields)
    }

    init(_ form: Form, account: EditedAccount, site: Int?) {
        (self.account, self.site) = (account, site)
        draft = SiteEdits.Draft(was: [:], now: [:])
        for field in SiteField.allCases {
            draft.now[field] = field.normalised(form.text(field.rawValue))
            draft.was[field] = form["was." + field.rawValue] ?? ""
        }
    }

    /// What people know it by.
    var name: String {
        let known = [SiteField.name, .city, .street].compactMap { draft.was[$0] }
        return known.first { !$0.isEmpty } ?? account.name
    }

    /// Codes of what is wrong; what was there before may look as it likes.
    var faults: [SiteField: String] {
        var faults: [SiteField: String] = [:]
        for (field, text) in draft.now where text != field.normalised(draft.was[field] ?? "") {
            faults[field] = field.fault(in: text)
        }
        let telling: [SiteField] = [.name, .siret, .street, .city]
        if telling.allSatisfy({ draft.now[$0]?.isEmpty != false }) { faults[.street] = "EDIT-SITE" }
        return faults
    }

    /// The form that begins with what the other wrote: saving it again is a decision.
    func after(_ conflicts: [SiteEdits.Conflict]) -> SiteForm {
        var form = self
        for conflict in conflicts { form.draft.was[conflict.field] = conflict.theirs }
        return form
    }
}

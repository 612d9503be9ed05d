// SPDX-License-Identifier: Apache-2.0
// `/accounts/63/people/81`: the people of an account, added, changed and removed by hand.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL
internal import Words

extension Site {
    func addPeople(to router: Router<WebContext>) {
        router.get("accounts/:id/people/new") { request, context in
            let account = try await editedAccount(context)
            let blank = PersonForm(account: account, person: nil)
            return try await answer(person(blank, try saying(request, context)), to: request, context)
        }
        router.form("accounts/:id/people") { form, request, context in
            let account = try await editedAccount(context)
            return try await save(
                PersonForm(form, account: account, person: nil), request, context)
        }
        router.get("accounts/:id/people/:person") { request, context in
            let account = try await editedAccount(context)
            let id = try context.number("person")
            let user = try context.user()
            let shown = try await pool.withConnection {
                try await PersonEdits.show(id, at: account.id, for: user, on: $0)
            }
            guard let shown else { throw ServerError(.notFound) }
            let form = PersonForm(account: account, person: id, shown)
            return try await answer(person(form, try saying(request, context)), to: request, context)
        }
        router.form("accounts/:id/people/:person") { form, request, context in
            let account = try await editedAccount(context)
            let id = try context.number("person")
            return try await save(PersonForm(form, account: account, person: id), request, context)
        }
        router.form("accounts/:id/people/:person/remove") { _, request, context in
            let user = try context.user()
            let account = try await editedAccount(context)
            let id = try context.number("person")
            let run = try await pool.withConnection {
                try await PersonEdits.remove(id, from: account.id, by: user, on: $0)
            }
            guard let run else { throw ServerError(.notFound) }
            return see(account.url, try toldOfEdit("page.person.removed", run, account, request, context))
        }
    }

    private func save(_ form: PersonForm, _ request: Request, _ context: WebContext) async throws -> Response
    {
        let user = try context.user()
        let saying = try saying(request, context)
        let errors = form.faults.mapValues { saying.words("page.edit.fault.\($0)") }
        guard errors.isEmpty else {
            return try await answer(
                person(form, saying, errors: errors), to: request, context, status: .unprocessableContent)
        }
        guard let id = form.person else {
            let run = try await pool.withConnection {
                try await PersonEdits.add(form.draft, at: form.account.id, by: user, on: $0)
            }
            guard let run else { throw ServerError(.notFound) }
            return see(
                form.account.url, try toldOfEdit("page.person.added", run, form.account, request, context))
        }
        let outcome = try await pool.withConnection {
            try await PersonEdits.save(form.draft, of: id, at: form.account.id, by: user, on: $0)
        }
        switch outcome {
        case .saved(nil): return see(form.account.url, Told(text: saying.words("page.edit.same")))
        case .saved(let run?):
            return see(
                form.account.url, try toldOfEdit("page.edit.saved", run, form.account, request, context))
        case .unseen: throw ServerError(.notFound)
        case .conflicts(let conflicts):
            let page = person(form.after(conflicts), saying, conflicts: conflicts)
            return try await answer(page, to: request, context, status: .conflict)
        }
    }

    private func person(
        _ form: PersonForm, _ saying: Saying, errors: [String: String] = [:],
        conflicts: [PersonEdits.Conflict] = []
    ) -> EditAccountPage {
        let words = saying.words
        let title =
            form.person == nil
            ? words("page.person.new") : words("page.edit.title", ["name": form.name])
        let fields = PersonField.allCases.map { field in
            EditAccountPage.Field(
                name: field.rawValue,
                label: words("page.edit.optional", ["field": words("page.field.\(field.rawValue)")]),
                hint: words.known("page.edit.hint.\(field.rawValue)"), value: form.draft.now[field] ?? "",
                was: form.draft.was[field] ?? "", error: errors[field.rawValue], isRequired: false)
        }
        let isWrong = !errors.isEmpty || !conflicts.isEmpty
        return EditAccountPage(
            title: isWrong ? words("page.form.wrong", ["title": title]) : title, name: form.account.name,
            url: form.account.url,
            action: form.account.url + "/people" + (form.person.map { "/\($0)" } ?? ""),
            fields: fields + ContactInputs(form.draft.contacts).fields(saying, errors),
            conflicts: conflicts.map { conflict in
                let name = conflict.field?.rawValue ?? conflict.contact?.rawValue ?? ""
                return .init(
                    text: words(
                        "page.edit.theirs",
                        [
                            "field": words("page.field.\(name)"), "mine": conflict.mine,
                            "theirs": conflict.theirs,
                        ]))
            }, hasConflicts: !conflicts.isEmpty, likely: [], hasLikely: false, anyway: nil,
            remove: form.person.map {
                .init(
                    url: "\(form.account.url)/people/\($0)/remove",
                    text: words("page.person.remove", ["name": form.account.name]))
            },
            problem: EditAccountPage.problem(errors.count, words))
    }
}

/// What a form says of a person.
struct PersonForm: Sendable {
    /// Where the person works.
    let account: EditedAccount
    /// nil for one who is being added.
    let person: Int?
    private(set) var draft: PersonEdits.Draft

    /// The form that begins with what is known; blank for a new person.
    init(account: EditedAccount, person: Int?, _ shown: EditablePerson? = nil) {
        (self.account, self.person) = (account, person)
        let fields = shown?.fields ?? [:]
        let contacts = (shown?.contacts ?? []).map {
            ContactChange(field: $0.field, was: $0.value, now: $0.value)
        }
        draft = PersonEdits.Draft(was: fields, now: fields, contacts: contacts)
    }

    init(_ form: Form, account: EditedAccount, person: Int?) {
        (self.account, self.person) = (account, person)
        var draft = PersonEdits.Draft(was: [:], now: [:], contacts: ContactInputs(form).changes)
        for field in PersonField.allCases {
            draft.now[field] = field.normalised(form.text(field.rawValue))
            draft.was[field] = form["was." + field.rawValue] ?? ""
        }
        self.draft = draft
    }

    var name: String {
        [PersonField.firstName, .lastName].compactMap { draft.was[$0] }.filter { !$0.isEmpty }
            .joined(separator: " ")
    }

    /// Codes of what is wrong, by input.
    var faults: [String: String] {
        var faults = ContactInputs(draft.contacts).faults
        for (field, text) in draft.now { faults[field.rawValue] = field.fault(in: text) }
        if draft.now[.firstName]?.isEmpty != false, draft.now[.lastName]?.isEmpty != false {
            faults[PersonField.lastName.rawValue] = "EDIT-PERSON"
        }
        return faults
    }

    /// The form that begins with what the other wrote: saving it again is a decision.
    func after(_ conflicts: [PersonEdits.Conflict]) -> PersonForm {
        var form = self
        for conflict in conflicts {
            if let field = conflict.field { form.draft.was[field] = conflict.theirs }
        }
        form.draft.contacts = draft.contacts.map { change in
            let isLost = conflicts.contains { $0.contact == change.field && $0.mine == change.now }
            return isLost ? ContactChange(field: change.field, was: "", now: change.now) : change
        }
        return form
    }
}

/// The inputs of phones and addresses: those that are there, and an empty one of each kind.
struct ContactInputs {
    let changes: [ContactChange]

    init(_ changes: [ContactChange]) {
        self.changes = changes
    }

    /// As a form sends them, `phone.0` beside `was.phone.0`; at most forty of each kind.
    init(_ form: Form) {
        changes = ContactField.allCases.flatMap { field in
            form.fields(field.rawValue + ".").prefix(40).map { index, value in
                ContactChange(
                    field: field, was: form["was.\(field.rawValue).\(index)"] ?? "", now: value.trimmingBlanks
                )
            }
        }
    }

    /// Codes of what is wrong, by input.
    var faults: [String: String] {
        named.reduce(into: [:]) { faults, input in
            // What was there before may look as it likes.
            guard input.change.now != input.change.was else { return }
            faults[input.name] = input.change.field.fault(in: input.change.now)
        }
    }

    func fields(_ saying: Saying, _ errors: [String: String]) -> [EditAccountPage.Field] {
        let words = saying.words
        return named.map { name, change in
            let kind = change.field.rawValue
            let isAnother = change.now.isEmpty && change.was.isEmpty && name != "\(kind).0"
            return EditAccountPage.Field(
                name: name,
                label: isAnother
                    ? words("page.edit.another_\(kind)")
                    : words("page.edit.optional", ["field": words("page.field.\(kind)")]),
                hint: nil, value: change.now, was: change.was, error: errors[name], isRequired: false)
        }
    }

    private var named: [(name: String, change: ContactChange)] {
        ContactField.allCases.flatMap { field in
            let there = changes.filter { $0.field == field && !($0.was.isEmpty && $0.now.isEmpty) }
            return (there + [ContactChange(field: field, was: "", now: "")]).enumerated().map {
                ("\(field.rawValue).\($0.offset)", $0.element)
            }
        }
    }
}

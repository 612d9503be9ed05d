// SPDX-License-Identifier: Apache-2.0
// The agenda: shown, planned, moved, finished and taken back.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import ICalendar
internal import Model
internal import PostgreSQL
internal import Words

extension Site {
    func addAgenda(to router: Router<WebContext>) {
        router.get("agenda") { request, context in
            _ = try context.user()
            let saying = try saying(request, context)
            return see(AgendaPeriod(weekOf: saying.words.day(saying.now, in: saying.zone)).url)
        }
        router.get("agenda/new") { request, context in
            let user = try context.user()
            let saying = try saying(request, context)
            let today = saying.words.day(saying.now, in: saying.zone)
            let day = request.query("day").flatMap { try? Saying.day($0, field: "day") } ?? today
            let account = try await accountName(request.number("account"), for: user)
            let form = AgendaForm(day: day, start: request.query("from"), account: account)
            return try await answer(itemPage(form, saying), to: request, context)
        }
        router.get("agenda/:period") { request, context in
            let user = try context.user()
            guard let period = context.parameters.get("period").flatMap({ AgendaPeriod($0) }) else {
                throw ServerError(.notFound)
            }
            let saying = try saying(request, context)
            let days = period.days
            guard let first = days.first, let last = days.last else { throw ServerError(.notFound) }
            let entries = try await pool.withConnection {
                try await AgendaItems.between(
                    saying.midnight(of: first), saying.midnight(of: last.adding(1)), of: user.id,
                    scope: user.scope, on: $0)
            }
            let texts = AgendaTexts(period: period, entries: entries, owner: user.name, saying: saying)
            return try await answer(texts.page, to: request, context)
        }
        router.form("agenda/items") { form, request, context in
            try await save(AgendaForm(form), nil, etag: "", request, context)
        }
        router.get("agenda/items/:id") { request, context in
            let saying = try saying(request, context)
            let entry = try await entry(context)
            return try await answer(
                itemPage(AgendaForm(entry, saying), saying, entry), to: request, context)
        }
        router.form("agenda/items/:id") { form, request, context in
            try await save(
                AgendaForm(form), try await entry(context), etag: form.text("etag"), request, context)
        }
        router.form("agenda/items/:id/move") { form, request, context in
            try await move(form, try await entry(context), request, context)
        }
        router.form("agenda/items/:id/delete") { form, request, context in
            let user = try context.user()
            let entry = try await entry(context)
            let outcome = try await pool.withConnection {
                try await edits.delete(entry.id, etag: form.text("etag"), for: user, on: $0)
            }
            return try told(
                outcome, "page.agenda.deleted", back: week(of: entry, try saying(request, context)), request,
                context)
        }
        router.form("agenda/items/:id/done") { form, request, context in
            let user = try context.user()
            let entry = try await entry(context)
            let channel = form.text("channel")
            guard Timeline.channels.contains(channel) else { throw ServerError(.request) }
            let isDone = try await pool.withConnection {
                try await edits.finish(entry.id, channel: channel, for: user, on: $0)
            }
            guard isDone, let party = entry.party else { throw ServerError(.notFound) }
            return see(
                "/accounts/\(party)", Told(text: try saying(request, context).words("page.agenda.finished")))
        }
        router.form("agenda/items/:id/undo/:revision") { _, request, context in
            let user = try context.user()
            let id = try context.number()
            guard let revision = context.parameters.get("revision", as: Int.self), revision >= 0 else {
                throw ServerError(.notFound)
            }
            let (outcome, entry) = try await pool.withConnection { connection in
                (
                    try await edits.restore(id, to: revision, for: user, on: connection),
                    try await AgendaItems.find(id, of: user.id, scope: user.scope, on: connection)
                )
            }
            return try told(
                outcome, "page.agenda.undone", back: week(of: entry, try saying(request, context)), request,
                context)
        }
    }

    private var edits: AgendaEdits { AgendaEdits(zone: timeZone, now: now()) }

    private func entry(_ context: WebContext) async throws -> AgendaEntry {
        let user = try context.user()
        let id = try context.number()
        let found = try await pool.withConnection {
            try await AgendaItems.find(id, of: user.id, scope: user.scope, on: $0)
        }
        guard let found else { throw ServerError(.notFound) }
        return found
    }

    /// Where something stands; this week for what has no time, or is gone.
    private func week(of entry: AgendaEntry?, _ saying: Saying) -> String {
        guard let span = entry?.span else { return "/agenda" }
        return AgendaPeriod(weekOf: saying.words.day(span.start, in: saying.zone)).url
    }

    // MARK: - Saving

    private func save(
        _ form: AgendaForm, _ entry: AgendaEntry?, etag: String, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let user = try context.user()
        let saying = try saying(request, context)
        var (time, faults) = form.read
        let party = try await account(named: form.account, before: entry, for: user)
        if case .unknown(let fault) = party { faults["account"] = fault }
        guard faults.isEmpty else {
            return try await answer(
                itemPage(form, saying, entry, faults), to: request, context, status: .unprocessableContent)
        }
        let isSameText = form.details == (entry?.details ?? "").trimmingBlanks
        let isSameTime = entry.map { AgendaForm($0, saying).read.time == time } ?? false
        let fields = AgendaFields(
            title: AgendaForm.change(of: form.title, from: entry?.title), time: isSameTime ? nil : time,
            location: AgendaForm.change(of: form.location, from: entry?.location),
            details: isSameText ? nil : form.details, party: party.id)
        let edits = edits
        let outcome = try await pool.withConnection { connection in
            if let entry {
                try await edits.save(fields, of: entry.id, etag: etag, for: user, on: connection)
            } else {
                try await edits.add(fields, for: user, on: connection)
            }
        }
        if outcome == .stale, let entry {
            let page = itemPage(form, saying, entry, isStale: true)
            return try await answer(page, to: request, context, status: .conflict)
        }
        let week = time.map { AgendaPeriod(weekOf: $0.start.day).url } ?? "/agenda"
        return try told(
            outcome, entry == nil ? "page.agenda.added" : "page.agenda.saved", back: week, request, context)
    }

    /// Only its beginning changes; its length stays.
    private func move(
        _ form: Form, _ entry: AgendaEntry, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let user = try context.user()
        let parts = form.text("start").split(separator: "T")
        guard let span = entry.span, !entry.isSeries, parts.count == 2,
            let minute = AgendaForm.minute(String(parts[1]))
        else { throw ServerError(.request) }
        let start = WallTime(try Saying.day(String(parts[0]), field: "start"), second: minute * 60)
        let length = Int((span.end.microsecondsSince1970 - span.start.microsecondsSince1970) / 1_000_000)
        let time = AgendaFields.Time(
            start: start, end: WallTime(seconds: start.seconds + length), isAllDay: span.isAllDay)
        let outcome = try await pool.withConnection {
            try await edits.move(entry.id, to: time, etag: form.text("etag"), for: user, on: $0)
        }
        return try told(
            outcome, "page.agenda.moved", back: AgendaPeriod(weekOf: start.day).url, request, context)
    }

    private func told(
        _ outcome: AgendaEdits.Outcome, _ key: String, back: String, _ request: Request,
        _ context: WebContext
    ) throws -> Response {
        let words = try saying(request, context).words
        switch outcome {
        case .done(let object, let before):
            let undo = "/agenda/items/\(object)/undo/\(before)"
            return see(back, Told(text: words(key), undo: undo))
        case .same: return see(back, Told(text: words("page.edit.same")))
        case .stale: return see(back, Told(text: words("page.agenda.stale")))
        case .unseen: throw ServerError(.notFound)
        }
    }

    // MARK: - Accounts

    /// The account that a form names.
    private enum NamedAccount {
        case none
        case known(Int)
        /// With the key of why it is not one.
        case unknown(String)

        var id: Int? { if case .known(let id) = self { id } else { nil } }
    }

    /// The account of this name, or the only one whose name begins so.
    private func account(
        named name: String, before: AgendaEntry?, for user: AppUser
    ) async throws -> NamedAccount {
        guard !name.isEmpty else { return .none }
        if let before, let party = before.party, before.partyName == name { return .known(party) }
        let found = try await pool.withConnection {
            try await Accounts.page(
                scope: user.scope, AccountFilter(prefix: name), limit: 2, on: $0)
        }
        guard let first = found.first else { return .unknown("page.agenda.fault.noAccount") }
        let isOnly = found.count == 1 || (first.name == name && found[1].name != name)
        return isOnly ? .known(first.id) : .unknown("page.agenda.fault.accounts")
    }

    private func accountName(_ id: Int?, for user: AppUser) async throws -> String {
        guard let id else { return "" }
        let fields = try await pool.withConnection {
            try await AccountEdits.fields(of: id, for: user, on: $0)
        }
        return fields?[.name] ?? ""
    }

    // MARK: - The form's page

    /// What is there now.
    private func changed(_ entry: AgendaEntry?, _ saying: Saying) -> Diagnostic {
        Diagnostic(
            code: ServerError.Code.agendaChanged.rawValue,
            facts: ["title": entry?.title ?? "", "when": entry?.span.map { saying.moment($0.start) } ?? ""])
    }

    private func itemPage(
        _ form: AgendaForm, _ saying: Saying, _ entry: AgendaEntry? = nil, _ faults: [String: String] = [:],
        isStale: Bool = false
    ) -> AgendaItemPage {
        let words = saying.words
        let plain = entry.map { $0.title.isEmpty ? words("page.agenda.untitled") : $0.title }
        let title = plain ?? words("page.agenda.new")
        let url = entry.map { "/agenda/items/\($0.id)" }
        let canFinish = entry?.party != nil && entry?.status != .done
        return AgendaItemPage(
            title: faults.isEmpty ? title : words("page.form.wrong", ["title": title]),
            backURL: week(of: entry, saying), action: url ?? "/agenda/items",
            etag: entry?.etag ?? "", form: form.view(faults, words),
            seriesNote: entry?.isSeries == true ? words("page.agenda.series") : nil,
            accountURL: entry?.party.map { "/accounts/\($0)" },
            finish: canFinish
                ? url.map {
                    .init(
                        url: $0 + "/done", account: entry?.partyName ?? "",
                        channels: ["visit", "call", "meeting"].map {
                            Choice(value: $0, text: words("page.channel.\($0)"), isChosen: false)
                        })
                } : nil, remove: url.map { .init(url: $0 + "/delete") },
            problem: isStale
                ? Problem(changed(entry, saying), words) : EditAccountPage.problem(faults.count, words))
    }
}

// SPDX-License-Identifier: Apache-2.0
// `/mappings/NAME`: is this right for this file?

internal import CRM
internal import ConnectorKit
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import PostgreSQL
internal import Words

/// A mapping as its template sees it.
struct MappingPage: Page {
    /// A file that it may be tried on.
    struct Sample: Sendable {
        let value: String
        let text: String
        let isChosen: Bool
    }

    /// Where the record that the mapping is tried on came from, to be read again.
    struct Back: Sendable {
        let url: String
        /// The cause whose records are replayed; nil for a preview, which is looked at.
        let cause: Cause?
        let text: String
    }

    /// The records of a cause.
    struct Cause: Sendable {
        let code: String
        let field: String
    }

    static let template = "mapping"
    static let entry = "/mappings"
    let title: String
    let name: String
    let sub: String
    let badge: BadgeView
    let text: String
    let digest: String
    let path: String
    let samples: [Sample]
    let saveText: String
    let canSave: Bool
    /// Whether a record can be kept as an example.
    let canKeep: Bool
    let hasChosenSample: Bool
    let chosenSample: String
    let problem: Problem?
    /// Whether faults of the text are told in the summary of errors.
    let faults: [MappingCheckView.Finding]
    let hasFaults: Bool
    let check: MappingCheckView
    let versions: [MappingHistory.Version]
    let hasVersions: Bool
    let pager: PagerView?
    let comparison: MappingHistory.Comparison?
    let overtaking: MappingHistory.Overtaking?
    let back: Back?
}

/// The pages of mappings.
struct MappingPages: Sendable {
    let site: Site
    let tools: ImportTools
    let connectors: ConnectorRegistry
    let store: MappingStore
    let samples: MappingSamples
    let history: MappingHistory

    init(site: Site, tools: ImportTools, connectors: ConnectorRegistry) {
        (self.site, self.tools, self.connectors) = (site, tools, connectors)
        store = MappingStore(pool: site.pool, shelf: tools.mappings)
        samples = MappingSamples(pool: site.pool, tools: tools)
        history = MappingHistory(site: site, store: store)
    }

    func add(to router: Router<WebContext>) {
        router.get("mappings") { request, context in
            _ = try context.operating()
            let page = try await list(try site.saying(request, context))
            return try await site.answer(page, to: request, context)
        }
        router.get("mappings/:name") { request, context in
            let user = try context.operating()
            let stored = try stored(context)
            let page = try await page(
                Draft(stored, sample: request.query("sample")), stored, user, request, context)
            return try await site.answer(page, to: request, context)
        }
        router.form("mappings/:name") { form, request, context in
            try await save(form, request, context)
        }
        router.form("mappings/:name/check") { form, request, context in
            let user = try context.operating()
            let stored = try stored(context)
            let draft = Draft(form, stored)
            guard request.query("part") != nil else {
                let page = try await page(draft, stored, user, request, context)
                return try await site.answer(page, to: request, context)
            }
            let saying = try site.saying(request, context)
            let check = try await check(draft, stored, user, saying.words)
            return Site.html(try site.part("mapping.check", CheckPart(check: check.view(saying)), saying))
        }
        router.form("mappings/:name/examples") { form, request, context in
            try await keepExample(form, request, context)
        }
        router.form("mappings/:name/restore/:id") { _, request, context in
            try await restore(request, context)
        }
    }

    /// What a template for the part alone sees.
    struct CheckPart: Sendable {
        let check: MappingCheckView
    }

    /// What is in the editor.
    struct Draft: Sendable {
        var text: String
        var digest: String
        var sample: String

        init(_ stored: StoredMapping, sample: String?) {
            (text, digest) = (stored.text, stored.digest)
            self.sample = sample ?? ""
        }

        /// What a form sends, as it was typed.
        init(_ form: Form, _ stored: StoredMapping) {
            // Browsers write line ends of their own.
            text = form["text"].map { MappingText($0).text } ?? stored.text
            digest = form.text("from")
            sample = form.text("sample")
        }
    }

    func stored(_ context: WebContext) throws -> StoredMapping {
        let name = context.parameters.get("name") ?? ""
        guard let stored = try store.show(name) else { throw ServerError(.notFound) }
        return stored
    }

    // MARK: - Checking

    private func check(
        _ draft: Draft, _ stored: StoredMapping, _ user: AppUser, _ words: Words
    ) async throws -> MappingCheck {
        let found = try await sample(draft.sample, of: stored.mapping, user)
        return try checked(draft, stored, found?.sample, user, words)
    }

    private func checked(
        _ draft: Draft, _ stored: StoredMapping, _ sample: MappingSample?, _ user: AppUser, _ words: Words
    ) throws -> MappingCheck {
        var check = MappingCheck(draft.text, named: stored.mapping.name, on: sample)
        try check.runExamples(tools.mappings, words) { name in
            user.mayHandle || samples.isShipped(name, of: stored.mapping)
        }
        return check
    }

    /// The sample that was chosen, or the best there is; what files hold is for whoever sees the clients.
    private func sample(
        _ chosen: String, of mapping: MappingFile, _ user: AppUser
    ) async throws -> (choice: SampleChoice, sample: MappingSample)? {
        guard case .reading = mapping else { return nil }
        var choices: [SampleChoice] = SampleChoice(chosen).map { [$0] } ?? []
        choices += [.last] + (try samples.examples(of: mapping)).map { .example($0) }
        for choice in choices {
            if !user.mayHandle, !isShipped(choice, of: mapping) { continue }
            if let sample = try await samples.find(choice, for: mapping) { return (choice, sample) }
        }
        return nil
    }

    /// Whether a sample is part of Relais, so that everybody may see what is in it.
    private func isShipped(_ choice: SampleChoice, of mapping: MappingFile) -> Bool {
        guard case .example(let name) = choice else { return false }
        return samples.isShipped(name, of: mapping)
    }

    // MARK: - Saving

    private func save(_ form: Form, _ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.operating()
        let stored = try stored(context)
        let draft = Draft(form, stored)
        let saying = try site.saying(request, context)
        let name = stored.mapping.name
        switch try await write(draft, name, user) {
        case .saved(let saved):
            let sample = draft.sample.isEmpty ? nil : draft.sample
            return site.see(Link.to(Self.path(name), ["sample": sample]), told(saved, of: name, saying))
        case .unchanged:
            return site.see(Self.path(name), Told(text: saying.words("page.mapping.unchanged")))
        case .refused(let refusal):
            return try await refused(draft, stored, user, request, context, refusal)
        }
    }

    /// What became of a text that was to be saved.
    private enum Outcome {
        case saved(SavedMapping)
        case unchanged
        case refused(Refusal)
    }

    private func write(_ draft: Draft, _ name: String, _ user: AppUser) async throws -> Outcome {
        do {
            switch try await store.save(draft.text, as: name, from: draft.digest, by: user.id) {
            case .saved(let saved): return .saved(saved)
            case .unchanged: return .unchanged
            case .overtaken(let theirs):
                return .refused(
                    Refusal(problem: MappingError(.saveChanged).diagnostic, overtaken: theirs))
            }
        } catch let error as MappingFaults {
            return .refused(Refusal(faults: error.faults))
        } catch let error as any ReportableError where !(error is PostgreSQLError) {
            return .refused(Refusal(problem: error.diagnostic))
        }
    }

    /// The editor with what was typed, and why it was not saved.
    private func refused(
        _ draft: Draft, _ stored: StoredMapping, _ user: AppUser, _ request: Request, _ context: WebContext,
        _ refusal: Refusal
    ) async throws -> Response {
        let page = try await page(draft, stored, user, request, context, refusal)
        return try await site.answer(page, to: request, context, status: .unprocessableContent)
    }

    /// What the next page says of a version that was saved.
    func told(_ saved: SavedMapping, of name: String, _ saying: Saying) -> Told {
        let facts = ["name": name, "version": String(saved.version)]
        return Told(
            text: saying.words(saved.isInUse ? "page.mapping.saved" : "page.mapping.savedUnused", facts),
            undo: saved.former > 0 ? Self.path(name) + "/restore/\(saved.former)" : nil)
    }

    /// Brings a former text back, as a version of its own.
    private func restore(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.operating()
        let stored = try stored(context)
        let id = try context.number()
        let name = stored.mapping.name
        let saying = try site.saying(request, context)
        guard let former = try await history.version(id, of: name) else { throw ServerError(.notFound) }
        var draft = Draft(stored, sample: nil)
        draft.text = former.text
        switch try await write(draft, name, user) {
        case .saved(let saved):
            let facts = [
                "name": name, "version": String(saved.version), "former": String(former.version),
            ]
            var told = told(saved, of: name, saying)
            told.text = saying.words("page.mapping.restored", facts)
            return site.see(Self.path(name), told)
        case .unchanged:
            return site.see(Self.path(name), Told(text: saying.words("page.mapping.unchanged")))
        case .refused(let refusal):
            // The language may have changed since: the text is in the editor, with what is wrong.
            return try await refused(draft, stored, user, request, context, refusal)
        }
    }

    /// Keeps the record that the mapping is tried on as an example, with what the saved text makes of it.
    private func keepExample(
        _ form: Form, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let user = try context.handling()
        let stored = try stored(context)
        let draft = Draft(form, stored)
        let saying = try site.saying(request, context)
        var refusal = Refusal()
        do {
            // What is not saved would be tested with another text than the one that it was kept for.
            guard draft.text == MappingText(stored.text).text else { throw MappingError(.exampleUnsaved) }
            guard let found = try await sample(draft.sample, of: stored.mapping, user) else {
                throw MappingError(.exampleRecord, ["file": ""])
            }
            let name = try MappingExamples(tools.mappings).keep(found.sample, of: stored)
            try await site.pool.withConnection { connection in
                try await Audit.write(
                    "mapping.example", by: user.id, facts: ["mapping": stored.mapping.name], on: connection)
            }
            return site.see(
                Link.to(Self.path(stored.mapping.name), ["sample": found.choice.text]),
                Told(text: saying.words("page.mapping.kept", ["file": name])))
        } catch let error as any ReportableError where !(error is PostgreSQLError) {
            refusal.problem = error.diagnostic
        }
        return try await refused(draft, stored, user, request, context, refusal)
    }

    /// Why a text was not saved.
    private struct Refusal: Sendable {
        var problem: Diagnostic?
        var faults: [Diagnostic] = []
        var overtaken: StoredMapping?

        var isThere: Bool { problem != nil || !faults.isEmpty }
    }

    // MARK: - The page

    private func page(
        _ draft: Draft, _ stored: StoredMapping, _ user: AppUser, _ request: Request, _ context: WebContext,
        _ refusal: Refusal = Refusal()
    ) async throws -> MappingPage {
        let saying = try site.saying(request, context)
        let words = saying.words
        let mapping = stored.mapping
        let path = Self.path(mapping.name)
        let found = try await sample(draft.sample, of: mapping, user)
        let check = try checked(draft, stored, found?.sample, user, words)
        let next = try await store.nextVersion(of: mapping.name)
        let (versions, pager) = try await history.versions(of: mapping, request, saying)
        let theirs = refusal.overtaken
        let title = words("page.mapping.title", ["name": mapping.name])
        return MappingPage(
            title: refusal.isThere ? words("page.form.wrong", ["title": title]) : title,
            name: mapping.name,
            sub: [
                Self.kind(mapping, words),
                words("page.mapping.version", ["version": String(mapping.version)]), mapping.title,
            ].filter { !$0.isEmpty }.joined(separator: ", "),
            badge: Self.badge(isOwn: stored.isOwn, words), text: draft.text,
            // Whoever keeps his own text has seen the other one.
            digest: theirs?.digest ?? draft.digest, path: path,
            samples: try await options(found?.choice, mapping, user, words),
            saveText: words("page.mapping.save", ["version": String(next)]), canSave: store.canSave,
            canKeep: store.canSave && user.mayHandle && found != nil,
            hasChosenSample: found != nil, chosenSample: found?.choice.text ?? "",
            problem: refusal.problem.map { Problem($0, words) },
            faults: refusal.faults.map { MappingCheckView.Finding($0, words) },
            hasFaults: !refusal.faults.isEmpty, check: check.view(saying),
            versions: versions, hasVersions: !versions.isEmpty, pager: pager,
            comparison: try await history.comparison(request, draft.text, stored, theirs, words),
            overtaking: try await history.overtaking(theirs, saying),
            back: user.mayHandle ? try await back(draft.sample, mapping, words) : nil)
    }

    /// The way back to the records or the preview that the editor was opened from.
    private func back(
        _ chosen: String, _ mapping: MappingFile, _ words: Words
    ) async throws -> MappingPage.Back? {
        let version = ["version": String(mapping.version)]
        switch SampleChoice(chosen) {
        case .preview(let id):
            return MappingPage.Back(
                url: "/previews/\(id)", cause: nil, text: words("page.mapping.lookAgain", version))
        case .quarantined(let id):
            let filter = QuarantineFilter(ids: [id])
            let found = try await site.pool.withConnection {
                try await Quarantine.list(filter, limit: 1, on: $0).first
            }
            return found.map { record in
                MappingPage.Back(
                    url: "/quarantine/mend",
                    cause: MappingPage.Cause(code: record.code, field: record.field ?? ""),
                    text: words("page.mapping.replay", version))
            }
        default: return nil
        }
    }

    private func options(
        _ chosen: SampleChoice?, _ mapping: MappingFile, _ user: AppUser, _ words: Words
    ) async throws -> [MappingPage.Sample] {
        guard case .reading = mapping else { return [] }
        var choices: [(SampleChoice, String)] = []
        if user.mayHandle { choices.append((.last, words("page.mapping.lastFile"))) }
        for name in try samples.examples(of: mapping)
        where user.mayHandle || samples.isShipped(name, of: mapping) {
            choices.append((.example(name), words("page.mapping.example", ["file": name])))
        }
        if user.mayHandle {
            let files = try await FileImports(pool: site.pool, tools: tools).list()
            choices += files.prefix(10).map { file in
                (.preview(file.id), words("page.mapping.waiting", ["file": file.name]))
            }
        }
        if let chosen, !choices.contains(where: { $0.0 == chosen }) {
            choices.insert((chosen, words("page.mapping.asked")), at: 0)
        }
        return choices.map { choice, text in
            MappingPage.Sample(value: choice.text, text: text, isChosen: choice == chosen)
        }
    }
}

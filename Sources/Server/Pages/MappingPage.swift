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

    /// A text that it had.
    struct Version: Sendable {
        let version: String
        let at: String
        let author: String
        let compareURL: String
        let restoreURL: String?
        let restoreLabel: String
        let isCompared: Bool
    }

    /// A line of a comparison.
    struct Line: Sendable {
        let isGone: Bool
        let isNew: Bool
        let sign: String
        let text: String
    }

    /// A comparison of two texts.
    struct Comparison: Sendable {
        let title: String
        let lines: [Line]
        let isSame: Bool
    }

    /// What somebody else saved meanwhile.
    struct Overtaking: Sendable {
        let said: String
        let theirs: String
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
    let versions: [Version]
    let hasVersions: Bool
    let pager: PagerView?
    let comparison: Comparison?
    let overtaking: Overtaking?
    let back: Back?
}

/// The pages of mappings.
struct MappingPages: Sendable {
    private static let perPage = 20

    let site: Site
    let tools: ImportTools
    let connectors: ConnectorRegistry
    let store: MappingStore
    let samples: MappingSamples

    init(site: Site, tools: ImportTools, connectors: ConnectorRegistry) {
        (self.site, self.tools, self.connectors) = (site, tools, connectors)
        store = MappingStore(pool: site.pool, shelf: tools.mappings)
        samples = MappingSamples(pool: site.pool, tools: tools)
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
        var refusal = Refusal()
        do {
            let outcome = try await store.save(draft.text, as: name, from: draft.digest, by: user.id)
            switch outcome {
            case .saved(let saved):
                return site.see(
                    Link.to(Self.path(name), ["sample": draft.sample.isEmpty ? nil : draft.sample]),
                    told(saved, of: name, saying))
            case .unchanged:
                return site.see(Self.path(name), Told(text: saying.words("page.mapping.unchanged")))
            case .overtaken(let theirs):
                refusal.overtaken = theirs
                refusal.problem = MappingError(.saveChanged).diagnostic
            }
        } catch let error as MappingFaults {
            refusal.faults = error.faults
        } catch let error as any ReportableError where !(error is PostgreSQLError) {
            refusal.problem = error.diagnostic
        }
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
        let former = try await site.pool.withConnection {
            try await MappingStore.version(id, of: name, on: $0)
        }
        guard let former else { throw ServerError(.notFound) }
        var draft = Draft(stored, sample: nil)
        draft.text = former.text
        var refusal = Refusal()
        do {
            let outcome = try await store.save(former.text, as: name, from: stored.digest, by: user.id)
            switch outcome {
            case .saved(let saved):
                let facts = [
                    "name": name, "version": String(saved.version), "former": String(former.version),
                ]
                var told = told(saved, of: name, saying)
                told.text = saying.words("page.mapping.restored", facts)
                return site.see(Self.path(name), told)
            case .unchanged:
                return site.see(Self.path(name), Told(text: saying.words("page.mapping.unchanged")))
            case .overtaken(let theirs):
                refusal.overtaken = theirs
                refusal.problem = MappingError(.saveChanged).diagnostic
            }
        } catch let error as MappingFaults {
            // A language that has changed since: the text is in the editor, with what is wrong.
            refusal.faults = error.faults
        } catch let error as any ReportableError where !(error is PostgreSQLError) {
            refusal.problem = error.diagnostic
        }
        let page = try await page(draft, stored, user, request, context, refusal)
        return try await site.answer(page, to: request, context, status: .unprocessableContent)
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
        let page = try await page(draft, stored, user, request, context, refusal)
        return try await site.answer(page, to: request, context, status: .unprocessableContent)
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
        let before = request.number("before")
        let versions = try await site.pool.withConnection {
            try await MappingStore.versions(
                of: mapping.name, before: before, limit: Self.perPage + 1, on: $0)
        }
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
            versions: versions.prefix(Self.perPage).map { version($0, request, mapping, saying) },
            hasVersions: !versions.isEmpty,
            pager: PagerView(
                text: words("page.mapping.shown", count: min(versions.count, Self.perPage)),
                first: before == nil ? nil : path,
                next: versions.count > Self.perPage
                    ? Link.to(path, ["before": versions.dropLast().last.map { String($0.id) }]) : nil),
            comparison: try await comparison(request, draft, stored, theirs, words),
            overtaking: try await overtaking(theirs, saying),
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

    private func version(
        _ version: MappingVersion, _ request: Request, _ mapping: MappingFile, _ saying: Saying
    ) -> MappingPage.Version {
        let words = saying.words
        let path = Self.path(mapping.name)
        let number = String(version.version)
        return MappingPage.Version(
            version: words("page.mapping.version", ["version": number]), at: saying.moment(version.madeAt),
            author: version.author ?? words("page.mapping.byFile"),
            compareURL: Link.to(path, ["compare": String(version.id)]) + "#compare",
            restoreURL: store.canSave && version.version != mapping.version
                ? path + "/restore/\(version.id)" : nil,
            restoreLabel: words("page.mapping.restoreLabel", ["version": number]),
            isCompared: request.number("compare") == version.id)
    }

    /// The text of now beside that of a version, or two versions; after somebody else's save, his text beside mine.
    private func comparison(
        _ request: Request, _ draft: Draft, _ stored: StoredMapping, _ theirs: StoredMapping?, _ words: Words
    ) async throws -> MappingPage.Comparison? {
        if let theirs {
            return Self.comparison(words("page.mapping.theirsAndMine"), theirs.text, draft.text, words)
        }
        guard let id = request.number("compare") else { return nil }
        let name = stored.mapping.name
        let old = try await version(id, of: name)
        let new = try await version(request.number("with"), of: name)
        guard let old else { throw ServerError(.notFound) }
        let title = words(
            "page.mapping.compared",
            [
                "old": String(old.version),
                "new": new.map { String($0.version) } ?? String(stored.mapping.version),
            ])
        return Self.comparison(title, old.text, new?.text ?? stored.text, words)
    }

    private func version(_ id: Int?, of name: String) async throws -> MappingVersion? {
        guard let id else { return nil }
        return try await site.pool.withConnection { try await MappingStore.version(id, of: name, on: $0) }
    }

    private static func comparison(
        _ title: String, _ old: String, _ new: String, _ words: Words
    ) -> MappingPage.Comparison {
        let lines = DiffLine.compare(old, new)
        return MappingPage.Comparison(
            title: title,
            lines: lines.map { line in
                let isSkipped = line.kind == .skipped
                return MappingPage.Line(
                    isGone: line.kind == .gone, isNew: line.kind == .new,
                    sign: line.kind == .gone ? "−" : line.kind == .new ? "+" : isSkipped ? "…" : " ",
                    text: isSkipped
                        ? words("page.mapping.sameLines", count: Int(line.text) ?? 0) : line.text)
            }, isSame: !lines.contains { $0.kind == .gone || $0.kind == .new })
    }

    private func overtaking(
        _ theirs: StoredMapping?, _ saying: Saying
    ) async throws -> MappingPage.Overtaking? {
        guard let theirs else { return nil }
        let name = theirs.mapping.name
        let last = try await site.pool.withConnection {
            try await MappingStore.versions(of: name, limit: 1, on: $0).first
        }
        return MappingPage.Overtaking(
            said: saying.words(
                "page.mapping.overtaken",
                [
                    "version": String(theirs.mapping.version),
                    "author": last?.author ?? saying.words("page.mapping.byFile"),
                    "at": last.map { saying.momentShort($0.madeAt) } ?? "",
                ]), theirs: theirs.text)
    }
}

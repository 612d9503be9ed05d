// SPDX-License-Identifier: Apache-2.0
// `/quarantine`: which one fix frees the most?

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Words

/// The quarantine as its template sees it.
struct QuarantinePage: Page {
    /// A wrong value and what it becomes.
    struct Value: Sendable {
        let index: Int
        let text: String
        /// What the form sends back to name it; none for a missing value.
        let given: String?
        let count: String
        let since: String
        let now: String
        let label: String
    }

    /// A cause.
    struct Group: Sendable {
        let count: String
        let sentence: String
        let code: String
        let field: String?
        let flow: String
        let age: String
        let isOld: Bool
        let work: String
        let isOpen: Bool
        /// Whether the user sees what is in the records.
        let mayHandle: Bool
        let values: [Value]
        let canCorrect: Bool
        let isMatch: Bool
        let action: String
        let file: String
        let place: String
        let raw: String?
        let hint: String?
        let replay: String
        let mappings: String?
        let problem: Problem?
        /// Where each of its records is.
        let linesURL: String
        /// The only mapping that read them.
        let mapping: String?
        /// Where that is edited, with one of the records as its sample.
        let mappingURL: String?
        let remember: Remember?
    }

    /// How a mapping learns the words of a cause.
    struct Remember: Sendable {
        /// `Retenir dans la correspondance, version 8 → 9`.
        let text: String
        let listID: String
        let choices: [String]
    }

    /// A status with how many records have it.
    struct Tab: Sendable {
        let text: String
        let count: String
    }

    static let template = "quarantine"
    static let entry = "/quarantine"
    let title: String
    let sub: String
    let tabs: [Tab]
    let groups: [Group]
    let isEmpty: Bool
    /// The flow and the run that the page is about.
    let flow: String?
    let run: String?
}

extension Site {
    /// The quarantine's routes.
    func addQuarantine(to router: Router<WebContext>, _ tools: ImportTools) {
        router.get("quarantine") { request, context in
            _ = try context.operating()
            let page = try await quarantine(request, context, nil, tools)
            return try await answer(page, to: request, context)
        }
        router.form("quarantine/mend") { form, request, context in
            try await mend(form, request, context, tools)
        }
        router.form("quarantine/remember") { form, request, context in
            try await mend(form, request, context, tools, remembers: true)
        }
        router.form("quarantine/ignore") { form, request, context in
            let user = try context.handling()
            let (code, field) = Self.cause(form)
            let saying = try saying(request, context)
            let count = try await pool.withConnection { connection in
                let ids = try await Quarantine.ids(of: code, field, Self.scope(form), on: connection)
                try await Audit.write(
                    "quarantine.ignored", by: user.id, facts: ["code": code, "count": String(ids.count)],
                    on: connection)
                return try await Quarantine.ignore(
                    QuarantineFilter(ids: ids),
                    why: saying.words("page.quarantine.leftBy", ["name": user.name]),
                    on: connection)
            }
            await waiting.forget()
            return see(
                Self.path(Self.scope(form)), Told(text: saying.words("page.quarantine.ignored", count: count))
            )
        }
    }

    private static func cause(_ form: Form) -> (code: String, field: String?) {
        let field = form.text("field")
        return (form.text("code"), field.isEmpty ? nil : field)
    }

    private static func scope(_ form: Form) -> CauseScope {
        CauseScope(flow: form.text("flow").isEmpty ? nil : form.text("flow"), run: Int(form.text("run")))
    }

    /// Where the same view of the quarantine is.
    private static func path(_ scope: CauseScope) -> String {
        Link.to("/quarantine", ["flow": scope.flow, "run": scope.run.map(String.init)])
    }

    /// Gives the wrong values of a cause the values of the form, and replays what is mended.
    private func mend(
        _ form: Form, _ request: Request, _ context: WebContext, _ tools: ImportTools,
        remembers: Bool = false
    ) async throws -> Response {
        let user = try context.handling()
        let (code, field) = Self.cause(form)
        let saying = try saying(request, context)
        do {
            // First the mapping: where it cannot learn the words, nothing is changed.
            let saved = remembers ? try await remember(form, field, user, tools) : nil
            let library = try tools.mappings.library()
            var ids: [Int] = []
            var isTyped = false
            let scope = Self.scope(form)
            if let field {
                for (index, new) in form.fields("now.") where !new.trimmingBlanks.isEmpty {
                    isTyped = true
                    // Browsers write line ends of their own.
                    let old: String?? = .some(form["was.\(index)"]?.replacing("\r\n", with: "\n"))
                    let found = try await pool.withConnection { connection in
                        let found = try await Quarantine.ids(
                            of: code, field, value: old, scope, on: connection)
                        if !remembers {
                            _ = try await Quarantine.correct(
                                QuarantineFilter(ids: found), [field: new.trimmingBlanks], library,
                                on: connection)
                        }
                        return found
                    }
                    ids += found
                }
            }
            // Somebody else was quicker: what was typed must not let the others be replayed as they are.
            guard !isTyped || !ids.isEmpty else { throw ServerError(.gone) }
            if ids.isEmpty {
                // Nothing typed: as they are, with the mappings and the accounts of now.
                ids = try await pool.withConnection {
                    try await Quarantine.ids(of: code, field, scope, on: $0)
                }
            }
            let report = try await ReplayEngine(pool: pool, library: library, tools.settings)
                .run(QuarantineFilter(ids: ids))
            try await pool.withConnection { connection in
                try await Audit.write(
                    "quarantine.replayed", by: user.id, of: "run", report.run,
                    facts: ["code": code, "count": String(ids.count)], on: connection)
            }
            await waiting.forget()
            var told = told(report, saying)
            if let saved {
                let facts = ["name": form.text("mapping"), "version": String(saved.version)]
                told.text = saying.words("page.quarantine.remembered", facts) + " " + told.text
            }
            return see(Self.path(scope), told)
        } catch let error as MappingFaults {
            return try await refused(error.faults[0], code, field, form, request, context, tools)
        } catch let error as any ReportableError where !(error is PostgreSQLError) {
            return try await refused(error.diagnostic, code, field, form, request, context, tools)
        }
    }

    private func refused(
        _ fault: Diagnostic, _ code: String, _ field: String?, _ form: Form, _ request: Request,
        _ context: WebContext, _ tools: ImportTools
    ) async throws -> Response {
        let mended = Mended(code: code, field: field, form, fault)
        let page = try await quarantine(request, context, mended, tools)
        return try await answer(page, to: request, context, status: .unprocessableContent)
    }

    /// Teaches the mapping what the form says that words become.
    private func remember(
        _ form: Form, _ field: String?, _ user: AppUser, _ tools: ImportTools
    ) async throws -> SavedMapping {
        guard let field else { throw ServerError(.request) }
        let words = form.fields("now.").compactMap { index, new -> (old: String, new: String)? in
            guard !new.trimmingBlanks.isEmpty, let old = form["was.\(index)"] else { return nil }
            return (old.replacing("\r\n", with: "\n"), new.trimmingBlanks)
        }
        return try await MappingStore(pool: pool, shelf: tools.mappings)
            .remember(words, of: field, in: form.text("mapping"), by: user.id)
    }

    func told(_ report: ReplayReport, _ saying: Saying) -> Told {
        let ledger = report.ledger
        let parts = [
            ("inserted", ledger.inserted), ("updated", ledger.updated), ("unchanged", ledger.unchanged),
            ("stillQuarantined", ledger.quarantined),
        ].filter { $0.1 > 0 }.map { saying.words("page.ledger.count.\($0.0)", count: $0.1) }
        let text = saying.words(
            "page.quarantine.replayed", count: ledger.read, ["what": parts.joined(separator: ", ")])
        let writes = ledger.inserted + ledger.updated
        return Told(text: text, undo: writes > 0 ? report.run.map { "/runs/\($0)/undo" } : nil)
    }

    /// A form that was refused, with what had been typed.
    struct Mended: Sendable {
        let code: String
        let field: String?
        let typed: [String: String]
        let fault: Diagnostic

        init(code: String, field: String?, _ form: Form, _ fault: Diagnostic) {
            (self.code, self.field, self.fault) = (code, field, fault)
            typed = Dictionary(form.fields("now.").map { ($0.name, $0.value) }) { $1 }
        }
    }

    private func quarantine(
        _ request: Request, _ context: WebContext, _ mended: Mended?, _ tools: ImportTools
    ) async throws -> QuarantinePage {
        let user = try context.operating()
        let saying = try saying(request, context)
        let words = saying.words
        let scope = CauseScope(flow: request.query("flow"), run: request.number("run"))
        let asked = request.query("open")
        let listed = try await pool.withConnection { try await Quarantine.causes(scope, on: $0) }
        let lessons = user.mayHandle ? try await lessons(for: listed, words, tools) : [:]
        let (causes, counts, groups) = try await pool.withConnection { connection in
            let causes = listed
            let counts = try await Quarantine.counts(on: connection)
            var groups: [QuarantinePage.Group] = []
            for (index, cause) in causes.enumerated() {
                let isMended = mended.map { $0.code == cause.code && $0.field == cause.field } ?? false
                let isAsked = asked == "\(cause.code):\(cause.field ?? "")"
                let isOpen = isMended || isAsked || (mended == nil && asked == nil && index == 0)
                // The twenty largest come with what is needed to mend them; a further one when it is asked for.
                let isFull = index < 20 || isOpen
                let values =
                    isFull && cause.field != nil && user.mayHandle
                    ? try await Quarantine.values(of: cause.code, cause.field, scope, on: connection) : []
                let sample =
                    isFull && user.mayHandle
                    ? try await Quarantine.sample(of: cause.code, cause.field, scope, on: connection) : nil
                groups.append(
                    group(
                        cause, values, sample, isOpen: isOpen, mayHandle: user.mayHandle,
                        isMended ? mended : nil, lessons[index], scope, saying))
            }
            return (causes, counts, groups)
        }
        let all = causes.reduce(0) { $0 + $1.count }
        return QuarantinePage(
            title: mended == nil
                ? words("page.quarantine.title")
                : words("page.form.wrong", ["title": words("page.quarantine.title")]),
            sub: words(
                "page.quarantine.sub", count: all,
                ["causes": words("page.quarantine.causes", count: causes.count)]),
            tabs: ["open", "fixed", "replayed", "ignored"].map { status in
                .init(
                    text: words("page.quarantine.status.\(status)"), count: saying.number(counts[status] ?? 0)
                )
            },
            groups: groups, isEmpty: causes.isEmpty, flow: scope.flow, run: scope.run.map(String.init))
    }

    /// What mappings could learn, by the number of the cause: one mapping, one list, words that it does not know.
    private func lessons(
        for causes: [QuarantineCause], _ words: Words, _ tools: ImportTools
    ) async throws -> [Int: QuarantinePage.Remember] {
        let store = MappingStore(pool: pool, shelf: tools.mappings)
        guard store.canSave else { return [:] }
        var lessons: [Int: QuarantinePage.Remember] = [:]
        for (index, cause) in causes.enumerated().prefix(20) {
            guard cause.code == MappingError.Code.notInList.rawValue, let field = cause.field,
                let name = Self.mapping(of: cause), let choices = try store.choices(of: field, in: name),
                let stored = try store.show(name)
            else { continue }
            let facts = [
                "old": String(stored.mapping.version),
                "new": String(try await store.nextVersion(of: name)),
            ]
            lessons[index] = QuarantinePage.Remember(
                text: words("page.quarantine.remember", facts), listID: "words-\(index)", choices: choices)
        }
        return lessons
    }

    /// The name of the only mapping that read the records of a cause.
    private static func mapping(of cause: QuarantineCause) -> String? {
        let names = Set(cause.mappings.compactMap { $0.split(separator: "@").first.map(String.init) })
        return names.count == 1 ? names.first : nil
    }

    private func group(
        _ cause: QuarantineCause, _ values: [QuarantineCause.Value], _ sample: QuarantineCause.Sample?,
        isOpen: Bool, mayHandle: Bool, _ mended: Mended?, _ lesson: QuarantinePage.Remember?,
        _ scope: CauseScope, _ saying: Saying
    ) -> QuarantinePage.Group {
        let words = saying.words
        let isMatch = cause.code.hasPrefix("MATCH-")
        let diagnostic = sample.map { sample in
            Diagnostic(
                code: cause.code, facts: JSONTexts.object(sample.facts),
                place: Place(
                    file: sample.file, line: sample.line, field: cause.field,
                    value: cause.count == 1 ? values.first?.text : nil))
        }
        let canCorrect = cause.isOfRecords && cause.field != nil && !isMatch
        let age = saying.now.microsecondsSince1970 - cause.oldest.microsecondsSince1970
        return QuarantinePage.Group(
            count: saying.number(cause.count),
            sentence: cause.count == 1
                ? diagnostic.map { words.sentence($0) } ?? words.cause(cause.code) : words.cause(cause.code),
            code: cause.code, field: cause.field,
            flow: cause.flows.isEmpty ? words("page.quarantine.byHand") : cause.flows.joined(separator: ", "),
            age: saying.words.duration(seconds: Int(age / 1_000_000)), isOld: age > 7 * 86_400_000_000,
            work: words(
                isMatch
                    ? "page.quarantine.work.match"
                    : cause.isOfRecords ? "page.quarantine.work.mend" : "page.quarantine.work.file"),
            isOpen: isOpen, mayHandle: mayHandle,
            values: canCorrect
                ? values.enumerated().map { index, value in
                    .init(
                        index: index, text: value.text ?? words("page.quarantine.noValue"), given: value.text,
                        count: words("page.quarantine.records", count: value.count),
                        since: words("page.quarantine.since", ["at": saying.momentShort(value.since)]),
                        now: mended?.typed[String(index)] ?? "",
                        label: words(
                            "page.quarantine.becomes",
                            ["value": value.text ?? words("page.quarantine.noValue")]))
                } : [],
            canCorrect: canCorrect, isMatch: isMatch, action: "/quarantine/mend", file: sample?.file ?? "",
            place: sample?.line.map { words("page.quarantine.line", ["line": saying.number($0)]) } ?? "",
            raw: sample?.raw.map { String(decoding: $0, as: UTF8.self) },
            hint: diagnostic.flatMap { words.hint($0) } ?? diagnostic.map { words.sentence($0) },
            replay: words(
                canCorrect ? "page.quarantine.mend" : "page.quarantine.replay", count: cause.count),
            mappings: cause.mappings.isEmpty
                ? nil : words("page.quarantine.with", ["mappings": cause.mappings.joined(separator: ", ")]),
            problem: mended.map { Problem($0.fault, words) },
            linesURL: Link.to(
                "/quarantine/lines",
                [
                    "code": cause.code, "field": cause.field, "flow": scope.flow,
                    "run": scope.run.map(String.init),
                ]),
            mapping: Self.mapping(of: cause),
            mappingURL: Self.mapping(of: cause).map { name in
                Link.to(
                    MappingPages.path(name),
                    ["sample": sample.map { SampleChoice.quarantined($0.id).text }])
            }, remember: canCorrect ? lesson : nil)
    }
}

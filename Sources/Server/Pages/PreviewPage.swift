// SPDX-License-Identifier: Apache-2.0
// `/previews/ID`: what would this file change?

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Synchronization
internal import Words

/// A preview as its template sees it.
struct PreviewPage: Page {
    /// A record.
    struct Row: Sendable {
        let line: String
        let title: String
        let url: String
        let badge: BadgeView
        let match: String
        let written: String
        let hasFields: Bool
        let isOpen: Bool
        let expanded: String
        let detailLabel: String
        let fields: [Field]
    }

    /// A field of the record that is looked at.
    struct Field: Sendable {
        let name: String
        let cell: String
        let received: String
        let rule: String
        let before: String?
        let after: String?
        let afterKind: String
    }

    /// Records of one decision.
    struct Tab: Sendable {
        let text: String
        let count: String
        let url: String
        let isCurrent: Bool
    }

    static let template = "preview"
    static let entry = "/imports/new"
    let title: String
    let sub: String
    let refusal: Problem?
    let known: String?
    let ledger: LedgerView
    let warnings: [Problem]
    let tabs: [Tab]
    let rows: [Row]
    let isEmpty: Bool
    let pager: PagerView?
    let importText: String?
    let importURL: String
    let discardURL: String
    /// Where the mapping that reads it is edited, with this file as its sample.
    let mappingURL: String?
}

/// A preview that was made: its counts, and the first records of each decision.
struct MadePreview: Sendable {
    /// Records kept of each decision.
    static let kept = 500

    let reports: [FileReport]
    let ledger: RunLedger
    let counts: [String: Int]
    let records: [RecordPreview]

    /// Makes one.
    init(_ file: WaitingFile, _ files: FileImports) async throws {
        let found = Mutex(Found())
        reports = try await files.preview(file) { record in
            found.withLock { $0.add(record) }
        }
        let kept = found.withLock { $0 }
        (counts, records) = (kept.counts, kept.records)
        ledger = reports.reduce(into: RunLedger()) { $0 += $1.ledger }
    }

    /// Whether the mappings are still those that it was made with.
    func isCurrent(_ library: MappingLibrary) -> Bool {
        reports.compactMap(\.mapping).allSatisfy { identifier in
            let name = identifier.split(separator: "@").first.map(String.init) ?? ""
            return library.mappings[name]?.identifier == identifier
        }
    }

    private struct Found: Sendable {
        var counts: [String: Int] = [:]
        var records: [RecordPreview] = []

        mutating func add(_ record: RecordPreview) {
            let outcome = MadePreview.name(of: record.outcome)
            counts[outcome, default: 0] += 1
            if counts[outcome, default: 0] <= MadePreview.kept { records.append(record) }
        }
    }

    static func name(of outcome: ImportOutcome) -> String {
        switch outcome {
        case .inserted: "inserted"
        case .updated: "updated"
        case .unchanged: "unchanged"
        case .skipped: "skipped"
        case .quarantined: "quarantined"
        }
    }
}

/// The last previews made, so that a click on a tab does not make one anew; a minute old they are made again.
final class PreviewShelf: Sendable {
    private struct Entry {
        let preview: MadePreview
        let at: ContinuousClock.Instant
    }

    private let entries = Mutex<[Int: Entry]>([:])

    subscript(id: Int) -> MadePreview? {
        get {
            entries.withLock { $0[id].flatMap { $0.at.duration(to: .now) < .seconds(60) ? $0.preview : nil } }
        }
        set {
            entries.withLock { entries in
                entries[id] = newValue.map { Entry(preview: $0, at: .now) }
                if entries.count > 4, let oldest = entries.min(by: { $0.value.at < $1.value.at }) {
                    entries[oldest.key] = nil
                }
            }
        }
    }

    /// Lets those go that are too old.
    func sweep() {
        entries.withLock { entries in
            entries = entries.filter { $0.value.at.duration(to: .now) < .seconds(60) }
        }
    }
}

extension ImportPages {
    private static let perPage = 50
    private static let outcomes = ["inserted", "updated", "unchanged", "quarantined", "skipped"]

    /// The routes of previews.
    func addPreviews(to router: Router<WebContext>) {
        router.get("previews/:id") { request, context in
            _ = try context.handling()
            let file = try await file(context)
            // A file whose import has begun is looked at as its run.
            if let run = file.run { return Response.redirect(to: "/runs/\(run)") }
            let saying = try site.saying(request, context)
            guard file.job == nil else {
                let page = WaitingPage(
                    title: file.name, text: saying.words("page.preview.queued"), url: request.uri.path)
                return try await site.answer(page, to: request, context)
            }
            let made: MadePreview
            if let known = shelf[file.id], known.isCurrent(try tools.mappings.library()) {
                made = known
            } else {
                made = try await MadePreview(file, files)
                shelf[file.id] = made
            }
            return try await site.answer(
                page(file, made, request, saying), to: request, context)
        }
        router.form("previews/:id/import") { _, request, context in
            let user = try context.handling()
            let file = try await file(context)
            try await files.start(file.id)
            try await site.pool.withConnection { connection in
                try await Audit.write("file.imported", by: user.id, of: "preview", file.id, on: connection)
            }
            let run = try await files.begun(file.id)
            return Response.redirect(to: run.map { "/runs/\($0)" } ?? "/previews/\(file.id)")
        }
        router.form("previews/:id/discard") { _, request, context in
            _ = try context.handling()
            let file = try await file(context)
            try await files.discard(file.id)
            shelf[file.id] = nil
            let saying = try site.saying(request, context)
            return site.see(
                "/imports/new", Told(text: saying.words("page.preview.discarded", ["name": file.name])))
        }
    }

    private func file(_ context: WebContext) async throws -> WaitingFile {
        guard let file = try await files.show(try context.number()) else { throw ServerError(.notFound) }
        return file
    }

    private func page(
        _ file: WaitingFile, _ made: MadePreview, _ request: Request, _ saying: Saying
    ) -> PreviewPage {
        let words = saying.words
        let chosen = request.query("only").flatMap { Self.outcomes.contains($0) ? $0 : nil }
        let offset = min(100_000, max(0, request.number("from") ?? 0))
        let open = request.number("record")
        let path = "/previews/\(file.id)"
        let ofTab = made.records.filter { chosen == nil || MadePreview.name(of: $0.outcome) == chosen }
        let shown = ofTab.dropFirst(offset).prefix(Self.perPage)
        func link(_ only: String?, from: Int? = nil, record: Int? = nil) -> String {
            Link.to(path, ["only": only, "from": from.map(String.init), "record": record.map(String.init)])
        }
        let writes = made.ledger.inserted + made.ledger.updated
        let mapping = made.reports.compactMap(\.mapping).first
        let next = offset + Self.perPage
        return PreviewPage(
            title: words("page.preview.title", ["name": file.name]),
            sub: [
                words.bytes(file.size), words("page.run.records", count: made.ledger.read),
                mapping.map { words("page.preview.mapping", ["mapping": $0]) },
            ].compactMap(\.self).joined(separator: ", "),
            refusal: made.reports.compactMap(\.refusal).first.map { Problem($0, words) },
            known: made.reports.compactMap(\.earlierRun).first.map {
                words("page.preview.known", ["run": String($0)])
            },
            ledger: LedgerView(made.ledger, saying, isPlan: true),
            warnings: made.reports.flatMap(\.warnings).prefix(10).map { Problem($0, words) },
            tabs: ([nil] + Self.outcomes.map(Optional.some)).compactMap { outcome in
                let count = outcome.map { made.counts[$0] ?? 0 } ?? made.counts.values.reduce(0, +)
                guard outcome == nil || count > 0 else { return nil }
                return PreviewPage.Tab(
                    text: words(outcome.map { "page.ledger.plan.\($0)" } ?? "page.preview.all"),
                    count: saying.number(count), url: link(outcome), isCurrent: outcome == chosen)
            },
            rows: shown.map { record in
                let isOpen = record.item.record.origin.ordinal == open
                return row(
                    PreviewedRecord(record, words), isOpen: isOpen,
                    link(chosen, from: offset, record: isOpen ? nil : record.item.record.origin.ordinal),
                    saying)
            }, isEmpty: shown.isEmpty,
            pager: PagerView(
                text: words(
                    "page.preview.shown",
                    ["count": saying.number(shown.count), "kept": saying.number(MadePreview.kept)]),
                first: offset > 0 ? link(chosen) : nil,
                next: next < ofTab.count ? link(chosen, from: next) : nil),
            importText: made.ledger.read == 0
                ? nil
                : writes == 0
                    ? words("page.preview.importNothing") : words("page.preview.import", count: writes),
            importURL: path + "/import", discardURL: path + "/discard",
            mappingURL: mapping?.split(separator: "@").first.map { name in
                Link.to(
                    MappingPages.path(String(name)), ["sample": SampleChoice.preview(file.id).text])
            })
    }

    private func row(
        _ record: PreviewedRecord, isOpen: Bool, _ url: String, _ saying: Saying
    ) -> PreviewPage.Row {
        let words = saying.words
        let kinds = ["inserted": "ins", "updated": "upd", "quarantined": "warn", "skipped": "skip"]
        let worth = record.fields.filter { $0.isWorthShowing(record.outcome) }
        let match =
            record.reason.map { words.sentence($0) } ?? record.matches.map(\.text).joined(separator: "; ")
        let isWritten = record.outcome == "inserted" || record.outcome == "updated"
        return PreviewPage.Row(
            line: record.line.map { saying.number($0) } ?? "", title: record.title, url: url,
            badge: BadgeView(kinds[record.outcome] ?? "", words("page.preview.outcome_\(record.outcome)")),
            match: match, written: saying.number(isWritten ? worth.count : 0), hasFields: !worth.isEmpty,
            isOpen: isOpen && !worth.isEmpty, expanded: isOpen ? "true" : "false",
            detailLabel: words(
                "page.preview.detail", ["line": record.line.map { saying.number($0) } ?? record.title]),
            fields: isOpen
                ? worth.map { field in
                    PreviewPage.Field(
                        name: words.known("page.field.\(field.name)") ?? field.name,
                        cell: field.trace?.origin ?? "", received: field.trace?.source ?? "",
                        rule: field.trace?.steps.joined(separator: ", ") ?? "",
                        before: field.before.map(saying.value),
                        after: field.after == field.before ? nil : field.after.map(saying.value),
                        afterKind: record.outcome == "quarantined"
                            ? "refused" : field.before == nil ? "new" : "")
                } : [])
    }
}

/// A file whose import waits for a worker.
struct WaitingPage: Page {
    static let template = "waiting"
    static let entry = "/imports/new"
    let title: String
    let text: String
    let url: String
}

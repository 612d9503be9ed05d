// SPDX-License-Identifier: Apache-2.0
// `/runs/4812`: where is it, what did it write, and what becomes of it when it is taken back?

internal import Bytes
internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Model
internal import NIOCore
internal import PostgreSQL
internal import Words

/// A run as its templates see it.
struct RunPage: Page {
    /// Records that were put aside for one reason.
    struct Cause: Sendable {
        let sentence: String
        let code: String
        let field: String?
        let firstLine: String?
        let count: String
        let action: String
        let url: String
    }

    /// A file.
    struct File: Sendable {
        let name: String
        let received: String
        let size: String
        let hash: String
        let mapping: String?
        let quarantined: String
        let warnings: [Problem]
        /// Where its bytes are; nil for those who may not see them, and where they are no longer kept.
        let url: String?
        /// Of two files read together, the second.
        let secondURL: String?
        let isDropped: Bool
    }

    /// A way to read what a run has left.
    struct Resume: Sendable {
        let action: String
        /// What the form of a flow does.
        let verb: String?
        /// Where that leads back to.
        let back: String
    }

    /// A batch.
    struct Batch: Sendable {
        let at: String
        let name: String
        let records: String
    }

    static let template = "run"
    static let entry = "/runs"
    let title: String
    let heading: String
    let crumb: String
    let crumbURL: String
    let sub: String
    let live: Live
    let causes: [Cause]
    let causesTitle: String
    let hasCauses: Bool
    let problems: [Problem]
    let failure: Problem?
    /// That a person ended it.
    let stopped: Problem?
    /// Where a person ends it; nil where that is not to be done.
    let stopURL: String?
    /// Who asked for its end that is still to come.
    let stopping: String?
    let resume: Resume?
    /// The only file.
    let file: File?
    /// Several.
    let files: [File]
    let filesTitle: String
    let hasFiles: Bool
    let batches: [Batch]
    let batchesTitle: String
    /// Where what an undo would do is told: working that out takes longer than the page; nil when nothing can be undone.
    let undoURL: String?
    /// The same, where it was asked for with the page.
    let undo: UndoView?
    /// The run that this one took back, or that took this one back.
    let relative: RelatedRun?

    /// What changes while it runs; a part that is also sent alone.
    struct Live: Sendable {
        let badge: BadgeView
        let ledger: LedgerView
        let isRunning: Bool
        let stream: String
        let progress: ProgressView?
        let rate: String
        let updated: String
        let trace: String?
        let top: String
        let from: String
        let to: String
        let traceLabel: String
    }

    /// Another run that this one has to do with.
    struct RelatedRun: Sendable {
        let text: String
        let url: String
    }
}

/// What an undo would do.
struct UndoView: Sendable {
    /// Rows of one fate.
    struct Bucket: Sendable {
        let count: String
        let text: String
        let note: String?
    }

    /// A row that would stay.
    struct Exception: Sendable {
        let text: String
    }

    let action: String
    let lead: String
    let buckets: [Bucket]
    let exceptions: [Exception]
    let hasExceptions: Bool
    /// Why it cannot be taken back.
    let refusal: Problem?
    let isPossible: Bool
}

extension Site {
    /// The run's routes.
    func addRun(to router: Router<WebContext>, _ files: FileImports, _ trusts: TrustChanges) {
        router.get("runs/:id") { request, context in
            let user = try context.operating()
            let id = try context.number()
            let saying = try saying(request, context)
            let isPlanned = request.query("undo") == "plan"
            guard let run = try await pool.withConnection({ try await Runs.show(id, on: $0) }) else {
                throw ServerError(.notFound)
            }
            let resume = try await resume(run, user, files, trusts)
            let page = try await page(run, user, saying, isPlanned, resume)
            return try await answer(page, to: request, context)
        }
        router.get("runs/:id/undo") { request, context in
            let user = try context.operating()
            let id = try context.number()
            let saying = try saying(request, context)
            guard let run = try await pool.withConnection({ try await Runs.show(id, on: $0) }) else {
                throw ServerError(.notFound)
            }
            let planned = UndoPart(undo: try await undo(run, user, saying))
            return Self.html(try part("run.undo", planned, saying, for: context.visitor))
        }
        router.get("runs/:id/live") { request, context in
            let user = try context.operating()
            let slot = try followers.take(for: String(user.id))
            return follow(try context.number(), try saying(request, context), in: slot)
        }
        router.form("runs/:id/undo") { _, request, context in
            let user = try context.operating()
            let id = try context.number()
            let run = try await pool.withConnection { try await Runs.show(id, on: $0) }
            guard run?.mayBeUndone(by: user) ?? true else { throw ServerError(.forbidden) }
            let report = try await UndoEngine(pool: pool).undo(id)
            try await pool.withConnection { connection in
                try await Audit.write("run.undone", by: user.id, of: "run", id, on: connection)
            }
            await waiting.forget()
            let saying = try saying(request, context)
            let text = saying.words(
                "page.run.undone", count: report.count("delete", "restore", "reinsert"), ["run": String(id)])
            return see(
                "/runs/\(report.run ?? id)", Told(text: text, undo: report.run.map { "/runs/\($0)/undo" }))
        }
    }

    // MARK: - The page

    /// How what a run has left is read: by its flow, or from the file that is kept; nil where only who ran it can.
    private func resume(
        _ run: RunSummary, _ user: AppUser, _ files: FileImports, _ trusts: TrustChanges
    ) async throws -> RunPage.Resume? {
        let back = "/runs/\(run.id)"
        guard ["import", "trust"].contains(run.kind), run.undoneBy == nil,
            ["stopped", "failed", "interrupted"].contains(run.state)
        else { return nil }
        if run.kind == "trust" {
            guard user.isAdmin, try await trusts.mayResume(run.id) else { return nil }
            return RunPage.Resume(action: back + "/resume", verb: nil, back: back)
        }
        if let flow = run.flow {
            return RunPage.Resume(action: "/flows/\(Link.encoded(flow))", verb: "run", back: back)
        }
        guard user.mayHandle, try await files.mayResume(run.id) else { return nil }
        return RunPage.Resume(action: back + "/resume", verb: nil, back: back)
    }

    private func page(
        _ run: RunSummary, _ user: AppUser, _ saying: Saying, _ isPlanned: Bool, _ resume: RunPage.Resume?
    ) async throws -> RunPage {
        let id = run.id
        let found = try await pool.withConnection { connection in
            (
                try await Runs.reading(of: id, on: connection),
                try await Runs.artifacts(of: id, on: connection),
                try await Runs.causes(of: id, on: connection),
                try await Runs.batches(of: id, on: connection),
                try await Runs.problems(of: id, on: connection)
            )
        }
        let words = saying.words
        let problems = found.4.compactMap { Diagnostic(kept: $0) }.map { Problem($0, words) }
        let name = RunNames.title(run, saying)
        return RunPage(
            title: words("page.run.title", ["run": String(id)]),
            heading: words("page.run.title", ["run": String(id)]),
            crumb: name, crumbURL: Link.to("/runs", ["flow": run.flow]),
            sub: [
                words(
                    "page.run.began",
                    ["at": saying.moment(run.startedAt), "kind": words("page.runs.kind.\(run.kind)")]),
                run.trust.map { trust in
                    let (before, after) = (words.number(trust.before), words.number(trust.after))
                    return words(
                        "page.run.trust", ["source": trust.source, "before": before, "after": after])
                },
            ].compactMap(\.self).joined(separator: " · "),
            live: live(run, found.0, found.3, saying), causes: found.2.map { cause($0, saying) },
            causesTitle: words(
                "page.run.quarantined", count: run.ledger.quarantined,
                ["causes": words("page.run.causes", count: found.2.count)]),
            hasCauses: !found.2.isEmpty, problems: problems,
            failure: run.state == "stopped" ? nil : run.failure.map { Problem($0, words) },
            stopped: run.state == "stopped" ? run.failure.map { Problem($0, words) } : nil,
            stopURL: run.isStoppable && run.stoppedBy == nil ? "/runs/\(id)/stop" : nil,
            stopping: run.isStoppable
                ? run.stoppedBy.map { words("page.run.stopAsked", ["by": $0]) } : nil,
            resume: resume,
            file: found.1.count == 1 ? found.1.first.map { file($0, of: id, user, saying) } : nil,
            files: found.1.count > 1 ? found.1.prefix(50).map { file($0, of: id, user, saying) } : [],
            filesTitle: words("page.run.files", count: found.1.count), hasFiles: found.1.count > 1,
            batches: found.3.prefix(5).map { batch in
                RunPage.Batch(
                    at: words.clock(batch.at, in: zone),
                    name: words("page.run.batch", ["number": String(batch.number)]),
                    records: words("page.run.records", count: batch.records))
            }, batchesTitle: words("page.run.batches", count: found.3.first?.number ?? 0),
            undoURL: isUndoable(run) && run.mayBeUndone(by: user) ? "/runs/\(id)/undo" : nil,
            undo: isPlanned ? try await undo(run, user, saying) : nil, relative: relative(run, saying))
    }

    private func cause(_ cause: RunCause, _ saying: Saying) -> RunPage.Cause {
        let words = saying.words
        let isDecision = cause.code.hasPrefix("MATCH-")
        return RunPage.Cause(
            sentence: words.cause(cause.code), code: cause.code, field: cause.field,
            firstLine: cause.firstLine.map { words("page.run.firstLine", ["line": saying.number($0)]) },
            count: saying.number(cause.count),
            action: words(
                cause.waiting == 0
                    ? "page.run.see" : isDecision ? "page.run.attach" : "page.run.mend"),
            url: Link.to("/quarantine", ["open": "\(cause.code):\(cause.field ?? "")"]))
    }

    private func file(
        _ artifact: RunArtifact, of run: Int, _ user: AppUser, _ saying: Saying
    ) -> RunPage.File {
        let url = user.mayHandle && artifact.isKept ? "/runs/\(run)/files/\(artifact.id)" : nil
        let hash = artifact.sha256.hexadecimal
        return RunPage.File(
            name: artifact.name, received: saying.moment(artifact.receivedAt),
            size: saying.words.bytes(artifact.size),
            hash: "\(hash.prefix(4)) \(hash.dropFirst(4).prefix(4)) … \(hash.suffix(4))",
            mapping: artifact.mapping, quarantined: saying.number(artifact.quarantined),
            warnings: artifact.warnings.map { Problem($0, saying.words) }, url: url,
            secondURL: artifact.firstSize == nil ? nil : url.map { $0 + "?part=2" },
            isDropped: !artifact.isKept)
    }

    private func relative(_ run: RunSummary, _ saying: Saying) -> RunPage.RelatedRun? {
        if let undoes = run.undoes {
            return .init(
                text: saying.words("page.run.undoes", ["run": String(undoes)]), url: "/runs/\(undoes)")
        }
        return run.undoneBy.map {
            .init(text: saying.words("page.run.undoneBy", ["run": String($0)]), url: "/runs/\($0)")
        }
    }

    private func isUndoable(_ run: RunSummary) -> Bool {
        run.state != "running" && run.undoneBy == nil && run.kind != "export"
            && (run.trust != nil || run.ledger.inserted + run.ledger.updated + run.ledger.deleted > 0)
    }

    private func undo(_ run: RunSummary, _ user: AppUser, _ saying: Saying) async throws -> UndoView? {
        guard isUndoable(run), run.mayBeUndone(by: user) else { return nil }
        let words = saying.words
        let action = "/runs/\(run.id)/undo"
        do {
            let report = try await UndoEngine(pool: pool).undo(run.id, isDryRun: true)
            let (back, kept, blocked) = (
                report.count("delete", "restore", "reinsert"), report.count("keep"), report.count("block")
            )
            return UndoView(
                action: action, lead: words("page.run.undo.lead", count: back + kept + blocked),
                buckets: [
                    .init(
                        count: saying.number(back), text: words("page.run.undo.back", count: back),
                        note: words("page.run.undo.backNote")),
                    .init(
                        count: saying.number(kept), text: words("page.run.undo.kept", count: kept),
                        note: kept == 0 ? nil : words("page.run.undo.keptNote")),
                    .init(
                        count: saying.number(blocked), text: words("page.run.undo.blocked", count: blocked),
                        note: blocked == 0 ? nil : words("page.run.undo.blockedNote")),
                ],
                // They name clients.
                exceptions: !user.mayHandle
                    ? [] : report.exceptions.prefix(20).map { .init(text: UndoTexts.text($0, words)) },
                hasExceptions: user.mayHandle && !report.exceptions.isEmpty, refusal: nil,
                isPossible: back > 0 || run.trust != nil)
        } catch let error as RunError {
            return UndoView(
                action: action, lead: "", buckets: [], exceptions: [], hasExceptions: false,
                refusal: Problem(error.diagnostic, words), isPossible: false)
        }
    }

    // MARK: - Live

    private func live(
        _ run: RunSummary, _ reading: RunReading?, _ batches: [RunBatch], _ saying: Saying
    ) -> RunPage.Live {
        let words = saying.words
        let isRunning = run.state == "running"
        let speed = RunSpeed(run, batches, now: saying.now)
        return RunPage.Live(
            badge: BadgeView(run, saying),
            ledger: LedgerView(
                run.ledger, saying,
                quarantine: run.ledger.quarantined > 0 ? Link.to("/quarantine", ["run": String(run.id)]) : nil
            ),
            isRunning: isRunning, stream: "/runs/\(run.id)/live",
            progress: run.isStoppable ? progress(run, reading, batches, saying) : nil,
            rate: words("page.run.rate", ["rate": saying.number(speed.perSecond)]),
            updated: words("page.run.updated", ["at": words.clock(saying.now, in: zone)]),
            trace: speed.trace, top: saying.number(speed.top), from: words.clock(run.startedAt, in: zone),
            to: words.clock(run.finishedAt ?? saying.now, in: zone),
            traceLabel: words("page.run.traceLabel", ["rate": saying.number(speed.perSecond)]))
    }

    private func progress(
        _ run: RunSummary, _ reading: RunReading?, _ batches: [RunBatch], _ saying: Saying
    ) -> ProgressView? {
        if let trust = run.trust {
            return ProgressView(run.ledger.read, of: trust.expected, batches, saying)
        }
        return reading.map { reading in
            ProgressView(RunProgress(reading, batches, now: saying.now), reading, run.ledger, saying)
        }
    }

    /// Sends the part that changes twice a second at most, until the run has ended.
    private func follow(_ id: Int, _ saying: Saying, in slot: Slot) -> Response {
        let body = ResponseBody { writer in
            defer { slot.hold() }
            var last = ""
            var isOver = false
            // The browser asks again after ten minutes; a beat tells when it is gone.
            for beat in 0..<1200 where !isOver {
                let current = Saying(words: saying.words, now: now(), zone: saying.zone)
                let (run, reading, batches) = try await pool.withConnection { connection in
                    (
                        try await Runs.show(id, on: connection),
                        try await Runs.reading(of: id, on: connection),
                        try await Runs.batches(of: id, on: connection)
                    )
                }
                guard let run else { break }
                isOver = run.state != "running"
                let text = try part("run.live", LivePart(live: live(run, reading, batches, current)), current)
                if text != last {
                    try await writer.write(ByteBuffer(string: Self.event(isOver ? "over" : "part", text)))
                    last = text
                } else if beat % 10 == 0 {
                    try await writer.write(ByteBuffer(string: ": \n\n"))
                }
                if !isOver { try await Task.sleep(for: .milliseconds(500)) }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-store"], body: body)
    }

    /// What an undo would do, as its part sees it.
    private struct UndoPart: Sendable {
        let undo: UndoView?
    }

    /// A part alone sees the same names as inside its page.
    private struct LivePart: Sendable {
        let live: RunPage.Live
    }

    /// - Source: HTML Living Standard, section 9.2 (server-sent events).
    private static func event(_ name: String, _ text: String) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { "data: \($0)\n" }
        return "event: \(name)\n\(lines.joined())\n"
    }
}

extension RunSummary {
    /// Whether it works through something and can end before its time.
    fileprivate var isStoppable: Bool { state == "running" && ["import", "trust"].contains(kind) }

    /// What people typed is theirs, or of those who see every client; whom to believe is for administrators.
    fileprivate func mayBeUndone(by user: AppUser) -> Bool {
        (kind != "edit" || user.mayHandle) && (trust == nil || user.isAdmin)
    }
}

/// How fast a run is, from its last batches.
struct RunSpeed {
    let perSecond: Int
    let top: Int
    /// Points of a line in a box of 300 × 100; nil for fewer than three batches.
    let trace: String?

    init(_ run: RunSummary, _ batches: [RunBatch], now: Timestamp) {
        func seconds(_ from: Timestamp, _ to: Timestamp) -> Double {
            max(0.001, Double(to.microsecondsSince1970 - from.microsecondsSince1970) / 1_000_000)
        }
        let end = run.finishedAt ?? now
        perSecond = Int(Double(run.ledger.read) / seconds(run.startedAt, end))
        let times = [run.startedAt] + batches.reversed().map(\.at)
        let rates = zip(batches.reversed(), times).map { batch, before in
            Double(batch.records) / seconds(before, batch.at)
        }
        let most = rates.max() ?? 0
        var step = 10
        while Double(step) < most { step *= step % 3 == 0 ? 10 : 2 }
        top = step
        // A run of a few seconds has no speed that tells anything.
        guard rates.count >= 3, seconds(run.startedAt, end) >= 5, let first = times.first,
            let last = times.last
        else {
            trace = nil
            return
        }
        let scale = Double(step)
        trace = zip(rates, times.dropFirst()).map { rate, at in
            let x = (seconds(first, at) / seconds(first, last) * 3000).rounded() / 10
            return "\(x),\(((1 - rate / scale) * 1000).rounded() / 10)"
        }.joined(separator: " ")
    }
}

// SPDX-License-Identifier: Apache-2.0
// `/runs`: what ran, the latest first.

internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Model
internal import PostgreSQL
internal import Words

/// The list of runs as its template sees it.
struct RunsPage: Page {
    /// A run.
    struct Row: Sendable {
        let number: String
        let url: String
        let title: String
        let badge: BadgeView
        let at: String
        let took: String
        let read: String
        let split: SplitView?
        let quarantined: String
    }

    /// A state to choose.
    struct Choice: Sendable {
        let text: String
        let url: String
        let isCurrent: Bool
    }

    static let template = "runs"
    static let entry = "/runs"
    let title: String
    let flow: String?
    let states: [Choice]
    let rows: [Row]
    let isEmpty: Bool
    let emptyText: String
    /// Where all runs are, when filters hide them.
    let unfiltered: String?
    let pager: PagerView?
}

/// The way to further rows.
struct PagerView: Sendable {
    let text: String
    let first: String?
    let next: String?

    /// nil where everything is on this page.
    init?(text: String, first: String?, next: String?) {
        guard first != nil || next != nil else { return nil }
        (self.text, self.first, self.next) = (text, first, next)
    }
}

extension Site {
    private static let pageSize = 50

    /// The list's route.
    func addRuns(to router: Router<WebContext>) {
        router.get("runs") { request, context in
            _ = try context.operating()
            let saying = try saying(request, context)
            let known = ["running", "succeeded", "partial", "failed", "stopped"]
            let filter = RunFilter(
                before: request.number("before"), flow: request.query("flow"),
                state: request.query("state").flatMap { known.contains($0) ? $0 : nil })
            let runs = try await pool.withConnection { connection in
                try await Runs.list(filter, limit: Self.pageSize + 1, on: connection)
            }
            return try await answer(page(runs, filter, known, saying), to: request, context)
        }
    }

    private func page(_ runs: [RunSummary], _ filter: RunFilter, _ known: [String], _ saying: Saying)
        -> RunsPage
    {
        let words = saying.words
        func link(_ state: String?, before: Int? = nil) -> String {
            Link.to("/runs", ["flow": filter.flow, "state": state, "before": before.map(String.init)])
        }
        let shown = runs.prefix(Self.pageSize)
        let isFiltered = filter.flow != nil || filter.state != nil
        return RunsPage(
            title: words("page.runs.title"), flow: filter.flow,
            states: ([nil] + known.map(Optional.some)).map { state in
                RunsPage.Choice(
                    text: state.map { words("page.state.\($0)") } ?? words("page.runs.all"),
                    url: link(state), isCurrent: state == filter.state)
            },
            rows: shown.map { RunsPage.Row($0, saying) }, isEmpty: shown.isEmpty,
            emptyText: words(isFiltered ? "page.runs.noneLikeThis" : "page.runs.none"),
            unfiltered: isFiltered ? "/runs" : nil,
            pager: PagerView(
                text: words("page.runs.shown", count: shown.count),
                first: filter.before == nil ? nil : link(filter.state),
                next: runs.count > Self.pageSize ? link(filter.state, before: shown.last?.id) : nil))
    }
}

extension RunsPage.Row {
    init(_ run: RunSummary, _ saying: Saying) {
        let seconds = run.finishedAt.map {
            Int(($0.microsecondsSince1970 - run.startedAt.microsecondsSince1970 + 500_000) / 1_000_000)
        }
        self.init(
            number: String(run.id), url: "/runs/\(run.id)", title: RunNames.title(run, saying),
            badge: BadgeView(run, saying), at: saying.momentShort(run.startedAt),
            took: seconds.map { saying.words.duration(seconds: $0) } ?? "",
            read: saying.number(run.ledger.read), split: SplitView(run.ledger, saying, isThin: true),
            quarantined: saying.number(run.ledger.quarantined))
    }
}

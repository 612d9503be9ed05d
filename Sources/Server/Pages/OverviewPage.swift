// SPDX-License-Identifier: Apache-2.0
// `/overview`: did everything arrive, and if not, what?

internal import CRM
internal import Hub
internal import Hummingbird
internal import Model
internal import PostgreSQL
internal import Words

/// The overview as its template sees it.
struct OverviewPage: Page {
    /// Something that waits for a person.
    struct Task: Sendable {
        /// A way to do it.
        struct Action: Sendable {
            let text: String
            let url: String
        }

        let badge: BadgeView
        let subject: String
        let sentence: String
        let note: String
        let action: Action?
    }

    /// A flow in the table.
    struct Row: Sendable {
        let name: String
        let url: String
        let connector: String
        let badge: BadgeView
        let last: String
        let lastNote: String?
        let isLate: Bool
        let split: SplitView?
        let days: DaysView
        let next: String
        let waiting: String
        let waitingURL: String?
        let isPaused: Bool
    }

    /// A run that no flow made.
    struct Run: Sendable {
        let title: String
        let url: String
        let badge: BadgeView
        let at: String
        let note: String
    }

    static let template = "overview"
    static let entry = "/overview"
    let title: String
    let sub: String
    let tasks: [Task]
    let tasksTitle: String
    let flows: [Row]
    let hasFlows: Bool
    let runs: [Run]
    let hasRuns: Bool
    let volume: VolumeChart?
    /// Whether the user may hand files over.
    let mayImport: Bool
}

/// The last fourteen days of a flow as small columns.
struct DaysView: Sendable {
    /// One day.
    struct Column: Sendable {
        let kind: String
        let x: String
        let y: Int
        let height: Int
    }

    let label: String
    let columns: [Column]

    init(_ days: [FlowDay], today: CalendarDate, _ saying: Saying) {
        let byDay = Dictionary(days.map { ($0.day, $0) }) { $1 }
        var counts = (succeeded: 0, partial: 0, failed: 0)
        columns = (0..<14).map { index in
            let x = String(Double(index * 74) / 10)
            let day = byDay[CalendarDate(daysSince1970: today.daysSince1970 - 13 + index)]
            guard let day, day.succeeded + day.partial + day.failed > 0 else {
                return Column(kind: "none", x: x, y: 17, height: 3)
            }
            // The worst of the day is what a person looks for.
            if day.failed > 0 {
                counts.failed += 1
                return Column(kind: "bad", x: x, y: 2, height: 18)
            }
            if day.partial > 0 {
                counts.partial += 1
                return Column(kind: "warn", x: x, y: 8, height: 12)
            }
            counts.succeeded += 1
            return Column(kind: "ins", x: x, y: 8, height: 12)
        }
        let parts = [
            ("succeeded", counts.succeeded), ("partial", counts.partial), ("failed", counts.failed),
        ].filter { $0.1 > 0 }.map { saying.words("page.overview.days.\($0.0)", count: $0.1) }
        label = saying.words(
            "page.overview.days.label",
            ["what": parts.isEmpty ? saying.words("page.overview.days.none") : parts.joined(separator: ", ")])
    }
}

/// Records read a day, as stacked columns.
struct VolumeChart: Sendable {
    /// A part of a column.
    struct Piece: Sendable {
        let kind: String
        let x: Int
        let y: String
        let height: String
    }

    /// The figures behind a column.
    struct Day: Sendable {
        let day: String
        let short: String
        let read: String
    }

    let label: String
    let top: String
    let middle: String
    let pieces: [Piece]
    let days: [Day]

    init?(_ all: [FlowDay], today: CalendarDate, _ saying: Saying) {
        var sums: [CalendarDate: RunLedger] = [:]
        for day in all { sums[day.day, default: RunLedger()] += day.ledger }
        let most = sums.values.map(\.read).max() ?? 0
        guard most > 0 else { return nil }
        let scale = Self.roundedUp(most)
        var pieces: [Piece] = []
        var days: [Day] = []
        for index in 0..<14 {
            let day = CalendarDate(daysSince1970: today.daysSince1970 - 13 + index)
            let ledger = sums[day] ?? RunLedger()
            var y = 100.0
            for (kind, count) in [
                ("same", ledger.unchanged), ("upd", ledger.updated), ("ins", ledger.inserted),
                ("warn", ledger.quarantined), ("skip", ledger.skipped + ledger.deleted),
            ] where count > 0 {
                let height = Double(count) / Double(scale) * 100
                y -= height
                pieces.append(
                    Piece(kind: kind, x: 4 + index * 20, y: Self.text(y), height: Self.text(height)))
            }
            days.append(
                Day(
                    day: saying.words.dateLong(day), short: String(day.parts.day),
                    read: saying.number(ledger.read)))
        }
        (self.pieces, self.days) = (pieces, days)
        (top, middle) = (saying.number(scale), saying.number(scale / 2))
        label = saying.words(
            "page.overview.volume.label",
            [
                "days": saying.words.range(
                    CalendarDate(daysSince1970: today.daysSince1970 - 13), today),
                "most": saying.number(most),
            ])
    }

    /// 1, 2 or 5 with zeros behind it, even.
    private static func roundedUp(_ value: Int) -> Int {
        var step = 2
        while true {
            for factor in [1, 2, 5] where step * factor >= value { return step * factor }
            step *= 10
        }
    }

    private static func text(_ value: Double) -> String { String((value * 10).rounded() / 10) }
}

extension Site {
    /// The overview's route.
    func addOverview(to router: Router<WebContext>) {
        router.get("overview") { request, context in
            let user = try context.operating()
            let saying = try saying(request, context)
            let page = try await pool.withConnection { connection in
                try await overview(saying, user, on: connection)
            }
            return try await answer(page, to: request, context)
        }
    }

    private func overview(_ saying: Saying, _ user: AppUser, on connection: Connection) async throws
        -> OverviewPage
    {
        let flows = try await Overview.flows(on: connection)
        let days = try await Overview.days(in: zone, on: connection)
        let causes = try await Quarantine.causes(on: connection)
        let runs = try await Runs.list(limit: 8, on: connection)
        let today = saying.words.day(saying.now, in: zone)
        let byFlow = Dictionary(grouping: days) { $0.flow }
        let onTime = flows.count {
            $0.lateSince == nil && $0.lastRun?.state != "failed" && $0.pausedAt == nil
        }
        let tasks = self.tasks(flows, causes, saying)
        return OverviewPage(
            title: saying.words("page.overview.title"),
            sub: [
                saying.moment(saying.now),
                flows.isEmpty
                    ? saying.words("page.overview.noFlow")
                    : saying.words(
                        "page.overview.onTime", count: onTime, ["all": saying.number(flows.count)]),
            ].joined(separator: "\u{A0}· "),
            tasks: tasks,
            tasksTitle: tasks.isEmpty
                ? saying.words("page.overview.nothing")
                : saying.words("page.overview.tasks", count: tasks.count),
            flows: flows.map { row($0, byFlow[$0.name] ?? [], today, saying) },
            hasFlows: !flows.isEmpty,
            runs: runs.map { run in
                OverviewPage.Run(
                    title: RunNames.title(run, saying), url: "/runs/\(run.id)", badge: BadgeView(run, saying),
                    at: saying.momentShort(run.startedAt),
                    note: saying.words("page.runs.read", count: run.ledger.read))
            }, hasRuns: !runs.isEmpty,
            volume: VolumeChart(days, today: today, saying), mayImport: user.mayHandle)
    }

    private func tasks(
        _ flows: [FlowHealth], _ causes: [QuarantineCause], _ saying: Saying
    ) -> [OverviewPage.Task] {
        let words = saying.words
        var tasks = flows.filter { $0.lateSince != nil }.map { flow in
            OverviewPage.Task(
                badge: BadgeView("late", words("page.state.late")), subject: flow.name,
                sentence: words("page.overview.late"),
                note: words(
                    "page.overview.lateNote",
                    [
                        "at": flow.lateSince.map(saying.momentShort) ?? "",
                        "last": flow.lastRun.map { saying.momentShort($0.startedAt) } ?? "",
                    ]),
                action: .init(
                    text: words("page.overview.seeRuns"), url: Link.to("/runs", ["flow": flow.name])))
        }
        tasks += flows.filter { $0.lastRun?.state == "failed" || $0.lastRun?.state == "interrupted" }.map {
            flow in
            OverviewPage.Task(
                badge: BadgeView("bad", words("page.state.failed")), subject: flow.name,
                sentence: words("page.overview.failed"),
                note: flow.lastRun?.failure.map { words.message($0) } ?? "",
                action: flow.lastRun.map { .init(text: words("page.overview.seeRun"), url: "/runs/\($0.id)") }
            )
        }
        if let largest = causes.first {
            let all = causes.reduce(0) { $0 + $1.count }
            let oldest = causes.map(\.oldest).min() ?? saying.now
            tasks.append(
                OverviewPage.Task(
                    badge: BadgeView("warn", words("page.state.toMend")),
                    subject: words("page.overview.quarantined", count: all),
                    sentence: words("page.overview.causes", count: causes.count),
                    note: words(
                        "page.overview.quarantineNote", count: largest.count, ["since": saying.ago(oldest)]),
                    action: .init(
                        text: words("page.overview.mend", count: largest.count),
                        url: "/quarantine")))
        }
        return tasks
    }

    private func row(
        _ flow: FlowHealth, _ days: [FlowDay], _ today: CalendarDate, _ saying: Saying
    ) -> OverviewPage.Row {
        let words = saying.words
        return OverviewPage.Row(
            name: flow.name, url: "/flows/\(flow.name)", connector: words.connector(flow.connector),
            badge: BadgeView(flow, saying),
            last: flow.lastRun.map { saying.momentShort($0.startedAt) } ?? "–",
            lastNote: flow.lateSince.map { words("page.overview.expected", ["at": saying.momentShort($0)]) }
                ?? flow.lastRun.map { words("page.runs.read", count: $0.ledger.read) },
            isLate: flow.lateSince != nil,
            split: flow.lastRun.flatMap { SplitView($0.ledger, saying, isThin: true) },
            days: DaysView(days, today: today, saying),
            next: flow.nextAt.map(saying.momentShort) ?? words("page.overview.onReceipt"),
            waiting: saying.number(flow.waiting),
            waitingURL: flow.waiting > 0 ? Link.to("/quarantine", ["flow": flow.name]) : nil,
            isPaused: flow.pausedAt != nil)
    }
}

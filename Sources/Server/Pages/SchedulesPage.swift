// SPDX-License-Identifier: Apache-2.0
// `/schedules`: when does each flow run, and not until when?

internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Schedule
internal import Words

/// The schedules as their template sees them.
struct SchedulesPage: Page {
    /// The schedule of a flow.
    struct Row: Sendable {
        let name: String
        let url: String
        let description: String?
        let badge: BadgeView
        let rule: String
        let zone: String
        let next: [String]
        let hasNext: Bool
        let last: String
        let lastURL: String?
        let policies: String
        let isPaused: Bool
        let paused: String?
    }

    static let template = "schedules"
    static let entry = "/schedules"
    let title: String
    let sub: String
    let rows: [Row]
    let isEmpty: Bool
    /// How many flows have none.
    let others: String?
    /// The first day that a pause can end.
    let tomorrow: String
    let problem: Problem?
}

extension FlowPages {
    /// The page of all schedules.
    func schedules(
        _ request: Request, _ context: WebContext, _ fault: Diagnostic? = nil
    ) async throws -> SchedulesPage {
        let saying = try site.saying(request, context)
        let words = saying.words
        let flows = try await allFlows()
        // One that this program no longer understands has its page, which says so.
        let rows = flows.compactMap { flow in
            flow.definition?.schedule.map { row(flow, $0, saying) }
        }
        let others = flows.count - rows.count
        let title = words("page.schedules.title")
        return SchedulesPage(
            title: fault == nil ? title : words("page.form.wrong", ["title": title]),
            sub: words("page.schedules.sub", count: rows.count), rows: rows, isEmpty: rows.isEmpty,
            others: others > 0 ? words("page.schedules.others", count: others) : nil,
            tomorrow: CalendarDate(
                daysSince1970: words.day(saying.now, in: site.zone).daysSince1970 + 1
            ).description, problem: fault.map { Problem($0, words) })
    }

    private func row(
        _ flow: KnownFlow, _ schedule: FlowSchedule, _ saying: Saying
    ) -> SchedulesPage.Row {
        let words = saying.words
        let texts = ScheduleTexts(words: words)
        let next = flow.next(saying)
        return SchedulesPage.Row(
            name: flow.summary.name, url: flow.url, description: flow.description, badge: flow.badge(saying),
            rule: texts.rule(schedule.times), zone: schedule.zone, next: next, hasNext: !next.isEmpty,
            last: flow.summary.lastAt.map(saying.momentShort) ?? words("page.state.never"),
            lastURL: flow.summary.lastRun.map { "/runs/\($0)" },
            policies: texts.policies(schedule).joined(separator: words("page.schedules.join")),
            isPaused: flow.isPaused,
            paused: flow.isPaused
                ? flow.pausedUntil(saying) ?? words("page.schedules.pausedForGood") : nil)
    }
}

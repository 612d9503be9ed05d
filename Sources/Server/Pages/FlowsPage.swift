// SPDX-License-Identifier: Apache-2.0
// `/flows`: how is each exchange set up, when does it run next, and let it run now.

internal import CRM
internal import ConnectorKit
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Schedule
internal import Words

/// The flows as their template sees them.
struct FlowsPage: Page {
    /// A flow.
    struct Row: Sendable {
        let name: String
        let url: String
        let description: String?
        let connector: String
        let badge: BadgeView
        let schedule: String
        let next: [String]
        let hasNext: Bool
        let version: String
        let isPaused: Bool
    }

    static let template = "flows"
    static let entry = "/flows"
    let title: String
    let sub: String
    let rows: [Row]
    let isEmpty: Bool
    let problem: Problem?
}

/// The pages of flows.
struct FlowPages: Sendable {
    let site: Site
    let tools: ImportTools
    let connectors: ConnectorRegistry
    let secrets: Secrets

    func add(to router: Router<WebContext>) {
        router.get("flows") { request, context in
            _ = try context.operating()
            return try await site.answer(try await page(request, context), to: request, context)
        }
        router.get("flows/:name") { request, context in
            _ = try context.operating()
            let page = try await flow(request, context)
            return try await site.answer(page, to: request, context)
        }
        router.get("schedules") { request, context in
            _ = try context.operating()
            return try await site.answer(try await schedules(request, context), to: request, context)
        }
        router.form("flows/:name") { form, request, context in
            let user = try context.operating()
            let name = context.parameters.get("name") ?? ""
            let saying = try site.saying(request, context)
            // The form of an undo has no fields.
            let what = form["do"] ?? request.query("do") ?? ""
            let from = form["from"] ?? request.query("from")
            let end: Timestamp?
            do {
                end = try pauseEnd(form, what, saying)
                try await act(what, until: end, on: name, user, saying)
            } catch let error as any ReportableError where !(error is PostgreSQLError) {
                return try await refuse(error.diagnostic, from, request, context)
            }
            let back = form["back"] ?? request.query("back")
            let undo = ["pause": "resume", "resume": "pause"][what].map {
                Link.to("/flows/\(Link.encoded(name))", ["do": $0, "from": from, "back": back])
            }
            let facts = ["name": name, "at": end.map(saying.moment) ?? ""]
            let told = saying.words("page.flows.did_\(what)", facts)
            let page = ["flow": "/flows/\(Link.encoded(name))", "schedules": "/schedules"][from ?? ""]
            return site.see(page ?? Link.local(back) ?? "/flows", Told(text: told, undo: undo))
        }
        router.form("flows/:name/test") { _, request, context in
            let user = try context.operating()
            let name = context.parameters.get("name") ?? ""
            let probe = try await FlowProbe.look(
                at: name, connectors: connectors, mappings: try tools.mappings.library(), secrets: secrets,
                pool: site.pool)
            try await site.pool.withConnection { connection in
                let found = try await Flows.show(name, on: connection)
                try await Audit.write("flow.tested", by: user.id, of: "flow", found.id, on: connection)
            }
            let page = try await flow(request, context, probe: probe)
            return try await site.answer(page, to: request, context)
        }
        addEditing(to: router)
    }

    /// The page that a form came from, with what kept it from being done.
    private func refuse(
        _ fault: Diagnostic, _ from: String?, _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let status = HTTPResponse.Status.unprocessableContent
        return switch from {
        case "flow":
            try await site.answer(
                try await flow(request, context, fault), to: request, context, status: status)
        case "schedules":
            try await site.answer(
                try await schedules(request, context, fault), to: request, context, status: status)
        default:
            try await site.answer(
                try await page(request, context, fault), to: request, context, status: status)
        }
    }

    /// The beginning of the day that a pause is to last until; nil where none was named.
    ///
    /// - Throws: `HTTP-DATE`, `HTTP-DATE-PAST`.
    private func pauseEnd(_ form: Form, _ what: String, _ saying: Saying) throws(ServerError) -> Timestamp? {
        let text = form.text("until")
        guard what == "pause", !text.isEmpty else { return nil }
        let end = saying.midnight(of: try Saying.day(text, field: "until"))
        guard end > saying.now else { throw ServerError(.past, at: Place(field: "until", value: text)) }
        return end
    }

    private func act(
        _ what: String, until end: Timestamp?, on name: String, _ user: AppUser, _ saying: Saying
    ) async throws {
        guard ["run", "pause", "resume"].contains(what) else { throw ServerError(.request) }
        let library = try tools.mappings.library()
        try await site.pool.withConnection { connection in
            if what == "run" {
                do {
                    _ = try await Flows.run(name, connectors: connectors, mappings: library, on: connection)
                } catch let error as FlowFaults {
                    throw FlowError(error.faults.first ?? ServerError(.request).diagnostic)
                }
            } else {
                try await Flows.pause(name, what == "pause", until: end, by: user.name, on: connection)
            }
            let found = try await Flows.show(name, on: connection)
            try await Audit.write("flow.\(what)", by: user.id, of: "flow", found.id, on: connection)
        }
    }

    private func page(
        _ request: Request, _ context: WebContext, _ fault: Diagnostic? = nil
    ) async throws -> FlowsPage {
        let saying = try site.saying(request, context)
        let flows = try await allFlows()
        let title = saying.words("page.flows.title")
        return FlowsPage(
            title: fault == nil ? title : saying.words("page.form.wrong", ["title": title]),
            sub: saying.words("page.flows.sub", count: flows.count),
            rows: flows.map { row($0, saying) }, isEmpty: flows.isEmpty,
            problem: fault.map { Problem($0, saying.words) })
    }

    private func row(_ flow: KnownFlow, _ saying: Saying) -> FlowsPage.Row {
        let words = saying.words
        let next = flow.next(saying)
        return FlowsPage.Row(
            name: flow.summary.name, url: flow.url, description: flow.description,
            connector: flow.connector(words), badge: flow.badge(saying),
            schedule: flow.definition.map { ScheduleTexts(words: words).rule(of: $0) } ?? flow.summary.cron
                ?? words("schedule.byHand"),
            next: next, hasNext: !next.isEmpty, version: flow.version(saying), isPaused: flow.isPaused)
    }
}

extension Words {
    /// What a connector is called: its id where nothing better is known.
    func connector(_ id: String) -> String { known("connector.\(id)") ?? id }
}

extension BadgeView {
    /// How a flow is doing.
    init(_ flow: FlowHealth, _ saying: Saying) {
        let words = saying.words
        if flow.isRunning {
            self.init("run", words("page.state.running"))
        } else if flow.pausedAt != nil {
            self.init("", words("page.state.paused"))
        } else if flow.lateSince != nil {
            self.init("late", words("page.state.late"))
        } else if let run = flow.lastRun {
            self.init(run, saying)
        } else {
            self.init("", words("page.state.never"))
        }
    }
}

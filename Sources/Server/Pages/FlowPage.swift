// SPDX-License-Identifier: Apache-2.0
// `/flows/NAME`: how is this exchange set up, and how is it doing?

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

/// A flow as its template sees it.
struct FlowPage: Page {
    /// A name and what it stands for.
    struct Fact: Sendable {
        let name: String
        let value: String
        var note: String?
        var url: String?
    }

    /// Something that happened.
    struct Event: Sendable {
        let at: String
        let text: String
    }

    /// What a look at the source brought.
    struct Probe: Sendable {
        let text: String
        let items: [String]
        let problems: [Problem]
    }

    static let template = "flow"
    static let entry = "/flows"
    let title: String
    let name: String
    let sub: String
    let badge: BadgeView
    let isPaused: Bool
    let editURL: String?
    let runsURL: String
    let late: String?
    let paused: String?
    let rule: String
    let next: [String]
    let hasNext: Bool
    let policies: [String]
    let ledger: LedgerView?
    let runs: [RunsPage.Row]
    let hasRuns: Bool
    let settings: [Fact]
    let settingsTitle: String
    let hasSettings: Bool
    let reading: [Fact]
    let alerts: [Fact]
    let hasAlerts: Bool
    let events: [Event]
    let hasEvents: Bool
    let version: String
    let text: String
    /// What this program no longer understands of it.
    let faults: [Problem]
    let probe: Probe?
    let problem: Problem?
}

extension FlowPages {
    private static let runsShown = 5
    private static let eventsShown = 8

    /// The page of one flow.
    ///
    /// - Parameters:
    ///   - fault: what kept an action from being done.
    ///   - probe: what a look at the source brought.
    func flow(
        _ request: Request, _ context: WebContext, _ fault: Diagnostic? = nil, probe: FlowProbe? = nil
    ) async throws -> FlowPage {
        let user = try context.operating()
        let name = context.parameters.get("name") ?? ""
        let saying = try site.saying(request, context)
        let words = saying.words
        let (summary, health, runs, events) = try await site.pool.withConnection { connection in
            (
                try await Flows.show(name, on: connection),
                try await Overview.flows(on: connection).first { $0.name == name },
                try await Runs.list(RunFilter(flow: name), limit: Self.runsShown, on: connection),
                try await Flows.history(name, on: connection).filter { $0.kind != "run" }
            )
        }
        let flow = KnownFlow(summary, health, connectors, try tools.mappings.library())
        let definition = flow.definition
        let texts = ScheduleTexts(words: words)
        let next = flow.next(saying)
        let connector = flow.connector(words)
        let facts = definition.map { FlowFacts($0, connectors, words) }
        return FlowPage(
            title: fault == nil ? name : words("page.form.wrong", ["title": name]), name: name,
            sub: flow.description ?? connector, badge: flow.badge(saying), isPaused: flow.isPaused,
            editURL: user.isAdmin ? flow.url + "/edit" : nil,
            runsURL: Link.to("/runs", ["flow": name]),
            late: health?.lateSince.map { words("page.flow.late", ["at": saying.moment($0)]) },
            paused: flow.pausedUntil(saying),
            rule: definition.map { texts.rule(of: $0) } ?? summary.cron ?? "",
            next: next, hasNext: !next.isEmpty,
            policies: definition?.schedule.map { texts.policies($0) } ?? [],
            ledger: runs.first.flatMap {
                $0.ledger.read > 0
                    ? LedgerView($0.ledger, saying, quarantine: Link.to("/quarantine", ["flow": name])) : nil
            },
            runs: runs.map { RunsPage.Row($0, saying) }, hasRuns: !runs.isEmpty,
            settings: facts?.settings ?? [],
            settingsTitle: words("page.flow.settings", ["connector": connector]),
            hasSettings: facts?.settings.isEmpty == false, reading: facts?.reading ?? [],
            alerts: facts?.alerts ?? [], hasAlerts: facts?.alerts.isEmpty == false,
            events: events.prefix(Self.eventsShown).map { event in
                FlowPage.Event(
                    at: saying.momentShort(event.at),
                    text: words(
                        "page.flow.event.\(event.kind)", ["number": event.number.map(String.init) ?? ""]))
            }, hasEvents: !events.isEmpty,
            version: flow.version(saying), text: summary.text, faults: flow.faults.map { Problem($0, words) },
            probe: probe.map { self.probe($0, words) }, problem: fault.map { Problem($0, words) })
    }

    private func probe(_ probe: FlowProbe, _ words: Words) -> FlowPage.Probe {
        let text =
            if !probe.findings.isEmpty {
                words("page.flow.probe.faults", count: probe.findings.count)
            } else if !probe.hasLooked {
                words("page.flow.probe.noLook")
            } else if probe.items.isEmpty {
                words("page.flow.probe.empty")
            } else {
                words("page.flow.probe.reached", count: probe.items.count)
            }
        return FlowPage.Probe(
            text: text, items: probe.items, problems: probe.findings.map { Problem($0, words) })
    }
}

/// What a definition says, as names and values; secrets by their names only.
private struct FlowFacts {
    var settings: [FlowPage.Fact] = []
    var reading: [FlowPage.Fact] = []
    var alerts: [FlowPage.Fact] = []

    init(_ flow: FlowDefinition, _ connectors: ConnectorRegistry, _ words: Words) {
        let described = connectors[flow.connector]?.description.settings ?? []
        func help(_ name: String) -> String? {
            described.first { $0.name == name }.map {
                words.language == .french ? $0.frenchHelp : $0.englishHelp
            }
        }
        settings = flow.settings.values.sorted { $0.key < $1.key }.map { name, values in
            FlowPage.Fact(name: name, value: values.joined(separator: ", "), note: help(name))
        }
        settings += flow.settings.secrets.sorted { $0.key < $1.key }.map { name, secret in
            FlowPage.Fact(
                name: name, value: words("page.flow.secret", ["name": secret.name]), note: help(name))
        }
        fillReading(flow, words)
        fillAlerts(flow, words)
    }

    private mutating func fillReading(_ flow: FlowDefinition, _ words: Words) {
        func add(_ key: String, _ value: String, url: String? = nil) {
            reading.append(.init(name: words("page.flow.\(key)"), value: value, url: url))
        }
        if let outgoing = flow.outgoing {
            add("entity", words.known("entity.\(outgoing.entity.rawValue)") ?? outgoing.entity.rawValue)
            add("mapping", outgoing.mapping, url: "/mappings/\(outgoing.mapping)")
            switch outgoing.way {
            case .files(let folder, let name): add("to", "\(folder)/\(name)")
            // Its path may be what lets anybody in.
            case .webhook(let url): add("to", Self.host(of: url))
            }
        } else if let mapping = flow.mapping {
            add("mapping", mapping, url: "/mappings/\(mapping)")
        } else {
            add("mapping", words("page.flow.byContent"))
        }
        if flow.outgoing == nil { add("source", flow.source, url: "/sources") }
        add("queue", words("page.flow.queue_\(flow.queue)"))
        add("attempts", words.number(flow.attempts))
        if !flow.tests.isEmpty { add("tests", words("page.flow.testCount", count: flow.tests.count)) }
    }

    private mutating func fillAlerts(_ flow: FlowDefinition, _ words: Words) {
        func add(_ key: String, _ value: String) {
            alerts.append(.init(name: words("page.flow.\(key)"), value: value))
        }
        if let expected = flow.expectation {
            add("expected", "\(ScheduleTexts(words: words).rule(expected.times)) (\(expected.zone))")
        }
        if !flow.alerts.mail.isEmpty { add("mail", flow.alerts.mail.joined(separator: ", ")) }
        if let url = flow.alerts.webhook { add("webhook", Self.host(of: url)) }
    }

    /// `https://hooks.example` of an address.
    private static func host(of url: String) -> String {
        url.split(separator: "/", maxSplits: 3).prefix(2).joined(separator: "//")
    }
}

// SPDX-License-Identifier: Apache-2.0
// A flow as all pages of flows say it: its definition, how it is doing, when it runs next.

internal import ConnectorKit
internal import Diagnostics
internal import Hub
internal import Mapping
internal import PostgreSQL
internal import Words

/// A flow with what is known of it.
struct KnownFlow: Sendable {
    let summary: FlowSummary
    let health: FlowHealth?
    /// nil where this program no longer understands its text.
    let definition: FlowDefinition?
    /// Why it does not.
    let faults: [Diagnostic]

    init(
        _ summary: FlowSummary, _ health: FlowHealth?, _ connectors: ConnectorRegistry,
        _ library: MappingLibrary
    ) {
        (self.summary, self.health) = (summary, health)
        do throws(FlowFaults) {
            definition = try FlowDefinition.parse(
                summary.text, file: summary.name, connectors: connectors, mappings: library)
            faults = []
        } catch {
            (definition, faults) = (nil, error.faults)
        }
    }

    var url: String { "/flows/\(summary.name)" }
    var isPaused: Bool { summary.pausedAt != nil }
    var description: String? { definition.map(\.description).flatMap { $0.isEmpty ? nil : $0 } }

    func connector(_ words: Words) -> String {
        words.connector(definition?.connector ?? health?.connector ?? "")
    }

    func badge(_ saying: Saying) -> BadgeView {
        health.map { BadgeView($0, saying) } ?? BadgeView("", saying.words("page.state.never"))
    }

    /// When it runs next; never while it is paused.
    func next(_ saying: Saying) -> [String] {
        guard !isPaused, let schedule = definition?.schedule else { return [] }
        return ScheduleTexts(words: saying.words).next(schedule, after: saying.now)
    }

    /// When a pause ends that has an end.
    func pausedUntil(_ saying: Saying) -> String? {
        summary.pausedUntil.map { saying.words("page.flow.pausedUntil", ["at": saying.moment($0)]) }
    }

    func version(_ saying: Saying) -> String {
        let facts = ["version": String(summary.version), "at": saying.moment(summary.appliedAt)]
        return saying.words("page.flows.version", facts)
    }
}

extension FlowPages {
    /// All flows, by name.
    func allFlows() async throws -> [KnownFlow] {
        let (flows, health) = try await site.pool.withConnection { connection in
            (try await Flows.list(on: connection), try await Overview.flows(on: connection))
        }
        let byName = Dictionary(health.map { ($0.name, $0) }) { $1 }
        let library = try tools.mappings.library()
        return flows.map { KnownFlow($0, byName[$0.name], connectors, library) }
    }
}

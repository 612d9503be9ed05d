// SPDX-License-Identifier: Apache-2.0
// The flows of a database: their versions, their schedules, what was done for them.

internal import CRM
internal import ConnectorKit
internal import Diagnostics
internal import Jobs
package import Mapping
package import Model
package import PostgreSQL
internal import Schedule
internal import YAML

/// A flow in a list.
package struct FlowSummary: Sendable {
    /// Number of the flow.
    package let id: Int
    /// Its name.
    package let name: String
    /// The current version.
    package let version: Int
    /// The text of the current version.
    package let text: String
    /// When that was applied.
    package let appliedAt: Timestamp
    /// The cron line; nil for flows that only people begin.
    package let cron: String?
    /// When it runs next.
    package let nextAt: Timestamp?
    /// Since when it is paused.
    package let pausedAt: Timestamp?
    /// Until when; nil = until somebody resumes it.
    package let pausedUntil: Timestamp?
    /// Its last run and how that ended.
    package let lastRun: Int?
    /// `running`, `succeeded`, `partial`, `failed`.
    package let lastState: String?
    /// When the last run began.
    package let lastAt: Timestamp?
    /// Its live jobs.
    package let jobs: Int
}

/// Something that happened to a flow.
package struct FlowEvent: Sendable {
    /// When.
    package let at: Timestamp
    /// `version`, `run`, `missed`, `overlap`, `paused`, `dead`, `cancelled`.
    package let kind: String
    /// The version, the run, or the job.
    package let number: Int?
    /// How the run ended.
    package let state: String?
    /// Why it failed.
    package let error: JSONText?
}

/// Keeps flows.
package enum Flows {
    /// Makes a definition the current version of its flow; the same text again changes nothing.
    ///
    /// Versions that were current stay, and a run that goes on keeps the one it began with.
    /// - Throws: `SECRET-UNKNOWN` for a secret that it names and that is not there.
    /// - Returns: the version's number, and whether it is new.
    package static func apply(
        _ flow: FlowDefinition, by person: String?, now: Timestamp, on connection: Connection
    ) async throws -> (version: Int, isNew: Bool) {
        try await connection.transaction { connection in
            _ = try await connection.run(LockFlows())
            return try await write(flow, by: person, now: now, on: connection)
        }
    }

    /// What became of a definition that somebody edited.
    package enum Edit: Sendable {
        /// It is the current version now, or was already.
        case saved(version: Int, isNew: Bool)
        /// Somebody else changed the flow meanwhile; nothing was written.
        case conflict(FlowSummary)
    }

    /// As ``apply(_:by:now:on:)``, unless another version than `base` is the current one.
    ///
    /// - Throws: `FLOW-UNKNOWN`, `SECRET-UNKNOWN`; `FLOW-RENAMED` where the text is of another flow.
    package static func edit(
        _ name: String, _ flow: FlowDefinition, from base: Int, by person: String?, now: Timestamp,
        on connection: Connection
    ) async throws -> Edit {
        guard flow.name == name else { throw FlowError(.renamed, ["name": name, "other": flow.name]) }
        return try await connection.transaction { connection in
            _ = try await connection.run(LockFlows())
            let current = try await show(name, on: connection)
            if current.version != base, current.text != flow.text { return .conflict(current) }
            let (version, isNew) = try await write(flow, by: person, now: now, on: connection)
            return .saved(version: version, isNew: isNew)
        }
    }

    private static func write(
        _ flow: FlowDefinition, by person: String?, now: Timestamp, on connection: Connection
    ) async throws -> (version: Int, isNew: Bool) {
        try await Secrets.require(flow.secrets, on: connection)
        if let known = try await connection.run(FindFlows(name: flow.name)).first, known.text == flow.text {
            return (known.version, false)
        }
        let made = try await connection.run(ApplyFlow(flow: flow, person: person))
        guard let (id, version) = made.first.map({ ($0.id, $0.version) }) else {
            throw FlowError(.unknown, ["name": flow.name])
        }
        try await connection.execute(ForgetFlowSecrets(flow: id))
        let secrets = Set(flow.secrets.map(\.name)).sorted()
        try await connection.execute(KeepFlowSecrets(flow: id, names: secrets))
        if let schedule = flow.schedule {
            let next = schedule.times.next(after: now)
            try await connection.execute(
                ScheduleFlow(flow: id, definition: flow, schedule: schedule, next: next))
        } else {
            try await connection.execute(UnscheduleFlow(flow: id))
        }
        try await connection.execute(KeepFlowRetention(flow: id, retention: flow.retention))
        if let outgoing = flow.outgoing {
            try await Shipment.begin(id, outgoing, on: connection)
        }
        if let expectation = flow.expectation {
            let next = expectation.times.next(after: now)
            try await connection.execute(ExpectOfFlow(flow: id, times: expectation, next: next))
        } else {
            try await connection.execute(ExpectNothing(flow: id))
        }
        return (version, true)
    }

    /// All flows by name.
    package static func list(on connection: Connection) async throws(PostgreSQLError) -> [FlowSummary] {
        try await connection.run(FindFlows(name: nil))
    }

    /// One flow.
    ///
    /// - Throws: `FLOW-UNKNOWN`, naming those that there are.
    package static func show(_ name: String, on connection: Connection) async throws -> FlowSummary {
        if let flow = try await connection.run(FindFlows(name: name)).first { return flow }
        let known = try await connection.run(FindFlows(name: nil)).map(\.name)
        throw FlowError(
            .unknown,
            [
                "name": name, "known": known.joined(separator: ", "),
                "suggestion": Suggestion.nearest(to: name, in: known) ?? "",
            ])
    }

    /// Lets a flow run as soon as a worker can.
    ///
    /// - Returns: the job's number.
    /// - Throws: `FLOW-UNKNOWN`, `FLOW-PAUSED`.
    package static func run(
        _ name: String, connectors: ConnectorRegistry, mappings: MappingLibrary, on connection: Connection
    ) async throws -> Int {
        let flow = try await show(name, on: connection)
        guard flow.pausedAt == nil else { throw FlowError(.paused, ["name": name]) }
        let definition = try FlowDefinition.parse(
            flow.text, file: name, connectors: connectors, mappings: mappings)
        var job = FlowJob.make(definition, flow: flow.id, nominal: nil)
        job.queue = .interactive
        let made = try await JobQueue.enqueue([job], on: connection)
        try await JobQueue.wake(on: connection)
        return made.first ?? 0
    }

    /// Lets no run of a flow begin, or ends that.
    ///
    /// - Parameter end: when the pause ends by itself; nil = when somebody ends it.
    /// - Throws: `FLOW-UNKNOWN`.
    package static func pause(
        _ name: String, _ isPaused: Bool, until end: Timestamp? = nil, by person: String?,
        on connection: Connection
    ) async throws {
        let group = FlowDefinition.group(try await show(name, on: connection).name)
        if isPaused {
            try await QueueControl.pause(.group, group, until: end, by: person, on: connection)
        } else {
            try await QueueControl.resume(.group, group, on: connection)
            try await JobQueue.wake(on: connection)
        }
    }

    /// What happened to a flow, the latest first, at most `limit`.
    package static func history(
        _ name: String, limit: Int = 50, on connection: Connection
    ) async throws -> [FlowEvent] {
        let flow = try await show(name, on: connection)
        return try await connection.run(
            FlowHistory(flow: flow.id, group: FlowDefinition.group(name), limit: limit))
    }

    /// The text of a version, or of the current one.
    ///
    /// - Throws: `FLOW-UNKNOWN`.
    package static func text(
        _ name: String, version: Int? = nil, on connection: Connection
    ) async throws -> String {
        let flow = try await show(name, on: connection)
        guard let version, version != flow.version else { return flow.text }
        guard let text = try await connection.run(FlowText(flow: flow.id, version: version)).first else {
            throw FlowError(.unknown, ["name": "\(name)@\(version)"])
        }
        return text
    }
}

/// The job that runs a flow.
enum FlowJob {
    static let kind = "flow"

    static func make(_ flow: FlowDefinition, flow id: Int, nominal: Timestamp?) -> NewJob {
        var job = make(
            name: flow.name, flow: id, queue: flow.queue, connector: flow.connector,
            attempts: flow.attempts)
        if let nominal { job.payload = payload(flow: id, nominal: nominal) }
        return job
    }

    static func make(name: String, flow id: Int, queue: String, connector: String, attempts: Int) -> NewJob {
        var job = NewJob(kind, in: QueueName(rawValue: queue) ?? .scheduled)
        job.group = FlowDefinition.group(name)
        job.exclusive = job.group
        job.limit = "connector:" + connector
        job.maxAttempts = attempts
        job.payload = payload(flow: id, nominal: nil)
        return job
    }

    static func payload(flow: Int, nominal: Timestamp?) -> JSONText {
        JSONText(
            facts: ["flow": String(flow)].merging(nominal.map { ["nominal": $0.description] } ?? [:]) { $1 })
    }
}

// SPDX-License-Identifier: Apache-2.0
// Does the job of a flow: reads its connector and imports what it brings.

package import ConnectorKit
internal import Diagnostics
package import Jobs
package import Mapping
internal import Model
package import PostgreSQL

/// Runs flows.
package struct FlowRunner: Sendable {
    private let pool: Pool
    private let connectors: ConnectorRegistry
    private let mappings: MappingShelf
    private let settings: ImportSettings
    private let secrets: Secrets
    private let onRemark: @Sendable (_ flow: String, ConnectorRemark) -> Void

    /// A runner.
    ///
    /// - Parameter onRemark: hears what connectors say while they work, without secrets, 2,000 characters of a line.
    package init(
        pool: Pool, connectors: ConnectorRegistry, mappings: MappingShelf, settings: ImportSettings,
        secrets: Secrets,
        onRemark: @escaping @Sendable (_ flow: String, ConnectorRemark) -> Void = { _, _ in }
    ) {
        self.onRemark = onRemark
        self.pool = pool
        self.connectors = connectors
        self.mappings = mappings
        self.settings = settings
        self.secrets = secrets
    }

    /// The handlers of the hub's jobs, by their kind.
    package var handlers: [String: Worker.Handler] {
        [FlowJob.kind: { try await run($0) }]
    }

    /// Runs the version that is current now, also when the job is tried again: its run says which that was.
    ///
    /// - Returns: the number of the run; nil when nothing was there to be read.
    private func run(_ running: RunningJob) async throws -> Int? {
        let facts = running.job.payload.objectOfTexts
        let id = facts["flow"].flatMap { Int($0) } ?? 0
        guard
            let current = try await pool.withConnection({ try await $0.run(CurrentFlow(flow: id)) }).first
        else { throw FlowError(.unknown, ["name": String(id)]) }
        let mappings = try mappings.library()
        let flow: FlowDefinition
        do throws(FlowFaults) {
            flow = try FlowDefinition.parse(
                current.text, file: current.name, connectors: connectors, mappings: mappings)
        } catch {
            // A connector or a mapping that this program no longer has.
            throw FlowError(error.faults.first ?? Diagnostic(code: "FLOW-CONNECTOR"))
        }
        let origin = FlowOrigin(flow: id, version: current.version, job: running.job.id)
        var opened = try await pool.withConnection { try await secrets.open(flow.settings, on: $0) }
        let redaction = opened.redaction
        opened.listener = ConnectorListener { [onRemark] remark in
            guard case .line(let line) = remark else { return onRemark(flow.name, remark) }
            onRemark(flow.name, .line(redaction.apply(line, upTo: 2000)))
        }
        if let outgoing = flow.outgoing {
            return try await FlowShipping(
                pool: pool, flow: flow, outgoing: outgoing, origin: origin,
                export: try mappings.export(outgoing.mapping), settings: opened, redaction: redaction,
                blobs: self.settings.blobs
            ) { connection in
                try await running.hold(on: connection)
            }.run()
        }
        guard let type = connectors[flow.connector] else {
            throw FlowError(.connector, ["name": flow.connector])
        }
        let connector: any Connector =
            type == UploadedFiles.self
            ? UploadedFiles(UploadedFiles.Inbox(flow: id, pool: pool, blobs: settings.blobs))
            : type.init(opened)
        do {
            return try await read(connector, flow, mappings, origin, running, redaction)?.run
        } catch let error as RunError {
            guard let run = error.stoppedRun else { throw error }
            return run
        }
    }

    private func read(
        _ connector: some Connector, _ flow: FlowDefinition, _ mappings: MappingLibrary, _ origin: FlowOrigin,
        _ running: RunningJob,
        _ redaction: Redaction
    ) async throws -> ImportReport? {
        var settings = settings
        settings.redaction = redaction
        settings.limits = flow.limits
        settings.skipsKnown = !type(of: connector).readsCurrentState
        settings.fence = { connection in try await running.hold(on: connection) }
        let chooser = MappingChooser(
            mappings, named: try flow.mapping.map { name in try mappings.mapping(name) })
        let engine = ImportEngine(pool: pool, source: flow.source, settings, chooser: chooser)
        return try await engine.run(connector, for: origin)
    }
}

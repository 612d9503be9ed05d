// SPDX-License-Identifier: Apache-2.0
// Whether a flow reaches what it reads from, without reading it.

internal import CRM
internal import ConnectorKit
package import Diagnostics
package import Mapping
package import PostgreSQL

/// What a look at a flow's source brought.
package struct FlowProbe: Sendable {
    /// What is wrong; empty where the source can be used.
    package var findings: [Diagnostic] = []
    /// Names of what lies there first, at most ``limit``.
    package var items: [String] = []
    /// Whether anything was asked: what is handed over, and what goes out, has nowhere to look.
    package var hasLooked = false

    /// Most names.
    package static let limit = 5

    private static let patience = Duration.seconds(20)

    /// Checks the current settings of a flow with its secrets, and looks at what there is to be read; changes nothing.
    ///
    /// - Throws: `FLOW-UNKNOWN`, and what the database says.
    package static func look(
        at name: String, connectors: ConnectorRegistry, mappings: MappingLibrary, secrets: Secrets, pool: Pool
    ) async throws -> FlowProbe {
        let summary = try await pool.withConnection { try await Flows.show(name, on: $0) }
        var probe = FlowProbe()
        var redaction = Redaction()
        do {
            let flow = try FlowDefinition.parse(
                summary.text, file: name, connectors: connectors, mappings: mappings)
            let settings = try await pool.withConnection { try await secrets.open(flow.settings, on: $0) }
            redaction = settings.redaction
            guard let type = connectors[flow.connector], type != UploadedFiles.self else { return probe }
            probe.hasLooked = true
            let items = try await withDeadline(patience) { try await sample(type.init(settings)) }
            for item in items {
                switch item {
                case .artifact(let name, _): probe.items.append(name)
                case .problem(let problem): probe.findings.append(redaction.apply(problem))
                case .cursor: break
                }
            }
        } catch let error as FlowFaults {
            probe.findings = error.faults
        } catch let error as PostgreSQLError {
            throw error
        } catch let error as any ReportableError {
            probe.findings.append(redaction.apply(error.diagnostic))
        }
        return probe
    }

    private static func sample(_ connector: some Connector) async throws -> [ConnectorItem] {
        guard let stream = try await connector.discover().first else { return [] }
        return try await connector.sample(stream.name, limit: limit)
    }

    /// - Throws: `FLOW-SLOW` after the deadline.
    private static func withDeadline<Value: Sendable>(
        _ patience: Duration, _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await Task.sleep(for: patience)
                throw FlowError(.slow, ["seconds": String(patience.components.seconds)])
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw CancellationError() }
            return value
        }
    }
}

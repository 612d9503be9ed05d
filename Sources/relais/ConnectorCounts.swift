// SPDX-License-Identifier: Apache-2.0
// Adds up what connectors of this process count and measure, for its measures, and writes their log.

internal import ConnectorKit
internal import Logging
internal import Server
internal import Synchronization

/// What connectors said since the process began.
final class ConnectorCounts: Sendable {
    private struct Key: Hashable {
        let flow: String
        let name: String
        let isTime: Bool
    }

    private let sums = Mutex([Key: Double]())
    private let logger: Logger

    init(logger: Logger) {
        self.logger = logger
    }

    func add(_ remark: ConnectorRemark, of flow: String) {
        switch remark {
        case .line(let line):
            logger.log(
                level: Self.level(line), "connector",
                metadata: ["flow": .string(flow), "line": .string(line)])
        case .metric(let name, let isTime, let value):
            // A counter only grows.
            guard value > 0, value.isFinite else { return }
            sums.withLock { $0[Key(flow: flow, name: name, isTime: isTime), default: 0] += value }
        }
    }

    /// The level that a line names itself, as programs of all kinds write it.
    private static func level(_ line: String) -> Logger.Level {
        let head = line.prefix(80)
        if ["ERROR", "CRITICAL", "FATAL"].contains(where: head.contains) { return .error }
        return head.contains("WARN") ? .warning : .info
    }

    var measures: [Measure] {
        let sums = sums.withLock { $0 }.sorted { ($0.key.flow, $0.key.name) < ($1.key.flow, $1.key.name) }
        func samples(_ isTime: Bool) -> [Measure.Sample] {
            sums.filter { $0.key.isTime == isTime }.map {
                Measure.Sample($0.value, .init("flow", $0.key.flow), .init("metric", $0.key.name))
            }
        }
        return [
            Measure(
                .counter, "relais_connector_count_total",
                "What connectors of this process counted, such as a tap's record_count.", samples(false)),
            Measure(
                .counter, "relais_connector_seconds_total",
                "Times that connectors of this process measured, such as a tap's sync_duration.",
                samples(true)),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
// What a tap says on standard error: its log, and its metrics in it.

internal import ConnectorKit
internal import Foundation

/// Reads lines of a tap's log.
enum TapRemarks {
    /// A metric, or the line as it is.
    ///
    /// - Source: Singer's best practices, "Metrics": `INFO METRIC: {"type": "counter", "metric": …, "value": …, "tags": …}`.
    static func remark(_ line: String) -> ConnectorRemark {
        struct Metric: Decodable {
            let type: String
            let metric: String
            let value: Double
        }
        guard let start = line.firstRange(of: "METRIC: ")?.upperBound,
            let metric = try? JSONDecoder().decode(Metric.self, from: Data(line[start...].utf8))
        else { return .line(line) }
        return .metric(name: metric.metric, isTime: metric.type == "timer", value: metric.value)
    }
}

// SPDX-License-Identifier: Apache-2.0
// `/metrics`: the hub's state and this process' counts, for Prometheus.

internal import Foundation
internal import Hub
internal import Hummingbird
internal import Model
internal import PostgreSQL

/// Answers with measures; those of the database are asked for at each scrape.
struct MetricsRoute: Sendable {
    let pool: Pool
    /// The measures of this process.
    let own: @Sendable () -> [Measure]

    func add(to router: Router<WebContext>) {
        router.get("metrics") { _, _ in
            let hub = try await pool.withConnection { try await HubMeasures.read(on: $0) }
            let text = (hub.measures + own() + ProcessMeasures.read()).map(\.text).joined()
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: .init(string: text)))
        }
    }
}

extension HubMeasures {
    fileprivate typealias Label = Measure.Label
    fileprivate typealias Sample = Measure.Sample

    /// The measures of all nodes together: each node answers the same.
    var measures: [Measure] {
        flowMeasures + [
            Measure(
                .gauge, "relais_jobs", "Live jobs by queue and state.",
                jobs.map { Sample(Double($0.count), Label("queue", $0.queue), Label("state", $0.state)) }),
            Measure(
                .gauge, "relais_job_oldest_seconds", "How long the oldest job has been in this state.",
                jobs.map { Sample(Double($0.oldest), Label("queue", $0.queue), Label("state", $0.state)) }),
            Measure(
                .gauge, "relais_quarantine_open",
                "Records that wait for a person, by how long they have waited.",
                ["day", "week", "month", "older"].map { age in
                    Sample(
                        Double(quarantine.first { $0.age == age }?.count ?? 0), Label("age", age))
                }),
            Measure(
                .gauge, "relais_runs", "Runs that are kept, by state.",
                runs.map { Sample(Double($0.count), Label("state", $0.state)) }),
            Measure(
                .gauge, "relais_records", "Records of all runs that are kept, by what became of them.",
                records),
        ]
    }

    private var flowMeasures: [Measure] {
        func seconds(_ time: Timestamp) -> Double { Double(time.microsecondsSince1970) / 1_000_000 }
        func samples(_ value: (Flow) -> Double?) -> [Sample] {
            flows.compactMap { flow in value(flow).map { Sample($0, Label("flow", flow.name)) } }
        }
        return [
            Measure(
                .gauge, "relais_flow_last_success_timestamp_seconds",
                "When the flow's last good run ended; what it lags behind is time() minus this.",
                samples { $0.lastSuccess.map(seconds) }),
            Measure(
                .gauge, "relais_flow_next_timestamp_seconds", "When the flow runs next by itself.",
                samples { $0.next.map(seconds) }),
            Measure(
                .gauge, "relais_flow_paused", "1 when the flow is paused.", samples { $0.isPaused ? 1 : 0 }),
        ]
    }

    private var records: [Sample] {
        let sum = runs.reduce(into: RunLedger()) { $0 += $1.ledger }
        let counts = [
            ("inserted", sum.inserted), ("updated", sum.updated), ("deleted", sum.deleted),
            ("unchanged", sum.unchanged), ("quarantined", sum.quarantined), ("skipped", sum.skipped),
        ]
        return counts.map { Sample(Double($1), Label("outcome", $0)) }
    }
}

/// What Linux knows of this process, under the names that Prometheus' own clients use.
private enum ProcessMeasures {
    static func read() -> [Measure] {
        guard let statistics = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            // The second field is a name that may hold blanks.
            let end = statistics.lastIndex(of: ")")
        else { return [] }
        let fields = statistics[end...].split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        guard fields.count > 21 else { return [] }
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        return [
            Measure(
                .counter, "process_cpu_seconds_total", "Processor time of this process.",
                [.init((fields[11] + fields[12]) / ticks)]),
            Measure(
                .gauge, "process_resident_memory_bytes", "Memory of this process.",
                [.init(fields[21] * Double(sysconf(Int32(_SC_PAGESIZE))))]),
        ]
    }
}

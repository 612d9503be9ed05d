// SPDX-License-Identifier: Apache-2.0
// Counts what became of the jobs of this process, for its measures.

internal import Jobs
internal import Server
internal import Synchronization

/// How many jobs ended how since the process began.
final class JobCounts: Sendable {
    private struct Sums {
        var ended = ["done": 0, "postponed": 0, "given_up": 0, "refused": 0]
        var leases = 0
        var troubles = 0
    }

    private let sums = Mutex(Sums())

    func add(_ event: Worker.Event) {
        sums.withLock { sums in
            switch event {
            case .done: sums.ended["done", default: 0] += 1
            case .postponed: sums.ended["postponed", default: 0] += 1
            case .ended: sums.ended["given_up", default: 0] += 1
            case .refused: sums.ended["refused", default: 0] += 1
            case .reaped(let count): sums.leases += count
            case .trouble: sums.troubles += 1
            }
        }
    }

    var measures: [Measure] {
        let sums = sums.withLock { $0 }
        return [
            Measure(
                .counter, "relais_jobs_total",
                "Attempts of this process by outcome; refused = written by another meanwhile.",
                sums.ended.sorted { $0.key < $1.key }.map {
                    Measure.Sample(Double($0.value), .init("outcome", $0.key))
                }),
            Measure(
                .counter, "relais_leases_expired_total", "Leases of dead workers that this process ended.",
                [.init(Double(sums.leases))]),
            Measure(
                .counter, "relais_queue_troubles_total", "Times that the queue could not be reached.",
                [.init(Double(sums.troubles))]),
        ]
    }
}

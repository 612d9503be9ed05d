// SPDX-License-Identifier: Apache-2.0
// What becomes of the times that a schedule named: a pure decision.

package import Model
internal import Schedule

/// What a tick does for one schedule.
package struct FiringPlan: Sendable, Hashable {
    /// What becomes of a time.
    package enum Outcome: String, Sendable {
        case queued, missed, overlap, paused
    }

    /// A time that was named.
    package struct Firing: Sendable, Hashable {
        /// When.
        package let nominal: Timestamp
        /// What becomes of it.
        package let outcome: Outcome
    }

    /// The times that have come, the earliest first; of many that were missed, the last thousand.
    package private(set) var firings: [Firing] = []
    /// The next time; nil = never again.
    package private(set) var next: Timestamp?
    /// Whether what runs is to be cancelled first.
    package private(set) var cancelsPrevious = false

    /// A time that is kept no later than this has not been missed.
    static let tolerance = 60

    /// Decides.
    ///
    /// - Parameters:
    ///   - due: the first time that has not been dealt with, not behind `now`.
    ///   - isLive: a run of the flow has not ended.
    ///   - isPaused: nobody is to begin one.
    package init(
        _ schedule: FlowSchedule, due: Timestamp, now: Timestamp, isLive: Bool, isPaused: Bool
    ) {
        var times: [Timestamp] = []
        var time: Timestamp? = due
        while let one = time, one <= now {
            times.append(one)
            time = schedule.times.next(after: one)
        }
        next = time
        // After months of silence of a schedule of every minute, nobody reads what was missed first.
        times.removeFirst(max(0, times.count - 1000))
        let meant = Self.meant(times, schedule, now)
        var isBusy = isLive
        for time in times {
            guard !isPaused else {
                firings.append(Firing(nominal: time, outcome: .paused))
                continue
            }
            guard meant.contains(time) else {
                firings.append(Firing(nominal: time, outcome: .missed))
                continue
            }
            switch schedule.overlap {
            case .skip where isBusy: firings.append(Firing(nominal: time, outcome: .overlap))
            case .cancel where isBusy:
                cancelsPrevious = true
                // Of several missed ones that would cancel each other, only the last need be.
                firings.append(Firing(nominal: time, outcome: time == meant.max() ? .queued : .overlap))
            case .skip, .queue, .cancel:
                firings.append(Firing(nominal: time, outcome: .queued))
                isBusy = schedule.missed != .all || isLive
            }
        }
    }

    /// The times that are kept: one in time, or what the schedule says of missed ones.
    private static func meant(_ times: [Timestamp], _ schedule: FlowSchedule, _ now: Timestamp) -> Set<
        Timestamp
    > {
        guard let last = times.last else { return [] }
        let age = (now.microsecondsSince1970 - last.microsecondsSince1970) / 1_000_000
        let isInTime = age <= tolerance
        switch schedule.missed {
        case .skip: return isInTime ? [last] : []
        case .once: return [last]
        case .all: return Set(times.suffix(schedule.missedLimit))
        }
    }
}

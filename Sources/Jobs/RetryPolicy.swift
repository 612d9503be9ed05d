// SPDX-License-Identifier: Apache-2.0
// When a job that failed runs again.

package import Diagnostics

/// Pauses that double, with jitter, up to a longest one.
package struct RetryPolicy: Sendable {
    /// The pause after the first attempt, before jitter.
    package var first: Duration
    /// No pause is longer.
    package var longest: Duration

    /// Ten seconds, twenty, forty, … up to an hour, unless told otherwise.
    package init(first: Duration = .seconds(10), longest: Duration = .seconds(3600)) {
        self.first = first
        self.longest = longest
    }

    /// What becomes of a job whose `attempt`-th attempt ended in an error with this advice.
    ///
    /// - Parameter jitter: 0..<1, drawn anew for each job, so that many do not come back at once; a pause is between
    ///   half of itself and one and a half.
    package func plan(
        attempt: Int, of maxAttempts: Int, advice: RetryAdvice, jitter: Double
    ) -> RetryPlan {
        guard attempt < maxAttempts else { return .dead }
        switch advice {
        case .never, .reauthorize: return .dead
        case .after(let least): return .again(after: max(least, pause(behind: attempt, jitter)))
        }
    }

    /// The pause behind the `attempt`-th attempt.
    package func pause(behind attempt: Int, _ jitter: Double) -> Duration {
        let doublings = min(max(attempt - 1, 0), 30)
        return min(first * (1 << doublings), longest) * (0.5 + jitter)
    }
}

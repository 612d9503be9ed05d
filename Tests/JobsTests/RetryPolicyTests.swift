// SPDX-License-Identifier: Apache-2.0
// When a job runs again, and when it is given up.

import Diagnostics
import Jobs
import Testing

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy(first: .seconds(10), longest: .seconds(3600))

    @Test func `pauses double up to an hour`() {
        let pauses = (1...12).map { policy.pause(behind: $0, 0.5) }
        #expect(pauses.prefix(4) == [.seconds(10), .seconds(20), .seconds(40), .seconds(80)])
        #expect(pauses.suffix(3) == [.seconds(3600), .seconds(3600), .seconds(3600)])
    }

    @Test func `jitter keeps a pause between half of it and one and a half`() {
        #expect(policy.pause(behind: 1, 0) == .seconds(5))
        #expect(policy.pause(behind: 1, 0.999) < .seconds(15))
        #expect(policy.pause(behind: 1_000_000, 0.999) < .seconds(5400))
    }

    @Test(arguments: [
        (1, RetryAdvice.never, RetryPlan.dead),
        (1, .reauthorize, .dead),
        (1, .after(.zero), .again(after: .seconds(10))),
        (1, .after(.seconds(60)), .again(after: .seconds(60))),
        (8, .after(.zero), .dead),
    ])
    func `an error's own advice counts, and attempts end`(attempt: Int, advice: RetryAdvice, plan: RetryPlan)
    {
        #expect(policy.plan(attempt: attempt, of: 8, advice: advice, jitter: 0.5) == plan)
    }
}

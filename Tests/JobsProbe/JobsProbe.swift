// SPDX-License-Identifier: Apache-2.0
// A worker as a process of its own, for the tests that kill it and for the bench.

import Diagnostics
import Foundation
import Jobs
import PostgreSQL

/// `relais-jobs-probe URL NAME [SLOTS CONNECTIONS]`: works until SIGTERM.
///
/// Kinds of jobs: `effect` writes one row in the transaction of its completion, `late` sleeps before that: a second, and twenty in a worker called `sleeper`,
/// `noop` does nothing.
@main
struct JobsProbe {
    static func main() async throws {
        let arguments = CommandLine.arguments
        let slots = arguments.count > 3 ? Int(arguments[3]) ?? 4 : 4
        let pool = Pool(
            arguments[1], limits: Pool.Limits(connections: arguments.count > 4 ? Int(arguments[4]) ?? 4 : 4))
        var timing = Worker.Timing()
        timing.lease = .seconds(2)
        timing.beat = .milliseconds(300)
        timing.reap = .milliseconds(300)
        timing.poll = .milliseconds(200)
        timing.promote = .milliseconds(50)
        timing.retry = RetryPolicy(first: .milliseconds(20), longest: .milliseconds(200))
        let effect: Worker.Handler = { running in
            try await pool.transaction { connection in
                try await connection.script(
                    "insert into effect values (\(running.job.id), \(running.job.attempt), '\(arguments[2])')"
                )
                try await running.complete(on: connection)
            }
            return nil
        }
        let worker = Worker(
            pool: pool, name: arguments[2], slots: [.interactive: slots, .scheduled: slots, .bulk: slots],
            timing: timing,
            handlers: [
                "effect": effect, "noop": { _ in nil },
                "late": { running in
                    print("began \(running.job.id)")
                    fflush(nil)
                    // Long enough to be stopped before it ends.
                    try await Task.sleep(for: .seconds(arguments[2] == "sleeper" ? 20 : 1))
                    return try await effect(running)
                },
            ]
        ) { event in
            if case .refused(let job) = event {
                print("refused \(job.id)")
                fflush(nil)
            }
        }
        signal(SIGTERM, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGTERM)
        source.setEventHandler { worker.drain() }
        source.resume()
        await worker.run()
        source.cancel()
    }
}

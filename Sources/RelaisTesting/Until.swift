// SPDX-License-Identifier: Apache-2.0
// Waiting for something that another process or task does.

/// Thrown when what a test waits for does not happen.
package struct NeverHappened: Error {}

/// Waits until a condition holds, looking every millisecond.
///
/// - Throws: ``NeverHappened`` after five minutes, so that a test that hangs says where, and one on a busy machine
///   does not.
package func until(_ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { throw NeverHappened() }
        try await Task.sleep(for: .milliseconds(1))
    }
}

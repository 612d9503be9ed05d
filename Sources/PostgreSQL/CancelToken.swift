// SPDX-License-Identifier: Apache-2.0
// Asks the server to stop the running statement, and never the one behind it.

internal import CLibPQ
internal import Dispatch
internal import Synchronization

/// The right to cancel the statement that a connection is running now.
///
/// A cancel request names a server process, not a statement, so a late one would hit the next statement. Two
/// rules prevent that: a request is only begun while its statement is the running one, and a statement only
/// ends (``finish()``) when no request is under way. `PQcancel` returns after the server has signalled its
/// process, and a process that waits for its client drops the signal.
///
/// `@unchecked Sendable`: the pointer is written once, `PQcancel` may be called from any thread (libpq manual,
/// 34.7), and `deinit` runs after the last use.
@safe
final class CancelToken: @unchecked Sendable {
    private struct State {
        /// Number of the running statement; nil between statements.
        var running: UInt64?
        var wasRequested = false
        var next: UInt64 = 0
    }

    private let pointer: OpaquePointer?
    private let state = Mutex(State())
    private let underway = DispatchGroup()
    private let queue = DispatchQueue(label: "relais.postgresql.cancel")

    /// The token of an open connection.
    init(connection: OpaquePointer) {
        unsafe pointer = PQgetCancel(connection)
    }

    deinit {
        unsafe PQfreeCancel(pointer)
    }

    /// Marks a statement as running and returns its number.
    func begin() -> UInt64 {
        state.withLock { state in
            state.next += 1
            state.running = state.next
            state.wasRequested = false
            return state.next
        }
    }

    /// Marks the running statement as ended, after any request for it has been delivered; blocks until then.
    ///
    /// - Returns: whether its cancellation was asked for.
    func finish() -> Bool {
        let wasRequested = state.withLock { state in
            state.running = nil
            return state.wasRequested
        }
        underway.wait()
        return wasRequested
    }

    /// Asks the server to stop statement `number`; does nothing once that has ended. Returns at once.
    func cancel(_ number: UInt64) {
        let isRunning = state.withLock { state in
            guard state.running == number else { return false }
            state.wasRequested = true
            underway.enter()
            return true
        }
        guard isRunning else { return }
        queue.async { [self] in
            unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
                _ = unsafe PQcancel(pointer, buffer.baseAddress, Int32(buffer.count))
            }
            underway.leave()
        }
    }
}

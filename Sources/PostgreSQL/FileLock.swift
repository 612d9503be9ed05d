// SPDX-License-Identifier: Apache-2.0
// A lock between processes on one machine, freed by the kernel when its holder dies.

internal import Diagnostics
internal import Foundation
internal import Glibc

/// An exclusive `flock` on a file.
enum FileLock {
    /// Runs `body` while this process holds the lock.
    ///
    /// - Throws: `PG-CLUSTER-BUSY` when another process still holds it at the deadline.
    static func hold<Value>(
        _ file: URL, deadline: ContinuousClock.Instant, _ body: () async throws -> Value
    ) async throws -> Value {
        let descriptor = unsafe Glibc.open(file.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw PostgreSQLError(
                .clusterFolder, ["folder": file.deletingLastPathComponent().path, "reason": "owner"])
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard ContinuousClock.now < deadline else {
                throw PostgreSQLError(.clusterBusy, ["file": file.path])
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return try await body()
    }
}

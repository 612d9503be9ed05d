// SPDX-License-Identifier: Apache-2.0
// Ctrl-C while a command runs a program of somebody else's, which has a process group of its own and does not hear it.

internal import UnixSignals

/// Ends such commands.
enum Interruption {
    /// Does something that SIGINT and SIGTERM cancel, so that what it has started ends too.
    static func cancels<Value: Sendable>(
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sigint, .sigterm) { break }
                throw ExitStatus.failed
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() else { throw ExitStatus.failed }
            return value
        }
    }
}

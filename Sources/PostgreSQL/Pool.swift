// SPDX-License-Identifier: Apache-2.0
// Shares a bounded number of connections among any number of tasks, first come first served.

internal import Diagnostics
internal import Synchronization

/// Connections lent to one task at a time.
///
/// Waiters are served in order and give up at their deadline. A connection that broke, or came back inside a
/// transaction, is replaced; one that the server closed while it lay idle is noticed before it is lent.
package final class Pool: Sendable {
    /// How many connections, how long to wait for one, and how old one may get.
    package struct Limits: Sendable {
        /// Most connections open at once; twice the cores is the measured best.
        package var connections: Int
        /// How long a task waits for its turn; connecting has a deadline of its own.
        package var wait: Duration
        /// Age after which a connection is replaced, so that plans made on young tables do not stay for ever.
        package var age: Duration

        /// At most so many connections, each used until it is so old; whoever asks waits this long at most.
        package init(connections: Int = 4, wait: Duration = .seconds(30), age: Duration = .seconds(1800)) {
            self.connections = connections
            self.wait = wait
            self.age = age
        }
    }

    /// How busy the pool is now.
    package struct Load: Sendable, Hashable {
        /// Connections open or being opened.
        package let connections: Int
        /// Of these, not lent to anybody.
        package let idle: Int
        /// Tasks that wait for one.
        package let waiting: Int

        /// Counts at one moment.
        package init(connections: Int, idle: Int, waiting: Int) {
            self.connections = connections
            self.idle = idle
            self.waiting = waiting
        }
    }

    private struct Lease {
        let connection: Connection
        let opened: ContinuousClock.Instant
    }

    /// What a waiter gets: a connection, or the room to open one.
    private enum Turn {
        case lease(Lease)
        case room
    }

    private struct Waiter {
        let number: UInt64
        let continuation: CheckedContinuation<Turn, any Error>
    }

    private struct State: ~Copyable {
        var idle: [Lease] = []
        var count = 0
        var waiters: [Waiter] = []
        var nextNumber: UInt64 = 0
        var isClosed = false
    }

    private let connectionString: String
    private let limits: Limits
    private let state = Mutex(State())

    /// A pool for one database; connects when the first task needs it.
    package init(_ connectionString: String, limits: Limits = Limits()) {
        self.connectionString = connectionString
        self.limits = limits
    }

    /// How busy the pool is now.
    package var load: Load {
        state.withLock { Load(connections: $0.count, idle: $0.idle.count, waiting: $0.waiters.count) }
    }

    /// Runs `body` with a connection that nobody else uses meanwhile.
    ///
    /// - Throws: what connecting throws (``Connection/open(_:deadline:)``), `PG-POOL-TIMEOUT`, `PG-POOL-CLOSED`,
    ///   `PG-CANCELLED`, and whatever `body` throws.
    package func withConnection<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        let deadline = ContinuousClock.now + limits.wait
        let lease = try await lease(before: deadline)
        do {
            let value = try await body(lease.connection)
            await giveBack(lease)
            return value
        } catch {
            await giveBack(lease)
            throw error
        }
    }

    /// Opens a connection beside the pool, for one that listens or must never wait for its turn.
    package func openDedicated() async throws(PostgreSQLError) -> Connection {
        try await Connection.open(connectionString)
    }

    /// Runs `body` in a transaction on a connection of its own (``Connection/transaction(_:)``).
    package func transaction<Value>(_ body: (Connection) async throws -> Value) async throws -> Value {
        try await withConnection { connection in try await connection.transaction(body) }
    }

    /// Closes the idle connections and refuses new tasks; connections in use are closed as they come back.
    package func close() async {
        let (idle, waiters) = state.withLock { state in
            let rest = (state.idle, state.waiters)
            state.isClosed = true
            state.count -= state.idle.count
            state.idle = []
            state.waiters = []
            return rest
        }
        for waiter in waiters { waiter.continuation.resume(throwing: PostgreSQLError(.poolClosed)) }
        for lease in idle { await lease.connection.close() }
    }

    // MARK: - Taking turns

    private func lease(before deadline: ContinuousClock.Instant) async throws -> Lease {
        while true {
            guard case .lease(let lease) = try await turn(before: deadline) else {
                return try await open()
            }
            if isYoung(lease), await lease.connection.isAlive() { return lease }
            await discard(lease)
        }
    }

    private func isYoung(_ lease: Lease) -> Bool {
        lease.opened.duration(to: .now) < limits.age
    }

    private func turn(before deadline: ContinuousClock.Instant) async throws -> Turn {
        if let turn = try takeTurn() { return turn }
        return try await withThrowingTaskGroup(of: Turn?.self) { group in
            group.addTask { try await self.wait() }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                return nil
            }
            var failure: (any Error)?
            // Both children are heard: a turn that comes in the moment of the time-out must not get lost.
            while let answer = await group.nextResult() {
                group.cancelAll()
                switch answer {
                case .success(let turn?): return turn
                case .success(nil): failure = failure ?? timeout()
                case .failure(let error): failure = failure ?? error
                }
            }
            throw failure ?? timeout()
        }
    }

    private func timeout() -> PostgreSQLError {
        Task.isCancelled
            ? PostgreSQLError(.cancelled)
            : PostgreSQLError(
                .poolTimeout, ["connections": String(limits.connections)], retry: .after(.seconds(1)))
    }

    /// A turn that can be had now; nil when others wait already or everything is lent.
    private func takeTurn() throws -> Turn? {
        try state.withLock { state in
            guard !state.isClosed else { throw PostgreSQLError(.poolClosed) }
            guard state.waiters.isEmpty else { return nil }
            if let lease = state.idle.popLast() { return .lease(lease) }
            guard state.count < limits.connections else { return nil }
            state.count += 1
            return .room
        }
    }

    private func wait() async throws -> Turn {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(Waiter(number: number, continuation: continuation))
            }
        } onCancel: {
            let waiter = state.withLock { state in
                state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
            }
            waiter?.continuation.resume(throwing: PostgreSQLError(.cancelled))
        }
    }

    /// Puts a waiter at the end of the queue, unless its turn came or its task was cancelled meanwhile.
    private func enqueue(_ waiter: Waiter) {
        let answer: Result<Turn, any Error>? = state.withLock { state in
            if state.isClosed { return .failure(PostgreSQLError(.poolClosed)) }
            if Task.isCancelled { return .failure(PostgreSQLError(.cancelled)) }
            if state.waiters.isEmpty, let lease = state.idle.popLast() { return .success(.lease(lease)) }
            if state.waiters.isEmpty, state.count < limits.connections {
                state.count += 1
                return .success(.room)
            }
            state.waiters.append(waiter)
            return nil
        }
        if let answer { waiter.continuation.resume(with: answer) }
    }

    // MARK: - Opening and closing

    private func open() async throws -> Lease {
        do {
            let connection = try await Connection.open(connectionString)
            return Lease(connection: connection, opened: .now)
        } catch {
            freeRoom()
            throw error
        }
    }

    private func giveBack(_ lease: Lease) async {
        guard await lease.connection.isReusable, isYoung(lease) else { return await discard(lease) }
        let (waiter, isClosed) = state.withLock { state -> (Waiter?, Bool) in
            if state.isClosed {
                state.count -= 1
                return (nil, true)
            }
            guard !state.waiters.isEmpty else {
                state.idle.append(lease)
                return (nil, false)
            }
            return (state.waiters.removeFirst(), false)
        }
        waiter?.continuation.resume(returning: .lease(lease))
        if isClosed { await lease.connection.close() }
    }

    private func discard(_ lease: Lease) async {
        freeRoom()
        await lease.connection.close()
    }

    /// One connection less: the first waiter may open another.
    private func freeRoom() {
        let waiter = state.withLock { state -> Waiter? in
            guard !state.waiters.isEmpty else {
                state.count -= 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        waiter?.continuation.resume(returning: .room)
    }
}

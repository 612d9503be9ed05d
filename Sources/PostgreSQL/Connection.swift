// SPDX-License-Identifier: Apache-2.0
// One connection to PostgreSQL: synchronous libpq on a queue of its own.

internal import Blocking
internal import Diagnostics

/// One session of the server. Its calls run one after the other on the connection's own queue.
///
/// Cancelling the task of a call cancels the statement on the server, and never a later one (``CancelToken``).
/// After an error with the code `PG-CONNECTION-LOST` the connection stays broken; a pool replaces it.
package actor Connection {
    nonisolated private let executor = SerialQueueExecutor(label: "relais.postgresql")
    nonisolated package var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    private var session: Session?
    private var canceller: CancelToken?
    private var prepared: [ObjectIdentifier: String] = [:]
    private var depth = 0
    private var watch: SocketWatch?

    private init() {}

    /// Connects with any libpq connection string (several hosts and `target_session_attrs` included).
    ///
    /// - Parameter deadline: gives up then, whatever libpq's own time-outs are.
    /// - Throws: `PG-UNREACHABLE`, `PG-UNAUTHORIZED`, `PG-NO-DATABASE`, `PG-TOO-MANY-CONNECTIONS`,
    ///   `PG-SHUTTING-DOWN`, `PG-READ-ONLY`, `PG-TIMED-OUT`.
    package static func open(
        _ connectionString: String, deadline: ContinuousClock.Instant = .now + .seconds(10)
    ) async throws(PostgreSQLError) -> Connection {
        let connection = Connection()
        try await connection.connect(connectionString, deadline: deadline)
        return connection
    }

    private func connect(_ connectionString: String, deadline: ContinuousClock.Instant)
        throws(PostgreSQLError)
    {
        let session = try Session(connectionString, deadline: deadline)
        canceller = session.makeCancelToken()
        self.session = session
    }

    // MARK: - Statements

    /// Runs a statement and decodes its rows; prepared on the first use.
    package func run<S: Statement>(_ statement: S) async throws(PostgreSQLError) -> [S.Row] {
        let name = try await preparedName(of: statement)
        return try await guarded { (session) throws(PostgreSQLError) in
            try session.executePrepared(name, statement.parameters).rows(S.decode)
        }
    }

    /// Runs a statement that changes rows.
    ///
    /// - Returns: the number of rows changed.
    @discardableResult
    package func execute(_ statement: some Statement) async throws(PostgreSQLError) -> Int {
        let name = try await preparedName(of: statement)
        return try await guarded { (session) throws(PostgreSQLError) in
            try session.executePrepared(name, statement.parameters).affected
        }
    }

    /// Runs a statement written in place, not prepared; each row is one column.
    package func run<Row>(_ statement: AdHoc<Row>) async throws(PostgreSQLError) -> [Row] {
        try await guarded { (session) throws(PostgreSQLError) in
            try session.execute(statement.sql, statement.parameters).rows { (row) throws(PostgreSQLError) in
                try row.next()
            }
        }
    }

    /// Runs SQL commands separated by semicolons, in one implicit transaction unless they say otherwise.
    package func script(_ sql: String) async throws(PostgreSQLError) {
        try await guarded { (session) throws(PostgreSQLError) in _ = try session.script(sql) }
    }

    private func preparedName<S: Statement>(of statement: S) async throws(PostgreSQLError) -> String {
        let id = ObjectIdentifier(S.self)
        if let name = prepared[id] { return name }
        let name = "s\(prepared.count + 1)"
        try await guarded { (session) throws(PostgreSQLError) in
            try session.prepare(name, S.sql, statement.parameters.map(\.type))
        }
        prepared[id] = name
        return name
    }

    /// Runs one blocking call so that cancelling the task stops it on the server.
    private func guarded<Value>(
        _ call: (Session) throws(PostgreSQLError) -> Value
    ) async throws(PostgreSQLError) -> Value {
        guard let canceller else { throw PostgreSQLError.closed }
        guard !Task.isCancelled else { throw PostgreSQLError(.cancelled) }
        let statement = canceller.begin()
        let answer: Result<Value, PostgreSQLError> = await withTaskCancellationHandler {
            // A method of the actor, so that the closure keeps its isolation: without `self` in it, it would
            // run, and block, on the cooperative pool.
            self.perform(call)
        } onCancel: {
            canceller.cancel(statement)
        }
        let wasRequested = canceller.finish()
        do throws(PostgreSQLError) {
            return try answer.get()
        } catch {
            // Stopped, but not by us: a time limit of the server or an administrator.
            guard error.has(.cancelled), !wasRequested else { throw error }
            throw PostgreSQLError(.timedOut, error.diagnostic.facts, retry: .after(.seconds(1)))
        }
    }

    private func perform<Value>(
        _ call: (Session) throws(PostgreSQLError) -> Value
    ) -> Result<Value, PostgreSQLError> {
        executor.checkIsolated()
        guard let session else { return .failure(PostgreSQLError.closed) }
        return Result { () throws(PostgreSQLError) in try call(session) }
    }

    // MARK: - Transactions

    /// Runs `body` between BEGIN and COMMIT; nested calls use savepoints.
    ///
    /// An error of `body` rolls back and is passed on. When the connection breaks during the commit, the error
    /// is `PG-COMMIT-UNKNOWN`: only the data tells whether it happened.
    nonisolated package func transaction<Value>(
        _ body: (Connection) async throws -> Value
    ) async throws -> Value {
        let depth = try await begin()
        let value: Value
        do {
            value = try await body(self)
        } catch {
            await rollback(to: depth)
            throw error
        }
        try await commit(depth)
        return value
    }

    private func begin() async throws(PostgreSQLError) -> Int {
        let depth = depth
        try await script(depth == 0 ? "begin" : "savepoint s\(depth)")
        self.depth += 1
        return depth
    }

    private func commit(_ depth: Int) async throws(PostgreSQLError) {
        self.depth = depth
        do throws(PostgreSQLError) {
            let sql = depth == 0 ? "commit" : "release savepoint s\(depth)"
            let tag = try await guarded { (session) throws(PostgreSQLError) in try session.script(sql) }
            // A transaction in which a statement failed answers COMMIT with a rollback and no error.
            guard tag != "ROLLBACK" else { throw PostgreSQLError(.statement, ["detail": "rolled back"]) }
        } catch {
            if session?.isIdle != true { rollback(to: depth) }
            guard error.has(.connectionLost) || error.has(.shuttingDown) else { throw error }
            throw PostgreSQLError(.commitUnknown, error.diagnostic.facts)
        }
    }

    /// Takes back what the transaction did. Not cancellable, since it must run in a cancelled task too; a
    /// connection on which it fails is not reusable, and so says why by itself.
    private func rollback(to depth: Int) {
        self.depth = depth
        let name = "s\(depth)"
        _ = try? session?.script(
            depth == 0 ? "rollback" : "rollback to savepoint \(name); release savepoint \(name)")
    }

    // MARK: - COPY

    /// Sends rows to the server in COPY's text, CSV or binary format.
    ///
    /// - Parameters:
    ///   - sql: a `copy … from stdin` command.
    ///   - next: the next piece of the data, cut anywhere; nil at the end. When it throws, nothing is stored.
    /// - Returns: the number of rows stored.
    @discardableResult
    nonisolated package func copyIn(_ sql: String, next: () async throws -> [UInt8]?) async throws -> Int {
        try await beginCopy(sql)
        do {
            while let piece = try await next() { try await putCopy(piece) }
        } catch {
            await abortCopy()
            throw error
        }
        return try await endCopy()
    }

    /// Reads a `copy … to stdout`; `consume` gets whole rows, about 256 KiB at a time.
    nonisolated package func copyOut(_ sql: String, consume: ([UInt8]) async throws -> Void) async throws {
        try await beginCopy(sql)
        do {
            var isLast = false
            while !isLast {
                let piece = try await getCopy()
                isLast = piece.isLast
                if !piece.rows.isEmpty { try await consume(piece.rows) }
            }
        } catch {
            await close()
            throw error
        }
    }

    private func beginCopy(_ sql: String) async throws(PostgreSQLError) {
        try await guarded { (session) throws(PostgreSQLError) in try session.beginCopy(sql) }
    }

    private func putCopy(_ piece: [UInt8]) async throws(PostgreSQLError) {
        try await guarded { (session) throws(PostgreSQLError) in try session.putCopy(piece) }
    }

    private func endCopy() async throws(PostgreSQLError) -> Int {
        try await guarded { (session) throws(PostgreSQLError) in try session.endCopy() }
    }

    private func getCopy() async throws(PostgreSQLError) -> (rows: [UInt8], isLast: Bool) {
        try await guarded { (session) throws(PostgreSQLError) in try session.getCopy() }
    }

    /// Ends a COPY so that it stores nothing; the server always answers that with an error.
    private func abortCopy() {
        _ = try? session?.endCopy(failing: "aborted by the client")
    }

    // MARK: - Notifications

    /// Listens on `channel` and yields its payloads until the connection ends, which throws
    /// `PG-CONNECTION-LOST`, or the reader stops.
    ///
    /// The connection serves only this afterwards: its socket is watched, nobody asks. At most 1,000 payloads
    /// wait for a slow reader; then the oldest are dropped.
    package func listen(_ channel: String) async throws(PostgreSQLError) -> AsyncThrowingStream<
        String, any Error
    > {
        try await script("listen \"\(channel.replacing("\"", with: "\"\""))\"")
        guard let session else { throw PostgreSQLError.closed }
        let (stream, continuation) = AsyncThrowingStream.makeStream(
            of: String.self, bufferingPolicy: .bufferingNewest(1000))
        // The stream keeps the connection alive; the end of either lets go of both.
        let watch = SocketWatch(session.socket, on: executor) {
            self.assumeIsolated { $0.deliver(to: continuation) }
        }
        continuation.onTermination = { _ in watch.cancel() }
        self.watch = watch
        deliver(to: continuation)
        return stream
    }

    private func deliver(to continuation: AsyncThrowingStream<String, any Error>.Continuation) {
        do {
            for payload in try session?.notifications() ?? [] { continuation.yield(payload) }
        } catch {
            close()
            continuation.finish(throwing: error)
        }
    }

    // MARK: - State

    /// Whether another caller can use the connection: alive, and outside a transaction.
    package var isReusable: Bool { session?.isIdle == true && watch == nil }

    /// Looks for a server that has gone since the last call, without asking it.
    package func isAlive() -> Bool { session?.isAlive() == true }

    /// Number of the server's process, as in `pg_stat_activity.pid`; nil once closed.
    package var serverProcess: Int? { session?.serverProcess }

    /// Ends the session now rather than when the last reference goes.
    package func close() {
        watch?.cancel()
        watch = nil
        session = nil
    }
}

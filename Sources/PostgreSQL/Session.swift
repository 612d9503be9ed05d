// SPDX-License-Identifier: Apache-2.0
// The blocking calls of libpq on one PGconn; the only file that holds one.

internal import CLibPQ
internal import Diagnostics
internal import Glibc

/// A `PGconn` and its synchronous calls; owned by one ``Connection``, which gives it a thread of its own.
@safe
final class Session {
    private let connection: OpaquePointer

    /// Connects without ever waiting beyond `deadline`.
    init(_ connectionString: String, deadline: ContinuousClock.Instant) throws(PostgreSQLError) {
        guard let connection = unsafe PQconnectStart(connectionString) else {
            throw PostgreSQLError(.unreachable, ["detail": "out of memory"])
        }
        unsafe self.connection = connection
        // Verbose reports carry the SQLSTATE, which tells a wrong password from a missing database.
        unsafe PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        try establish(deadline: deadline)
        unsafe PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
        unsafe PQsetNoticeProcessor(connection, { _, _ in }, nil)
        guard unsafe PQsetClientEncoding(connection, "UTF8") == 0 else { throw lost() }
    }

    deinit {
        unsafe PQfinish(connection)
    }

    private func establish(deadline: ContinuousClock.Instant) throws(PostgreSQLError) {
        var waitsForWriting = true
        while unsafe PQstatus(connection) != CONNECTION_BAD {
            let remaining = ContinuousClock.now.duration(to: deadline)
            guard remaining > .zero else {
                throw PostgreSQLError(.timedOut, ["detail": "connecting"], retry: .after(.seconds(1)))
            }
            guard poll(forWriting: waitsForWriting, milliseconds: max(1, remaining.milliseconds)) else {
                continue
            }
            switch unsafe PQconnectPoll(connection) {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_READING: waitsForWriting = false
            case PGRES_POLLING_WRITING: waitsForWriting = true
            default: throw PostgreSQLError(connecting: message)
            }
        }
        throw PostgreSQLError(connecting: message)
    }

    /// Waits for the socket; false when the time ran out or a signal came.
    private func poll(forWriting: Bool, milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: socket, events: Int16(forWriting ? POLLOUT : POLLIN), revents: 0)
        return unsafe Glibc.poll(&descriptor, 1, milliseconds) > 0
    }

    /// The token that can cancel this session's statements from elsewhere.
    func makeCancelToken() -> CancelToken { unsafe CancelToken(connection: connection) }

    /// The socket's file descriptor.
    var socket: Int32 { unsafe PQsocket(connection) }
    /// Number of the server's process.
    var serverProcess: Int { Int(unsafe PQbackendPID(connection)) }
    /// Whether the connection is alive as far as libpq knows, and outside a transaction.
    var isIdle: Bool {
        unsafe PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE
    }

    /// Whether the connection is as it was after the last call, without a round trip.
    ///
    /// An idle server says nothing; what there is to read is its farewell or the end of the stream.
    func isAlive() -> Bool {
        unsafe PQstatus(connection) == CONNECTION_OK && !poll(forWriting: false, milliseconds: 0)
    }

    // MARK: - Statements

    /// Prepares `sql` under `name`.
    func prepare(_ name: String, _ sql: String, _ types: [TypeID]) throws(PostgreSQLError) {
        let result = unsafe PQprepare(connection, name, sql, Int32(types.count), types.map(\.rawValue))
        _ = try unsafe checked(result)
    }

    /// Runs a prepared statement; parameters and results are binary.
    func executePrepared(
        _ name: String, _ parameters: [Parameter]
    ) throws(PostgreSQLError) -> QueryResult {
        let formats = [Int32](repeating: 1, count: parameters.count)
        let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
        let result = unsafe Self.withPointers(to: parameters) { values in
            unsafe PQexecPrepared(connection, name, Int32(parameters.count), values, lengths, formats, 1)
        }
        return try unsafe checked(result)
    }

    /// Parses and runs one statement; parameters and results are binary.
    func execute(_ sql: String, _ parameters: [Parameter]) throws(PostgreSQLError) -> QueryResult {
        let formats = [Int32](repeating: 1, count: parameters.count)
        let lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
        let types = parameters.map(\.type.rawValue)
        let result = unsafe Self.withPointers(to: parameters) { values in
            unsafe PQexecParams(connection, sql, Int32(parameters.count), types, values, lengths, formats, 1)
        }
        return try unsafe checked(result)
    }

    /// Runs commands with the simple protocol.
    ///
    /// - Returns: the tag of the last command, such as `COMMIT`.
    @discardableResult
    func script(_ sql: String) throws(PostgreSQLError) -> String {
        try unsafe checked(PQexec(connection, sql)).tag
    }

    /// Calls `body` with one pointer a parameter, nil for NULL, all valid during the call.
    private static func withPointers(
        to parameters: [Parameter], _ body: ([UnsafePointer<CChar>?]) -> OpaquePointer?
    ) -> OpaquePointer? {
        var all: [UInt8] = []
        all.reserveCapacity(parameters.reduce(0) { $0 + ($1.bytes?.count ?? 0) + 1 })
        let offsets: [Int?] = parameters.map { parameter in
            guard let bytes = parameter.bytes else { return nil }
            defer {
                all.append(contentsOf: bytes)
                all.append(0)
            }
            return all.count
        }
        return unsafe all.withUnsafeBytes { buffer in
            let start = unsafe buffer.bindMemory(to: CChar.self).baseAddress
            return unsafe body(
                offsets.map { offset in unsafe offset.flatMap { unsafe start?.advanced(by: $0) } })
        }
    }

    private func checked(_ pointer: OpaquePointer?) throws(PostgreSQLError) -> QueryResult {
        guard let result = unsafe QueryResult(pointer) else { throw lost() }
        guard let error = result.error else { return result }
        throw unsafe PQstatus(connection) == CONNECTION_OK ? error : lost(error)
    }

    private var message: String { unsafe String(cString: PQerrorMessage(connection)) }

    /// The error of a broken connection; keeps the server's last words where it said any.
    private func lost(_ error: PostgreSQLError? = nil) -> PostgreSQLError {
        if let error, error.sqlState != nil { return error }
        // A server that cannot write its log panics: its words come without their SQLSTATE.
        if message.contains("PANIC: "), message.contains(unsafe String(cString: strerror(ENOSPC))) {
            return PostgreSQLError(.diskFull, ["detail": message.trimmedLines])
        }
        return PostgreSQLError(
            .connectionLost, ["detail": message.trimmedLines], retry: .after(.seconds(1)))
    }

    // MARK: - COPY

    /// Begins a `copy … from stdin`.
    func beginCopy(_ sql: String) throws(PostgreSQLError) {
        let result = try unsafe checked(PQexec(connection, sql))
        guard result.status == PGRES_COPY_IN || result.status == PGRES_COPY_OUT else {
            throw PostgreSQLError(.statement, ["detail": "not a COPY command"])
        }
    }

    /// Sends a piece of the data.
    func putCopy(_ bytes: [UInt8]) throws(PostgreSQLError) {
        let sent = unsafe bytes.withUnsafeBytes { buffer in
            unsafe PQputCopyData(
                connection, buffer.bindMemory(to: CChar.self).baseAddress, Int32(buffer.count))
        }
        guard sent == 1 else { throw lost() }
    }

    /// Ends the COPY, storing nothing when a reason is given.
    ///
    /// - Returns: the number of rows stored.
    func endCopy(failing reason: String? = nil) throws(PostgreSQLError) -> Int {
        guard unsafe PQputCopyEnd(connection, reason) == 1 else { throw lost() }
        return try finishCopy()
    }

    /// Rows of a `copy … to stdout`, about 256 KiB of them.
    func getCopy() throws(PostgreSQLError) -> (rows: [UInt8], isLast: Bool) {
        var rows: [UInt8] = []
        while rows.count < 262_144 {
            var buffer: UnsafeMutablePointer<CChar>?
            let length = unsafe PQgetCopyData(connection, &buffer, 0)
            if length == -1 {
                _ = try finishCopy()
                return (rows, true)
            }
            guard length > 0, let buffer = unsafe buffer else { throw lost() }
            unsafe rows.append(contentsOf: UnsafeRawBufferPointer(start: buffer, count: Int(length)))
            unsafe PQfreemem(buffer)
        }
        return (rows, false)
    }

    /// Takes the results behind a COPY until the connection is ready again.
    private func finishCopy() throws(PostgreSQLError) -> Int {
        var affected = 0
        var failure: PostgreSQLError?
        while let result = unsafe QueryResult(PQgetResult(connection)) {
            affected = max(affected, result.affected)
            failure = failure ?? result.error
        }
        if let failure { throw unsafe PQstatus(connection) == CONNECTION_OK ? failure : lost(failure) }
        return affected
    }

    // MARK: - Notifications

    /// The payloads that have arrived since the last call, without waiting.
    ///
    /// Reads until nothing is left: the end of the stream behind a last message raises no further event.
    func notifications() throws(PostgreSQLError) -> [String] {
        repeat {
            guard unsafe PQconsumeInput(connection) == 1 else { throw lost() }
        } while poll(forWriting: false, milliseconds: 0)
        var payloads: [String] = []
        while let notify = unsafe PQnotifies(connection) {
            payloads.append(unsafe String(cString: notify.pointee.extra))
            unsafe PQfreemem(notify)
        }
        return payloads
    }
}

extension Duration {
    /// Whole milliseconds, at most 24 days of them.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(
            clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue + attoseconds
                / 1_000_000_000_000_000)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Files that programs hand over by HTTP: kept at once, read by their flow like any other.

package import BlobStore
internal import ConnectorKit
internal import Crypto
package import Diagnostics
package import FileTransfer
internal import Jobs
package import Mapping
package import PostgreSQL

/// Takes files for flows whose connector is ``UploadedFiles``.
package struct Uploads: Sendable {
    /// A flow that a caller may hand files to.
    package struct Target: Sendable {
        let flow: Int
        let definition: FlowDefinition
        /// What the file is called.
        let file: String
    }

    /// What became of a file that was handed over.
    package struct Receipt: Sendable, Hashable {
        /// Number of the upload; the same for the same bytes.
        package let upload: Int
        /// Whether these bytes had been handed over before: then nothing happens.
        package let isKnown: Bool
        /// The job that reads it; nil when it was known.
        package let job: Int?
    }

    private let pool: Pool
    private let connectors: ConnectorRegistry
    private let mappings: MappingShelf
    private let blobs: BlobStore
    private let secrets: Secrets
    private let turn = Turn()

    /// Takes files into a database, and what is too large for it beside that.
    package init(
        pool: Pool, connectors: ConnectorRegistry, mappings: MappingShelf, blobs: BlobStore,
        secrets: Secrets
    ) {
        self.pool = pool
        self.connectors = connectors
        self.mappings = mappings
        self.blobs = blobs
        self.secrets = secrets
    }

    /// Whether a file may be handed over for a flow, before any byte of it is taken.
    ///
    /// - Parameters:
    ///   - file: what the file is called, without folders.
    ///   - token: what the caller shows.
    /// - Throws: `UPLOAD-REFUSED` without saying which of flow and token is wrong; `UPLOAD-NAME`;
    ///   `UPLOAD-UNAVAILABLE` while the flow cannot be read; `SECRET-…`.
    package func admit(_ file: String?, for name: String, token: String?) async throws -> Target {
        let target = try await open(name, token: token, file: file ?? "")
        guard FileNames.isPlain(target.file) else {
            throw UploadError(.name, at: Place(value: file))
        }
        return target
    }

    private func open(_ name: String, token: String?, file: String) async throws -> Target {
        let found = try await pool.withConnection { try await $0.run(FindFlows(name: name)) }
        guard let token, let flow = found.first, let definition = try definition(of: flow) else {
            throw UploadError(.refused)
        }
        let settings = definition.settings
        let opened = try await pool.withConnection { try await secrets.open(settings, on: $0) }
        let expected = opened.secret(UploadedFiles.token.name) ?? ""
        // Hashes take the same time to compare whatever the token is.
        guard !expected.isEmpty,
            SHA256.hash(data: Array(token.utf8)) == SHA256.hash(data: Array(expected.utf8))
        else { throw UploadError(.refused) }
        return Target(flow: flow.id, definition: definition, file: file)
    }

    /// The flow's definition; nil where it takes no uploads.
    private func definition(of flow: FlowSummary) throws -> FlowDefinition? {
        let definition: FlowDefinition
        do {
            definition = try FlowDefinition.parse(
                flow.text, file: flow.name, connectors: connectors, mappings: try mappings.library())
        } catch let faults as FlowFaults {
            // Its mapping is gone, say: the caller's token is not to blame, and what it sends must not be thrown away.
            throw UploadError(
                .unavailable, ["code": faults.faults.first?.code ?? ""], retry: .after(.seconds(300)))
        }
        return definition.connector == UploadedFiles.description.id ? definition : nil
    }

    /// Keeps a file and makes the job that reads it, in one transaction; the same bytes again change nothing.
    ///
    /// - Throws: what the blob store and the database say.
    package func keep(_ file: IncomingFile.Received, for target: Target) async throws -> Receipt {
        // Copying a large file waits for the disk, on a thread that others need too: one at a time.
        try await turn.take {
            try await self.store(file, for: target)
        }
    }

    private func store(_ file: IncomingFile.Received, for target: Target) async throws -> Receipt {
        try await pool.withConnection { connection in
            let receipt = try await connection.transaction { connection in
                if var writer = try await blobs.begin(
                    file.sha256, size: file.size, on: connection)
                {
                    try await writer.write([file.path], on: connection)
                }
                return try await keep(file, target, on: connection)
            }
            if receipt.job != nil { try await JobQueue.wake(on: connection) }
            return receipt
        }
    }

    private func keep(
        _ file: IncomingFile.Received, _ target: Target, on connection: Connection
    ) async throws -> Receipt {
        // Uploads of a flow become visible in the order of their numbers, since the flow remembers the last it read.
        _ = try await connection.run(LockUploads(flow: target.flow))
        let key = (target.flow, file.sha256)
        guard
            let upload = try await connection.run(
                KeepUpload(flow: key.0, sha256: key.1, name: target.file, size: file.size)
            ).first
        else {
            let known = try await connection.run(FindUpload(flow: key.0, sha256: key.1)).first
            return Receipt(upload: known ?? 0, isKnown: true, job: nil)
        }
        let job = FlowJob.make(target.definition, flow: target.flow, nominal: nil)
        return Receipt(
            upload: upload, isKnown: false, job: try await JobQueue.enqueue([job], on: connection).first)
    }
}

/// Lets one after the other do something.
actor Turn {
    private var isTaken = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func take<Value: Sendable>(_ body: @Sendable () async throws -> Value) async throws -> Value {
        if isTaken { await withCheckedContinuation { waiting.append($0) } }
        isTaken = true
        // The turn goes from hand to hand: nobody comes in between.
        defer { if waiting.isEmpty { isTaken = false } else { waiting.removeFirst().resume() } }
        return try await body()
    }
}

/// A file that is not taken.
package struct UploadError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case refused = "UPLOAD-REFUSED"
        case name = "UPLOAD-NAME"
        case unavailable = "UPLOAD-UNAVAILABLE"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}

/// Held until the transaction ends; 29305 follows the lock of flows.
struct LockUploads: Statement {
    let flow: Int

    static let sql = "select pg_advisory_xact_lock(29305, $1::bigint::int) is null"
    var parameters: [Parameter] { [Parameter(flow)] }
    typealias Row = Bool
}

struct KeepUpload: Statement {
    let flow: Int
    let sha256: [UInt8]
    let name: String
    let size: Int

    static let sql = """
        insert into upload (flow_id, sha256, name, size)
        values ($1::bigint, $2, $3, $4::bigint)
        on conflict (flow_id, sha256) do nothing
        returning id
        """
    var parameters: [Parameter] {
        [Parameter(flow), Parameter(Bytes(sha256)), Parameter(name), Parameter(size)]
    }
    typealias Row = Int
}

struct FindUpload: Statement {
    let flow: Int
    let sha256: [UInt8]

    static let sql = "select id from upload where flow_id = $1::bigint and sha256 = $2"
    var parameters: [Parameter] { [Parameter(flow), Parameter(Bytes(sha256))] }
    typealias Row = Int
}

/// Uploads of a flow behind a number, in order.
struct WaitingUploads: Statement {
    let flow: Int
    let after: Int

    static let sql = """
        select id, sha256, name, size
        from upload
        where flow_id = $1::bigint and id > $2::bigint
        order by id
        limit 100
        """
    var parameters: [Parameter] { [Parameter(flow), Parameter(after)] }

    struct Row: Sendable {
        let id: Int
        let sha256: [UInt8]
        let name: String
        let size: Int
    }

    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            id: try row.next(), sha256: try row.next(Bytes.self).array, name: try row.next(),
            size: try row.next())
    }
}

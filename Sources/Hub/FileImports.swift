// SPDX-License-Identifier: Apache-2.0
// Files that people hand over in the browser: kept, previewed as often as they like, imported as a job.

internal import BlobStore
internal import ConnectorKit
internal import Diagnostics
package import FileTransfer
internal import Foundation
package import Jobs
internal import Mapping
package import Model
package import PostgreSQL

/// A file that waits for its owner to say that it is to be imported.
package struct WaitingFile: Sendable {
    /// Number of the row.
    package let id: Int
    /// Number of the user who handed it over.
    package let user: Int
    /// SHA-256 of its bytes.
    package let sha256: [UInt8]
    /// Name as handed over.
    package let name: String
    /// Bytes.
    package let size: Int
    /// The mapping that the person chose; nil = by the content.
    package let mapping: String?
    /// When it was handed over.
    package let madeAt: Timestamp
    /// The job that imports it; nil before.
    package let job: Int?
    /// The run that imports it, once it has begun.
    package let run: Int?
    /// Whether a program sent it, which imports it without a look: known bytes too.
    package let isFromProgram: Bool
}

/// Keeps such files.
package struct FileImports: Sendable {
    private static let kind = "file-import"

    private let pool: Pool
    private let tools: ImportTools
    /// A preview reads a whole file: one at a time.
    private let turn = Turn()

    /// Imports with these tools.
    package init(pool: Pool, tools: ImportTools) {
        (self.pool, self.tools) = (pool, tools)
    }

    /// Keeps a file.
    ///
    /// - Returns: its number.
    /// - Throws: what the blob store and the database say.
    package func keep(
        _ file: IncomingFile.Received, name: String, mapping: String?, by user: Int
    ) async throws -> Int {
        try await pool.transaction { connection in
            let kept = KeepPreview(
                user: user, sha256: file.sha256, name: name, size: file.size, mapping: mapping,
                isFromProgram: false)
            return try await keep(file, kept, on: connection)
        }
    }

    private func keep(
        _ file: IncomingFile.Received, _ row: KeepPreview, on connection: Connection
    ) async throws -> Int {
        if var writer = try await tools.settings.blobs.begin(file.sha256, size: file.size, on: connection) {
            try await writer.write([file.path], on: connection)
        }
        return try await connection.run(row).first ?? 0
    }

    /// Keeps a file of a program and lets it be imported, in the caller's transaction, who wakes the workers after.
    ///
    /// - Returns: its number.
    /// - Throws: what the blob store and the database say.
    package func take(
        _ file: IncomingFile.Received, name: String, mapping: String?, by user: Int, on connection: Connection
    ) async throws -> Int {
        let row = KeepPreview(
            user: user, sha256: file.sha256, name: name, size: file.size, mapping: mapping,
            isFromProgram: true)
        let id = try await keep(file, row, on: connection)
        try await Self.start(id, on: connection)
        return id
    }

    /// One; nil where there is none with this number.
    package func show(_ id: Int) async throws -> WaitingFile? {
        try await pool.withConnection { try await show(id, on: $0) }
    }

    /// The same on a connection whose transaction may have made it.
    package func show(_ id: Int, on connection: Connection) async throws(PostgreSQLError) -> WaitingFile? {
        try await connection.run(FindPreviews(id: id)).first
    }

    /// Whether the job of a file ended without a run: why is in the history of jobs.
    package func isGivenUp(_ file: WaitingFile) async throws -> Bool {
        guard let job = file.job, file.run == nil else { return false }
        return try await pool.withConnection { try await $0.run(LiveJob(id: job)) }.isEmpty
    }

    /// Those that were not imported yet, the latest first.
    package func list() async throws -> [WaitingFile] {
        try await pool.withConnection { try await $0.run(FindPreviews(id: nil)) }
    }

    /// What an import would do; `onRecord` gets each record. Whoever asks meanwhile waits.
    package func preview(
        _ file: WaitingFile, onRecord: @escaping @Sendable (RecordPreview) -> Void
    ) async throws -> [FileReport] {
        let engine = PreviewEngine(
            pool: pool, source: "erp", tools.settings, chooser: try chooser(file))
        return try await turn.take {
            try await withCopy(of: file) { try await engine.run($0, onRecord: onRecord) }
        }
    }

    /// Runs `body` with a copy of a file, made before any other connection is taken.
    private func withCopy<Value>(
        of file: WaitingFile, _ body: (KeptFile) async throws -> Value
    ) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try await pool.withConnection { connection in
            try await tools.settings.blobs.copy(
                0..<file.size, of: file.sha256, to: folder.path, as: "file", on: connection)
        }
        return try await body(KeptFile(name: file.name, path: folder.appending(path: "file").path))
    }

    /// Lets a file be imported; a second time changes nothing.
    ///
    /// - Returns: the job's number.
    package func start(_ id: Int) async throws {
        try await pool.withConnection { connection in
            try await connection.transaction { try await Self.start(id, on: $0) }
            try await JobQueue.wake(on: connection)
        }
    }

    private static func start(_ id: Int, on connection: Connection) async throws {
        guard let file = try await connection.run(FindPreviews(id: id)).first, file.job == nil else { return }
        var job = NewJob(kind, in: .interactive)
        job.unique = "\(kind):\(id)"
        job.payload = JSONText(facts: ["preview": String(id)])
        let made = try await JobQueue.enqueue([job], on: connection)
        try await connection.execute(StartPreview(id: id, job: made.first))
    }

    /// The run of a file whose import was started; nil where it has not begun within two seconds.
    package func begun(_ id: Int) async throws -> Int? {
        for _ in 0..<20 {
            if let run = try await show(id)?.run { return run }
            try await Task.sleep(for: .milliseconds(100))
        }
        return nil
    }

    /// Whether the file of a run was handed over here, did not get to its end, and is still kept.
    package func mayResume(_ run: Int) async throws -> Bool {
        try await pool.withConnection { try await !$0.run(BrokenOff(run: run)).isEmpty }
    }

    /// Imports the file of a run that did not get to its end once more: what is written already is unchanged then.
    ///
    /// - Returns: the number of the file; nil where there is none to go on with.
    package func resume(_ run: Int, by user: Int) async throws -> Int? {
        try await pool.withConnection { connection in
            let made = try await connection.transaction { connection -> Int? in
                guard let id = try await connection.run(RepeatPreview(run: run, user: user)).first else {
                    return nil
                }
                try await Self.start(id, on: connection)
                return id
            }
            try await JobQueue.wake(on: connection)
            return made
        }
    }

    /// Forgets a file that is not to be imported; one whose import has begun stays.
    package func discard(_ id: Int) async throws {
        try await pool.withConnection { _ = try await $0.execute(DiscardPreview(id: id)) }
    }

    /// The handlers of these jobs, by their kind.
    package var handlers: [String: Worker.Handler] {
        [Self.kind: { try await run($0) }]
    }

    private func run(_ running: RunningJob) async throws -> Int? {
        let id = running.job.payload.objectOfTexts["preview"].flatMap { Int($0) } ?? 0
        guard let file = try await show(id) else { return nil }
        var settings = tools.settings
        settings.fence = { connection in try await running.hold(on: connection) }
        settings.skipsKnown = !file.isFromProgram
        let engine = ImportEngine(pool: pool, source: "erp", settings, chooser: try chooser(file))
        do {
            return try await withCopy(of: file) { try await engine.run($0, preview: id) }.run
        } catch let error as RunError {
            guard let run = error.stoppedRun else { throw error }
            return run
        }
    }

    private func chooser(_ file: WaitingFile) throws -> MappingChooser {
        let library = try tools.mappings.library()
        return MappingChooser(library, named: try file.mapping.map { try library.mapping($0) })
    }

    static let statements: [any Statement.Type] = [
        KeepPreview.self, FindPreviews.self, StartPreview.self, DiscardPreview.self, LiveJob.self,
        BrokenOff.self, RepeatPreview.self,
    ]
}

/// Delivers one file.
struct KeptFile: Connector {
    static let description = ConnectorDescription(id: "kept", version: 1, settings: [], mappings: [])

    private let file: (name: String, path: String)?

    init(_ settings: Settings) { file = nil }

    init(name: String, path: String) { file = (name, path) }

    static func check(_ settings: Settings) -> [Diagnostic] { [] }

    func discover() -> [StreamDescription] { [StreamDescription(name: "files")] }

    func sample(_ stream: String, limit: Int) -> [ConnectorItem] { [] }

    func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        guard let file else { return }
        _ = try await deliver(.artifact(name: file.name, path: file.path))
    }
}

struct KeepPreview: Statement {
    let user: Int
    let sha256: [UInt8]
    let name: String
    let size: Int
    let mapping: String?
    let isFromProgram: Bool

    static let sql = """
        insert into preview (user_id, sha256, name, size, mapping, is_from_program)
        values ($1::bigint, $2, $3, $4::bigint, $5, $6)
        returning id
        """
    var parameters: [Parameter] {
        [
            Parameter(user), Parameter(Bytes(sha256)), Parameter(name), Parameter(size), Parameter(mapping),
            Parameter(isFromProgram),
        ]
    }
    typealias Row = Int
}

struct FindPreviews: Statement {
    let id: Int?

    static let sql = """
        select id, user_id, sha256, name, size, mapping, made_at, job_id, run_id, is_from_program
        from preview
        where discarded_at is null and case when $1::bigint is null then job_id is null else id = $1 end
        order by id desc
        limit 50
        """
    var parameters: [Parameter] { [Parameter(id)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> WaitingFile {
        WaitingFile(
            id: try row.next(), user: try row.next(), sha256: try row.next(Bytes.self).array,
            name: try row.next(), size: try row.next(), mapping: try row.next(), madeAt: try row.next(),
            job: try row.next(), run: try row.next(), isFromProgram: try row.next())
    }
}

struct LiveJob: Statement {
    let id: Int

    static let sql = "select true from job where id = $1::bigint"
    var parameters: [Parameter] { [Parameter(id)] }
    typealias Row = Bool
}

struct StartPreview: Statement {
    let id: Int
    let job: Int?

    static let sql = "update preview set job_id = $2::bigint where id = $1::bigint and job_id is null"
    var parameters: [Parameter] { [Parameter(id), Parameter(job)] }
}

struct DiscardPreview: Statement {
    let id: Int

    // The row stays until its file's time is over: without it nobody would know that the file may go.
    static let sql = """
        update preview p set discarded_at = now()
        where id = $1::bigint and run_id is null
          and not exists (select from job j where j.id = p.job_id)
        """
    var parameters: [Parameter] { [Parameter(id)] }
}

/// The file of a run that did not get to its end, as long as it is kept and nobody went on with it.
struct BrokenOff: Statement {
    let run: Int

    static let condition = """
        from preview p
          join run r on r.id = p.run_id
          join blob b on b.sha256 = p.sha256
        where p.run_id = $1::bigint and r.state in ('stopped', 'failed') and r.undone_by is null
          and b.dropped_at is null
          and not exists (select from preview n where n.sha256 = p.sha256 and n.id > p.id and n.job_id is not null)
          -- a job that lives tries again by itself
          and not exists (select from job j where j.id = p.job_id)
        """
    static let sql = "select p.id \(condition)"
    var parameters: [Parameter] { [Parameter(run)] }
    typealias Row = Int
}

/// The same file once more.
struct RepeatPreview: Statement {
    let run: Int
    let user: Int

    static let sql = """
        insert into preview (user_id, sha256, name, size, mapping, is_from_program)
        select $2::bigint, p.sha256, p.name, p.size, p.mapping, p.is_from_program
        \(BrokenOff.condition)
        returning id
        """
    var parameters: [Parameter] { [Parameter(run), Parameter(user)] }
    typealias Row = Int
}

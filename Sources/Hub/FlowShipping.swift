// SPDX-License-Identifier: Apache-2.0
// Does the job of a flow that sends: what changed, by its export mapping, as files or messages.

internal import BlobStore
internal import CRM
internal import ConnectorKit
internal import Diagnostics
internal import FileSources
internal import FileTransfer
internal import Foundation
internal import Jobs
internal import Mapping
internal import Model
internal import PostgreSQL

/// Sends what has changed since the last time; each shipment is a run of kind `export`.
///
/// A shipment goes out at least once and in order: a process that dies between sending and noting it sends the same
/// under the same name, or with the same idempotency key.
struct FlowShipping {
    let pool: Pool
    let flow: FlowDefinition
    let outgoing: FlowOutgoing
    let origin: FlowOrigin
    let export: ExportDefinition
    /// The settings of the transport, opened.
    let settings: Settings
    let redaction: Redaction
    /// Where sent files are kept.
    let blobs: BlobStore
    let fence: (Connection) async throws -> Void

    /// Records that are read at once.
    private static let piece = 500

    /// - Returns: the number of the last run; nil when nothing had changed.
    func run() async throws -> Int? {
        try await pool.withConnection { connection in
            var last: Int?
            while let shipment = try await Shipment.next(
                origin.flow, outgoing, on: connection, fence: fence)
            {
                last = try await send(shipment, on: connection)
            }
            return last
        }
    }

    private func send(_ shipment: Shipment, on connection: Connection) async throws -> Int {
        let start = RunStart(kind: .export, source: flow.source, flow: origin)
        return try await RunSession.withRun(start, on: connection) { begin in
            let begun = try await begin()
            let rows = try await outgoing.entity.changed(
                after: shipment.after, upTo: shipment.upTo, except: outgoing.except,
                for: origin.flow, on: connection)
            do {
                switch outgoing.way {
                case .files(let folder, let name):
                    try await sendFile(
                        rows, shipment, Self.name(name, shipment), to: folder, begun, on: connection)
                case .webhook(let url):
                    try await sendMessages(rows, to: url, run: begun.run, on: connection)
                    try await end(shipment, on: connection)
                }
            } catch let error as any ReportableError {
                throw redaction.apply(error)
            }
            return begun.run
        }
    }

    /// Notes that a shipment is sent, in one transaction with what `body` keeps of it.
    private func end(
        _ shipment: Shipment, on connection: Connection,
        _ body: (Connection) async throws -> Void = { _ in }
    ) async throws {
        try await connection.transaction { connection in
            try await fence(connection)
            try await body(connection)
            try await shipment.end(origin.flow, on: connection)
        }
    }

    static func name(_ pattern: String, _ shipment: Shipment) -> String {
        let no = String(shipment.no)
        let padded = String(repeating: "0", count: max(0, 6 - no.count)) + no
        return pattern.replacing("{no}", with: padded).replacing("{date}", with: shipment.day.description)
    }

    // MARK: - Files

    private func sendFile(
        _ rows: [ChangedRow], _ shipment: Shipment, _ name: String, to folder: String,
        _ begun: RunSession.Begun, on connection: Connection
    ) async throws {
        let spool = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: spool) }
        var exporter = RecordExporter(export)
        var file = try DurableFile(in: spool.path)
        try await each(rows, on: connection) { _, outgoing in
            // A record with any finding is not written.
            let refusal = exporter.write(outgoing.record).first
            try file.write(exporter.take())
            return refusal
        } count: { ledger, problems in
            try await keep(ledger, problems, run: begun.run, on: connection)
        }
        guard exporter.count > 0 else { return try await end(shipment, on: connection) }
        try file.write(exporter.take(isLast: true))
        try file.finish(as: "file")
        let path = spool.appending(path: "file").path
        try await FileTargets.store(path, as: name, in: folder, settings)
        try await end(shipment, on: connection) { connection in
            try await keepFile(path, name, begun, on: connection)
        }
    }

    /// Keeps what was sent, as files that were received are kept.
    private func keepFile(
        _ path: String, _ name: String, _ begun: RunSession.Begun, on connection: Connection
    ) async throws {
        let facts = try FileFacts(try LocalFile(path))
        if var blob = try await blobs.begin(facts.sha256, size: facts.size, on: connection) {
            try await blob.write([path], on: connection)
        }
        let start = StartArtifact(
            run: begun.run, sha256: facts.sha256, name: name, size: facts.size, firstSize: nil,
            source: begun.source, mapping: nil)
        guard let artifact = try await connection.run(start).first else { return }
        try await connection.execute(
            FinishArtifact(artifact: artifact, quarantined: 0, columns: [], findings: []))
    }

    // MARK: - Messages

    private func sendMessages(
        _ rows: [ChangedRow], to url: String, run: Int, on connection: Connection
    ) async throws {
        let key = settings.secret(FlowOutgoing.signature.name)
        try await each(rows, on: connection) { row, outgoing in
            var exporter = RecordExporter(export)
            if let fault = exporter.write(outgoing.record).first { return fault }
            let json = exporter.take(isLast: true)
            guard exporter.count > 0 else { return nil }
            do throws(TransferError) {
                try await Webhook.post(
                    body(row, outgoing.site, json), to: url, key: key,
                    idempotencyKey: idempotencyKey(row, outgoing.site))
                return nil
            } catch {
                // What is wrong with a message must not hold back what comes behind it; what is wrong with the address must.
                let status = error.diagnostic.facts["detail"] ?? ""
                guard error.has(.answer), Self.refusals.contains(status) else { throw error }
                return error.diagnostic
            }
        } count: { ledger, problems in
            try await keep(ledger, problems, run: run, on: connection)
        }
    }

    /// Answers that mean: not this message, whenever it comes (RFC 9110, sections 15.5.1, .10, .14, .16, .21).
    private static let refusals = ["400", "409", "413", "415", "422"]

    /// `{"flow": …, "entity": …, "id": …, "change": …, "record": …}`; of an account with its `site`.
    private func body(_ row: ChangedRow, _ site: Int?, _ record: [UInt8]) -> [UInt8] {
        var facts = [
            "flow": flow.name, "entity": outgoing.entity.rawValue, "id": String(row.id),
            "change": change(row),
        ]
        facts["site"] = site.map(String.init)
        return Array(JSONText(facts: facts).text.utf8.dropLast()) + Array(",\"record\":".utf8)
            + record.filter { $0 != 0x0A } + Array("}".utf8)
    }

    private func idempotencyKey(_ row: ChangedRow, _ site: Int?) -> String {
        let part = site.map { ".\($0)" } ?? ""
        return "\(flow.name)-\(outgoing.entity.rawValue)-\(row.id)\(part)-\(change(row))"
    }

    private func change(_ row: ChangedRow) -> String { "\(row.at.transaction).\(row.at.sequence)" }

    // MARK: - Records

    /// Reads the records of rows piece by piece, in the order of their changes.
    ///
    /// - Parameters:
    ///   - body: sends a record; what it returns is why it is not sent.
    ///   - count: keeps what became of a piece.
    private func each(
        _ rows: [ChangedRow], on connection: Connection,
        _ body: (ChangedRow, OutgoingRecord) async throws -> Diagnostic?,
        count: (RunLedger, [Diagnostic]) async throws -> Void
    ) async throws {
        for start in stride(from: 0, to: rows.count, by: Self.piece) {
            let part = rows[start..<min(start + Self.piece, rows.count)]
            let records = try await outgoing.entity.records(
                of: part.map(\.id), source: flow.source, on: connection)
            let byRow = Dictionary(grouping: records, by: \.id)
            var ledger = RunLedger()
            var problems: [Diagnostic] = []
            for row in part {
                for record in byRow[row.id] ?? [] {
                    guard var problem = try await body(row, record) else {
                        ledger.unchanged += 1
                        continue
                    }
                    problem.facts["entity"] = outgoing.entity.rawValue
                    problem.place.file = "\(outgoing.entity.rawValue) \(row.id)"
                    problems.append(problem)
                    ledger.skipped += 1
                }
            }
            try await count(ledger, problems)
        }
    }

    /// What was sent counts as unchanged, what could not be as skipped, with its reason.
    private func keep(
        _ ledger: RunLedger, _ problems: [Diagnostic], run: Int, on connection: Connection
    ) async throws {
        try await connection.transaction { connection in
            try await fence(connection)
            try await connection.execute(AddToRun(run: run, ledger: ledger))
            for problem in problems {
                try await connection.execute(KeepProblem(run: run, problem: redaction.apply(problem)))
            }
        }
    }
}

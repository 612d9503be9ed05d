// SPDX-License-Identifier: Apache-2.0
// A database of its own with everything that imports, previews, replays and undoes.

import BlobStore
import CRM
import ConnectorKit
import Diagnostics
import ERPConnector
import Foundation
import Hub
import Mapping
import PostgreSQL
import RelaisTesting
import Testing

/// A database of its own with an import engine on it.
final class Workbench: Sendable {
    let pool: Pool
    let folder: URL
    let blobs: BlobStore
    private let engine: ImportEngine
    private let chooser: MappingChooser
    private let settings: ImportSettings

    init(
        batchSize: Int = 5000, mapping: MappingDefinition? = nil, keepsFiles: Bool = false,
        blobFolder: URL? = nil, url: String? = nil
    ) async throws {
        let database = if let url { url } else { try await TestDatabase.migrated() }
        // On a busy machine a turn may take long: no test is about that.
        pool = Pool(database, limits: Pool.Limits(wait: .seconds(300)))
        folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        chooser = MappingChooser(try MappingLibrary.shipped(), named: mapping)
        let kept = blobFolder ?? (keepsFiles ? folder.appending(path: "blobs") : nil)
        blobs = BlobStore(folder: kept?.path)
        settings = ImportSettings(batchSize: batchSize, blobs: blobs)
        engine = ImportEngine(pool: pool, source: "erp", settings, chooser: chooser)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func write(_ text: String, _ name: String) throws -> String {
        let file = folder.appending(path: name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    func run(_ paths: [String]) async throws -> ImportReport {
        do {
            return try await engine.run(ERPConnector(Settings(["paths": paths])))
        } catch let error as PostgreSQLError {
            Issue.record("\(error.diagnostic.facts)")
            throw error
        }
    }

    /// An import by a mapping of the test's own, or one that may fail.
    func run(
        _ paths: [String], mapping: MappingDefinition?, _ progress: (ImportProgress) -> Void = { _ in }
    ) async throws -> ImportReport {
        let chooser = MappingChooser(try MappingLibrary.shipped(), named: mapping)
        let engine = ImportEngine(pool: pool, source: "erp", settings, chooser: chooser)
        return try await engine.run(ERPConnector(Settings(["paths": paths])), progress: progress)
    }

    func accounts(_ rows: String..., name: String = "comptes.csv") async throws -> RunLedger {
        let header = "id,name,siren,siret,tva,street,postcode,city,phone\n"
        return try await run([try write(header + rows.joined(separator: "\n") + "\n", name)]).ledger
    }

    func numbers(_ sql: String) async throws -> [Int] {
        try await pool.withConnection { try await $0.run(AdHoc<Int>(sql)) }
    }

    func texts(_ sql: String) async throws -> [String?] {
        try await pool.withConnection { try await $0.run(AdHoc<String?>(sql)) }
    }

    func script(_ sql: String) async throws {
        try await pool.withConnection { try await $0.script(sql) }
    }

    /// A digest of every CRM row with the transaction that wrote it: equal digests mean that nothing was written.
    func digest() async throws -> [String?] {
        var digests: [String?] = []
        for table in [
            "party", "org", "site", "contact_point", "external_identity", "field_claim", "sales_doc",
            "sales_doc_line",
            "sales_doc_tax", "change_log", "run_change", "quarantine",
        ] {
            digests += try await texts(
                "select md5(string_agg(t::text || t.xmin::text, '|' order by t::text)) from \(table) t")
        }
        return digests
    }

    // MARK: - The rest of the engine

    /// What an import of some files would do: an outcome a record, and the counts.
    func preview(_ paths: [String]) async throws -> (outcomes: [RecordPreview], ledger: RunLedger) {
        var records: [RecordPreview] = []
        let engine = PreviewEngine(pool: pool, source: "erp", settings, chooser: chooser)
        let reports = try await engine.run(ERPConnector(Settings(["paths": paths]))) { records.append($0) }
        return (records, reports.reduce(into: RunLedger()) { $0 += $1.ledger })
    }

    /// What a preview says of each file.
    func previewReports(_ paths: [String]) async throws -> [FileReport] {
        let engine = PreviewEngine(pool: pool, source: "erp", settings, chooser: chooser)
        return try await engine.run(ERPConnector(Settings(["paths": paths]))) { _ in }
    }

    @discardableResult
    func undo(_ run: Int, isDryRun: Bool = false) async throws -> UndoReport {
        try await UndoEngine(pool: pool).undo(run, isDryRun: isDryRun)
    }

    func replay(_ filter: QuarantineFilter, own: MappingDefinition? = nil) async throws -> ReplayReport {
        try await ReplayEngine(pool: pool, library: try MappingLibrary.shipped(), own: own, settings).run(
            filter)
    }

    func correct(_ filter: QuarantineFilter, _ fields: [String: String]) async throws -> Int {
        try await pool.withConnection { connection in
            try await Quarantine.correct(filter, fields, try MappingLibrary.shipped(), on: connection)
        }
    }

    /// A file of flat invoices.
    func invoices(_ rows: [String], name: String = "factures.csv") throws -> String {
        let header =
            "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;MontantHT;MontantTVA;MontantTTC;Devise;Statut\n"
        return try write(header + rows.joined(separator: "\n") + "\n", name)
    }

    /// What the CRM holds, without what a second way to the same state may number otherwise.
    func content() async throws -> [String?] {
        let lists = [
            "select name || coalesce(siren, '') || coalesce(vat, '') from party left join org on party_id = id",
            "select coalesce(siret, '') || coalesce(city, '') || coalesce(postal_code, '') from site",
            "select kind || value_norm from contact_point", "select ext_id from external_identity",
            "select entity || field || coalesce(value, '') || source_id from field_claim",
            "select kind || number || year || gross_total || coalesce(net_total, 0) || coalesce(due_on::text, '') from sales_doc",
            "select d.number || l.no || coalesce(l.label, '') || coalesce(l.net, 0) from sales_doc_line l join sales_doc d on d.id = l.doc_id",
        ]
        var digests: [String?] = []
        for list in lists {
            digests += try await texts(
                "select string_agg(t, '|' order by t collate \"C\") from (\(list)) x(t)")
        }
        return digests
    }
}

// SPDX-License-Identifier: Apache-2.0
// What all files of an import have in common.

package import BlobStore
internal import CRM
package import Diagnostics
internal import Mapping
package import Model
package import PostgreSQL

/// How bad a file may be, where a flow and not its mapping says so.
package struct ImportLimits: Sendable, Hashable {
    /// Records with an error, at most this many.
    package var stopAfter: Int?
    /// Records with an error, at most this share.
    package var stopRatio: Decimal?
    /// Records that change something known, at most this share.
    package var stopChanged: Decimal?
    /// Whether columns that come or go refuse a file.
    package var stopsOnDrift = false

    /// No limits but those of mappings.
    package init() {}

    /// A mapping's policy with what is said here in its place.
    func applied(to policy: ErrorPolicy) -> ErrorPolicy {
        var policy = policy
        policy.limit.count = stopAfter ?? policy.limit.count
        policy.limit.ratio = stopRatio ?? policy.limit.ratio
        policy.changedRatio = stopChanged ?? policy.changedRatio
        return policy
    }

    /// Why a file is refused whose columns changed; nil where that is only warned of.
    func refusal(_ warnings: [Diagnostic]) -> Diagnostic? {
        let drift = [ImportFinding.newColumn.rawValue, ImportFinding.goneColumn.rawValue]
        guard stopsOnDrift, var finding = warnings.first(where: { drift.contains($0.code) }) else {
            return nil
        }
        finding.severity = .error
        return finding
    }
}

/// How imports work.
package struct ImportSettings: Sendable {
    /// Our own company's SIREN, where it is known: documents of other issuers are left out then.
    package var companySIREN: String?
    /// Records committed together.
    package var batchSize = 5000
    /// Where files are kept.
    package var blobs: BlobStore
    /// Runs in every transaction that writes; throws when whoever imports must not write any more.
    package var fence: @Sendable (Connection) async throws -> Void = { _ in }
    /// What a flow says of a file's faults, in the place of its mapping.
    package var limits = ImportLimits()
    /// Whether bytes that were applied before are left out.
    package var skipsKnown = true
    /// Takes the secrets of the connector out of what it says.
    package var redaction = Redaction()

    /// The settings of imports.
    package init(
        companySIREN: String? = nil, batchSize: Int = 5000, blobs: BlobStore = BlobStore()
    ) {
        self.blobs = blobs
        self.companySIREN = companySIREN
        self.batchSize = batchSize
    }

    /// What the records of a file have in common.
    func context(
        _ file: FileRecords, run: Int, source: Int, artifact: Int, on connection: Connection,
        isReadOnly: Bool = false
    ) async throws -> ImportContext {
        let target = file.mapping.target
        let needsCompany =
            target === EntitySchema.contract
            || target === EntitySchema.invoice && !file.mapping.fills("seller.")
        var context = ImportContext(
            run: run, source: source, artifact: artifact,
            company: needsCompany && !isReadOnly
                ? try await Company.ensure(siren: companySIREN, on: connection)
                : try await Company.known(on: connection) ?? (needsCompany ? Company.provisional : nil),
            matching: file.mapping.accountMatch.forCRM,
            change: file.mapping.upsert.changed == .quarantine ? .quarantine : .write, key: file.key,
            today: try await connection.run(Today()).first ?? CalendarDate(daysSince1970: 0))
        context.decisions = try await MatchDecisions.load(source: source, on: connection)
        context.onlyIssuer = companySIREN
        for (collection, key) in file.mapping.upsert.childKeys {
            let missing = ChildPolicy.Missing(rawValue: file.mapping.upsert.missingChildren.rawValue) ?? .keep
            context.children[collection] = ChildPolicy(key: key, missing: missing)
        }
        try await file.plan.makeStages(on: connection)
        return context
    }
}

/// The source systems whose claims records are.
enum SourceSystem {
    /// The one that a mapping names, or the one given.
    static func id(
        of mapping: MappingDefinition, besides given: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        guard let system = mapping.accountMatch.system else { return given }
        return try await connection.run(SourceID(code: system)).first ?? given
    }
}

/// The database's day, so that all that work on it agree.
struct Today: Statement {
    static let sql = "select current_date"
    typealias Row = CalendarDate
}

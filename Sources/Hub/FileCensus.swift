// SPDX-License-Identifier: Apache-2.0
// The first pass over a file, before anything is decided: is it whole, has it too many faults, which keys conflict.

internal import CRM
internal import Diagnostics
internal import Mapping
internal import Model
internal import PostgreSQL

/// What the first pass over the records found.
struct FileCensus: Sendable {
    /// Records of the file, those that are wanted, and those with an error.
    private(set) var records = 0
    private(set) var wanted = 0
    private(set) var faulty = 0
    /// What is wrong with the file as a whole; an error refuses it.
    private(set) var findings: [Diagnostic] = []
    /// Names of its columns, where it has any.
    private(set) var columns: [String] = []
    /// Keys whose records differ, by their hash.
    private(set) var conflicting: Set<Int> = []
    /// Keys that come more than once: only these need to be remembered while the file is applied.
    private(set) var repeated: Set<Int> = []

    /// Why the file as a whole is refused.
    private(set) var refusal: Diagnostic?

    /// Parses the whole file without applying anything.
    init(
        _ file: FileRecords, _ bytes: FileBytes, overrides: RecordOverrides = RecordOverrides(),
        _ progress: (Int) async throws -> Void
    ) async throws {
        // Hash of the first record's values by hash of its key.
        var first: [Int: Int] = [:]
        let key = file.key
        let policy = file.mapping.errorPolicy
        let end = try await file.read(bytes, overrides: overrides) { items, done in
            wanted += items.count
            for item in items {
                guard item.isApplicable else {
                    faulty += 1
                    if policy.record == .stop, refusal == nil {
                        refusal = item.findings.first { $0.severity == .error }
                    }
                    continue
                }
                guard item.record.origin.repetition == 0,
                    let key = file.plan.key(of: item.record, key)
                else { continue }
                let content = item.record.contentHash
                if let known = first[key] {
                    repeated.insert(key)
                    if known != content { conflicting.insert(key) }
                } else {
                    first[key] = content
                }
            }
            try await progress(done)
        }
        records = end.records
        findings = end.findings
        columns = end.columns
        refusal = refusal ?? end.findings.first { $0.severity == .error }
        if refusal == nil, policy.limit.isPassed(errors: faulty, records: records) {
            refusal = Diagnostic(
                code: ImportFinding.tooManyErrors.rawValue,
                facts: ["errors": String(faulty), "records": String(records)])
        }
    }

    /// What to look at though the file is applied: findings about all of it, and columns that come or go.
    func warnings(
        _ file: FileRecords, source: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [Diagnostic] {
        let drift = try await ColumnDrift.findings(
            columns, of: file.mapping, source: source, on: connection)
        return (findings.filter { $0.severity != .error } + drift).map { finding in
            var finding = finding
            finding.place = finding.place.inFile(file.fileName)
            return finding
        }
    }
}

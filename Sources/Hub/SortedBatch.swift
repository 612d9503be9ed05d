// SPDX-License-Identifier: Apache-2.0
// Sorting a batch before the database sees it: what can be applied, what cannot and why.

internal import CRM
internal import Diagnostics
internal import Mapping
internal import Model

/// A batch sorted into what can be applied and what cannot.
struct SortedBatch {
    var applicable: [MappedItem] = []
    var refused: [(item: MappedItem, reason: Diagnostic, stage: String)] = []
    var skipped = 0
    private let plan: any ImportPlan
    private let key: [RecordKeyPart]
    private let conflicting: Set<Int>
    private let repeated: Set<Int>

    init(_ file: FileRecords, _ census: FileCensus) {
        plan = file.plan
        key = file.key
        conflicting = census.conflicting
        repeated = census.repeated
    }

    /// Adds a record; `seen` has the keys of those before that come more than once.
    mutating func add(_ item: MappedItem, _ seen: inout Set<Int>) {
        if let error = item.findings.first(where: { $0.severity == .error }) {
            return refused.append((item, error, error.stage))
        }
        guard item.record.origin.repetition == 0, let key = plan.key(of: item.record, key) else {
            return applicable.append(item)
        }
        if conflicting.contains(key) {
            let place = Place(line: item.record.origin.line)
            refused.append(
                (item, Diagnostic(code: ImportFinding.keyConflict.rawValue, place: place), "validate"))
        } else if repeated.contains(key), !seen.insert(key).inserted {
            skipped += 1
        } else {
            applicable.append(item)
        }
    }
}

extension Diagnostic {
    /// The stage of an import that finds this.
    var stage: String {
        if code.hasPrefix("FIELD-") { return "map" }
        if code.hasPrefix("CSV-") || code.hasPrefix("XML-") { return "parse" }
        if code.hasPrefix("MATCH-") { return "match" }
        if code == ImportFinding.superseded.rawValue { return "write" }
        return code.hasPrefix("PG-") ? "write" : "validate"
    }
}

extension Record {
    /// A hash of all values, equal for equal records of one process.
    var contentHash: Int {
        var hasher = Hasher()
        for cell in cells { combine(cell, into: &hasher) }
        for table in children {
            hasher.combine(table.count)
            for cell in table.cells { combine(cell, into: &hasher) }
        }
        return hasher.finalize()
    }
}

extension AccountMatch {
    /// The same in the CRM's words.
    var forCRM: ImportContext.Matching {
        ImportContext.Matching(
            keys: attempts.compactMap { PartyKey(rawValue: $0.key.rawValue) },
            creation: unknown == .create ? .always : unknown == .createChecked ? .withValidIdentifier : .never
        )
    }
}

// SPDX-License-Identifier: Apache-2.0
// How records of one entity enter the CRM; the hub runs the plan and owns no CRM SQL.

package import Diagnostics
package import Model
package import PostgreSQL

/// What all records of a batch have in common.
package struct ImportContext: Sendable {
    /// How parties are found.
    package struct Matching: Sendable {
        /// Keys in the order they are tried.
        package var keys: [PartyKey]
        /// Whether an unknown party is made from a record.
        package var creation: Creation

        /// How parties are looked up, in order, and when an unknown one is made.
        package init(keys: [PartyKey], creation: Creation) {
            self.keys = keys
            self.creation = creation
        }
    }

    /// When an unknown party is made from a record.
    package enum Creation: Sendable {
        case always, withValidIdentifier, never
    }

    /// What happens to a known record that comes with other content.
    package enum Change: Sendable {
        case write, quarantine
    }

    /// Number of the run.
    package var run: Int
    /// Number of the source system whose claims the records are.
    package var source: Int
    /// Number of the file.
    package var artifact: Int
    /// How parties are found.
    package var matching: Matching
    /// What happens to known records with other content.
    package var change: Change

    /// The run, source system and artifact by their ids in the database.
    package init(run: Int, source: Int, artifact: Int, matching: Matching, change: Change) {
        self.run = run
        self.source = source
        self.artifact = artifact
        self.matching = matching
        self.change = change
    }
}

/// What happened to one record.
package enum ImportOutcome: Sendable, Hashable {
    case inserted
    case updated
    case unchanged
    /// Left out because the same record came before in the batch.
    case skipped
    /// Kept for a person, with the reason.
    case quarantined(Diagnostic)
}

/// The way of one entity's records into the CRM.
package protocol ImportPlan: Sendable {
    /// The entity it takes.
    var schema: EntitySchema { get }

    /// A text that two records share exactly when they are the same thing; nil when a record names nothing.
    func key(of record: Record) -> String?

    /// Applies a batch inside the caller's transaction.
    ///
    /// - Returns: one outcome a record, in their order.
    func apply(
        _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws -> [ImportOutcome]
}

/// The plans of all entities.
package enum ImportPlans {
    /// The plan for an entity; nil for one that cannot be imported.
    package static func plan(for schema: EntitySchema) -> (any ImportPlan)? {
        let plans: [any ImportPlan] = [AccountImport(), DocumentImport()]
        return plans.first { $0.schema === schema }
    }
}

/// Reasons why a record waits for a person.
package enum ImportFinding: String, CaseIterable, Sendable {
    case noMatch = "MATCH-NONE"
    case manyMatches = "MATCH-MANY"
    case conflict = "MATCH-CONFLICT"
    case keyConflict = "KEY-CONFLICT"
    case changed = "CONTENT-CHANGED"
    case tooManyErrors = "LIMIT-ERRORS"
    case unsupportedEntity = "IMPORT-ENTITY"

    /// The reason at a place of a record.
    func diagnostic(_ facts: [String: String] = [:], field: String, of record: Record) -> Diagnostic {
        Diagnostic(
            code: rawValue, facts: facts,
            place: Place(line: record.origin.line, field: field, value: record[field]?.description))
    }
}

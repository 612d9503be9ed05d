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
    /// Our own company, which issued the documents that name nobody; nil where nobody knows it.
    package var company: Int?
    /// How parties are found.
    package var matching: Matching
    /// What happens to known records with other content.
    package var change: Change
    /// The fields that make a record the same one again, for entities without a key of their own.
    package var key: [RecordKeyPart]
    /// What becomes of child rows that a known record no longer has, by collection.
    package var children: [String: ChildPolicy] = [:]
    /// What people decided on descriptions of parties.
    package var decisions = MatchDecisions()
    /// Whether the records waited in quarantine: nothing newer is overwritten.
    package var isReplay = false
    /// The day on which it is decided what is overdue.
    package var today: CalendarDate
    /// SIREN of our own company, where only its documents are wanted.
    package var onlyIssuer: String?

    /// The run, source system and artifact by their ids in the database.
    package init(
        run: Int, source: Int, artifact: Int, company: Int?, matching: Matching, change: Change,
        key: [RecordKeyPart], today: CalendarDate
    ) {
        self.run = run
        self.source = source
        self.artifact = artifact
        self.company = company
        self.matching = matching
        self.change = change
        self.key = key
        self.today = today
    }
}

/// What becomes of the child rows of a known record that it no longer has.
package struct ChildPolicy: Sendable, Hashable {
    /// What becomes of one.
    package enum Missing: String, Sendable {
        case keep, close, delete
    }

    /// The field that names a row.
    package let key: String
    /// What becomes of a row whose name is gone.
    package let missing: Missing

    /// Rows with a name of their own.
    package init(key: String, missing: Missing) {
        self.key = key
        self.missing = missing
    }
}

/// A part of the key that a mapping gives its records.
package enum RecordKeyPart: Sendable, Hashable {
    /// A field, by its slot.
    case field(Int)
    /// The year of a date, by its slot.
    case year(Int)
    /// The record's number among those of its file with an equal key otherwise.
    case ordinal
}

/// What happened, or is to happen, to one record.
package enum ImportOutcome: Sendable, Hashable {
    case inserted
    case updated
    case unchanged
    /// Left out: the same record came before in the batch, or for the reason given.
    case skipped(Diagnostic?)
    /// Kept for a person, with the reason.
    case quarantined(Diagnostic)
}

/// What becomes of one record, and why.
package struct RecordDecision: Sendable {
    /// What becomes of it.
    package var outcome: ImportOutcome
    /// Table of the row that it speaks of; nil for a new one.
    package let entity: String?
    /// Number of that row.
    package let id: Int?
    /// Columns that change, as they are: a JSON object.
    package var before: JSONText?
    /// The same columns as they will be.
    package var after: JSONText?
    /// How its parties were found.
    package var traces: [MatchTrace] = []
    /// What a person is to decide before it can be applied.
    package var question: MatchQuestion?

    /// A decision on a row; none for a new one.
    init(_ outcome: ImportOutcome, _ entity: String? = nil, _ id: Int? = nil) {
        self.outcome = outcome
        self.entity = entity
        self.id = id
    }

    /// A record that the database refuses for what it holds.
    package static func refused(_ reason: Diagnostic) -> RecordDecision {
        RecordDecision(.quarantined(reason))
    }

    /// Notes how the parties were found and, where that is why the record waits, what is to be decided.
    mutating func explain(_ answer: PartyResolver.Answer) {
        traces = answer.traces
        if case .quarantined = outcome { question = answer.question }
    }
}

/// A batch that has been decided on and can be written.
package struct PreparedBatch: Sendable {
    /// One decision a record, in their order.
    package let decisions: [RecordDecision]
    /// Writes it, inside the transaction it was prepared in.
    package let write: @Sendable (Connection) async throws -> Void
}

/// The way of one entity's records into the CRM.
package protocol ImportPlan: Sendable {
    /// The entity it takes.
    var schema: EntitySchema { get }

    /// A hash, of this process, that two records share when they are the same thing; nil when one names nothing.
    ///
    /// - Parameter key: what the mapping says makes a record the same one again.
    func key(of record: Record, _ key: [RecordKeyPart]) -> Int?

    /// The fields that people know columns by, where they differ.
    var fieldOfColumn: [String: String] { get }

    /// Makes the temporary tables that its records are compared in, for the rest of the session.
    func makeStages(on connection: Connection) async throws(PostgreSQLError)

    /// Decides on a batch without writing anything but temporary tables.
    ///
    /// - Parameter foresight: what earlier records are going to make.
    func prepare(
        _ records: [Record], _ context: ImportContext, _ foresight: inout Foresight, on connection: Connection
    ) async throws -> PreparedBatch
}

extension ImportPlan {
    /// No column is called otherwise.
    package var fieldOfColumn: [String: String] { [:] }

    /// Its records are compared in place.
    package func makeStages(on connection: Connection) async throws(PostgreSQLError) {}
}

extension MirrorTable {
    /// The fields that people know its columns and child tables by.
    static var fieldOfColumn: [String: String] {
        let columns = (key + columns).compactMap { column in column.field.map { (column.name, $0) } }
        return Dictionary(columns + children.map { ($0.name, $0.collection) }) { first, _ in first }
    }
}

/// The plans of all entities.
package enum ImportPlans {
    /// The plan for an entity; nil for one that cannot be imported.
    package static func plan(for schema: EntitySchema) -> (any ImportPlan)? {
        all.first { $0.schema === schema }
    }

    /// Every one.
    package static let all: [any ImportPlan] = [
        AccountImport(), PersonImport(), MirrorImport(SalesDocMirror.self), MirrorImport(ContractMirror.self),
        MirrorImport(PaymentMirror.self), MirrorImport(StatusMirror.self), MirrorImport(LedgerMirror.self),
        MirrorImport(BankStatementMirror.self),
    ]

    static let mirrors: [any MirrorTable.Type] = [
        SalesDocMirror.self, ContractMirror.self, PaymentMirror.self, StatusMirror.self, LedgerMirror.self,
        BankStatementMirror.self,
    ]
}

/// Reasons why a record waits for a person.
package enum ImportFinding: String, CaseIterable, Sendable {
    case noMatch = "MATCH-NONE"
    case manyMatches = "MATCH-MANY"
    case conflict = "MATCH-CONFLICT"
    case keyConflict = "KEY-CONFLICT"
    case similar = "MATCH-SIMILAR"
    case changed = "CONTENT-CHANGED"
    case superseded = "REPLAY-OLDER"
    case notOurSale = "NOT-OUR-SALE"
    case tooManyErrors = "LIMIT-ERRORS"
    case tooManyChanges = "LIMIT-CHANGED"
    case unsupportedEntity = "IMPORT-ENTITY"
    case newColumn = "DRIFT-COLUMN-NEW"
    case goneColumn = "DRIFT-COLUMN-GONE"

    /// The reason at a place of a record.
    func diagnostic(_ facts: [String: String] = [:], field: String, of record: Record) -> Diagnostic {
        Diagnostic(
            code: rawValue, facts: facts,
            place: Place(line: record.origin.line, field: field, value: record[field]?.description))
    }
}

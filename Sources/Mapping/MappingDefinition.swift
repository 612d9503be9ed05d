// SPDX-License-Identifier: Apache-2.0
// A mapping file, read and checked: what a compiled mapping is made from.

package import Diagnostics
package import Model
internal import Rules

/// One mapping of the library.
package struct MappingDefinition: Sendable {
    /// Its name, as `--mapping` takes it.
    package let name: String
    /// Its version, from 1.
    package let version: Int
    /// The entity its records become.
    package let target: EntitySchema
    /// How an account is found for a record, in order.
    package let accountMatch: AccountMatch
    /// What makes a record the same one again, and what happens when it comes with other content.
    package let upsert: UpsertRule
    /// What happens to faulty records, and how many a file may have.
    package var errorPolicy: ErrorPolicy
    /// Whether the billing status of documents is derived from these records.
    package let derivesBillingStatus: Bool
    /// Files beside the mapping that it is tested with, as patterns.
    package let tests: [String]
    /// The file's text, kept with every version that ran.
    package let text: String
    /// What a reader of the mapping should look at, though it can be used.
    package let warnings: [Diagnostic]

    let source: SourceDefinition
    /// What the file's name looks like, with named groups.
    let fileName: Pattern?
    let fields: [FieldRule]
    let collections: [CollectionRule]
    let checks: [CheckRule]
    /// Sets of rules that each record is checked with besides.
    let rules: [RuleSet]
    /// Totals over the file, and the checks that use them.
    let totals: [FileTotal]
    let fileChecks: [CheckRule]
    /// Which records are wanted; the others are skipped.
    let only: Expression?

    /// `name@version`, as runs and quarantine show it.
    package var identifier: String { "\(name)@\(version)" }

    /// The kind of files it reads.
    package var format: Format {
        switch source {
        case .xml(let source): source.form == .xml ? .xml : .json
        case .table: .csv
        }
    }

    /// Whether any field whose name begins so gets a value.
    package func fills(_ prefix: String) -> Bool { fields.contains { $0.name.hasPrefix(prefix) } }

    /// The name of the second file that belongs to one, for mappings that read two.
    ///
    /// - Parameter fileName: the first file's name, without folders.
    /// - Throws: `MAP-DETAIL-NAME` where it has none of the parts that the second one's name is made of.
    package func detailName(besides fileName: String) throws(MappingError) -> String? {
        guard case .table(let table) = source, case .byDetail(let detail) = table.grouping else { return nil }
        let parts = self.fileName?.namedGroups(in: fileName) ?? [:]
        var name = detail.file
        for (part, text) in parts { name = name.replacing("{\(part)}", with: text) }
        guard !name.contains("{"), !name.contains("/"), name != fileName else {
            throw MappingError(
                .detailName, ["mapping": identifier, "name": fileName, "pattern": detail.file])
        }
        return name
    }

    /// Columns of a table without which no record can be read.
    var requiredColumns: [String] {
        fields.compactMap { rule in
            guard rule.isRequired, rule.defaultText == nil, rule.value.when == nil,
                case .located(let places) = rule.value.origin, case .column(let column)? = places.first
            else { return nil }
            return column
        }
    }

    /// Kinds of source files.
    package enum Format: String, Sendable {
        case xml, csv, json
    }
}

/// How the account of a record is found, and what happens when it is not.
package struct AccountMatch: Sendable, Hashable {
    /// One way to look an account up.
    package struct Attempt: Sendable, Hashable {
        /// What is compared.
        package enum Key: String, Sendable, CaseIterable {
            case external, siret, vat, siren, gln
            case nameAndPostalCode = "name+postcode"

            /// Words of an attempt with this key.
            var wordCount: Int { self == .external || self == .nameAndPostalCode ? 3 : 2 }
        }

        /// What is compared.
        package let key: Key
        /// Name of the source system, for ``Key/external``.
        package let system: String?
        /// The record's fields with the values.
        package let fields: [String]
    }

    /// What happens to a record whose account nobody knows.
    package enum Unknown: String, Sendable {
        /// Made from the record.
        case create
        /// Made where a SIREN or VAT number has valid check digits; otherwise left to a person.
        case createChecked = "checksum-valid"
        /// Left to a person.
        case review
    }

    /// The ways, in the order tried.
    package let attempts: [Attempt]
    /// What happens when none finds one.
    package let unknown: Unknown

    /// The source system whose codes the records hold, where the mapping names one.
    package var system: String? { attempts.lazy.compactMap(\.system).first }
}

/// How many records of a file may have an error before nothing of it is applied.
package struct ErrorLimit: Sendable, Hashable {
    /// At most this many.
    package var count: Int?
    /// At most this share of the file's records.
    package var ratio: Decimal?

    /// Whether a file with so many errors among so many records is too bad to be applied.
    package func isPassed(errors: Int, records: Int) -> Bool {
        if let count, errors > count { return true }
        guard let ratio, let allowed = ratio.multiplied(by: Decimal(records)) else { return false }
        return Decimal(errors) > allowed
    }
}

/// What happens to records with an error.
package struct ErrorPolicy: Sendable, Hashable {
    /// What becomes of one.
    package enum Action: String, Sendable, CaseIterable { case quarantine, skip, stop }

    /// What becomes of one.
    package var record = Action.quarantine
    /// How many a file may have.
    package var limit = ErrorLimit()
    /// At most this share of a file's records may change something that is known.
    package var changedRatio: Decimal?
}

/// What makes a record the same one again.
package struct UpsertRule: Sendable, Hashable {
    /// A part of the key.
    package enum KeyPart: Sendable, Hashable {
        case field(Int)
        /// The year of a date.
        case year(Int)
        /// The party that issued the document.
        case issuer
        /// The record's number among those of the file with an equal key.
        case ordinal

        /// The field it is made from.
        var slot: Int? {
            switch self {
            case .field(let slot), .year(let slot): slot
            case .issuer, .ordinal: nil
            }
        }
    }

    /// What becomes of child rows that a known record no longer has.
    package enum MissingChildren: String, Sendable, CaseIterable { case keep, close, delete }

    /// The parts of the key; empty = the entity's own.
    package var key: [KeyPart] = []
    /// What happens to a known record that comes with other content.
    package var changed = ChangedPolicy.version
    /// The field that names a child row, by collection.
    package var childKeys: [String: String] = [:]
    /// What becomes of child rows that a known record no longer has.
    package var missingChildren = MissingChildren.keep
}

/// What happens when a record comes again with other content.
package enum ChangedPolicy: String, Sendable, CaseIterable {
    case version, quarantine, overwrite
}

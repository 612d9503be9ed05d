// SPDX-License-Identifier: Apache-2.0
// A mapping file, read and checked: what a compiled mapping is made from.

internal import Diagnostics
package import Model
internal import Tabular
internal import XML

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
    /// What happens to a record whose key is known with other content.
    package let changed: ChangedPolicy
    /// How many faulty records a file may have.
    package let errorLimit: ErrorLimit
    /// The file's text, kept with every version that ran.
    package let text: String

    let source: SourceDefinition
    let fields: [FieldRule<Locator>]
    let collections: [CollectionRule<Locator>]
    let checks: [CheckRule]

    /// `name@version`, as runs and quarantine show it.
    package var identifier: String { "\(name)@\(version)" }

    /// The kind of files it reads.
    package var format: Format {
        switch source {
        case .xml: .xml
        case .csv: .csv
        }
    }

    /// Kinds of source files.
    package enum Format: String, Sendable {
        case xml, csv
    }
}

/// How the account of a record is found, and what happens when it is not.
package struct AccountMatch: Sendable, Hashable {
    /// One way to look an account up.
    package struct Attempt: Sendable, Hashable {
        /// What is compared.
        package enum Key: String, Sendable, CaseIterable {
            case external, siret, vat, siren, gln
        }

        /// What is compared.
        package let key: Key
        /// Name of the source system, for ``Key/external``.
        package let system: String?
        /// The record's field with the value.
        package let field: String
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

/// What happens when a record comes again with other content.
package enum ChangedPolicy: String, Sendable, CaseIterable {
    case version, quarantine, overwrite
}

/// Where records come from.
enum SourceDefinition: Sendable {
    case xml(records: [XMLName], skip: [PathExpression], limits: XMLLimits)
    case csv(CSVSource)
}

/// A table of text.
struct CSVSource: Sendable {
    var encodings: [TextEncoding] = [.utf8BOM, .utf8]
    var delimiters: [UInt8] = [UInt8(ascii: ",")]
    var quote: UInt8? = UInt8(ascii: "\"")
    /// Other spellings of a column's name.
    var aliases: [String: [String]] = [:]
    var locale = NumberLocale.plain
}

/// Where a text is in a record: a path of an XML file or a column of a table.
enum Locator: Sendable, Hashable {
    case path(PathExpression)
    case column(String)
}

/// How one field gets its value. `Location` is a ``Locator`` as written, then a number given by the source's reader.
struct FieldRule<Location: Sendable>: Sendable {
    /// The field's position in the record (or the row).
    var slot: Int
    /// Its name, for findings.
    var name: String
    var type: ValueType
    var value: ValueRule<Location>
    var isRequired = false
    var defaultText: String?
    var maxLength: Int?
    var formats: [DateFormat] = [.iso]
    var locale = NumberLocale.plain
    var check: ValueCheck?
}

/// What a value outside an enumeration becomes.
enum Otherwise: Sendable, Hashable {
    case error
    case null
    case value(String)
}

/// How a text is found and cleaned.
struct ValueRule<Location: Sendable>: Sendable {
    indirect enum Origin: Sendable {
        /// The text at the first of these places, in the order of the file.
        case located([Location])
        /// Another field of the record, by slot.
        case field(Int)
        case constant(String)
        /// The record element's name.
        case root
        case first([ValueRule])
    }

    var origin: Origin
    var cleaning: [Cleaning] = []
    var take: Int?
    var regex: Pattern?
    var keep: Pattern?
    var choices: [String: String]?
    var otherwise = Otherwise.error
}

/// Ways to tidy a text before it is typed.
enum Cleaning: String, Sendable, CaseIterable {
    case trim, squeeze, nospace, upper, lower, fold
}

/// Checks whose failure is a warning and leaves the value as it is.
enum ValueCheck: String, Sendable, CaseIterable {
    case siren, siret, vat
}

/// How amounts are written.
enum NumberLocale: String, Sendable, CaseIterable {
    /// Point, no thousands.
    case plain
    /// Comma, spaces (plain, no-break, narrow) between thousands.
    case fr
}

/// Child rows.
struct CollectionRule<Location: Sendable>: Sendable {
    let collection: Int
    /// Elements that are a row each.
    let each: [PathExpression]
    let fields: [FieldRule<Location>]
}

extension ValueRule {
    /// The same rule with other places.
    func placed<Other>(_ place: (Location) -> Other) -> ValueRule<Other> {
        let origin: ValueRule<Other>.Origin =
            switch origin {
            case .located(let places): .located(places.map(place))
            case .field(let slot): .field(slot)
            case .constant(let text): .constant(text)
            case .root: .root
            case .first(let rules): .first(rules.map { $0.placed(place) })
            }
        return ValueRule<Other>(
            origin: origin, cleaning: cleaning, take: take, regex: regex, keep: keep, choices: choices,
            otherwise: otherwise)
    }
}

extension FieldRule {
    /// The same rule with other places.
    func placed<Other>(_ place: (Location) -> Other) -> FieldRule<Other> {
        FieldRule<Other>(
            slot: slot, name: name, type: type, value: value.placed(place), isRequired: isRequired,
            defaultText: defaultText, maxLength: maxLength, formats: formats, locale: locale, check: check)
    }
}

/// A condition that a record must satisfy.
struct CheckRule: Sendable {
    let id: String
    let severity: Diagnostic.Severity
    let when: Expression?
    /// The collection each of whose rows is checked.
    let each: Int?
    let expect: Expression
    let message: String
}

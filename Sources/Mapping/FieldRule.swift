// SPDX-License-Identifier: Apache-2.0
// How fields get their values, as a mapping file says it.

internal import Model

/// Where a text is in a record.
enum Locator: Sendable, Hashable {
    /// A path of an XML file.
    case path(PathExpression)
    /// A column of a table: its name or, in a table without header, its number.
    case column(String)
    /// A place in a line: zero-based first character and number of characters; nil to the line's end.
    case slice(start: Int, count: Int?)
    /// A place in the record's last row of another kind.
    indirect case inRow(kind: String, Locator)
    /// Number of the collection's rows in front of (and with) this row.
    case rowNumber(collection: Int)

    /// The place inside its row.
    var inner: Locator { if case .inRow(_, let inner) = self { inner } else { self } }
}

/// How one field gets its value.
struct FieldRule: Sendable {
    /// The field's position in the record (or the row).
    var slot: Int
    /// Its name, for findings.
    var name: String
    var type: ValueType
    var value: ValueRule
    var isRequired = false
    var defaultText: String?
    var maxLength: Int?
    var formats: [DateFormat] = [.iso]
    var locale = NumberLocale.plain
    /// Digits behind the point of an amount without a point.
    var decimals: Int?
    /// Where that number is written.
    var decimalsPlace: Locator?
    /// Where this holds, the amount's sign is turned.
    var negative: Expression?
    var check: ValueCheck?
    var empty = EmptyPolicy.standard
}

/// How a text is found and cleaned.
struct ValueRule: Sendable {
    indirect enum Origin: Sendable {
        /// The text at the first of these places, in the order of the file.
        case located([Locator])
        /// Another field of the record, by slot.
        case field(Int)
        /// Another field of the same child row, by slot.
        case rowField(Int)
        case constant(String)
        /// The record element's name.
        case root
        /// A part of the file's name (`$file.siren`).
        case fileVariable(String)
        case first([ValueRule])
    }

    var origin: Origin
    /// Only where this holds.
    var when: Expression?
    /// The text where ``when`` does not hold.
    var otherwiseText: String?
    var cleaning: CleaningSet = []
    var take: Int?
    var regex: Pattern?
    var keep: Pattern?
    var choices: [String: String]?
    var otherwise = Otherwise.error
}

/// What a value outside an enumeration becomes.
enum Otherwise: Sendable, Hashable {
    case error
    case null
    case value(String)
}

/// What an empty text at a known place means.
enum EmptyPolicy: String, Sendable, CaseIterable {
    /// The same as no text: `default` applies, and a known value stays.
    case standard = "absent"
    /// `default` does not apply.
    case keep
    /// A known value goes.
    case clear
}

/// Ways to tidy a text before it is typed.
enum Cleaning: String, Sendable, CaseIterable {
    case trim, squeeze, nospace, upper, lower, fold
}

/// Ways to tidy, applied blanks first, then letters, whatever order the mapping has them in.
struct CleaningSet: OptionSet, Sendable, BitwiseCopyable {
    let rawValue: UInt8

    static let squeeze = CleaningSet(rawValue: 1)
    static let nospace = CleaningSet(rawValue: 2)
    static let upper = CleaningSet(rawValue: 4)
    static let lower = CleaningSet(rawValue: 8)
    static let fold = CleaningSet(rawValue: 16)

    /// The set of a list; texts are always trimmed, so that `trim` adds nothing.
    init(_ list: [Cleaning]) {
        self = list.reduce(into: []) { set, cleaning in
            switch cleaning {
            case .trim: break
            case .squeeze: set.insert(.squeeze)
            case .nospace: set.insert(.nospace)
            case .upper: set.insert(.upper)
            case .lower: set.insert(.lower)
            case .fold: set.insert(.fold)
            }
        }
    }

    init(rawValue: UInt8) {
        self.rawValue = rawValue
    }
}

/// Checks whose failure is a warning and leaves the value as it is.
enum ValueCheck: String, Sendable, CaseIterable {
    case siren, siret, vat, iban, luhn
}

/// How amounts are written.
enum NumberLocale: String, Sendable, CaseIterable {
    /// Point, no thousands.
    case plain
    /// Comma, spaces (plain, no-break, narrow) between thousands.
    case fr
    /// Comma, points between thousands.
    case de
    /// Point, commas between thousands.
    case en
    /// As in French ledgers: comma or point, zeros and blanks around, the sign first.
    case fec
    /// The last character is a digit and a sign in one, as on bank tapes; no point.
    case overpunch
}

/// Child rows.
struct CollectionRule: Sendable {
    let collection: Int
    /// Elements that are a row each.
    let each: [PathExpression]
    let fields: [FieldRule]
}

/// A condition that a record must satisfy.
struct CheckRule: Sendable {
    let id: String
    let severity: Severity
    let when: Expression?
    /// The collection each of whose rows is checked.
    let each: Int?
    let expect: Expression
    let message: MessageTemplate

    enum Severity: String, Sendable, CaseIterable { case error, warning, info }
}

/// A sentence with values in it: `TTC {gross_total} ≠ {sum(lines.net)}`.
struct MessageTemplate: Sendable {
    enum Part: Sendable {
        case words(String)
        case value(Expression)
    }

    var parts: [Part]
}

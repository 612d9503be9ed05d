// SPDX-License-Identifier: Apache-2.0
// The one table of the mapping language's keys: what may be written where, and what it means.

/// Where in a mapping file a key may stand.
package enum KeyContext: String, Sendable, CaseIterable {
    case file, source, dialect, limits, field, rows, check, match, account, unknown, upsert, onError
}

/// A key of the language.
package struct MappingKey: Sendable {
    /// The word.
    package let name: String
    /// Where it stands.
    package let context: KeyContext
    /// Whether a file without it is refused.
    package let isRequired: Bool
    /// What it means, in one sentence.
    package let meaning: String

    init(_ name: String, _ context: KeyContext, required: Bool = false, _ meaning: String) {
        self.name = name
        self.context = context
        isRequired = required
        self.meaning = meaning
    }

    /// Every key; the checker and the reference are made from this list.
    package static let all: [MappingKey] = [
        MappingKey("mapping", .file, required: true, "Name of the mapping."),
        MappingKey("version", .file, required: true, "Whole number that grows with each change."),
        MappingKey("target", .file, required: true, "Entity that each record becomes."),
        MappingKey("source", .file, required: true, "What the file looks like."),
        MappingKey("defs", .file, "Blocks of fields, used by `use`."),
        MappingKey("fields", .file, required: true, "The entity's fields and where their values come from."),
        MappingKey("checks", .file, "Conditions that each record must satisfy."),
        MappingKey("match", .file, "How the account is found."),
        MappingKey("upsert", .file, "What makes a record the same one again."),
        MappingKey("on_error", .file, "What happens to a record with an error."),
        MappingKey("kind", .source, required: true, "`xml` or `csv`."),
        MappingKey("namespaces", .source, "Prefixes of the paths and their namespaces."),
        MappingKey("record", .source, "Elements that are a record each, at the root or at any depth."),
        MappingKey("skip", .source, "Paths whose content is passed over."),
        MappingKey("limits", .source, "Limits other than the usual ones."),
        MappingKey("encoding", .source, "Encodings, the first that fits the whole file is taken."),
        MappingKey("dialect", .source, "Delimiter, quote and header of a table."),
        MappingKey("locale", .source, "How amounts are written: `plain` or `fr`."),
        MappingKey("aliases", .source, "Other spellings of columns."),
        MappingKey("depth", .limits, "Nested elements at most."),
        MappingKey("text", .limits, "Bytes of one element's text at most."),
        MappingKey("record", .limits, "Bytes of one record at most."),
        MappingKey("delimiter", .dialect, "One character, or a list of which the header decides."),
        MappingKey("quote", .dialect, "One character, or `none`."),
        MappingKey("header", .dialect, "Number of header lines; 1."),
        MappingKey("columns", .dialect, "`by-name`."),
        MappingKey("ragged", .dialect, "`error`: a row with another number of fields is refused."),
        MappingKey("path", .field, "Path to an element or attribute; `a | b` for either."),
        MappingKey("col", .field, "Column of a table."),
        MappingKey("from", .field, "Another field of the record, of the same block first."),
        MappingKey("const", .field, "This very value."),
        MappingKey("root", .field, "Name of the record element."),
        MappingKey("first", .field, "The first of several rules that gives a value."),
        MappingKey("use", .field, "A block of `defs`, its paths below this one."),
        MappingKey("each", .field, "Path to child rows."),
        MappingKey("fields", .field, "Fields of each child row."),
        MappingKey("type", .field, "Type of the value; the entity's by default."),
        MappingKey("locale", .field, "How amounts are written here."),
        MappingKey("format", .field, "Date pattern, or a list tried in order."),
        MappingKey("clean", .field, "Tidying: trim, squeeze, nospace, upper, lower, fold."),
        MappingKey("take", .field, "Only this many characters from the start."),
        MappingKey("regex", .field, "Only what matches; the group in parentheses if there is one."),
        MappingKey("keep", .field, "Nothing unless the text matches."),
        MappingKey("valid", .field, "Check whose failure is a warning: siren, siret, vat."),
        MappingKey("enum", .field, "What each text becomes."),
        MappingKey("else", .field, "Value outside `enum`; `error` or `null`."),
        MappingKey("required", .field, "A record without it is quarantined."),
        MappingKey("default", .field, "Value where there is none."),
        MappingKey("max", .field, "Characters at most."),
        MappingKey("id", .check, required: true, "Name of the rule."),
        MappingKey("severity", .check, "`error` (the usual one), `warning` or `info`."),
        MappingKey("when", .check, "Checks only where this holds."),
        MappingKey("each", .check, "Checks each row of this collection."),
        MappingKey("expect", .check, required: true, "What must hold; unknown counts as holding."),
        MappingKey("message", .check, "French sentence; `{field}` shows a value."),
        MappingKey("account", .match, "How the account of the record is found."),
        MappingKey("try", .account, required: true, "Lookups in order: key and field."),
        MappingKey("none", .account, "create, review, or a map with both."),
        MappingKey("many", .account, "`review`."),
        MappingKey("create", .unknown, "`checksum-valid`."),
        MappingKey("else", .unknown, "`review`."),
        MappingKey("key", .upsert, "Fields that name the record."),
        MappingKey("same", .upsert, "`skip`."),
        MappingKey("changed", .upsert, "version, quarantine or overwrite."),
        MappingKey("record", .onError, "`quarantine`."),
        MappingKey(
            "stop_after", .onError, "Nothing of a file is applied when more records than this have an error."),
        MappingKey("stop_ratio", .onError, "The same as a share of the file's records, such as 0.2."),
    ]

    /// The words allowed in a context.
    static func names(in context: KeyContext) -> [String] {
        all.filter { $0.context == context }.map(\.name)
    }
}

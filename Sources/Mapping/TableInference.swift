// SPDX-License-Identifier: Apache-2.0
// Drafts a mapping from a table: only what the whole file proves is written down as certain.

package import Diagnostics
internal import Foundation
package import Model
package import Tabular
internal import YAML

/// What the cells of one column have in common.
struct ColumnProfile {
    let name: String
    private(set) var filled = 0
    private(set) var empty = 0
    private(set) var longest = 0
    /// Date formats that every value follows; of those that disagree, none is chosen.
    private(set) var dates = ColumnProfile.dateFormats
    /// Ways of writing amounts that every value follows.
    private(set) var locales: [NumberLocale] = [.plain, .fr, .de, .en]
    private(set) var isDigits = true
    private(set) var values: Set<String> = []

    static let dateFormats = [
        "dd/MM/yyyy", "MM/dd/yyyy", "yyyy-MM-dd", "yyyyMMdd", "dd-MM-yyyy", "dd.MM.yyyy",
    ]
    .compactMap { DateFormat($0) }

    init(name: String) {
        self.name = name
    }

    mutating func add(_ bytes: [UInt8]) {
        let text = TextRange(start: 0, count: bytes.count).trimmed(in: bytes.span)
        guard text.count > 0 else {
            empty += 1
            return
        }
        filled += 1
        longest = max(longest, Int(text.count))
        if !dates.isEmpty { dates.removeAll { $0.layout.date(bytes.span.extracting(text.offsets)) == nil } }
        if !locales.isEmpty { locales.removeAll { $0.decimal(bytes.span.extracting(text.offsets)) == nil } }
        if isDigits { isDigits = bytes[text.range].allSatisfy { (48...57).contains($0) } }
        if values.count < 20 { values.insert(String(decoding: bytes[text.range], as: UTF8.self)) }
    }

    /// Codes with zeros in front, and numbers that identify, are no amounts.
    var isAmount: Bool {
        guard filled > 0, !locales.isEmpty else { return false }
        return !(isDigits && (longest >= 9 || values.contains { $0.hasPrefix("0") && $0.count > 1 }))
    }

    var isDate: Bool { filled > 0 && !dates.isEmpty }

    /// Whether the file cannot tell the day from the month.
    var isAmbiguousDate: Bool { isDate && dates.count > 1 }
}

/// What a file leaves open for a person to decide; each has its texts in the message catalogue.
package enum InferenceFinding: String, Sendable, CaseIterable {
    case ambiguousDate = "INFER-AMBIGUOUS-DATE"
    case emptyColumn = "INFER-EMPTY-COLUMN"
    case required = "INFER-REQUIRED"
    case ragged = "INFER-RAGGED"

    fileprivate func diagnostic(
        _ facts: [String: String], _ severity: Diagnostic.Severity = .warning
    ) -> Diagnostic {
        Diagnostic(code: rawValue, facts: facts, severity: severity)
    }
}

/// A draft of a mapping, and what a person must decide.
package struct MappingDraft: Sendable {
    /// The mapping, as a file's text.
    package let text: String
    /// What could not be proven, in the order of the columns: `INFER-…` with the column as a fact.
    package let findings: [Diagnostic]
}

/// Looks at a whole table and drafts a mapping for it.
package struct TableInference {
    /// The text of the message catalogue under a key.
    package typealias Words = (_ key: String, _ facts: [String: String]) -> String

    private let probe: EncodingProbe
    private let encoding: TextEncoding
    private let delimiter: UInt8
    private var reader: CSVReader
    private var columns: [ColumnProfile] = []
    private var hasHeader = false
    private var ragged = 0
    private var rows = 0

    /// Begins with the head of a file.
    ///
    /// - Throws: `CSV-EMPTY`, `CSV-NUL`, `CSV-ENCODING`; `CSV-NO-TABLE` for XML and JSON.
    package init(_ head: FileHead) throws(TabularError) {
        if head.isXML || head.isJSON {
            throw TabularError(.noTable, ["kind": head.isXML ? "XML" : "JSON"], at: Place(line: 1))
        }
        probe = head.probe
        encoding = try head.probe.choose(from: [.utf8BOM, .utf8, .iso8859_15, .windows1252])
        delimiter = Self.delimiter(of: head)
        reader = CSVReader(CSVDialect(delimiter: delimiter), encoding: encoding, mark: head.probe.mark)
    }

    /// The delimiter that most lines of the head have equally often, and most of.
    private static func delimiter(of head: FileHead) -> UInt8 {
        let lines = head.lines.split(separator: UInt8(ascii: "\n")).prefix(50)
        let candidates: [UInt8] = [
            UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: "|"), UInt8(ascii: ","),
        ]
        func quality(_ delimiter: UInt8) -> (Int, Int) {
            let counts = lines.map { line in line.count { $0 == delimiter } }
            let usual = counts.first ?? 0
            return usual == 0 ? (0, 0) : (counts.count { $0 == usual }, usual)
        }
        return candidates.max { quality($0) < quality($1) } ?? UInt8(ascii: ";")
    }

    /// Looks at the next bytes.
    package mutating func feed(_ bytes: [UInt8], isLast: Bool) throws(TabularError) {
        try reader.append(bytes)
        while try reader.next(isLast: isLast) {
            guard hasHeader else {
                for index in reader.fields.indices {
                    let name = try reader.text(index).trimmingCharacters(in: .whitespaces)
                    columns.append(ColumnProfile(name: name))
                }
                hasHeader = true
                continue
            }
            rows += 1
            if reader.fieldCount != columns.count { ragged += 1 }
            for index in columns.indices where index < reader.fieldCount {
                columns[index].add(Array(try reader.text(index).utf8))
            }
        }
    }

    // MARK: - The draft

    /// The draft.
    ///
    /// - Parameters:
    ///   - target: the entity; nil for the one whose shipped mappings know most of the columns.
    ///   - known: mappings whose columns and spellings tell which column is which field.
    ///   - words: the text of the message catalogue under a key, with its facts, for the draft's comments.
    package func draft(
        name: String, target: EntitySchema?, known: [MappingDefinition], words: Words
    ) -> MappingDraft {
        var findings: [Diagnostic] = []
        let names = columns.map(\.name)
        let target = target ?? Self.bestTarget(names, known)
        let fields = Self.assign(names, target, known)
        var lines: [String] = []
        let locale = self.locale
        for (index, column) in columns.enumerated() {
            note(column, &findings)
            guard let field = fields[index] else {
                lines.append("  # \(Self.onOneLine(column.name)) : \(Self.describe(column, words))")
                continue
            }
            lines.append("  \(field.name): \(rule(column, field, locale, words))")
        }
        let mapped = Set(fields.values.map(\.name))
        for field in target.fields where field.isRequired && !mapped.contains(field.name) {
            lines.append("  # \(field.name): \(Self.proposal(field, mapped))")
            findings.append(
                InferenceFinding.required.diagnostic(["field": field.name]))
        }
        if ragged > 0 {
            findings.append(
                InferenceFinding.ragged.diagnostic(["count": String(ragged)]))
        }
        return MappingDraft(
            text: text(name, target, locale, lines, mapped, words), findings: findings)
    }

    /// What is usual for a required field that no column gives.
    private static func proposal(_ field: FieldSchema, _ mapped: Set<String>) -> String {
        if field.type == .currency { return "{const: EUR}" }
        guard field.name == "kind" else { return "{col: …, required: true}" }
        return mapped.contains("gross_total")
            ? "{when: gross_total < 0, const: credit_note, else: invoice}" : "{const: invoice}"
    }

    private func text(
        _ name: String, _ target: EntitySchema, _ locale: NumberLocale, _ fields: [String],
        _ mapped: Set<String>, _ words: Words
    ) -> String {
        let counts = words("infer.rows", ["rows": String(rows), "columns": String(columns.count)])
        let mark = delimiter == 9 ? "\\t" : String(UnicodeScalar(delimiter))
        var text = """
            # \(counts)
            mapping: \(Self.identifier(name))
            version: 1
            target: \(target.name)
            source:
              kind: csv
              encoding: [\(encoding.rawValue)]
              dialect: {delimiter: "\(mark)", quote: '"', header: 1, columns: by-name, ragged: \(ragged > 0 ? "pad" : "error")}
              locale: \(locale.rawValue)
            fields:
            \(fields.joined(separator: "\n"))

            """
        let keys = ["siret", "vat", "siren"].flatMap { key in
            ["", "buyer.", "party.", "account."].map { (key, $0 + key) }
        }.filter { mapped.contains($0.1) }
        if !keys.isEmpty {
            let attempts = keys.map { "[\($0.0), \($0.1)]" }.joined(separator: ", ")
            text += "match: {account: {try: [\(attempts)], none: review, many: review}}\n"
        }
        return text + "on_error: {record: quarantine, stop_ratio: 0.2}\n"
    }

    /// The locale that all amounts of the file follow.
    private var locale: NumberLocale {
        let amounts = columns.filter { $0.isAmount && !$0.isDigits }
        return [NumberLocale.fr, .plain, .de, .en].first { locale in
            amounts.allSatisfy { $0.locales.contains(locale) }
        } ?? .plain
    }

    private func note(_ column: ColumnProfile, _ findings: inout [Diagnostic]) {
        if column.isAmbiguousDate {
            let formats = column.dates.map(\.pattern).joined(separator: ", ")
            findings.append(
                InferenceFinding.ambiguousDate.diagnostic(["column": column.name, "formats": formats]))
        }
        if column.filled == 0 {
            findings.append(
                InferenceFinding.emptyColumn.diagnostic(["column": column.name], .info))
        }
    }

    private func rule(
        _ column: ColumnProfile, _ field: FieldSchema, _ locale: NumberLocale, _ words: Words
    ) -> String {
        var parts = ["col: \(Self.quoted(column.name))"]
        if field.type == .date {
            // A format that the file does not prove is left for a person to write.
            let formats = column.dates.map(\.pattern)
            let open = words("infer.choose", [:])
            let isProven = column.isDate && formats.count == 1
            parts.append("format: \(isProven ? formats[0] : open)")
        }
        if field.type == .decimal, column.isAmount, !column.locales.contains(locale),
            let own = column.locales.first
        {
            parts.append("locale: \(own.rawValue)")
        }
        if field.name.hasSuffix("siren") { parts.append("clean: [nospace], keep: '^\\d{9}$', valid: siren") }
        if field.name.hasSuffix("siret") { parts.append("clean: [nospace], keep: '^\\d{14}$', valid: siret") }
        if field.name.hasSuffix("vat") { parts.append("clean: [nospace, upper], valid: vat") }
        if field.isRequired || column.empty == 0 && column.filled > 0 && field.name == "number" {
            parts.append("required: true")
        }
        let formats = column.dates.map(\.pattern).joined(separator: " / ")
        let comment =
            column.isAmbiguousDate ? "   # " + words("infer.source-tells", ["formats": formats]) : ""
        return "{\(parts.joined(separator: ", "))}\(comment)"
    }

    private static func describe(_ column: ColumnProfile, _ words: Words) -> String {
        let formats = column.dates.map(\.pattern).joined(separator: " / ")
        let kind = column.isDate ? "date" : column.isAmount ? "number" : column.filled == 0 ? "empty" : "text"
        let samples = column.values.sorted().prefix(3).joined(separator: " | ").prefix(60)
        return words(
            "infer.column",
            [
                "kind": words("infer.kind.\(kind)", ["formats": formats]), "count": String(column.filled),
                "samples": onOneLine(String(samples)),
            ])
    }

    /// A text of the file for a comment: a line end in it would end the comment.
    private static func onOneLine(_ text: String) -> String {
        String(
            text.unicodeScalars.map {
                $0.properties.generalCategory == .control || $0.value == 0x2028 || $0.value == 0x2029
                    ? " " : Character($0)
            })
    }

    /// A name for the mapping: letters, digits and hyphens of the file's.
    private static func identifier(_ name: String) -> String {
        let name = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        return name.contains { $0 != "-" } ? name : "mapping"
    }

    /// A column's name as a YAML scalar.
    private static func quoted(_ name: String) -> String {
        let isPlain =
            name.first?.isLetter == true
            && name.allSatisfy { character in
                character.isASCII && (character.isLetter || character.isNumber || character == "_")
            }
        guard !isPlain else { return name }
        var quoted = "\""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case "\n": quoted += "\\n"
            case "\r": quoted += "\\r"
            case "\t": quoted += "\\t"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }

    // MARK: - Which column is which field

    private static func comparable(_ name: String) -> String {
        name.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
            .filter { $0.isLetter || $0.isNumber }
    }

    /// Spellings of a target's fields, from the mappings that have the same target.
    private static func spellings(_ target: EntitySchema, _ known: [MappingDefinition]) -> [String: Int] {
        var slots: [String: Int] = [:]
        for (slot, field) in target.fields.enumerated() { slots[comparable(field.name)] = slot }
        for definition in known where definition.target === target {
            guard case .table(let table) = definition.source else { continue }
            for rule in definition.fields {
                for column in rule.value.locators.compactMap(\.columnName) {
                    for name in [column] + (table.aliases[column] ?? []) where Int(name) == nil {
                        slots[comparable(name)] = slots[comparable(name)] ?? rule.slot
                    }
                }
            }
        }
        return slots
    }

    private static func bestTarget(_ names: [String], _ known: [MappingDefinition]) -> EntitySchema {
        EntitySchema.all.max { left, right in
            func hits(_ schema: EntitySchema) -> Int {
                let spellings = spellings(schema, known)
                return names.count { spellings[comparable($0)] != nil }
            }
            return hits(left) < hits(right)
        } ?? .invoice
    }

    private static func assign(
        _ names: [String], _ target: EntitySchema, _ known: [MappingDefinition]
    ) -> [Int: FieldSchema] {
        let spellings = spellings(target, known)
        var taken: Set<Int> = []
        var fields: [Int: FieldSchema] = [:]
        for (index, name) in names.enumerated() {
            let word = comparable(name)
            let near = Suggestion.nearest(to: word, in: spellings.keys.sorted())
            guard let slot = spellings[word] ?? (word.count > 4 ? near.flatMap { spellings[$0] } : nil),
                taken.insert(slot).inserted
            else { continue }
            fields[index] = target.fields[slot]
        }
        return fields
    }
}

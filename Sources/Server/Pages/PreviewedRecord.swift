// SPDX-License-Identifier: Apache-2.0
// A previewed record in the words it is shown with.

package import CRM
package import Diagnostics
package import Hub
internal import JSON
package import Mapping
internal import Model
internal import PostgreSQL
package import Words

/// One record of a preview.
package struct PreviewedRecord: Sendable {
    /// A field with its value before and after, and where it came from.
    package struct Field: Sendable {
        /// JSON name of the field.
        package let name: String
        /// What is there now.
        package let before: String?
        /// What would be there.
        package let after: String?
        /// Where it came from.
        package let trace: FieldTrace?

        /// Of a changed record, only what changes.
        package func isWorthShowing(_ outcome: String) -> Bool {
            outcome != "updated" || before != nil || trace == nil
        }
    }

    /// How one party of the record is found.
    package struct Match: Sendable {
        /// `buyer`, `account`…
        package let role: String
        /// In words.
        package let text: String
        /// In detail.
        package let trace: MatchTrace
    }

    /// Name of the file.
    package let file: String
    /// One-based number in the file.
    package let ordinal: Int
    /// One-based line of the file.
    package let line: Int?
    /// `inserted`, `updated`, `unchanged`, `skipped` or `quarantined`.
    package let outcome: String
    /// Why it is quarantined or left out.
    package let reason: Diagnostic?
    /// How its parties are found.
    package let matches: [Match]
    /// Its fields.
    package let fields: [Field]
    /// Name of the entity.
    package let entity: String
    /// What the record is, in a few words.
    package let title: String

    /// A record in the words of a language.
    package init(_ preview: RecordPreview, _ words: Words) {
        let record = preview.item.record
        file = preview.file
        ordinal = record.origin.ordinal
        line = record.origin.line
        entity = record.schema.name
        let name = ["number", "code", "name", "invoice", "last_name"].lazy.compactMap { record.text($0) }
            .first
        title = [words("entity.\(record.schema.name)"), name].compactMap(\.self).joined(separator: " ")
        (outcome, reason) = Self.said(preview.outcome)
        matches = (preview.decision?.traces ?? []).filter { $0.result != .absent }.map { Match($0, words) }
        let before = Self.texts(preview.decision?.before, preview.fieldOfColumn)
        let after = Self.texts(preview.decision?.after, preview.fieldOfColumn)
        let traces = Dictionary(preview.item.traces.map { ($0.field, $0) }) { first, _ in first }
        var fields: [Field] = []
        for (schema, value) in zip(record.schema.fields, record.values) {
            guard value != nil || after[schema.name] != nil else { continue }
            guard outcome != "updated" || after.keys.contains(schema.name) else { continue }
            fields.append(
                Field(
                    name: schema.name, before: before[schema.name],
                    after: value?.description ?? after[schema.name], trace: traces[schema.name]))
        }
        let known = Set(record.schema.fields.map(\.name))
        for name in Set(after.keys).union(before.keys).sorted() where !known.contains(name) {
            // Of child rows, only the cells that differ: 50.00 and 50 are one amount.
            let numbers = (before[name].flatMap { Decimal($0) }, after[name].flatMap { Decimal($0) })
            let isSame = numbers.0 == nil ? before[name] == after[name] : numbers.0 == numbers.1
            guard !isSame else { continue }
            fields.append(Field(name: name, before: before[name], after: after[name], trace: nil))
        }
        self.fields = fields
    }

    /// `fichier:12`.
    package var place: String { "\(file):\(line.map(String.init) ?? "?")" }

    private static func said(_ outcome: ImportOutcome) -> (String, Diagnostic?) {
        switch outcome {
        case .inserted: ("inserted", nil)
        case .updated: ("updated", nil)
        case .unchanged: ("unchanged", nil)
        case .skipped(let reason): ("skipped", reason)
        case .quarantined(let reason): ("quarantined", reason)
        }
    }

    /// Texts of a JSON object of columns, by field; lists as they stand.
    private static func texts(_ json: JSONText?, _ fieldOfColumn: [String: String]) -> [String: String] {
        guard let json, case .object(let members)? = try? JSONParser.parse(Array(json.text.utf8)) else {
            return [:]
        }
        let texts = members.flatMap { member in
            let field = fieldOfColumn[member.key] ?? member.key
            guard case .array(let rows) = member.value else { return [(field, member.value.text ?? "–")] }
            return rows.enumerated().flatMap { cells(of: $1, "\(field)[\($0 + 1)]") }
        }
        return Dictionary(texts) { first, _ in first }
    }

    /// Cells of a child row under the names that corrections give them: `lines[2].net`.
    private static func cells(of row: JSONNode, _ name: String) -> [(String, String)] {
        guard case .object(let members) = row else { return [] }
        return members.filter { $0.key != "no" }.compactMap { member in
            member.value.text.map { ("\(name).\(member.key)", $0) }
        }
    }
}

extension PreviewedRecord.Match {
    init(_ trace: MatchTrace, _ words: Words) {
        role = trace.role
        self.trace = trace
        let facts = [
            "accounts": trace.parties.map(String.init).joined(separator: ", "),
            "key": trace.key.map { words("match.key.\($0)") } ?? "",
            "role": words("role.\(trace.role)"), "value": trace.value ?? "",
        ]
        text = words("preview.match.\(trace.result.rawValue)", facts)
    }
}

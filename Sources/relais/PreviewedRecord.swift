// SPDX-License-Identifier: Apache-2.0
// A previewed record in the words it is shown with.

internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hub
internal import JSON
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Words

/// One record of a preview.
struct PreviewedRecord {
    /// A field with its value before and after, and where it came from.
    struct Field {
        let name: String
        let before: String?
        let after: String?
        let trace: FieldTrace?

        /// Of a changed record, only what changes.
        func isWorthShowing(_ outcome: String) -> Bool {
            outcome != "updated" || before != nil || trace == nil
        }
    }

    /// How one party of the record is found.
    struct Match {
        let role: String
        let text: String
        let trace: MatchTrace
    }

    let file: String
    let ordinal: Int
    let line: Int?
    let outcome: String
    let reason: Diagnostic?
    let matches: [Match]
    let fields: [Field]
    private let entity: String
    private let record: Record

    init(_ preview: RecordPreview) {
        record = preview.item.record
        file = preview.file
        ordinal = record.origin.ordinal
        line = record.origin.line
        entity = record.schema.name
        (outcome, reason) = Self.words(for: preview.outcome)
        matches = (preview.decision?.traces ?? []).filter { $0.result != .absent }.map(Match.init)
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
    var place: String { "\(file):\(line.map(String.init) ?? "?")" }

    /// What the record is, in a few words.
    var title: String {
        let name = ["number", "code", "name", "invoice", "last_name"].lazy.compactMap { record.text($0) }
            .first
        return [relaisWords("entity.\(entity)"), name].compactMap(\.self).joined(separator: " ")
    }

    private func relaisWords(_ key: String) -> String { relais.words(key) }

    private static func words(for outcome: ImportOutcome) -> (String, Diagnostic?) {
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

    /// The record as one JSON line.
    var json: JSONValue {
        [
            "entity": .text(entity), "file": .text(file), "line": JSONValue(line), "outcome": .text(outcome),
            "record": .number(ordinal), "reason": reason.map { JSONValue($0) } ?? .null,
            "matches": .list(
                matches.map { match in
                    [
                        "accounts": .list(match.trace.parties.map { .number($0) }),
                        "key": JSONValue(match.trace.key), "result": .text(match.trace.result.rawValue),
                        "role": .text(match.role), "value": JSONValue(match.trace.value),
                    ]
                }),
            "fields": .list(
                fields.map { field in
                    [
                        "after": JSONValue(field.after), "before": JSONValue(field.before),
                        "field": .text(field.name), "origin": JSONValue(field.trace?.origin),
                        "source": JSONValue(field.trace?.source),
                        "steps": .list((field.trace?.steps ?? []).map { .text($0) }),
                    ]
                }),
        ]
    }
}

extension PreviewedRecord.Match {
    init(_ trace: MatchTrace) {
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

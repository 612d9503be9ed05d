// SPDX-License-Identifier: Apache-2.0
// Fills a record from the texts of its source: cleans, types, checks, and notes what is wrong.

package import Diagnostics
package import Model

/// A record as a mapping read it, with everything found wrong in it.
package struct MappedItem: Sendable {
    /// The typed values.
    package var record: Record
    /// Errors, warnings and remarks, in the order they were found.
    package var findings: [Diagnostic]

    /// Whether the record can be applied: it has no error.
    package var isApplicable: Bool { !findings.contains { $0.severity == .error } }
}

/// Where an evaluator gets the texts of one record from.
protocol TextSource {
    /// Name of the record element, where there is one.
    var rootName: String? { get }
    /// Number of child rows of a collection.
    func rowCount(_ collection: Int) -> Int
    /// The first text at any of the places, in the order of the file; nil where there is none.
    ///
    /// - Parameters:
    ///   - row: number of the child row that the places are in; nil for the record itself.
    ///   - values: the record's fields known so far, for conditions that compare with them.
    func text(_ places: [Int], row: Int?, values: Values) throws(Diagnostic) -> String?
}

extension Diagnostic: Error {}

/// Evaluates the rules of one mapping, record after record.
struct RecordEvaluator: Sendable {
    let definition: MappingDefinition
    let fields: [FieldRule<Int>]
    let collections: [CollectionRule<Int>]

    /// Numbers the places of a mapping.
    init(_ definition: MappingDefinition, place: (Locator) -> Int) {
        self.definition = definition
        fields = definition.fields.map { $0.placed(place) }
        collections = definition.collections.map { rule in
            CollectionRule(
                collection: rule.collection, each: rule.each, fields: rule.fields.map { $0.placed(place) })
        }
    }

    /// Reads one record.
    func evaluate(_ source: some TextSource, origin: Origin) -> MappedItem {
        var item = MappedItem(record: Record(schema: definition.target, origin: origin), findings: [])
        for rule in fields {
            let value = value(rule, source, row: nil, &item)
            item.record.values[rule.slot] = value
        }
        for rule in collections {
            let schema = definition.target.collections[rule.collection]
            for row in 0..<source.rowCount(rule.collection) {
                var values = Values(repeating: nil, count: schema.fields.count)
                for field in rule.fields {
                    values[field.slot] = value(field, source, row: row, &item, prefix: "\(schema.name).")
                }
                item.record.children[rule.collection].append(values)
            }
        }
        for check in definition.checks { run(check, &item) }
        return item
    }

    // MARK: - Fields

    private func value(
        _ rule: FieldRule<Int>, _ source: some TextSource, row: Int?, _ item: inout MappedItem,
        prefix: String = ""
    ) -> Value? {
        let place = Place(line: item.record.origin.line, field: prefix + rule.name)
        do throws(Diagnostic) {
            let text = try text(rule.value, source, row: row, item.record.values, place: place)
            guard let text = text ?? rule.defaultText else {
                if rule.isRequired { throw MappingError(.required, at: place).diagnostic }
                return nil
            }
            if let check = rule.check, let warning = check.finding(text, at: place) {
                item.findings.append(warning)
            }
            return try rule.typed(text, at: place)
        } catch {
            var finding = error
            finding.place.field = finding.place.field ?? place.field
            item.findings.append(finding)
            return nil
        }
    }

    /// The cleaned text of a rule; nil where it has none.
    ///
    /// Of `first`, the alternative whose text survives the rule's own `clean`, `take`, `regex` and `keep` wins:
    /// an identifier of another shape at the first place does not hide the right one at the second.
    private func text(
        _ rule: ValueRule<Int>, _ source: some TextSource, row: Int?, _ values: Values, place: Place
    ) throws(Diagnostic) -> String? {
        switch rule.origin {
        case .first(let alternatives):
            for alternative in alternatives {
                let found = try text(alternative, source, row: row, values, place: place)
                if let found, let finished = try rule.finish(found, at: place) { return finished }
            }
            return nil
        case .located(let places):
            return try finish(source.text(places, row: row, values: values), rule, place)
        case .field(let slot): return try finish(values[slot]?.description, rule, place)
        case .constant(let text): return try finish(text, rule, place)
        case .root: return try finish(source.rootName, rule, place)
        }
    }

    private func finish(_ text: String?, _ rule: ValueRule<Int>, _ place: Place) throws(Diagnostic) -> String?
    {
        guard let text else { return nil }
        return try rule.finish(text, at: place)
    }

    // MARK: - Checks

    private func run(_ check: CheckRule, _ item: inout MappedItem) {
        let rows = check.each.map { item.record.children[$0] } ?? [[]]
        for row in rows {
            if let when = check.when, when.holds(in: item.record, row: row) != true { continue }
            guard check.expect.holds(in: item.record, row: row) == false else { continue }
            let place = Place(
                line: item.record.origin.line,
                field: check.each.map { definition.target.collections[$0].name })
            item.findings.append(
                Diagnostic(
                    code: check.id, facts: ["message": render(check, item.record, row)], place: place,
                    severity: check.severity))
        }
    }

    /// The check's sentence with the values of `{field}`; a missing value shows as a dash.
    private func render(_ check: CheckRule, _ record: Record, _ row: Values) -> String {
        var output = ""
        var rest = Substring(check.message)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            output += rest[..<open]
            let name = String(rest[rest.index(after: open)..<close])
            let rowValue = check.each.flatMap { definition.target.collections[$0].slot(of: name) }.flatMap {
                row[$0]
            }
            output += (rowValue ?? record[name])?.description ?? "–"
            rest = rest[rest.index(after: close)...]
        }
        return output + rest
    }
}

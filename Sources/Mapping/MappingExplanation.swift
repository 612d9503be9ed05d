// SPDX-License-Identifier: Apache-2.0
// Tells how a mapping gets each value, in the words of its file.

internal import Model
internal import Tabular
internal import XML

/// How one field gets its value.
package struct FieldExplanation: Sendable {
    /// The field, with its collection (`lines.net`).
    package let field: String
    /// Places, other fields or constants, in the order tried.
    package let origins: [String]
    /// What is done to the text, in order.
    package let steps: [String]
}

extension MappingDefinition {
    /// How each field gets its value, in the order in which they are read.
    package var explanation: [FieldExplanation] {
        fields.map { explain($0, prefix: "", rowFields: []) }
            + collections.flatMap { rule in
                let schema = target.collections[rule.collection]
                return rule.fields.map { explain($0, prefix: schema.name + ".", rowFields: schema.fields) }
            }
    }

    /// The places of the source that are kept, as a tree: the depth of each and what it is.
    package var places: [(depth: Int, name: String)] {
        guard case .xml(let source) = source else {
            return columns.map { (0, $0) }
        }
        let binding = XMLBinding(source, RecordProgram(self, fileVariables: [:]), self)
        var lines: [(Int, String)] = []
        func add(_ node: Int, _ depth: Int) {
            let description = binding.trie.describe(node)
            lines.append(
                (depth, node == 0 ? source.records.map(\.local).joined(separator: " | ") : description))
            for child in binding.trie.children(of: node) { add(child, depth + 1) }
        }
        add(0, 0)
        return lines
    }

    /// The columns that the mapping reads, in the order of its fields; empty for XML.
    package var columns: [String] {
        var columns: [String] = []
        func add(_ locator: Locator) {
            guard let name = locator.columnName, !columns.contains(name) else { return }
            columns.append(name)
        }
        if case .table(let source) = source { source.grouping?.places.forEach(add) }
        for rule in fields + collections.flatMap(\.fields) { rule.value.locators.forEach(add) }
        for total in totals { add(.column(total.column)) }
        return columns
    }

    /// The first line of its file that says what it is for.
    package var title: String {
        text.split(separator: "\n").first { $0.hasPrefix("# ") && !$0.contains("SPDX") }
            .map { String($0.dropFirst(2)) } ?? ""
    }

    /// An empty table that a customer can fill: the header, with the mark that makes spreadsheets read UTF-8;
    /// nil where records are no rows of a table with a header.
    package var template: [UInt8]? {
        guard case .table(let table) = source, table.kind == .csv, table.headerLines > 0,
            table.columns != .byPosition
        else { return nil }
        var writer = CSVWriter(delimiter: table.delimiters.first ?? UInt8(ascii: ";"))
        writer.write(columns.map { .text($0) })
        return writer.bytes
    }

    private func explain(_ rule: FieldRule, prefix: String, rowFields: [FieldSchema]) -> FieldExplanation {
        var steps = explain(rule.value)
        switch rule.type {
        case .string: if let max = rule.maxLength { steps.append("max \(max)") }
        case .decimal: steps.append("decimal \(rule.locale.rawValue)")
        case .date: steps.append("date " + rule.formats.map(\.pattern).joined(separator: ", "))
        default: steps.append(rule.type.rawValue)
        }
        if let check = rule.check { steps.append("valid \(check.rawValue)") }
        if let text = rule.defaultText { steps.append("default '\(text)'") }
        if rule.isRequired { steps.append("required") }
        return FieldExplanation(
            field: prefix + rule.name, origins: origins(rule.value, rowFields), steps: steps)
    }

    private func explain(_ rule: ValueRule) -> [String] {
        var steps: [String] = []
        if rule.when != nil { steps.append("when") }
        for (cleaning, word) in [
            (CleaningSet.nospace, "nospace"), (.squeeze, "squeeze"), (.upper, "upper"), (.lower, "lower"),
            (.fold, "fold"),
        ] where rule.cleaning.contains(cleaning) { steps.append(word) }
        if let take = rule.take { steps.append("take \(take)") }
        if let regex = rule.regex { steps.append("regex \(regex.source)") }
        if let keep = rule.keep { steps.append("keep \(keep.source)") }
        if let choices = rule.choices { steps.append("enum (\(choices.count))") }
        return steps
    }

    private func origins(_ rule: ValueRule, _ rowFields: [FieldSchema]) -> [String] {
        switch rule.origin {
        case .located(let places): [places.map(\.words).joined(separator: " | ")]
        case .field(let slot): ["← " + target.fields[slot].name]
        case .rowField(let slot): ["← " + rowFields[slot].name]
        case .constant(let text): ["'\(text)'" + (rule.otherwiseText.map { " / '\($0)'" } ?? "")]
        case .root: ["root"]
        case .fileVariable(let name): ["$file.\(name)"]
        case .first(let rules): rules.flatMap { origins($0, rowFields) }
        }
    }
}

extension ValueRule {
    /// Every place that the rule reads, those of its conditions included.
    var locators: [Locator] {
        let own: [Locator] =
            switch origin {
            case .located(let places): places
            case .first(let rules): rules.flatMap(\.locators)
            default: []
            }
        return own + (when?.locators ?? [])
    }
}

extension Locator {
    /// The column's name; nil for places in lines and paths.
    var columnName: String? {
        if case .column(let name) = inner { name } else { nil }
    }

    /// The place as a person reads it.
    var words: String {
        switch self {
        case .path(let path): path.words
        case .column(let name): name
        case .slice(let start, let count): "\(start + 1)-" + (count.map { String(start + $0) } ?? "")
        case .inRow(let kind, let inner): "\(inner.words) (\(kind))"
        case .rowNumber: "$row"
        }
    }
}

extension PathExpression {
    /// The path without namespaces.
    var words: String {
        let steps = steps.map { step in
            step.name.local
                + step.predicates.map { predicate in
                    switch predicate {
                    case .attribute(let name, let operand): "[@\(name.local)=\(operand.words)]"
                    case .child(let names, let operand):
                        "[\(names.map(\.local).joined(separator: "/"))=\(operand.words)]"
                    case .position(let position): "[\(position)]"
                    }
                }.joined()
        }
        return (steps + (attribute.map { ["@" + $0.local] } ?? [])).joined(separator: "/")
    }
}

extension PathExpression.Operand {
    fileprivate var words: String {
        switch self {
        case .literal(let text): "'\(text)'"
        case .field(let name): "$" + name
        }
    }
}

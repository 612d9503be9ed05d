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
    /// What the field costs in each record.
    package let cost: FieldCost
}

/// What reading one field takes, counted: nothing here depends on a machine.
package struct FieldCost: Sendable, Hashable {
    /// Whether right values need no more than a look and a parse; others then still take the long way.
    package let isShort: Bool
    /// Places that are looked at until one has a text, at most.
    package let places: Int
    /// Regular expressions that are run, at most.
    package let patterns: Int
    /// Operations of conditions.
    package let operations: Int
}

extension MappingDefinition {
    /// How each field gets its value, in the order in which they are read.
    package var explanation: [FieldExplanation] {
        let program = RecordProgram(self, fileVariables: [:])
        var explanations: [FieldExplanation] = []
        func add(_ rule: FieldRule, prefix: String, rowFields: [FieldSchema]) {
            // Rules are compiled in the same order.
            let cost = program.cost(of: explanations.count)
            explanations.append(explain(rule, prefix: prefix, rowFields: rowFields, cost))
        }
        for rule in fields { add(rule, prefix: "", rowFields: []) }
        for rule in collections {
            let schema = target.collections[rule.collection]
            for field in rule.fields { add(field, prefix: schema.name + ".", rowFields: schema.fields) }
        }
        return explanations
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
        for total in totals where total.slot == nil { add(.column(total.column)) }
        return columns
    }

    /// The columns of the first file, or those of the second of a mapping that reads two.
    func columns(ofDetail: Bool) -> [String] {
        guard case .table(let table) = source, case .byDetail(let detail) = table.grouping else {
            return columns
        }
        let rules = ofDetail ? collections.flatMap(\.fields) : fields
        let others = rules.flatMap { $0.value.locators.compactMap(\.columnName) }
        return others.reduce(into: detail.key) { if !$0.contains($1) { $0.append($1) } }
    }

    /// The first line of its file that says what it is for.
    package var title: String {
        text.mappingTitle
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

    private func explain(
        _ rule: FieldRule, prefix: String, rowFields: [FieldSchema], _ cost: FieldCost
    ) -> FieldExplanation {
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
            field: prefix + rule.name, origins: origins(rule.value, rowFields), steps: steps,
            cost: cost)
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

extension RecordProgram {
    /// What a rule costs, with its alternatives.
    fileprivate func cost(of index: Int) -> FieldCost {
        let operation = operations[index]
        let own = operation.regex >= 0 ? 1 : 0
        var (places, patterns) = (0, own + (operation.keep >= 0 ? 1 : 0))
        var count = operation.when < 0 ? 0 : size(of: operation.when)
        if operation.negative >= 0 { count += size(of: operation.negative) }
        switch operation.origin {
        case .place: places = 1
        case .places(_, let number): places = Int(number)
        case .first(let start, let number):
            for alternative in Int(start)..<Int(start + number) {
                let cost = cost(of: alternative)
                places += cost.places
                patterns += cost.patterns + (operation.keep >= 0 ? 1 : 0)
                count += cost.operations
            }
        case .field, .rowField, .constant, .root: break
        }
        // The alternatives' own short ways play no part: their field's decides.
        return FieldCost(
            isShort: direct[index].shape != .indirect, places: places, patterns: patterns, operations: count)
    }

    /// Number of nodes of an expression.
    private func size(of node: Int32) -> Int {
        switch nodes[Int(node)] {
        case .not(let inner), .negate(let inner): 1 + size(of: inner)
        case .binary(_, let left, let right): 1 + size(of: left) + size(of: right)
        case .list(let start, let count), .call(_, let start, let count):
            links[Int(start)..<Int(start + count)].reduce(1) { $0 + size(of: $1) }
        default: 1
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

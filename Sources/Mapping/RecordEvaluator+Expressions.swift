// SPDX-License-Identifier: Apache-2.0
// Evaluates compiled expressions over a record; unknown operands make an unknown result, as in SQL.

internal import Diagnostics
internal import Model

extension RecordEvaluator {
    /// Whether a condition holds; nil where that is unknown.
    func truth(
        of node: Int32, _ source: inout some RecordSource, _ row: RowPlace, _ record: inout Record
    ) -> Bool? {
        if let quick = program.quickTruth(node, record.cells) { return quick }
        var scope = ExpressionScope(program: program, row: row)
        return scope.evaluate(node, &source, &record).truth
    }

    /// Runs a check over the record, or over each row of its collection.
    func run(_ check: Int, _ source: inout some RecordSource, _ item: inout MappedItem) {
        let operation = program.checks[check]
        let collection = Int(operation.collection)
        guard collection >= 0 else {
            if operation.when < 0, program.quickTruth(operation.expect, item.record.cells) == true { return }
            return run(check, &source, .record, &item)
        }
        for row in 0..<item.record.children[collection].count {
            run(check, &source, RowPlace(collection: collection, row: row), &item)
        }
    }

    private func run(
        _ check: Int, _ source: inout some RecordSource, _ row: RowPlace,
        _ item: inout MappedItem
    ) {
        var scope = ExpressionScope(program: program, row: row)
        guard scope.fails(check, &source, &item.record) else { return }
        var finding = scope.finding(of: check, &source, &item.record)
        finding.place.line = source.line(of: row) ?? item.record.origin.line
        finding.place.field = row.collection < 0 ? nil : definition.target.collections[row.collection].name
        item.findings.append(finding)
    }
}

extension ExpressionScope {
    /// Whether a check applies and does not hold; where that is unknown it does not fail.
    mutating func fails(_ number: Int, _ source: inout some RecordSource, _ record: inout Record) -> Bool {
        let check = program.checks[number]
        if check.when >= 0, evaluate(check.when, &source, &record).truth != true { return false }
        return evaluate(check.expect, &source, &record).truth == false
    }

    /// What a check that fails says: its sentence, and its values under the names that it calls them by.
    mutating func finding(
        of number: Int, _ source: inout some RecordSource, _ record: inout Record
    ) -> Diagnostic {
        let rule = program.checkRules[number]
        var message = ""
        var facts: [String: String] = [:]
        for (part, node) in zip(rule.message.parts, program.links[Int(program.checks[number].firstPart)...]) {
            if case .words(let words) = part {
                message += words
            } else {
                // First the value, which may add its text to the record, then the record with that text.
                let cell = evaluate(node, &source, &record)
                // Numbers are told apart, since each language writes them in its own way.
                let isNumber = if case .decimal = cell { true } else { false }
                let name = "\(isNumber ? "number" : "value").\(facts.count + 1)"
                facts[name] = record.value(of: cell)?.description ?? "–"
                message += "{\(name)}"
            }
        }
        facts["message"] = message
        return Diagnostic(
            code: rule.id, facts: facts, place: Place(),
            severity: Diagnostic.Severity(rawValue: rule.severity.rawValue) ?? .error)
    }
}

extension Cell {
    /// The truth value, when it is one.
    fileprivate var truth: Bool? { if case .boolean(let boolean) = self { boolean } else { nil } }

    fileprivate init(_ decimal: Decimal?) {
        self = decimal.map { .decimal($0) } ?? .none
    }
}

/// What the names of an expression mean while it is evaluated.
struct ExpressionScope {
    let program: RecordProgram
    /// The row that row fields are of.
    let row: RowPlace
    /// Totals over the file, for file checks.
    var totals: [Cell] = []

    /// The value of a node; ``Cell/none`` = unknown.
    mutating func evaluate(
        _ node: Int32, _ source: inout some RecordSource, _ record: inout Record
    ) -> Cell {
        switch program.nodes[Int(node)] {
        case .constant(let cell): return cell
        case .field(let slot): return record.cells[Int(slot)]
        case .rowField(let slot):
            let width = record.children[row.collection].width
            return record.children[row.collection].cells[row.row * width + Int(slot)]
        case .place(let place): return text(place, &source, &record)
        case .total(let number): return totals[Int(number)]
        case .not(let inner):
            return evaluate(inner, &source, &record).truth.map { .boolean(!$0) } ?? .none
        case .negate(let inner): return Cell(evaluate(inner, &source, &record).decimal?.negated)
        case .binary(let operation, let left, let right):
            return combine(operation, left, right, &source, &record)
        case .list(let start, let count): return list(Int(start), Int(count), &source, &record)
        case .call(let function, let start, let count):
            return call(function, Int(start), Int(count), &source, &record)
        case .countRows(let collection): return .integer(record.children[Int(collection)].count)
        case .aggregate(let aggregate, let collection, let slot):
            return Self.aggregate(aggregate, record.children[Int(collection)], Int(slot))
        }
    }

    private func text(_ place: Int32, _ source: inout some RecordSource, _ record: inout Record) -> Cell {
        guard let found = try? source.text(place, row, &record) else { return .none }
        let trimmed = found.trimmed(in: record.bytes.span)
        return trimmed.count > 0 ? .text(trimmed) : .none
    }

    // MARK: - Operators

    private mutating func combine(
        _ operation: Expression.Operator, _ left: Int32, _ right: Int32, _ source: inout some RecordSource,
        _ record: inout Record
    ) -> Cell {
        switch operation {
        case .add, .subtract, .multiply, .divide:
            return Cell(arithmetic(operation, left, right, &source, &record))
        default: break
        }
        let first = evaluate(left, &source, &record)
        if operation == .and || operation == .or {
            let decisive = operation == .or
            if first.truth == decisive { return .boolean(decisive) }
            let second = evaluate(right, &source, &record).truth
            if second == decisive { return .boolean(decisive) }
            return first.truth == nil || second == nil ? .none : .boolean(!decisive)
        }
        let second = evaluate(right, &source, &record)
        switch operation {
        case .starts, .ends:
            guard case .text(let text) = first, case .text(let other) = second else { return .none }
            guard text.count >= other.count else { return .boolean(false) }
            let start = operation == .starts ? text.start : text.start + text.count - other.count
            let part = TextRange(start: Int(start), count: Int(other.count))
            return .boolean(record.bytes.span.areEqual(part, other))
        default:
            return Self.order(first, second, record.bytes).map { .boolean(operation.holds($0)) } ?? .none
        }
    }

    private mutating func arithmetic(
        _ operation: Expression.Operator, _ left: Int32, _ right: Int32, _ source: inout some RecordSource,
        _ record: inout Record
    ) -> Decimal? {
        guard let left = number(left, &source, &record), let right = number(right, &source, &record) else {
            return nil
        }
        switch operation {
        case .add: return left.adding(right)
        case .subtract: return left.subtracting(right)
        case .multiply: return left.multiplied(by: right)
        case .divide: return left.divided(by: right)
        default: return nil
        }
    }

    /// The value of a node that is a number; nil where it is unknown or something else.
    private mutating func number(
        _ node: Int32, _ source: inout some RecordSource, _ record: inout Record
    ) -> Decimal? {
        switch program.nodes[Int(node)] {
        case .field(let slot): record.cells[Int(slot)].decimal
        case .binary(let operation, let left, let right)
        where operation == .add || operation == .subtract:
            arithmetic(operation, left, right, &source, &record)
        default: evaluate(node, &source, &record).decimal
        }
    }

    /// −1, 0 or 1; nil for values that cannot be compared.
    private static func order(_ left: Cell, _ right: Cell, _ bytes: [UInt8]) -> Int? {
        func compare<T: Comparable>(_ left: T, _ right: T) -> Int {
            left < right ? -1 : left == right ? 0 : 1
        }
        switch (left, right) {
        case (.text(let left), .text(let right)):
            if bytes.span.areEqual(left, right) { return 0 }
            return bytes[left.offsets].lexicographicallyPrecedes(bytes[right.offsets]) ? -1 : 1
        case (.date(let left), .date(let right)): return compare(left, right)
        case (.boolean(let left), .boolean(let right)): return left == right ? 0 : 1
        default:
            guard let left = left.decimal, let right = right.decimal else { return nil }
            return compare(left, right)
        }
    }

    private mutating func list(
        _ start: Int, _ count: Int, _ source: inout some RecordSource, _ record: inout Record
    ) -> Cell {
        let wanted = evaluate(program.links[start], &source, &record)
        guard wanted.isValue else { return .none }
        for index in start + 1..<start + count {
            let member = evaluate(program.links[index], &source, &record)
            if Self.order(wanted, member, record.bytes) == 0 { return .boolean(true) }
        }
        return .boolean(false)
    }

    // MARK: - Functions

    private mutating func call(
        _ function: Expression.Function, _ start: Int, _ count: Int, _ source: inout some RecordSource,
        _ record: inout Record
    ) -> Cell {
        let first = evaluate(program.links[start], &source, &record)
        switch function {
        case .exists: return .boolean(first.isValue)
        case .coalesce:
            for index in start..<start + count {
                let value = evaluate(program.links[index], &source, &record)
                if value.isValue { return value }
            }
            return .none
        case .abs: return Cell(first.decimal?.magnitude)
        case .round:
            let digits = count > 1 ? evaluate(program.links[start + 1], &source, &record).decimal : .zero
            guard let decimal = first.decimal, let digits, let scale = Int(exactly: digits.unscaled) else {
                return .none
            }
            return .decimal(decimal.rounded(to: Swift.min(Swift.max(scale, 0), Decimal.maxScale)))
        case .len:
            guard case .text(let text) = first else { return .none }
            return .integer(record.string(text).count)
        case .year:
            guard case .date(let date) = first else { return .none }
            return .integer(date.year)
        case .days:
            let second = evaluate(program.links[start + 1], &source, &record)
            guard case .date(let from) = first, case .date(let to) = second else { return .none }
            return .integer(to.daysSince1970 - from.daysSince1970)
        case .lower:
            guard case .text(let text) = first else { return .none }
            return .text(CleaningSet.lower.apply(to: text, of: &record))
        }
    }

    /// The sum of nothing is 0; the smallest and largest of nothing are unknown.
    private static func aggregate(_ aggregate: Expression.Aggregate, _ table: RowTable, _ slot: Int) -> Cell {
        var result: Decimal? = aggregate == .sum ? .zero : nil
        for row in 0..<table.count {
            guard let value = table.cells[row * table.width + slot].decimal else { continue }
            switch aggregate {
            case .sum:
                guard let sum = result?.adding(value) else { return .none }
                result = sum
            case .min: result = result.map { Swift.min($0, value) } ?? value
            case .max: result = result.map { Swift.max($0, value) } ?? value
            }
        }
        return Cell(result)
    }
}

extension Expression.Operator {
    /// Whether a comparison holds for −1, 0 or 1.
    @inline(__always)
    func holds(_ order: Int) -> Bool {
        switch self {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        default: order >= 0
        }
    }
}

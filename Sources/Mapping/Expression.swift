// SPDX-License-Identifier: Apache-2.0
// Expressions over a record's fields: decimals, texts and booleans, total, without loops.

internal import Model

/// A parsed expression with its names resolved to slots.
indirect enum Expression: Sendable {
    case constant(Value)
    /// A field of the record.
    case field(Int)
    /// A field of the current row, in a check with `each`.
    case rowField(Int)
    case not(Expression)
    case negate(Expression)
    case binary(Operator, Expression, Expression)
    case list(Expression, [Expression])
    case call(Function, [Expression])
    case countRows(Int)
    case aggregate(Aggregate, collection: Int, slot: Int)

    enum Operator: String, Sendable {
        case add = "+"
        case subtract = "-"
        case multiply = "*"
        case divide = "/"
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case and, or, starts, ends
    }

    enum Function: String, Sendable, CaseIterable {
        case abs, round, coalesce, exists, len, year, lower
    }

    enum Aggregate: String, Sendable, CaseIterable {
        case sum, min, max
    }
}

extension Expression {
    /// The value for a record; nil = unknown, because an operand is missing or a result does not fit.
    ///
    /// - Parameter row: the row of a check with `each`.
    func value(in record: Record, row: Values = []) -> Value? {
        switch self {
        case .constant(let value): value
        case .field(let slot): record.values[slot]
        case .rowField(let slot): row[slot]
        case .not(let operand): Self.boolean(operand.value(in: record, row: row)).map { .boolean(!$0) }
        case .negate(let operand):
            (operand.value(in: record, row: row)?.decimal?.negated).map { .decimal($0) }
        case .binary(let operation, let left, let right):
            Self.combine(
                operation, left.value(in: record, row: row), right.value(in: record, row: row))
        case .list(let operand, let members):
            operand.value(in: record, row: row).map { value in
                .boolean(members.contains { $0.value(in: record, row: row) == value })
            }
        case .call(let function, let arguments):
            Self.call(function, arguments.map { $0.value(in: record, row: row) })
        case .countRows(let collection): .integer(record.children[collection].count)
        case .aggregate(let aggregate, let collection, let slot):
            Self.aggregate(aggregate, record.children[collection].compactMap { $0[slot]?.decimal })
        }
    }

    /// Whether a condition holds; an unknown one is nil, as in SQL.
    func holds(in record: Record, row: Values = []) -> Bool? {
        Self.boolean(value(in: record, row: row))
    }

    private static func boolean(_ value: Value?) -> Bool? {
        if case .boolean(let boolean) = value { boolean } else { nil }
    }

    private static func combine(_ operation: Operator, _ left: Value?, _ right: Value?) -> Value? {
        switch operation {
        case .and:
            if boolean(left) == false || boolean(right) == false { return .boolean(false) }
            return boolean(left).flatMap { _ in boolean(right) }.map { .boolean($0) }
        case .or:
            if boolean(left) == true || boolean(right) == true { return .boolean(true) }
            return boolean(left).flatMap { _ in boolean(right) }.map { .boolean($0) }
        default:
            guard let left, let right else { return nil }
            return apply(operation, left, right)
        }
    }

    private static func apply(_ operation: Operator, _ left: Value, _ right: Value) -> Value? {
        switch operation {
        case .add: decimals(left, right) { $0.adding($1) }
        case .subtract: decimals(left, right) { $0.subtracting($1) }
        case .multiply: decimals(left, right) { $0.multiplied(by: $1) }
        case .divide: decimals(left, right) { $0.divided(by: $1) }
        case .starts: texts(left, right) { $0.hasPrefix($1) }
        case .ends: texts(left, right) { $0.hasSuffix($1) }
        default: order(left, right).map { .boolean(satisfies(operation, $0)) }
        }
    }

    private static func decimals(_ left: Value, _ right: Value, _ body: (Decimal, Decimal) -> Decimal?)
        -> Value?
    {
        guard let left = left.decimal, let right = right.decimal else { return nil }
        return body(left, right).map { .decimal($0) }
    }

    private static func texts(_ left: Value, _ right: Value, _ body: (String, String) -> Bool) -> Value? {
        guard let left = left.text, let right = right.text else { return nil }
        return .boolean(body(left, right))
    }

    /// −1, 0 or 1; nil for values that cannot be compared.
    private static func order(_ left: Value, _ right: Value) -> Int? {
        func compare<T: Comparable>(_ left: T, _ right: T) -> Int {
            left < right ? -1 : left == right ? 0 : 1
        }
        if let left = left.decimal, let right = right.decimal { return compare(left, right) }
        if let left = left.text, let right = right.text { return compare(left, right) }
        if let left = left.date, let right = right.date { return compare(left, right) }
        if let left = boolean(left), let right = boolean(right) { return left == right ? 0 : 1 }
        return nil
    }

    private static func satisfies(_ operation: Operator, _ order: Int) -> Bool {
        switch operation {
        case .equal: order == 0
        case .notEqual: order != 0
        case .less: order < 0
        case .lessOrEqual: order <= 0
        case .greater: order > 0
        default: order >= 0
        }
    }

    private static func call(_ function: Function, _ arguments: [Value?]) -> Value? {
        let first = arguments.first ?? nil
        return switch function {
        case .exists: .boolean(first != nil)
        case .coalesce: arguments.lazy.compactMap(\.self).first
        case .abs: (first?.decimal?.magnitude).map { .decimal($0) }
        case .round: round(first, arguments.count > 1 ? arguments[1] : .integer(0))
        case .len: (first?.text?.count).map { .integer($0) }
        case .year: (first?.date?.year).map { .integer($0) }
        case .lower: (first?.text?.lowercased()).map { .text($0) }
        }
    }

    private static func round(_ value: Value?, _ scale: Value?) -> Value? {
        guard let decimal = value?.decimal, let scale = scale?.decimal.flatMap({ Int($0.description) }) else {
            return nil
        }
        return .decimal(decimal.rounded(to: Swift.min(Swift.max(scale, 0), Decimal.maxScale)))
    }

    /// The sum of nothing is 0; the smallest and largest of nothing are unknown.
    private static func aggregate(_ aggregate: Aggregate, _ values: [Decimal]) -> Value? {
        switch aggregate {
        case .sum:
            values.reduce(Decimal.zero as Decimal?) { sum, value in sum?.adding(value) }.map { .decimal($0) }
        case .min: values.min().map { .decimal($0) }
        case .max: values.max().map { .decimal($0) }
        }
    }
}

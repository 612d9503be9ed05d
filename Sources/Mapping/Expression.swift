// SPDX-License-Identifier: Apache-2.0
// Expressions over a record: decimals, dates, texts and booleans; total, without loops, typed when they are read.

internal import Model

/// A parsed expression with its names resolved and its types checked.
indirect enum Expression: Sendable {
    case number(Decimal)
    case text(String)
    case boolean(Bool)
    /// A field of the record.
    case field(Int)
    /// A field of the current row.
    case rowField(Int)
    /// The text at a place of the source (`col('Sens')`), as it is there.
    case located(Locator)
    /// A total over all rows of the file, by its number.
    case total(Int)
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
        case abs, round, coalesce, exists, len, year, days, lower
    }

    enum Aggregate: String, Sendable, CaseIterable {
        case sum, min, max
    }

    /// What an expression gives.
    enum Kind: String, Sendable {
        case number, text, date, boolean
    }
}

/// A sum over one column of all rows of a file (`sum(all.Debit)`), or over one field of all records, wanted or not
/// (`sum(all.debit)`), in constant memory.
struct FileTotal: Sendable, Hashable {
    enum Operation: String, Sendable, CaseIterable { case sum, count, min, max }

    let operation: Operation
    /// The column's or field's name.
    let column: String
    /// The field; nil for a column.
    var slot: Int?
}

extension Expression {
    /// Calls `body` with this expression and all inside it.
    func visit(_ body: (Expression) -> Void) {
        body(self)
        switch self {
        case .not(let inner), .negate(let inner): inner.visit(body)
        case .binary(_, let left, let right):
            left.visit(body)
            right.visit(body)
        case .list(let inner, let members):
            inner.visit(body)
            for member in members { member.visit(body) }
        case .call(_, let arguments): for argument in arguments { argument.visit(body) }
        default: break
        }
    }

    /// Slots of the record's fields in it.
    var fields: Set<Int> {
        var slots: Set<Int> = []
        visit { if case .field(let slot) = $0 { slots.insert(slot) } }
        return slots
    }

    /// Slots of the row's fields in it.
    var rowFields: Set<Int> {
        var slots: Set<Int> = []
        visit { if case .rowField(let slot) = $0 { slots.insert(slot) } }
        return slots
    }

    /// Places of the source in it.
    var locators: [Locator] {
        var found: [Locator] = []
        visit { if case .located(let locator) = $0 { found.append(locator) } }
        return found
    }
}

// SPDX-License-Identifier: Apache-2.0
// Reads the expression language of checks and conditions, and checks its types.

internal import Diagnostics
internal import Model
internal import YAML

/// What names mean in an expression.
struct ExpressionNames {
    let schema: EntitySchema
    /// The collection whose fields need no prefix.
    var row: Int?
    /// Whether `col('…')` may be used.
    var isTable = false
    /// Whether `sum(all.…)` may be used, and nothing about single records.
    var isFile = false
}

/// A recursive-descent parser; from weakest to strongest: `or`, `and`, `not`, comparisons, `+ -`, `* /`, unary `-`.
struct ExpressionParser {
    /// Why an expression is refused: a code with its facts.
    struct Fault: Error {
        let code: MappingError.Code
        let facts: [String: String]
    }

    /// An expression and what it gives.
    typealias Typed = (expression: Expression, kind: Expression.Kind)

    private let names: ExpressionNames
    private var tokens: [ExpressionToken] = []
    private var position = 0
    /// Totals over the file that the expression uses.
    private var totals: [FileTotal]
    private var depth = 0

    /// Deeper expressions are refused: the parser calls itself.
    private static let depthLimit = 100

    private init(_ names: ExpressionNames, totals: [FileTotal]) {
        self.names = names
        self.totals = totals
    }

    /// Parses a whole expression.
    ///
    /// - Parameters:
    ///   - kind: what it must give; nil for anything.
    ///   - totals: the file's totals known so far; new ones are added.
    static func parse(
        _ text: String, _ names: ExpressionNames, _ kind: Expression.Kind?, totals: inout [FileTotal]
    ) throws(Fault) -> Expression {
        var parser = ExpressionParser(names, totals: totals)
        parser.tokens = try ExpressionToken.tokenize(text)
        let typed = try parser.disjunction()
        guard parser.tokens[parser.position] == .end else { throw parser.unexpected() }
        if let kind, kind != typed.kind {
            throw Fault(
                code: .expressionType,
                facts: ["operation": text, "kind": typed.kind.rawValue, "expected": kind.rawValue])
        }
        totals = parser.totals
        return typed.expression
    }

    // MARK: - Tokens

    private func unexpected() -> Fault {
        if let words = tokens[position].words {
            return Fault(code: .expressionUnexpected, facts: ["found": words])
        }
        return Fault(code: .expressionEnds, facts: [:])
    }

    private mutating func take(_ token: ExpressionToken) -> Bool {
        guard tokens[position] == token else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ symbol: String) throws(Fault) {
        guard take(.symbol(symbol)) else { throw unexpected() }
    }

    private func require(_ operand: Typed, _ kind: Expression.Kind, _ operation: String) throws(Fault) {
        guard operand.kind != kind else { return }
        throw Fault(
            code: .expressionType,
            facts: ["operation": operation, "kind": operand.kind.rawValue, "expected": kind.rawValue])
    }

    // MARK: - Grammar

    private mutating func disjunction() throws(Fault) -> Typed {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw Fault(code: .expressionDepth, facts: [:]) }
        var left = try conjunction()
        while take(.word("or")) { left = try logical(.or, left, try conjunction()) }
        return left
    }

    private mutating func conjunction() throws(Fault) -> Typed {
        var left = try negation()
        while take(.word("and")) { left = try logical(.and, left, try negation()) }
        return left
    }

    private func logical(
        _ operation: Expression.Operator, _ left: Typed, _ right: Typed
    ) throws(Fault) -> Typed {
        try require(left, .boolean, operation.rawValue)
        try require(right, .boolean, operation.rawValue)
        return (.binary(operation, left.expression, right.expression), .boolean)
    }

    private mutating func negation() throws(Fault) -> Typed {
        guard take(.word("not")) else { return try comparison() }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw Fault(code: .expressionDepth, facts: [:]) }
        let inner = try negation()
        try require(inner, .boolean, "not")
        return (.not(inner.expression), .boolean)
    }

    private mutating func comparison() throws(Fault) -> Typed {
        let left = try sum()
        if take(.word("in")) {
            try expect("(")
            let members = try arguments()
            for member in members { try require(member, left.kind, "in") }
            return (.list(left.expression, members.map(\.expression)), .boolean)
        }
        let operation: Expression.Operator? =
            switch tokens[position] {
            case .word(let word) where word == "starts" || word == "ends": Expression.Operator(rawValue: word)
            case .symbol(let symbol) where "=!<>".contains(symbol.prefix(1)):
                Expression.Operator(rawValue: symbol)
            default: nil
            }
        guard let operation else { return left }
        position += 1
        let right = try sum()
        if operation == .starts || operation == .ends { try require(left, .text, operation.rawValue) }
        try require(right, left.kind, operation.rawValue)
        return (.binary(operation, left.expression, right.expression), .boolean)
    }

    private mutating func sum() throws(Fault) -> Typed {
        var left = try product()
        while true {
            if take(.symbol("+")) {
                left = try arithmetic(.add, left, try product())
            } else if take(.symbol("-")) {
                left = try arithmetic(.subtract, left, try product())
            } else {
                return left
            }
        }
    }

    private mutating func product() throws(Fault) -> Typed {
        var left = try factor()
        while true {
            if take(.symbol("*")) {
                left = try arithmetic(.multiply, left, try factor())
            } else if take(.symbol("/")) {
                left = try arithmetic(.divide, left, try factor())
            } else {
                return left
            }
        }
    }

    private func arithmetic(
        _ operation: Expression.Operator, _ left: Typed, _ right: Typed
    ) throws(Fault) -> Typed {
        try require(left, .number, operation.rawValue)
        try require(right, .number, operation.rawValue)
        return (.binary(operation, left.expression, right.expression), .number)
    }

    private mutating func factor() throws(Fault) -> Typed {
        if take(.symbol("-")) {
            depth += 1
            defer { depth -= 1 }
            guard depth <= Self.depthLimit else { throw Fault(code: .expressionDepth, facts: [:]) }
            let inner = try factor()
            try require(inner, .number, "-")
            return (.negate(inner.expression), .number)
        }
        if take(.symbol("(")) {
            let inner = try disjunction()
            try expect(")")
            return inner
        }
        switch tokens[position] {
        case .number(let digits):
            guard let decimal = Decimal(digits) else { throw unexpected() }
            position += 1
            return (.number(decimal), .number)
        case .text(let text):
            position += 1
            return (.text(text), .text)
        case .word(let word):
            position += 1
            if take(.symbol("(")) { return try call(word) }
            return try name(word)
        default: throw unexpected()
        }
    }

    /// The arguments behind an open parenthesis, and the closing one.
    private mutating func arguments() throws(Fault) -> [Typed] {
        var arguments: [Typed] = []
        if take(.symbol(")")) { return arguments }
        repeat { arguments.append(try disjunction()) } while take(.symbol(","))
        try expect(")")
        return arguments
    }

    // MARK: - Functions and names

    private mutating func call(_ name: String) throws(Fault) -> Typed {
        if name == "count" || Expression.Aggregate(rawValue: name) != nil { return try aggregate(name) }
        if name == "col", names.isTable { return try column() }
        guard let function = Expression.Function(rawValue: name) else {
            throw unknown(
                .functionUnknown, name,
                Expression.Function.allCases.map(\.rawValue) + ["count", "sum", "min", "max"])
        }
        let arguments = try arguments()
        guard function.arity.contains(arguments.count), let first = arguments.first else {
            throw Fault(
                code: .functionArguments,
                facts: ["name": name, "count": String(function.arity.lowerBound)])
        }
        for (argument, kind) in zip(arguments, function.parameters) {
            if let kind { try require(argument, kind, name) }
        }
        if function == .coalesce {
            for argument in arguments { try require(argument, first.kind, name) }
        }
        return (.call(function, arguments.map(\.expression)), function.result ?? first.kind)
    }

    private mutating func column() throws(Fault) -> Typed {
        guard case .text(let column) = tokens[position] else { throw unexpected() }
        position += 1
        try expect(")")
        return (.located(.column(column)), .text)
    }

    /// `count(lines)`, `sum(lines.net)`, `sum(all.Debit)`.
    private mutating func aggregate(_ name: String) throws(Fault) -> Typed {
        guard case .word(let path) = tokens[position] else { throw unexpected() }
        position += 1
        try expect(")")
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        if names.isFile, parts[0] == "all", parts.count == 2 {
            return (.total(total(name, parts[1])), .number)
        }
        guard !names.isFile, let collection = names.schema.collection(parts[0]) else {
            throw unknown(
                .rowsUnknown, parts[0], names.isFile ? ["all"] : names.schema.collections.map(\.name))
        }
        guard let aggregate = Expression.Aggregate(rawValue: name) else {
            return (.countRows(collection), .number)
        }
        let rows = names.schema.collections[collection]
        guard parts.count == 2, let slot = rows.slot(of: parts[1]) else {
            throw unknown(.fieldUnknown, path, rows.fields.map { "\(rows.name).\($0.name)" })
        }
        let kind = Expression.Kind(rows.fields[slot].type)
        guard kind == .number else {
            throw Fault(
                code: .expressionType,
                facts: ["operation": name, "kind": kind.rawValue, "expected": "number"])
        }
        return (.aggregate(aggregate, collection: collection, slot: slot), .number)
    }

    private mutating func total(_ name: String, _ column: String) -> Int {
        let total = FileTotal(
            operation: FileTotal.Operation(rawValue: name) ?? .count, column: column,
            slot: names.schema.slot(of: column))
        if let known = totals.firstIndex(of: total) { return known }
        totals.append(total)
        return totals.count - 1
    }

    private func name(_ word: String) throws(Fault) -> Typed {
        if word == "true" || word == "false" { return (.boolean(word == "true"), .boolean) }
        let schema = names.schema
        if let row = names.row, let slot = schema.collections[row].slot(of: word) {
            return (.rowField(slot), Expression.Kind(schema.collections[row].fields[slot].type))
        }
        if !names.isFile, let slot = schema.slot(of: word) {
            return (.field(slot), Expression.Kind(schema.fields[slot].type))
        }
        let inRow = names.row.map { schema.collections[$0].fields.map(\.name) } ?? []
        throw unknown(.fieldUnknown, word, names.isFile ? [] : inRow + schema.fields.map(\.name))
    }

    private func unknown(_ code: MappingError.Code, _ word: String, _ known: [String]) -> Fault {
        Fault(
            code: code,
            facts: [
                "field": word, "name": word, "suggestion": Suggestion.nearest(to: word, in: known) ?? "",
                "known": known.joined(separator: ", "),
            ])
    }
}

extension Expression.Kind {
    /// What values of a type are in expressions.
    init(_ type: ValueType) {
        self =
            switch type {
            case .string, .currency: .text
            case .decimal, .int: .number
            case .date, .datetime: .date
            case .bool: .boolean
            }
    }
}

extension Expression.Function {
    /// How many arguments it takes.
    var arity: ClosedRange<Int> {
        switch self {
        case .coalesce: 1...16
        case .round: 1...2
        case .days: 2...2
        case .abs, .exists, .len, .year, .lower: 1...1
        }
    }

    /// What its arguments must be; nil for anything.
    var parameters: [Expression.Kind?] {
        switch self {
        case .abs: [.number]
        case .round: [.number, .number]
        case .coalesce, .exists: [nil]
        case .len, .lower: [.text]
        case .year: [.date]
        case .days: [.date, .date]
        }
    }

    /// What it gives; nil for what its first argument is.
    var result: Expression.Kind? {
        switch self {
        case .abs, .round, .len, .year, .days: .number
        case .exists: .boolean
        case .lower: .text
        case .coalesce: nil
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Reads the expression language of checks and conditions.

internal import Model

/// A recursive-descent parser; from weakest to strongest: `or`, `and`, `not`, comparisons, `+ -`, `* /`, unary `-`.
struct ExpressionParser {
    /// Why an expression is refused.
    struct Fault: Error {
        let words: String
    }

    private enum Token: Equatable {
        case number(String)
        case text(String)
        case word(String)
        case symbol(String)
        case end
    }

    private let schema: EntitySchema
    private let row: Int?
    private var tokens: [Token] = []
    private var position = 0

    /// - Parameter row: the collection whose fields need no prefix (`each`).
    private init(schema: EntitySchema, row: Int?) {
        self.schema = schema
        self.row = row
    }

    /// Parses a whole expression.
    static func parse(_ text: String, schema: EntitySchema, row: Int? = nil) throws(Fault) -> Expression {
        var parser = ExpressionParser(schema: schema, row: row)
        parser.tokens = try tokenize(text)
        let expression = try parser.disjunction()
        guard parser.tokens[parser.position] == .end else { throw parser.unexpected() }
        return expression
    }

    // MARK: - Tokens

    private static func tokenize(_ text: String) throws(Fault) -> [Token] {
        var tokens: [Token] = []
        var rest = Substring(text)
        while let character = rest.first {
            if character.isWhitespace {
                rest.removeFirst()
            } else if character.isNumber {
                let digits = rest.prefix { $0.isNumber || $0 == "." }
                tokens.append(.number(String(digits)))
                rest = rest.dropFirst(digits.count)
            } else if character.isLetter || character == "_" {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
                tokens.append(.word(String(word)))
                rest = rest.dropFirst(word.count)
            } else if character == "'" || character == "\"" {
                let body = rest.dropFirst().prefix { $0 != character }
                guard body.endIndex < rest.endIndex else { throw Fault(words: "unclosed quote") }
                tokens.append(.text(String(body)))
                rest = rest.dropFirst(body.count + 2)
            } else {
                let symbol = ["!=", "<=", ">="].first { rest.hasPrefix($0) } ?? String(character)
                guard symbol.count == 2 || "+-*/=<>(),".contains(character) else {
                    throw Fault(words: "unexpected '\(character)'")
                }
                tokens.append(.symbol(symbol))
                rest = rest.dropFirst(symbol.count)
            }
        }
        return tokens + [.end]
    }

    private func unexpected() -> Fault {
        switch tokens[position] {
        case .end: Fault(words: "the expression ends too early")
        case .number(let text), .text(let text), .word(let text), .symbol(let text):
            Fault(words: "unexpected '\(text)'")
        }
    }

    private mutating func take(_ token: Token) -> Bool {
        guard tokens[position] == token else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ symbol: String) throws(Fault) {
        guard take(.symbol(symbol)) else { throw unexpected() }
    }

    // MARK: - Grammar

    private mutating func disjunction() throws(Fault) -> Expression {
        var left = try conjunction()
        while take(.word("or")) { left = .binary(.or, left, try conjunction()) }
        return left
    }

    private mutating func conjunction() throws(Fault) -> Expression {
        var left = try negation()
        while take(.word("and")) { left = .binary(.and, left, try negation()) }
        return left
    }

    private mutating func negation() throws(Fault) -> Expression {
        take(.word("not")) ? .not(try negation()) : try comparison()
    }

    private mutating func comparison() throws(Fault) -> Expression {
        let left = try sum()
        if take(.word("in")) {
            try expect("(")
            return .list(left, try arguments())
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
        return .binary(operation, left, try sum())
    }

    private mutating func sum() throws(Fault) -> Expression {
        var left = try product()
        while true {
            if take(.symbol("+")) {
                left = .binary(.add, left, try product())
            } else if take(.symbol("-")) {
                left = .binary(.subtract, left, try product())
            } else {
                return left
            }
        }
    }

    private mutating func product() throws(Fault) -> Expression {
        var left = try factor()
        while true {
            if take(.symbol("*")) {
                left = .binary(.multiply, left, try factor())
            } else if take(.symbol("/")) {
                left = .binary(.divide, left, try factor())
            } else {
                return left
            }
        }
    }

    private mutating func factor() throws(Fault) -> Expression {
        if take(.symbol("-")) { return .negate(try factor()) }
        if take(.symbol("(")) {
            let inner = try disjunction()
            try expect(")")
            return inner
        }
        let token = tokens[position]
        switch token {
        case .number(let digits):
            guard let decimal = Decimal(digits) else { throw unexpected() }
            position += 1
            return .constant(.decimal(decimal))
        case .text(let text):
            position += 1
            return .constant(.text(text))
        case .word(let word):
            position += 1
            if take(.symbol("(")) { return try call(word) }
            return try name(word)
        default: throw unexpected()
        }
    }

    /// The arguments behind an open parenthesis, and the closing one.
    private mutating func arguments() throws(Fault) -> [Expression] {
        var arguments: [Expression] = []
        if take(.symbol(")")) { return arguments }
        repeat { arguments.append(try disjunction()) } while take(.symbol(","))
        try expect(")")
        return arguments
    }

    private mutating func call(_ name: String) throws(Fault) -> Expression {
        if name == "count" || Expression.Aggregate(rawValue: name) != nil { return try aggregate(name) }
        guard let function = Expression.Function(rawValue: name) else {
            let known = Expression.Function.allCases.map(\.rawValue) + ["count", "sum", "min", "max"]
            throw Fault(words: "unknown function '\(name)'" + Self.hint(name, known))
        }
        let arguments = try arguments()
        let counts: ClosedRange<Int> =
            switch function {
            case .coalesce: 1...16
            case .round: 1...2
            default: 1...1
            }
        guard counts.contains(arguments.count) else {
            throw Fault(words: "'\(name)' takes \(counts) arguments")
        }
        return .call(function, arguments)
    }

    /// `count(lines)`, `sum(lines.net)`.
    private mutating func aggregate(_ name: String) throws(Fault) -> Expression {
        guard case .word(let path) = tokens[position] else { throw unexpected() }
        position += 1
        try expect(")")
        let parts = path.split(separator: ".", maxSplits: 1).map(String.init)
        guard let collection = schema.collection(parts[0]) else {
            throw Fault(
                words: "unknown rows '\(parts[0])'" + Self.hint(parts[0], schema.collections.map(\.name)))
        }
        guard let aggregate = Expression.Aggregate(rawValue: name) else { return .countRows(collection) }
        let fields = schema.collections[collection]
        guard parts.count == 2, let slot = fields.slot(of: parts[1]) else {
            throw Fault(words: "'\(name)' wants a field of '\(parts[0])'")
        }
        return .aggregate(aggregate, collection: collection, slot: slot)
    }

    private func name(_ word: String) throws(Fault) -> Expression {
        if word == "true" || word == "false" { return .constant(.boolean(word == "true")) }
        if let row, let slot = schema.collections[row].slot(of: word) { return .rowField(slot) }
        if let slot = schema.slot(of: word) { return .field(slot) }
        throw Fault(words: "unknown field '\(word)'" + Self.hint(word, schema.fields.map(\.name)))
    }

    private static func hint(_ word: String, _ known: [String]) -> String {
        Suggestion.nearest(to: word, in: known).map { ", did you mean '\($0)'?" } ?? ""
    }
}

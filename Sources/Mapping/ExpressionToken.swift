// SPDX-License-Identifier: Apache-2.0
// The words of an expression.

/// A word, number, text or sign of an expression.
enum ExpressionToken: Equatable {
    case number(String)
    case text(String)
    case word(String)
    case symbol(String)
    case end

    /// What was written; nil at the end.
    var words: String? {
        switch self {
        case .number(let text), .text(let text), .word(let text), .symbol(let text): text
        case .end: nil
        }
    }

    /// The words of a text, the end last.
    static func tokenize(_ text: String) throws(ExpressionParser.Fault) -> [ExpressionToken] {
        var tokens: [ExpressionToken] = []
        var rest = Substring(text)
        while let character = rest.first {
            if character.isWhitespace {
                rest.removeFirst()
            } else {
                tokens.append(try next(&rest, character))
            }
        }
        return tokens + [.end]
    }

    private static func next(
        _ rest: inout Substring, _ character: Character
    ) throws(ExpressionParser.Fault) -> ExpressionToken {
        if character.isASCII, character.isNumber {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            return .number(String(digits))
        }
        if character.isLetter || character == "_" {
            let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
            rest = rest.dropFirst(word.count)
            return .word(String(word))
        }
        if character == "'" || character == "\"" {
            let body = rest.dropFirst().prefix { $0 != character }
            guard body.endIndex < rest.endIndex else {
                throw ExpressionParser.Fault(code: .expressionQuote, facts: [:])
            }
            rest = rest.dropFirst(body.count + 2)
            return .text(String(body))
        }
        let symbol = ["!=", "<=", ">="].first { rest.hasPrefix($0) } ?? String(character)
        guard symbol.count == 2 || "+-*/=<>(),".contains(character) else {
            throw ExpressionParser.Fault(code: .expressionUnexpected, facts: ["found": String(character)])
        }
        rest = rest.dropFirst(symbol.count)
        return .symbol(symbol)
    }
}

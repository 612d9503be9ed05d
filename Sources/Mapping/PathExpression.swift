// SPDX-License-Identifier: Apache-2.0
// The path subset of mappings: what a push parser can decide without keeping the document.

internal import XML

/// One way from a record (or a row) to an element or attribute.
struct PathExpression: Sendable, Hashable {
    /// A child step with its conditions.
    struct Step: Sendable, Hashable {
        let name: XMLName
        let predicates: [Predicate]
    }

    /// A condition on a step's element.
    enum Predicate: Sendable, Hashable {
        case attribute(XMLName, Operand)
        case child([XMLName], Operand)
        case position(Int)
    }

    /// What a condition compares with.
    enum Operand: Sendable, Hashable {
        case literal(String)
        /// The value of a field of the record (`$currency`).
        case field(String)
    }

    var steps: [Step]
    /// The attribute at the end (`…/@schemeID`); nil for the element's text.
    var attribute: XMLName?

    /// Fields that its conditions compare with.
    var referencedFields: [String] {
        steps.flatMap(\.predicates).compactMap { predicate in
            switch predicate {
            case .attribute(_, .field(let name)), .child(_, .field(let name)): name
            default: nil
            }
        }
    }

    /// Whether this path leads to something inside what another one leads to, or to an attribute of it.
    func isBelow(_ other: PathExpression) -> Bool {
        self != other && steps.count >= other.steps.count
            && Array(steps.prefix(other.steps.count)) == other.steps
    }

    /// This path below another one.
    func below(_ prefix: PathExpression) -> PathExpression {
        PathExpression(steps: prefix.steps + steps, attribute: attribute)
    }
}

/// Reads path expressions: child steps with prefixes, `|`, `@attr`, `[@a='v']`, `[child/…='v']`, `[1]`.
struct PathParser {
    /// Why a path is refused.
    enum Fault: Error {
        /// What stands where something else is expected; empty at the end.
        case unexpected(String)
        case unknownPrefix(String)
        case unknownLet(String)
        /// What cannot be read while streaming, and what to write in its place (empty where nobody knows).
        case notStreamable(String, rewrite: String)
    }

    private let namespaces: [String: String]
    private let lets: [String: PathExpression]
    private var rest: Substring

    /// The alternatives of a path, in the order written.
    ///
    /// - Parameter lets: what `$name` at the start of a path stands for.
    static func parse(
        _ text: String, namespaces: [String: String], lets: [String: PathExpression] = [:]
    ) throws(Fault) -> [PathExpression] {
        var parser = PathParser(namespaces: namespaces, lets: lets, rest: Substring(text))
        var paths = [try parser.path()]
        while parser.take("|") { paths.append(try parser.path()) }
        guard parser.rest.isEmpty else { throw .unexpected(String(parser.rest)) }
        return paths
    }

    private mutating func skipBlanks() {
        rest = rest.drop(while: \.isWhitespace)
    }

    private mutating func take(_ text: String) -> Bool {
        skipBlanks()
        guard rest.hasPrefix(text) else { return false }
        rest = rest.dropFirst(text.count)
        skipBlanks()
        return true
    }

    private mutating func path() throws(Fault) -> PathExpression {
        var path = PathExpression(steps: [], attribute: nil)
        if rest == "." {
            rest = ""
            return path
        }
        if take("$") {
            let name = try word()
            guard let prefix = lets[name] else { throw .unknownLet(name) }
            path = prefix
            guard take("/") else { return path }
        }
        repeat {
            if take("@") {
                path.attribute = try name(isAttribute: true)
                return path
            }
            if rest.hasPrefix("/") || rest.hasPrefix(".") {
                throw notStreamable(path)
            }
            path.steps.append(try step())
        } while take("/")
        return path
    }

    /// `..` takes the step before it back; what `//` leaves out only the writer knows.
    private func notStreamable(_ path: PathExpression) -> Fault {
        guard rest.hasPrefix("../"), !path.steps.isEmpty else {
            return .notStreamable(String(rest.prefix(2)), rewrite: "")
        }
        let kept = path.steps.dropLast().map(\.name.local).joined(separator: "/")
        let behind = rest.dropFirst(3)
        return .notStreamable("..", rewrite: kept.isEmpty ? String(behind) : "\(kept)/\(behind)")
    }

    private mutating func step() throws(Fault) -> PathExpression.Step {
        let name = try name(isAttribute: false)
        if rest.hasPrefix("("), name.namespace == nil { throw .notStreamable(name.local + "()", rewrite: "") }
        if rest.hasPrefix("::") { throw .notStreamable(name.local + "::", rewrite: "") }
        var predicates: [PathExpression.Predicate] = []
        while take("[") {
            predicates.append(try predicate())
            guard take("]") else { throw .unexpected(String(rest)) }
        }
        return PathExpression.Step(name: name, predicates: predicates)
    }

    private mutating func predicate() throws(Fault) -> PathExpression.Predicate {
        let digits = rest.prefix(while: \.isNumber)
        if let position = Int(digits), position > 0 {
            rest = rest.dropFirst(digits.count)
            return .position(position)
        }
        if take("@") {
            let name = try name(isAttribute: true)
            return .attribute(name, try operand())
        }
        var names = [try name(isAttribute: false)]
        while take("/") { names.append(try name(isAttribute: false)) }
        return .child(names, try operand())
    }

    private mutating func operand() throws(Fault) -> PathExpression.Operand {
        guard take("=") else { throw .unexpected(String(rest)) }
        if take("$") { return .field(try word()) }
        guard let quote = rest.first, quote == "'" || quote == "\"" else {
            throw .unexpected(String(rest))
        }
        let text = rest.dropFirst().prefix { $0 != quote }
        guard text.endIndex < rest.endIndex else { throw .unexpected(String(rest)) }
        rest = rest.dropFirst(text.count + 2)
        return .literal(String(text))
    }

    private mutating func name(isAttribute: Bool) throws(Fault) -> XMLName {
        let first = try word()
        guard rest.hasPrefix(":") else { return XMLName(first) }
        guard !rest.hasPrefix("::") else { return XMLName(first) }
        rest = rest.dropFirst()
        guard let namespace = namespaces[first] else { throw .unknownPrefix(first) }
        return XMLName(try word(), namespace: namespace)
    }

    private mutating func word() throws(Fault) -> String {
        skipBlanks()
        let word = rest.prefix { $0.isLetter || $0.isNumber || "_-.".contains($0) }
        guard !word.isEmpty else { throw .unexpected(String(rest)) }
        rest = rest.dropFirst(word.count)
        return String(word)
    }
}

// SPDX-License-Identifier: Apache-2.0
// A mapping's rules in the form that runs: flat arrays of plain values, so that a record costs no reference count.

internal import Diagnostics
internal import Model

/// One rule, compiled.
struct FieldOperation: BitwiseCopyable {
    enum Origin: BitwiseCopyable {
        case place(Int32)
        /// Several places, in ``RecordProgram/links``.
        case places(start: Int32, count: Int32)
        case field(Int32)
        case rowField(Int32)
        case constant(TextRange)
        case root
        /// Alternatives, in ``RecordProgram/operations``.
        case first(start: Int32, count: Int32)
    }

    var origin: Origin
    var slot: Int32 = -1
    /// Position in ``RecordProgram/names``.
    var name: Int32 = -1
    var when: Int32 = -1
    var otherwiseText: TextRange?
    var defaultText: TextRange?
    var take: Int32 = -1
    var maxLength: Int32 = .max
    var regex: Int16 = -1
    var keep: Int16 = -1
    var choices: Int16 = -1
    var firstFormat: Int16 = 0
    var formatCount: Int16 = 0
    var decimals: Int8 = -1
    var cleaning: CleaningSet = []
    var type: ValueType = .string
    var locale: NumberLocale = .plain
    var check: ValueCheck?
    var empty: EmptyPolicy = .standard
    var isRequired = false

    /// Whether the text only needs cleaning.
    var isPlain: Bool { regex < 0 && keep < 0 && choices < 0 && take < 0 && when < 0 }
}

/// One node of an expression, compiled; operands are positions in ``RecordProgram/nodes``.
enum ExpressionNode: BitwiseCopyable {
    case constant(Cell)
    case field(Int32)
    case rowField(Int32)
    case place(Int32)
    case total(Int32)
    case not(Int32)
    case negate(Int32)
    case binary(Expression.Operator, Int32, Int32)
    /// Operands in ``RecordProgram/links``; the first is what is looked for.
    case list(start: Int32, count: Int32)
    case call(Expression.Function, start: Int32, count: Int32)
    case countRows(Int32)
    case aggregate(Expression.Aggregate, collection: Int32, slot: Int32)
}

/// The texts of an enumeration and what each becomes.
struct ChoiceTable: Sendable {
    var keys: [TextRange] = []
    var values: [TextRange] = []
    var otherwise: TextRange?
    /// Whether another text is a fault; otherwise it becomes ``otherwise`` or nothing.
    var isError = false
    /// The known texts, for the fault's message.
    var known = ""
}

/// A check, compiled.
struct CheckOperation: Sendable {
    let rule: CheckRule
    let when: Int32
    let expect: Int32
    /// One a part of the message: the expression's node, or −1 for words.
    let parts: [Int32]
}

/// The child rows of one collection.
struct CollectionOperation: BitwiseCopyable {
    let collection: Int32
    let start: Int32
    let end: Int32
}

/// All rules of a mapping, compiled.
struct RecordProgram: Sendable {
    /// The record's own rules are the first ``fieldCount``; those of rows and alternatives follow.
    private(set) var operations: [FieldOperation] = []
    private(set) var fieldCount = 0
    private(set) var collections: [CollectionOperation] = []
    private(set) var nodes: [ExpressionNode] = []
    private(set) var links: [Int32] = []
    private(set) var names: [String] = []
    private(set) var patterns: [Pattern] = []
    private(set) var choices: [ChoiceTable] = []
    private(set) var formats: [DateLayout] = []
    private(set) var formatNames: [String] = []
    private(set) var checks: [CheckOperation] = []
    private(set) var only: Int32 = -1
    /// Texts of constants; every record's bytes begin with them.
    private(set) var constants: [UInt8] = []
    /// The places that the source is asked for, by number.
    private(set) var places: [Locator] = []
    private var placeNumbers: [Locator: Int32] = [:]
    /// Parts of the file's name.
    private let fileVariables: [String: String]

    /// Compiles a mapping for one file.
    ///
    /// - Parameter fileVariables: parts of the file's name, by the names that the mapping's `filename` gives them.
    init(_ definition: MappingDefinition, fileVariables: [String: String]) {
        self.fileVariables = fileVariables
        fieldCount = definition.fields.count
        let rows = definition.collections.flatMap(\.fields)
        operations = [FieldOperation](
            repeating: FieldOperation(origin: .root), count: fieldCount + rows.count)
        for (index, rule) in definition.fields.enumerated() { operations[index] = compile(rule, prefix: "") }
        var index = fieldCount
        for collection in definition.collections {
            let prefix = definition.target.collections[collection.collection].name + "."
            let start = index
            for rule in collection.fields {
                operations[index] = compile(rule, prefix: prefix)
                index += 1
            }
            collections.append(
                CollectionOperation(
                    collection: Int32(collection.collection), start: Int32(start), end: Int32(index)))
        }
        for rule in definition.checks { checks.append(compile(rule)) }
        if let condition = definition.only { only = compile(condition) }
    }

    /// Compiles a file's checks, whose totals are given when they are run.
    init(fileChecks: [CheckRule]) {
        fileVariables = [:]
        for rule in fileChecks { checks.append(compile(rule)) }
    }

    /// The number of a place, for those who need one more.
    mutating func number(_ locator: Locator) -> Int32 {
        if let number = placeNumbers[locator] { return number }
        placeNumbers[locator] = Int32(places.count)
        places.append(locator)
        return Int32(places.count - 1)
    }

    // MARK: - Rules

    private mutating func compile(_ rule: FieldRule, prefix: String) -> FieldOperation {
        var operation = compile(rule.value)
        operation.slot = Int32(rule.slot)
        operation.name = Int32(names.count)
        names.append(prefix + rule.name)
        operation.type = rule.type
        operation.locale = rule.locale
        operation.decimals = Int8(rule.decimals ?? -1)
        operation.isRequired = rule.isRequired
        operation.defaultText = rule.defaultText.map { constant($0) }
        operation.maxLength = Int32(rule.maxLength ?? Int(Int32.max))
        operation.check = rule.check
        operation.empty = rule.empty
        operation.firstFormat = Int16(formats.count)
        operation.formatCount = Int16(rule.formats.count)
        formats += rule.formats.map(\.layout)
        formatNames += rule.formats.map(\.pattern)
        return operation
    }

    private mutating func compile(_ rule: ValueRule) -> FieldOperation {
        var operation = FieldOperation(origin: origin(rule.origin))
        operation.cleaning = rule.cleaning
        operation.when = rule.when.map { compile($0) } ?? -1
        operation.otherwiseText = rule.otherwiseText.map { constant($0) }
        operation.take = Int32(rule.take ?? -1)
        operation.regex = pattern(rule.regex)
        operation.keep = pattern(rule.keep)
        if let choices = rule.choices { operation.choices = table(choices, rule.otherwise) }
        return operation
    }

    private mutating func origin(_ origin: ValueRule.Origin) -> FieldOperation.Origin {
        switch origin {
        case .located(let locators):
            let numbers = locators.map { number($0) }
            if let only = numbers.first, numbers.count == 1 { return .place(only) }
            links += numbers
            return .places(start: Int32(links.count - numbers.count), count: Int32(numbers.count))
        case .field(let slot): return .field(Int32(slot))
        case .rowField(let slot): return .rowField(Int32(slot))
        case .constant(let text): return .constant(constant(text))
        case .root: return .root
        case .fileVariable(let name): return .constant(constant(fileVariables[name] ?? ""))
        case .first(let rules):
            let alternatives = rules.map { compile($0) }
            operations += alternatives
            return .first(
                start: Int32(operations.count - alternatives.count), count: Int32(alternatives.count))
        }
    }

    private mutating func constant(_ text: String) -> TextRange {
        let start = constants.count
        constants.append(contentsOf: text.utf8)
        return TextRange(start: start, count: constants.count - start)
    }

    private mutating func pattern(_ pattern: Pattern?) -> Int16 {
        guard let pattern else { return -1 }
        patterns.append(pattern)
        return Int16(patterns.count - 1)
    }

    private mutating func table(_ choices: [String: String], _ otherwise: Otherwise) -> Int16 {
        var table = ChoiceTable()
        for (key, value) in choices.sorted(by: { $0.key < $1.key }) {
            table.keys.append(constant(key))
            table.values.append(constant(value))
        }
        table.known = choices.keys.sorted().joined(separator: ", ")
        switch otherwise {
        case .error: table.isError = true
        case .null: break
        case .value(let text): table.otherwise = constant(text)
        }
        self.choices.append(table)
        return Int16(self.choices.count - 1)
    }

    // MARK: - Checks and expressions

    private mutating func compile(_ rule: CheckRule) -> CheckOperation {
        CheckOperation(
            rule: rule, when: rule.when.map { compile($0) } ?? -1, expect: compile(rule.expect),
            parts: rule.message.parts.map { part in
                if case .value(let expression) = part { compile(expression) } else { -1 }
            })
    }

    private mutating func compile(_ expression: Expression) -> Int32 {
        let node = node(expression)
        nodes.append(node)
        return Int32(nodes.count - 1)
    }

    private mutating func node(_ expression: Expression) -> ExpressionNode {
        switch expression {
        case .number(let decimal): .constant(.decimal(decimal))
        case .text(let text): .constant(.text(constant(text)))
        case .boolean(let boolean): .constant(.boolean(boolean))
        case .field(let slot): .field(Int32(slot))
        case .rowField(let slot): .rowField(Int32(slot))
        case .located(let locator): .place(number(locator))
        case .total(let number): .total(Int32(number))
        case .not(let inner): .not(compile(inner))
        case .negate(let inner): .negate(compile(inner))
        case .binary(let operation, let left, let right): .binary(operation, compile(left), compile(right))
        case .list(let inner, let members): list([inner] + members)
        case .call(let function, let arguments): call(function, arguments)
        case .countRows(let collection): .countRows(Int32(collection))
        case .aggregate(let aggregate, let collection, let slot):
            .aggregate(aggregate, collection: Int32(collection), slot: Int32(slot))
        }
    }

    private mutating func list(_ expressions: [Expression]) -> ExpressionNode {
        let operands = operands(expressions)
        return .list(start: operands.start, count: operands.count)
    }

    private mutating func call(_ function: Expression.Function, _ arguments: [Expression]) -> ExpressionNode {
        let operands = operands(arguments)
        return .call(function, start: operands.start, count: operands.count)
    }

    private mutating func operands(_ expressions: [Expression]) -> (start: Int32, count: Int32) {
        let compiled = expressions.map { compile($0) }
        links += compiled
        return (Int32(links.count - compiled.count), Int32(compiled.count))
    }
}

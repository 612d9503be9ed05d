// SPDX-License-Identifier: Apache-2.0
// Compiles a mapping's rules and expressions into flat arrays.

internal import Model

/// Builds a ``RecordProgram`` rule by rule.
struct ProgramCompiler {
    /// What a source is asked for: the same path may be a field of the record and of a row.
    struct Place: Hashable {
        let locator: Locator
        let collection: Int
    }

    /// The collection whose rules are being compiled; −1 = the record's own.
    private var collection = -1
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
    private(set) var requiredSlots: [Int] = []
    private(set) var checks: [CheckOperation] = []
    private(set) var checkRules: [CheckRule] = []
    private(set) var only: Int32 = -1
    private(set) var constants: [UInt8] = []
    private(set) var places: [Place] = []
    private(set) var groupPlaces: [Int32] = []
    private(set) var detailPlaces: [Int32] = []
    private(set) var totalPlaces: [Int32] = []
    private(set) var roots: [Int32] = []
    private var placeNumbers: [Place: Int32] = [:]
    /// Parts of the file's name.
    private let fileVariables: [String: String]

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
            self.collection = collection.collection
            for rule in collection.fields {
                operations[index] = compile(rule, prefix: prefix)
                index += 1
            }
            collections.append(
                CollectionOperation(
                    collection: Int32(collection.collection), start: Int32(start), end: Int32(index)))
        }
        collection = -1
        requiredSlots = definition.target.fields.indices.filter { definition.target.fields[$0].isRequired }
        for rule in definition.checks { compile(rule) }
        if let condition = definition.only { only = compile(condition) }
        if case .table(let source) = definition.source {
            for place in source.grouping?.places ?? [] { groupPlaces.append(number(place)) }
            if case .byDetail = source.grouping, let rows = definition.collections.first?.collection {
                self.collection = rows
                for place in source.grouping?.places ?? [] { detailPlaces.append(number(place)) }
                self.collection = -1
            }
        }
        for total in definition.totals { totalPlaces.append(number(.column(total.column))) }
    }

    init(fileChecks: [CheckRule]) {
        fileVariables = [:]
        for rule in fileChecks { compile(rule) }
    }

    /// Expressions alone; their nodes are ``roots``.
    init(expressions: [Expression]) {
        fileVariables = [:]
        for expression in expressions { roots.append(compile(expression)) }
    }

    private mutating func number(_ locator: Locator) -> Int32 {
        let place = Place(locator: locator, collection: collection)
        if let number = placeNumbers[place] { return number }
        placeNumbers[place] = Int32(places.count)
        places.append(place)
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
        operation.decimals = Int8(clamping: rule.decimals ?? -1)
        operation.decimalsPlace = rule.decimalsPlace.map { number($0) } ?? -1
        operation.negative = rule.negative.map { compile($0) } ?? -1
        operation.isRequired = rule.isRequired
        operation.defaultText = rule.defaultText.map { constant($0) }
        operation.maxLength = Int32(clamping: rule.maxLength ?? .max)
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
        operation.take = Int32(clamping: rule.take ?? -1)
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

    private mutating func compile(_ rule: CheckRule) {
        let when = rule.when.map { compile($0) } ?? -1
        let expect = compile(rule.expect)
        let parts: [Int32] = rule.message.parts.map { part in
            if case .value(let expression) = part { compile(expression) } else { -1 }
        }
        checks.append(
            CheckOperation(
                when: when, expect: expect, collection: Int32(rule.each ?? -1),
                firstPart: Int32(links.count)))
        links += parts
        checkRules.append(rule)
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

// SPDX-License-Identifier: Apache-2.0
// Finds out which rules have a short way.

internal import Model

/// Makes the ``DirectField`` of each rule of a program.
struct DirectFieldCompiler {
    private let compiler: ProgramCompiler
    private(set) var fields: [DirectField] = []
    /// What each field is where its places have nothing.
    private(set) var emptyCells: [Cell] = []
    /// Places of fields that have several; −1 = one that takes the long way.
    private(set) var places: [Int32] = []
    /// Number of enumerations that have a short way.
    private(set) var memories = 0

    init(_ compiler: ProgramCompiler, takesShortWay: Bool) {
        self.compiler = compiler
        let ordered = ordered
        for (index, operation) in compiler.operations.enumerated() {
            var field = DirectField()
            field.slot = Int16(operation.slot)
            if !takesShortWay || ordered.contains(index) {
                field.shape = .indirect
            } else if isConditional(operation) {
                field.shape = .conditional
            } else if operation.when < 0, operation.isPlainValue, operation.regex < 0, isSmall(operation),
                operation.check == nil || operation.type == .string, locate(&field, operation.origin)
            {
                shape(&field, operation)
            }
            let empty = emptyCell(field, operation)
            field.mayBeEmpty = empty != nil
            fields.append(field)
            emptyCells.append(empty ?? .none)
        }
    }

    /// Rules whose order matters, so that none of them may go before the others: those of a slot that has several,
    /// and all of a collection whose rows are summed while they are filled.
    private var ordered: Set<Int> {
        var ordered: Set<Int> = []
        for (collection, rules) in [(Int32(-1), 0..<compiler.fieldCount)]
            + compiler.collections.map({ ($0.collection, Int($0.start)..<Int($0.end)) })
        {
            for (_, same) in Dictionary(grouping: rules, by: { compiler.operations[$0].slot })
            where same.count > 1 {
                ordered.formUnion(same)
            }
            let sumsItself = rules.contains { rule in
                let operation = compiler.operations[rule]
                return [operation.when, operation.negative].contains { sums(collection, in: $0) }
            }
            if sumsItself { ordered.formUnion(rules) }
        }
        return ordered
    }

    /// Whether an expression sums rows of a collection.
    private func sums(_ collection: Int32, in node: Int32) -> Bool {
        guard node >= 0 else { return false }
        switch compiler.nodes[Int(node)] {
        case .aggregate(_, let other, _): return other == collection
        case .not(let inner), .negate(let inner): return sums(collection, in: inner)
        case .binary(_, let left, let right): return sums(collection, in: left) || sums(collection, in: right)
        case .list(let start, let count), .call(_, let start, let count):
            return compiler.links[Int(start)..<Int(start + count)].contains { sums(collection, in: $0) }
        default: return false
        }
    }

    /// Whether its numbers fit into a field's few bytes.
    private func isSmall(_ operation: FieldOperation) -> Bool {
        operation.formatCount < 100 && memories < 1000
    }

    /// Whether a rule is one of two constants, as they stand.
    private func isConditional(_ operation: FieldOperation) -> Bool {
        guard case .constant(let text) = operation.origin, let other = operation.otherwiseText,
            operation.isConditionalConstant
        else { return false }
        return [text, other].allSatisfy { text in
            text.count > 0 && text.count <= operation.maxLength
                && text.trimmed(in: compiler.constants.span) == text
        }
    }

    /// Notes the places of a rule; false where they are not the whole origin.
    private mutating func locate(_ field: inout DirectField, _ origin: FieldOperation.Origin) -> Bool {
        field.place = Int32(places.count)
        switch origin {
        case .place(let place):
            field.place = place
            return true
        case .places(let start, let count):
            places += compiler.links[Int(start)..<Int(start + count)]
        case .first(let start, let count):
            guard count > 0 else { return false }
            field.takesFirst = true
            for operation in compiler.operations[Int(start)..<Int(start + count)] {
                guard operation.isPlain, operation.cleaning.isEmpty, locateAlternative(operation.origin)
                else {
                    places.append(-1)
                    break
                }
            }
        default: return false
        }
        guard let count = Int16(exactly: places.count - Int(field.place)) else { return false }
        field.placeCount = count
        return true
    }

    /// Notes the places of one alternative; false where they are not the whole origin.
    private mutating func locateAlternative(_ origin: FieldOperation.Origin) -> Bool {
        switch origin {
        case .place(let place): places.append(place)
        case .places(let start, let count):
            let all = compiler.links[Int(start)..<Int(start + count)]
            places += all.prefix(1) + all.dropFirst().map { $0 | DirectField.sameAlternative }
        default: return false
        }
        return true
    }

    private mutating func shape(_ field: inout DirectField, _ operation: FieldOperation) {
        field.cleaning = operation.cleaning
        field.check = operation.check
        field.locale = operation.locale
        field.decimals = operation.decimals
        field.firstFormat = operation.firstFormat
        field.formatCount = Int8(operation.formatCount)
        field.count = operation.maxLength
        if operation.take >= 0 { field.take = Int16(clamping: operation.take) }
        if operation.choices >= 0 {
            guard operation.keep < 0, operation.take < 0, field.placeCount == 0 else { return }
            field.shape = .choice
            field.memory = Int16(memories)
            memories += 1
        } else if operation.keep >= 0 {
            let digits = compiler.patterns[Int(operation.keep)].digitCount
            guard operation.type == .string, let digits, digits <= operation.maxLength else { return }
            field.shape = .digits
            field.count = Int32(digits)
        } else {
            field.shape =
                switch operation.type {
                case .string: .text
                case .decimal where operation.cleaning.isEmpty: .decimal
                case .date where operation.cleaning.isEmpty: .date
                case .currency where operation.cleaning.subtracting([.upper, .nospace, .squeeze]).isEmpty:
                    .currency
                default: .indirect
                }
        }
    }

    /// What a field without text becomes; nil where only the long way knows.
    private func emptyCell(_ field: DirectField, _ operation: FieldOperation) -> Cell? {
        guard operation.empty == .standard, field.shape != .indirect else { return nil }
        guard let text = operation.defaultText else { return operation.isRequired ? nil : Cell.none }
        let span = compiler.constants.span.extracting(text.offsets)
        guard text.count > 0 else { return nil }
        switch operation.type {
        case .string: return text.count <= operation.maxLength ? .text(text) : nil
        case .decimal:
            return operation.locale.decimal(span, decimals: operation.decimals).map { .decimal($0) }
        default: return nil
        }
    }
}

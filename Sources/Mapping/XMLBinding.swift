// SPDX-License-Identifier: Apache-2.0
// Connects the places of a mapping with the trie of the XML reader.

internal import Model
internal import XML

/// The paths of a mapping as nodes of one trie; a path used twice is stored once.
struct XMLBinding: Sendable {
    /// A condition on an element that is some levels above what it is a condition of.
    struct Predicate: Sendable, BitwiseCopyable {
        enum Kind: BitwiseCopyable {
            /// Number of a condition with a text, in ``conditions``.
            case condition(Int32)
            case position(Int32)
            /// A node inside the element (its levels below it) whose text must equal a field.
            case field(node: Int32, levels: Int32, slot: Int32)
        }

        let levelsUp: Int32
        let kind: Kind
    }

    /// An element that has this text at this node inside it.
    struct Condition: Sendable, Hashable {
        let node: Int32
        /// How far the element is above the node.
        let levelsUp: Int32
        let text: [UInt8]
    }

    /// A path with its conditions.
    struct Use: Sendable, BitwiseCopyable {
        /// The place of the program that it stands for; −1 for the rows of a collection.
        var place: Int32
        var node: Int32
        /// Its conditions, in ``predicates``.
        var firstPredicate: Int32
        var predicateCount: Int32
        /// The collection whose rows it is in (or is, without a place), and its column there; −1 = none.
        var collection: Int32 = -1
        var column: Int32 = -1
        /// Whether a condition compares with a field, so that it can only be decided when that is known.
        var isLate = false
    }

    private(set) var trie: PathTrie
    private(set) var uses: [Use] = []
    private(set) var predicates: [Predicate] = []
    private(set) var conditions: [Condition] = []
    /// Number of columns of each collection.
    private(set) var widths: [Int]
    /// Uses of each node, one node after the other; and where each node's begin.
    private(set) var usesOfNodes: [Int32] = []
    private(set) var firstUseOfNode: [Int32] = []
    /// The same for conditions.
    private(set) var conditionsOfNodes: [Int32] = []
    private(set) var firstConditionOfNode: [Int32] = []
    /// The use of each place.
    private(set) var useOfPlace: [Int32] = []
    /// For each place that is the number of the row around, that row's collection; −1 for others.
    private(set) var rowsOfPlace: [Int32] = []

    init(_ source: XMLSource, _ program: RecordProgram, _ definition: MappingDefinition) {
        trie = PathTrie(records: source.records)
        widths = [Int](repeating: 0, count: definition.target.collections.count)
        for path in source.skip { trie.skip(add(path.steps).last ?? PathTrie.record) }
        for (number, place) in program.places.enumerated() {
            if case .rowNumber(let collection) = place {
                rowsOfPlace.append(Int32(collection))
            } else {
                rowsOfPlace.append(-1)
            }
            guard case .path(let path) = place else {
                useOfPlace.append(-1)
                continue
            }
            useOfPlace.append(Int32(uses.count))
            add(path, place: Int32(number), program.collectionOfPlace[number], definition.target)
        }
        for rule in definition.collections {
            for path in rule.each {
                add(path, place: -1, -1, definition.target)
                uses[uses.count - 1].collection = Int32(rule.collection)
            }
        }
        index()
    }

    private mutating func add(
        _ path: PathExpression, place: Int32, _ collection: Int, _ schema: EntitySchema
    ) {
        let nodes = add(path.steps)
        var node = nodes.last ?? PathTrie.record
        if let attribute = path.attribute {
            node = trie.attribute(attribute, of: node)
        } else if place >= 0 {
            trie.keepText(of: node)
        }
        let extra = path.attribute == nil ? 0 : 1
        var use = Use(
            place: place, node: Int32(node), firstPredicate: Int32(predicates.count), predicateCount: 0)
        for (index, step) in path.steps.enumerated() {
            for predicate in step.predicates {
                let kind = bind(predicate, on: nodes[index], schema)
                if case .field = kind { use.isLate = true }
                predicates.append(
                    Predicate(levelsUp: Int32(nodes.count - 1 - index + extra), kind: kind))
            }
        }
        use.predicateCount = Int32(predicates.count) - use.firstPredicate
        if collection >= 0 {
            use.collection = Int32(collection)
            use.column = Int32(widths[collection])
            widths[collection] += 1
        }
        uses.append(use)
    }

    private mutating func add(_ steps: [PathExpression.Step]) -> [PathTrie.Node] {
        var nodes: [PathTrie.Node] = []
        for step in steps { nodes.append(trie.element(step.name, of: nodes.last ?? PathTrie.record)) }
        return nodes
    }

    private mutating func bind(
        _ predicate: PathExpression.Predicate, on node: PathTrie.Node, _ schema: EntitySchema
    ) -> Predicate.Kind {
        switch predicate {
        case .attribute(let name, let operand):
            return bind(operand, at: trie.attribute(name, of: node), levels: 1, schema)
        case .child(let names, let operand):
            var child = node
            for name in names { child = trie.element(name, of: child) }
            trie.keepText(of: child)
            return bind(operand, at: child, levels: names.count, schema)
        case .position(let position): return .position(Int32(position))
        }
    }

    private mutating func bind(
        _ operand: PathExpression.Operand, at node: PathTrie.Node, levels: Int, _ schema: EntitySchema
    ) -> Predicate.Kind {
        switch operand {
        case .field(let name):
            return .field(
                node: Int32(node), levels: Int32(levels), slot: Int32(schema.slot(of: name) ?? -1))
        case .literal(let text):
            let condition = Condition(node: Int32(node), levelsUp: Int32(levels), text: Array(text.utf8))
            if let known = conditions.firstIndex(of: condition) { return .condition(Int32(known)) }
            conditions.append(condition)
            return .condition(Int32(conditions.count - 1))
        }
    }

    /// Sorts uses and conditions by node.
    private mutating func index() {
        for node in 0...trie.count {
            firstUseOfNode.append(Int32(usesOfNodes.count))
            firstConditionOfNode.append(Int32(conditionsOfNodes.count))
            // A row comes before what is read from its own element.
            for isRow in [true, false] {
                for (number, use) in uses.enumerated() where use.node == node && (use.place < 0) == isRow {
                    usesOfNodes.append(Int32(number))
                }
            }
            for (number, condition) in conditions.enumerated() where condition.node == node {
                conditionsOfNodes.append(Int32(number))
            }
        }
    }
}

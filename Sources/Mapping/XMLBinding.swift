// SPDX-License-Identifier: Apache-2.0
// Connects a mapping's paths with the trie of the XML reader, and finds their texts in a captured record.

internal import Diagnostics
internal import Model
internal import XML

/// The paths of a mapping as nodes of one trie; a path used twice is stored once.
struct XMLBinding: Sendable {
    /// A condition on an element that is some levels above the captured one.
    struct Predicate: Sendable {
        enum Kind: Sendable {
            case attribute(PathTrie.Node, PathExpression.Operand)
            case child(PathTrie.Node, PathExpression.Operand)
            case position(Int)
        }

        let levelsUp: Int
        let kind: Kind
        /// Slot of the field compared with, if any.
        let slot: Int?
    }

    /// A path with its conditions, as asked for by one or more rules.
    struct Use: Sendable {
        let node: PathTrie.Node
        let predicates: [Predicate]
        /// Whether a condition compares with a field, so that it can only be decided when that is known.
        var isLate: Bool { predicates.contains { $0.slot != nil } }
    }

    private(set) var trie: PathTrie
    private(set) var uses: [Use] = []
    private var numbers: [PathExpression: Int] = [:]
    /// Uses by trie node.
    private(set) var usesOfNode: [[Int]] = []
    /// Uses that are a row each, and the collection they belong to.
    private(set) var collectionOfRow: [Int: Int] = [:]
    /// For each use, the collection whose rows it is in and its column there; nil for the record's own.
    private(set) var columns: [(collection: Int, column: Int)?] = []
    /// Number of columns of each collection.
    private(set) var widths: [Int]
    private let schema: EntitySchema

    init(records: [XMLName], skip: [PathExpression], schema: EntitySchema) {
        trie = PathTrie(records: records)
        self.schema = schema
        widths = [Int](repeating: 0, count: schema.collections.count)
        for path in skip { trie.skip(add(path.steps).last ?? PathTrie.record) }
    }

    /// The number of a path, made when it is new.
    ///
    /// - Parameter keepsText: whether the text is wanted, or only the element's place.
    mutating func number(_ path: PathExpression, keepsText: Bool = true) -> Int {
        if let number = numbers[path] {
            if keepsText { trie.keepText(of: uses[number].node) }
            return number
        }
        let nodes = add(path.steps)
        var node = nodes.last ?? PathTrie.record
        if let attribute = path.attribute {
            node = trie.attribute(attribute, of: node)
        } else if keepsText {
            trie.keepText(of: node)
        }
        let extra = path.attribute == nil ? 0 : 1
        var predicates: [Predicate] = []
        for (index, step) in path.steps.enumerated() {
            for predicate in step.predicates {
                predicates.append(
                    bind(predicate, on: nodes[index], levelsUp: nodes.count - 1 - index + extra))
            }
        }
        uses.append(Use(node: node, predicates: predicates))
        columns.append(nil)
        numbers[path] = uses.count - 1
        while usesOfNode.count < trie.count { usesOfNode.append([]) }
        usesOfNode[node].append(uses.count - 1)
        return uses.count - 1
    }

    /// Marks paths as the rows of a collection; the paths below them, numbered before, become its columns.
    mutating func setRows(_ rows: [PathExpression], of collection: Int) {
        for (path, use) in numbers where rows.contains(where: { path.isBelow($0) }) {
            columns[use] = (collection, widths[collection])
            widths[collection] += 1
        }
        for row in rows { collectionOfRow[number(row, keepsText: false)] = collection }
    }

    private mutating func add(_ steps: [PathExpression.Step]) -> [PathTrie.Node] {
        var nodes: [PathTrie.Node] = []
        for step in steps { nodes.append(trie.element(step.name, of: nodes.last ?? PathTrie.record)) }
        return nodes
    }

    private mutating func bind(
        _ predicate: PathExpression.Predicate, on node: PathTrie.Node, levelsUp: Int
    ) -> Predicate {
        switch predicate {
        case .attribute(let name, let operand):
            let attribute = trie.attribute(name, of: node)
            return Predicate(levelsUp: levelsUp, kind: .attribute(attribute, operand), slot: slot(operand))
        case .child(let names, let operand):
            var child = node
            for name in names { child = trie.element(name, of: child) }
            trie.keepText(of: child)
            return Predicate(levelsUp: levelsUp, kind: .child(child, operand), slot: slot(operand))
        case .position(let position):
            return Predicate(levelsUp: levelsUp, kind: .position(position), slot: nil)
        }
    }

    private func slot(_ operand: PathExpression.Operand) -> Int? {
        if case .field(let name) = operand { schema.slot(of: name) } else { nil }
    }
}

/// The texts of one captured record, found by the numbers of a binding.
struct XMLTextSource: TextSource {
    private let record: CapturedRecord
    private let binding: XMLBinding
    /// Conditions decided so far, so that many captures in one element cost one look.
    private var decided: [Decision: Bool] = [:]

    private struct Decision: Hashable {
        let element: Int
        let node: PathTrie.Node
        let text: String
    }

    /// First capture of each of the record's own uses; −1 = none.
    private var matches: [Int32]
    /// For each collection, the captures that are its rows.
    private var rows: [[Int]]
    /// For each collection, row by row, the first capture of each column; −1 = none.
    private var cells: [[Int32]]

    init(_ record: CapturedRecord, _ binding: XMLBinding) {
        self.record = record
        self.binding = binding
        matches = [Int32](repeating: -1, count: binding.uses.count)
        rows = [[Int]](repeating: [], count: binding.widths.count)
        cells = [[Int32]](repeating: [], count: binding.widths.count)
        for capture in 0..<record.count where record.node(capture) < binding.usesOfNode.count {
            for use in binding.usesOfNode[record.node(capture)] where !binding.uses[use].isLate {
                guard decide(capture, binding.uses[use]) else { continue }
                note(use, capture)
            }
        }
    }

    private mutating func note(_ use: Int, _ capture: Int) {
        if let collection = binding.collectionOfRow[use] {
            rows[collection].append(capture)
            cells[collection].append(contentsOf: repeatElement(-1, count: binding.widths[collection]))
        } else if let (collection, column) = binding.columns[use] {
            guard let row = rows[collection].last, capture < record.end(row) else { return }
            let cell = (rows[collection].count - 1) * binding.widths[collection] + column
            if cells[collection][cell] < 0 { cells[collection][cell] = Int32(capture) }
        } else if matches[use] < 0 {
            matches[use] = Int32(capture)
        }
    }

    // MARK: - TextSource

    var rootName: String? { record.name.local }

    func rowCount(_ collection: Int) -> Int { rows[collection].count }

    func text(_ places: [Int], row: Int?, values: Values) throws(Diagnostic) -> String? {
        var first: Int?
        for place in places {
            guard let capture = capture(place, row: row, values) else { continue }
            first = min(first ?? capture, capture)
        }
        guard let first else { return nil }
        let text = record.text(first)
        return text.isEmpty ? nil : text
    }

    /// The first capture of a use; in a row's collection when `row` is given.
    private func capture(_ use: Int, row: Int?, _ values: Values) -> Int? {
        if binding.uses[use].isLate {
            return (0..<record.count).first {
                record.node($0) == binding.uses[use].node && satisfies($0, binding.uses[use], values)
            }
        }
        var capture = matches[use]
        if let row, let (collection, column) = binding.columns[use] {
            capture = cells[collection][row * binding.widths[collection] + column]
        }
        return capture < 0 ? nil : Int(capture)
    }

    // MARK: - Conditions

    /// ``satisfies(_:_:_:)`` for conditions with literals, each element looked at once.
    private mutating func decide(_ capture: Int, _ use: XMLBinding.Use) -> Bool {
        for predicate in use.predicates {
            var element = capture
            for _ in 0..<predicate.levelsUp { element = record.parent(element) }
            guard element >= 0 else { return false }
            switch predicate.kind {
            case .attribute(let node, let operand), .child(let node, let operand):
                guard let wanted = wanted(operand, predicate.slot, []) else { return false }
                let decision = Decision(element: element, node: node, text: wanted)
                let holds = decided[decision] ?? contains(node, wanted, in: element)
                decided[decision] = holds
                if !holds { return false }
            case .position(let position):
                if self.position(of: element) != position { return false }
            }
        }
        return true
    }

    private func satisfies(_ capture: Int, _ use: XMLBinding.Use, _ values: Values) -> Bool {
        use.predicates.allSatisfy { predicate in
            var element = capture
            for _ in 0..<predicate.levelsUp { element = record.parent(element) }
            guard element >= 0 else { return false }
            switch predicate.kind {
            case .attribute(let node, let operand), .child(let node, let operand):
                guard let wanted = wanted(operand, predicate.slot, values) else { return false }
                return contains(node, wanted, in: element)
            case .position(let position): return self.position(of: element) == position
            }
        }
    }

    private func wanted(_ operand: PathExpression.Operand, _ slot: Int?, _ values: Values) -> String? {
        if case .literal(let text) = operand { text } else { slot.flatMap { values[$0]?.description } }
    }

    /// Whether an element has a captured descendant or attribute of this node with this text.
    private func contains(_ node: PathTrie.Node, _ text: String, in element: Int) -> Bool {
        (element..<record.end(element)).contains { record.node($0) == node && record.text($0) == text }
    }

    /// One-based place of an element among its siblings of the same name.
    private func position(of element: Int) -> Int {
        let parent = record.parent(element)
        let node = record.node(element)
        return (max(parent, 0)...element).count { record.node($0) == node && record.parent($0) == parent }
    }
}

// SPDX-License-Identifier: Apache-2.0
// The texts of one captured record, found by the places of a mapping.

internal import Diagnostics
internal import JSON
internal import Model
internal import XML

/// One record of an XML file; its bytes are in the record's. Used again for every record of a file.
struct XMLRecord: RecordSource, Sendable {
    private let binding: XMLBinding
    private let rootNames: [String]
    private var captures: [Capture] = []
    private var name = 0
    /// For each capture, which conditions hold for its element: a bit each.
    private var held: [UInt64] = []
    private let words: Int
    /// For each capture, its place among its siblings of one name.
    private var positions: [Int32] = []
    private let needsPositions: Bool
    /// For each node, the parent of its last capture and that capture's position.
    private var lastOfNode: [(parent: Int32, position: Int32)]
    /// First capture of each use that is in no collection; −1 = none.
    private var matches: [Int32]
    /// A row of a collection.
    private struct Row: BitwiseCopyable {
        /// Its capture.
        var capture: Int32 = -1
        /// The number behind the last capture inside it.
        var end: Int32 = -1
        /// Its first column in ``cells``.
        var firstCell: Int32 = 0
    }

    /// For each collection, its rows.
    private var rows: [[Row]]
    /// The last of them.
    private var lastRows: [Row]
    /// For each column of each row, its first capture; −1 = none. In one array: a write into an array of arrays
    /// asks three times whether somebody else holds one.
    private var cells: [Int32] = []

    /// For each place of the program, where a look finds its capture.
    private let looks: [Look]

    /// Where the first capture of a place is noted.
    private struct Look: BitwiseCopyable {
        /// The collection in whose rows it is, −1 = the record.
        var collection: Int32 = -1
        /// Its column there, or its use; −1 = the mapping never captures it, −2 = it takes more than a look.
        var index: Int32 = -1
    }

    init(_ binding: XMLBinding) {
        looks = zip(binding.useOfPlace, binding.rowsOfPlace).map { number, rows in
            guard number >= 0 else { return rows < 0 ? Look() : Look(index: -2) }
            let use = binding.uses[Int(number)]
            return Look(
                collection: use.collection,
                index: use.isLate ? -2 : use.collection < 0 ? number : use.column)
        }
        self.binding = binding
        rootNames = binding.trie.records.map(\.local)
        words = (binding.conditions.count + 63) / 64
        needsPositions = binding.predicates.contains { if case .position = $0.kind { true } else { false } }
        lastOfNode = Array(repeating: (-2, 0), count: binding.trie.count)
        matches = Array(repeating: -1, count: binding.uses.count)
        rows = Array(repeating: [], count: binding.widths.count)
        lastRows = Array(repeating: Row(), count: binding.widths.count)
    }

    /// Takes a record over from the reader.
    mutating func load(_ captured: CapturedRecord, _ record: inout Record) {
        captured.copy(into: &captures, &record.bytes)
        name = captured.name
        findAll(record.bytes)
    }

    /// Takes a structured record over: its members are elements without namespace, items of lists are repeated ones.
    mutating func load(_ node: JSONNode, _ record: inout Record) {
        captures.removeAll(keepingCapacity: true)
        name = 0
        capture(node, PathTrie.record, parent: -1, &record.bytes)
        findAll(record.bytes)
    }

    private mutating func capture(
        _ node: JSONNode, _ place: PathTrie.Node, parent: Int32, _ bytes: inout [UInt8]
    ) {
        if case .array(let items) = node {
            for item in items { capture(item, place, parent: parent, &bytes) }
            return
        }
        if case .null = node { return }
        let number = captures.count
        let start = bytes.count
        if binding.trie.keepsText(place), let text = node.text { bytes.append(contentsOf: text.utf8) }
        let count = bytes.count - start
        func make(end: Int) -> Capture {
            Capture(
                node: Int32(place), parent: parent, end: Int32(end), textCount: Int32(count), textStart: start
            )
        }
        captures.append(make(end: number + 1))
        guard case .object(let members) = node else { return }
        for member in members {
            guard let child = binding.trie.child(member.key, of: place) else { continue }
            capture(member.value, child, parent: Int32(number), &bytes)
        }
        captures[number] = make(end: captures.count)
    }

    /// Finds what stands at the mapping's places among the captures.
    private mutating func findAll(_ bytes: [UInt8]) {
        for index in matches.indices { matches[index] = -1 }
        for index in rows.indices where !rows[index].isEmpty {
            rows[index].removeAll(keepingCapacity: true)
            lastRows[index] = Row()
        }
        if !cells.isEmpty { cells.removeAll(keepingCapacity: true) }
        if words > 0 { findConditions(bytes) }
        if needsPositions { findPositions() }
        findUses()
    }

    // MARK: - One pass each over the captures

    private mutating func findConditions(_ bytes: [UInt8]) {
        held.removeAll(keepingCapacity: true)
        held.append(contentsOf: repeatElement(0, count: captures.count * words))
        for capture in captures {
            let first = Int(binding.firstConditionOfNode[Int(capture.node)])
            let end = Int(binding.firstConditionOfNode[Int(capture.node) + 1])
            guard first < end else { continue }
            let text = capture.text.trimmed(in: bytes.span)
            for index in first..<end {
                let number = Int(binding.conditionsOfNodes[index])
                guard bytes.isEqual(text, binding.conditions[number].text) else { continue }
                var element = capture.parent
                for _ in 1..<binding.conditions[number].levelsUp { element = captures[Int(element)].parent }
                held[Int(element) * words + number / 64] |= 1 << UInt64(number % 64)
            }
        }
    }

    private mutating func findPositions() {
        positions.removeAll(keepingCapacity: true)
        for index in lastOfNode.indices { lastOfNode[index] = (-2, 0) }
        for capture in captures {
            let last = lastOfNode[Int(capture.node)]
            let position = last.parent == capture.parent ? last.position + 1 : 1
            lastOfNode[Int(capture.node)] = (capture.parent, position)
            positions.append(position)
        }
    }

    private mutating func findUses() {
        for (number, capture) in captures.enumerated() {
            let first = Int(binding.firstUseOfNode[Int(capture.node)])
            let end = Int(binding.firstUseOfNode[Int(capture.node) + 1])
            for index in first..<end {
                let use = binding.usesOfNodes[index]
                guard satisfies(Int32(number), binding.uses[Int(use)]) else { continue }
                note(use, Int32(number))
            }
        }
    }

    /// Whether the conditions hold that do not depend on fields.
    private func satisfies(_ capture: Int32, _ use: XMLBinding.Use) -> Bool {
        let first = Int(use.firstPredicate)
        for index in first..<first + Int(use.predicateCount) {
            let predicate = binding.predicates[index]
            let element = ancestor(of: capture, predicate.levelsUp)
            switch predicate.kind {
            case .condition(let number):
                let word = held[Int(element) * words + Int(number) / 64]
                if word & (1 << UInt64(number % 64)) == 0 { return false }
            case .position(let position): if positions[Int(element)] != position { return false }
            case .field: continue
            }
        }
        return true
    }

    private func ancestor(of capture: Int32, _ levels: Int32) -> Int32 {
        var element = capture
        for _ in 0..<levels { element = captures[Int(element)].parent }
        return element
    }

    private mutating func note(_ number: Int32, _ capture: Int32) {
        let use = binding.uses[Int(number)]
        guard use.collection >= 0 else {
            if matches[Int(number)] < 0 { matches[Int(number)] = capture }
            return
        }
        let collection = Int(use.collection)
        guard use.place >= 0 else {
            let row = Row(
                capture: capture, end: captures[Int(capture)].end, firstCell: Int32(cells.count))
            lastRows[collection] = row
            rows[collection].append(row)
            return cells.append(contentsOf: repeatElement(-1, count: binding.widths[collection]))
        }
        guard capture < lastRows[collection].end else { return }
        let cell = Int(lastRows[collection].firstCell + use.column)
        if cells[cell] < 0 { cells[cell] = capture }
    }

    // MARK: - RecordSource

    func root(_ record: inout Record) -> TextRange? { record.append(rootNames[name]) }

    func rowCount(_ collection: Int) -> Int { rows[collection].count }

    func line(of row: RowPlace) -> Int? { nil }

    @inline(__always)
    mutating func find(_ place: Int32, _ row: RowPlace) -> FoundText {
        let look = looks[Int(place)]
        guard look.index >= 0 else { return look.index == -1 ? .absent : .elsewhere }
        let capture: Int32
        if look.collection < 0 {
            capture = matches[Int(look.index)]
        } else {
            guard look.collection == row.collection else { return .elsewhere }
            capture = cells[Int(rows[row.collection][row.row].firstCell + look.index)]
        }
        guard capture >= 0 else { return .absent }
        return .text(captures[Int(capture)].text)
    }

    func text(_ place: Int32, _ row: RowPlace, _ record: inout Record) throws(RecordFault) -> TextRange? {
        let collection = binding.rowsOfPlace[Int(place)]
        if collection >= 0 {
            return rowNumber(Int(collection), around: row).map { record.append(String($0)) }
        }
        return capture(of: place, row, record).map { captures[Int($0)].text }
    }

    /// The number, from 1, of the row of a collection that another row stands in.
    private func rowNumber(_ collection: Int, around row: RowPlace) -> Int? {
        guard row.row >= 0 else { return nil }
        let inner = rows[row.collection][row.row].capture
        // By halves: the last row that begins before the other one.
        var (low, high) = (0, rows[collection].count)
        while low < high {
            let middle = (low + high) / 2
            if rows[collection][middle].capture <= inner { low = middle + 1 } else { high = middle }
        }
        return low > 0 && inner < rows[collection][low - 1].end ? low : nil
    }

    func text(
        _ places: ArraySlice<Int32>, _ row: RowPlace, _ record: inout Record
    ) throws(RecordFault) -> TextRange? {
        var first: Int32?
        for place in places {
            guard let capture = capture(of: place, row, record) else { continue }
            first = min(first ?? capture, capture)
        }
        return first.map { captures[Int($0)].text }
    }

    /// The first capture of a place, in the row when it is one of a row's.
    private func capture(of place: Int32, _ row: RowPlace, _ record: Record) -> Int32? {
        let number = Int(binding.useOfPlace[Int(place)])
        guard number >= 0 else { return nil }
        let use = binding.uses[number]
        let isInRow = use.collection >= 0
        guard !isInRow || row.collection == use.collection else { return nil }
        let first =
            isInRow
            ? cells[Int(rows[row.collection][row.row].firstCell + use.column)]
            : matches[number]
        guard first >= 0 else { return nil }
        guard use.isLate else { return first }
        let end = isInRow ? rows[row.collection][row.row].end : Int32(captures.count)
        return (first..<end).first { capture in
            captures[Int(capture)].node == use.node && satisfies(capture, use)
                && fieldsAgree(capture, use, record)
        }
    }

    /// Whether the conditions hold that compare with fields.
    private func fieldsAgree(_ capture: Int32, _ use: XMLBinding.Use, _ record: Record) -> Bool {
        let first = Int(use.firstPredicate)
        return (first..<first + Int(use.predicateCount)).allSatisfy { index in
            guard case .field(let node, _, let slot) = binding.predicates[index].kind else { return true }
            guard slot >= 0, case .text(let wanted) = record.cells[Int(slot)] else { return false }
            let element = ancestor(of: capture, binding.predicates[index].levelsUp)
            return (element..<captures[Int(element)].end).contains { inner in
                captures[Int(inner)].node == node
                    && record.bytes.span.areEqual(
                        captures[Int(inner)].text.trimmed(in: record.bytes.span), wanted)
            }
        }
    }
}

extension Capture {
    /// The place of its text.
    fileprivate var text: TextRange { TextRange(start: textStart, count: Int(textCount)) }
}

extension [UInt8] {
    fileprivate func isEqual(_ text: TextRange, _ other: [UInt8]) -> Bool {
        guard Int(text.count) == other.count else { return false }
        for index in other.indices where self[Int(text.start) + index] != other[index] { return false }
        return true
    }
}

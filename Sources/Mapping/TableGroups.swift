// SPDX-License-Identifier: Apache-2.0
// How the rows of a table belong together.

internal import Diagnostics
internal import Model
internal import Tabular

extension TableReader {
    /// Adds a row to the record that it belongs to.
    mutating func addToGroup(
        _ key: [String], _ fields: [TextField], _ bytes: [UInt8], line: Int, place: Range<Int>,
        isDetail: Bool = false, _ fault: Diagnostic?, _ body: (inout MappedItem) throws -> Void
    ) throws {
        guard let grouping = source.grouping else { return }
        let role = group.role(
            of: key, grouping, isDetail: isDetail, line: line, isOpen: rows.count > 0)
        switch role {
        case .ignore: return
        case .begin(let collection):
            try deliver(body)
            begin(line: line, place: place)
            rows.add(fields, bytes, line: line, collection: collection, to: &item.record)
        case .next(let collection):
            rows.add(fields, bytes, line: line, collection: collection, to: &item.record)
            if stage == nil {
                item.record.origin.bytes = (item.record.origin.bytes?.lowerBound ?? 0)..<place.upperBound
            }
        case .unknown(let diagnostic):
            ordinal += 1
            strays.append(
                Stray(origin: Origin(ordinal: ordinal, line: line, bytes: place), fault: diagnostic))
            // Records are always handed over in the order of their ordinals, so that one that holds so many
            // unknown rows ends with them.
            if strays.count >= Stray.most { try deliver(body) }
            return
        case .orphan(var diagnostic):
            if isDetail {
                diagnostic.place.file = detail?.name
            }
            try deliver(body)
            begin(line: line, place: place)
            rows.add(fields, bytes, line: line, collection: nil, to: &item.record)
            group.faults.append(diagnostic)
            isSummed = !isDetail
            if stage != nil { item.keepRaw(bytes) }
            return try deliver(body)
        }
        if stage != nil { item.keepRaw(bytes) }
        if case .byKind(_, let kinds) = grouping, kinds.own.contains(key.first ?? "") {
            rows.setKind(key.first ?? "")
        }
        if let fault { group.faults.append(fault) }
        guard item.record.bytes.count <= RowGroup.limit else {
            throw TabularError(.record, ["limit": String(RowGroup.limit)], at: Place(line: line))
        }
    }
}

extension TableReader {
    /// Warns of rows of one record that contradict each other about it: the first row is believed.
    mutating func warnOfContradictions() {
        guard case .byKey = source.grouping, rows.count > 1 else { return }
        for index in 0..<evaluator.program.fieldCount {
            let operation = evaluator.program.operations[index]
            guard case .place(let place) = operation.origin,
                let found = rows.contradiction(at: place, &item.record)
            else { continue }
            let position = Place(
                line: found.line, field: evaluator.program.names[Int(operation.name)], value: found.other)
            var finding = TabularError(.groupDiffers, ["first": found.first], at: position).diagnostic
            finding.severity = .warning
            item.findings.append(finding)
        }
    }
}

/// An unknown row and what is wrong with it.
struct Stray {
    let origin: Origin
    let fault: Diagnostic

    /// So many wait at most.
    static let most = 1000
}

/// Decides how rows belong together.
struct RowGroup: Sendable {
    /// What a row is to the record that is being read.
    enum Role {
        case begin(collection: Int?)
        case next(collection: Int?)
        case ignore
        /// A row inside a record that nobody knows; the record goes on behind it.
        case unknown(Diagnostic)
        /// A row that belongs to no record.
        case orphan(Diagnostic)
    }

    /// Bytes of one record at most.
    static let limit = 64 << 20

    /// What is wrong with rows of the record that is being read.
    var faults: [Diagnostic] = []
    /// The collection that rows with one key are rows of.
    private let collection: Int?
    private var key: [String] = []
    /// Hashes of the keys seen, to find one that comes back.
    private var seen: Set<Int> = []

    init(collection: Int?) {
        self.collection = collection
    }

    mutating func role(
        of key: [String], _ grouping: RowGrouping, isDetail: Bool, line: Int, isOpen: Bool
    ) -> Role {
        let isSame = isOpen && key == self.key
        switch grouping {
        case .byKind(_, let kinds): return role(ofKind: key.first ?? "", kinds, line: line, isOpen: isOpen)
        case .byDetail:
            let text = key.joined(separator: " ")
            if isDetail {
                return isSame && !text.isEmpty
                    ? .next(collection: collection) : .orphan(fault(.orphanDetail, text, line))
            }
            // A key's rows always come together, and behind its first row those of the other file.
            guard key != self.key || text.isEmpty else { return .orphan(fault(.repeatedKey, text, line)) }
            self.key = key
            return .begin(collection: nil)
        case .byKey(_, let blankContinues, let isStaged):
            let isBlank = key.allSatisfy(\.isEmpty)
            if isSame && !(isBlank && isStaged) || isOpen && blankContinues && isBlank {
                return .next(collection: collection)
            }
            self.key = key
            // What was put aside comes back with all rows of a key together.
            if isStaged { return .begin(collection: collection) }
            guard seen.insert(key.hashValue).inserted else {
                return .orphan(fault(.splitGroup, key.joined(separator: " "), line))
            }
            return .begin(collection: collection)
        }
    }

    private func role(ofKind kind: String, _ kinds: RowKinds, line: Int, isOpen: Bool) -> Role {
        if kinds.header.contains(kind) { return .begin(collection: nil) }
        if let collection = kinds.rows[kind] {
            return isOpen ? .next(collection: collection) : .orphan(fault(.orphanRow, kind, line))
        }
        if kinds.own.contains(kind) {
            return isOpen ? .next(collection: nil) : .orphan(fault(.orphanRow, kind, line))
        }
        if kinds.ignored.contains(kind) || kinds.ignored.contains("*") { return .ignore }
        let fault = fault(.unknownRow, kind, line)
        return isOpen ? .unknown(fault) : .orphan(fault)
    }

    private func fault(_ code: TabularError.Code, _ value: String, _ line: Int) -> Diagnostic {
        TabularError(code, ["value": value], at: Place(line: line, value: value)).diagnostic
    }
}

extension RowGrouping {
    /// Whether rows are put aside until the file has ended.
    var isStaged: Bool {
        switch self {
        case .byKind: false
        case .byKey(_, _, let isStaged): isStaged
        case .byDetail: true
        }
    }

    /// Places whose texts tell which record a row belongs to.
    var places: [Locator] {
        switch self {
        case .byKind(let place, _): [place]
        case .byKey(let places, _, _): places
        case .byDetail(let detail): detail.key.map { .column($0) }
        }
    }
}

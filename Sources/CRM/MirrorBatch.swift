// SPDX-License-Identifier: Apache-2.0
// A batch of records for one mirror: first what is to become of each, without writing; then the writing.

internal import Diagnostics
internal import Model
internal import PostgreSQL

/// Decides on records of one mirror and writes them.
struct MirrorBatch<Table: MirrorTable>: Sendable {
    private let records: [Record]
    private let context: ImportContext
    private let encoder = MirrorEncoder(Table.self)
    private var fresh: [Candidate] = []
    private var changed: [MirrorRow] = []

    init(_ records: [Record], _ context: ImportContext) {
        self.records = records
        self.context = context
    }

    /// A row with what would be written.
    private struct Candidate {
        var row: MirrorRow
        let content: MirrorContent
        let hash: [UInt8]
    }

    // MARK: - Deciding

    /// Decides on the rows; the answers are written to their places.
    mutating func decide(
        _ rows: [MirrorRow], _ decisions: inout [RecordDecision?], on connection: Connection
    ) async throws {
        let candidates = withoutRepeats(rows.map(candidate), &decisions)
        guard !candidates.isEmpty else { return }
        let known = try await connection.run(
            FindMirrors<Table>(source: context.source, keys: candidates.map(\.row.key)))
        var doubtful: [Candidate] = []
        for (var candidate, known) in zip(candidates, known) {
            guard let known else {
                fresh.append(candidate)
                decisions[candidate.row.index] = RecordDecision(.inserted)
                continue
            }
            candidate.row.id = known.id
            guard known.hash != candidate.hash else {
                decisions[candidate.row.index] = RecordDecision(.unchanged, Table.name, known.id)
                continue
            }
            if context.isReplay, let artifact = known.artifact, artifact > context.artifact {
                decisions[candidate.row.index] = RecordDecision(
                    .quarantined(
                        ImportFinding.superseded.diagnostic(
                            field: Table.key.last?.field ?? "number", of: records[candidate.row.index])),
                    Table.name, known.id)
                continue
            }
            doubtful.append(candidate)
        }
        try await compare(doubtful, &decisions, on: connection)
    }

    private func candidate(_ row: MirrorRow) -> Candidate {
        let content = encoder.content(records[row.index], row.given)
        return Candidate(row: row, content: content, hash: content.hash)
    }

    /// Of rows with one key, the first stays when all are equal, and none otherwise.
    private func withoutRepeats(
        _ candidates: [Candidate], _ decisions: inout [RecordDecision?]
    ) -> [Candidate] {
        var kept: [Candidate] = []
        for (_, group) in Dictionary(grouping: candidates, by: \.row.key) {
            guard group.count > 1 else {
                kept.append(group[0])
                continue
            }
            let areEqual = group.dropFirst().allSatisfy { $0.hash == group[0].hash }
            for candidate in areEqual ? group[1...] : group[...] {
                let record = records[candidate.row.index]
                decisions[candidate.row.index] = RecordDecision(
                    areEqual
                        ? .skipped(nil)
                        : .quarantined(
                            ImportFinding.keyConflict.diagnostic(
                                field: Table.key.last?.field ?? "number", of: record)))
            }
            if areEqual { kept.append(group[0]) }
        }
        return kept.sorted { $0.row.index < $1.row.index }
    }

    /// Rows whose hash differs: whether any column or child row really does.
    private mutating func compare(
        _ doubtful: [Candidate], _ decisions: inout [RecordDecision?], on connection: Connection
    ) async throws {
        guard !doubtful.isEmpty else { return }
        try await stage(doubtful, on: connection)
        var differences: [Int: MirrorDifference] = [:]
        for difference in try await connection.run(CompareMirrors<Table>()) {
            differences[difference.index] = difference
        }
        for candidate in doubtful {
            let index = candidate.row.index
            guard let difference = differences[index] else {
                decisions[index] = RecordDecision(.unchanged, Table.name, candidate.row.id)
                continue
            }
            var decision = RecordDecision(.updated, Table.name, candidate.row.id)
            decision.before = difference.before
            decision.after = difference.after
            if context.change == .quarantine {
                let finding = ImportFinding.changed.diagnostic(
                    field: Table.key.last?.field ?? "number", of: records[index])
                decision.outcome = .quarantined(finding)
            } else {
                changed.append(candidate.row)
            }
            decisions[index] = decision
        }
    }

    private func stage(_ candidates: [Candidate], on connection: Connection) async throws {
        // Rows of a batch that the database refused are still there: a savepoint is no end of a transaction.
        let tables = [Table.name] + Table.children.map(\.name)
        try await connection.script(tables.map { "delete from stage_\($0)" }.joined(separator: "; "))
        var rows = BinaryCopy()
        var children = Table.children.map { _ in BinaryCopy() }
        for candidate in candidates {
            begin(&rows, candidate.row, candidate.content, candidate.hash, extra: 2)
            rows.append(candidate.row.index)
            rows.append(candidate.content.cleared)
            append(candidate.content, of: candidate.row.id, to: &children)
        }
        try await connection.copy(rows, to: "stage_\(Table.name)", Self.columns + ["batch_index", "cleared"])
        for (child, rows) in zip(Table.children, children) {
            try await connection.copy(rows, to: "stage_\(child.name)", Self.columns(of: child))
            if let policy = context.children[child.collection], let sql = Table.retention(of: child, policy) {
                try await connection.script(sql)
            }
        }
    }

    // MARK: - Writing

    /// Writes what was decided, under the real numbers of what was provisional.
    func write(_ numbers: ProvisionalNumbers, on connection: Connection) async throws -> WrittenMirrors {
        var written = WrittenMirrors()
        written.inserted = try await insert(numbers, on: connection)
        written.changed = changed.map { ($0.index, $0.id) }
        guard !changed.isEmpty else { return written }
        let indices = changed.map(\.index)
        if changed.contains(where: \.isProvisional) {
            for sql in Table.renumbering {
                _ = try await connection.run(
                    AdHoc<Int>(sql, [Parameter(numbers.provisional), Parameter(numbers.all)]))
            }
        }
        try await connection.execute(UpdateMirrors<Table>(context: context, indices: indices))
        for child in Table.children {
            for sql in Table.replacements(of: child) {
                _ = try await connection.run(AdHoc<Int>(sql, [Parameter(indices)]))
            }
        }
        try await connection.log(
            changed.map { ChangeLogEntry(entity: Table.name, id: $0.id, op: "update") }, context)
        return written
    }

    private func insert(
        _ numbers: ProvisionalNumbers, on connection: Connection
    ) async throws -> [(index: Int, id: Int)] {
        guard !fresh.isEmpty else { return [] }
        let ids = try await connection.takeIDs(fresh.count, of: Table.name)
        var rows = BinaryCopy()
        var children = Table.children.map { _ in BinaryCopy() }
        for (candidate, id) in zip(fresh, ids) {
            var candidate = candidate
            if candidate.row.isProvisional { candidate = real(candidate, numbers) }
            candidate.row.id = id
            let (row, content) = (candidate.row, candidate.content)
            begin(&rows, row, content, candidate.hash, extra: 1 + Table.derived.count)
            rows.append(context.run)
            rows.append(encoder.derived(row.given)[...])
            append(content, of: id, to: &children)
        }
        try await connection.copy(
            rows, to: Table.name, Self.columns + ["created_run"] + Table.derived.map(\.name))
        for (child, rows) in zip(Table.children, children) {
            try await connection.copy(rows, to: child.name, Self.columns(of: child))
        }
        try await connection.log(
            ids.map { ChangeLogEntry(entity: Table.name, id: $0, op: "insert") }, context)
        return Array(zip(fresh.map(\.row.index), ids))
    }

    /// A row with the numbers of what has been made meanwhile.
    private func real(_ provisional: Candidate, _ numbers: ProvisionalNumbers) -> Candidate {
        var row = provisional.row
        row.key = row.key.map { numbers.real($0) }
        row.given = row.given.map { $0.map { numbers.real($0) } }
        return candidate(row)
    }

    // MARK: - The rows as they are sent

    private static var columns: [String] {
        ["id", "source_id", "content_hash", "artifact_id", "ordinal", "line", "version"]
            + Table.key.map(\.name) + Table.columns.map(\.name)
    }

    private static func columns(of child: MirrorChild) -> [String] {
        [child.parent, "no"] + child.columns.map(\.name)
    }

    private func begin(
        _ copy: inout BinaryCopy, _ row: MirrorRow, _ content: MirrorContent, _ hash: [UInt8], extra: Int
    ) {
        let origin = records[row.index].origin
        copy.beginRow(columns: Self.columns.count + extra)
        copy.append(row.id)
        copy.append(Int32(clamping: context.source))
        copy.append(Bytes(hash))
        copy.append(context.artifact)
        copy.append(origin.ordinal)
        copy.append(origin.line)
        copy.append(Int32(1))
        for (column, value) in zip(Table.key, row.key) {
            switch value {
            case .integer(let number) where column.isInt4: copy.append(Int32(clamping: number))
            case .integer(let number): copy.append(number)
            default: copy.append(value.description)
            }
        }
        copy.append(content.columns[...])
    }

    private func append(_ content: MirrorContent, of parent: Int, to copies: inout [BinaryCopy]) {
        for (number, rows) in content.children.enumerated() {
            let width = Table.children[number].columns.count + 2
            for (index, row) in rows.enumerated() {
                copies[number].beginRow(columns: width)
                copies[number].append(parent)
                copies[number].append(Int32(index + 1))
                copies[number].append(row[...])
            }
        }
    }
}

extension Connection {
    /// Copies rows into a table.
    nonisolated func copy(_ rows: BinaryCopy, to table: String, _ columns: [String]) async throws {
        guard !rows.bytes.isEmpty else { return }
        var data: [UInt8]? = rows.finished()
        let sql = "copy \(table) (\(columns.joined(separator: ", "))) from stdin (format binary)"
        try await copyIn(sql) {
            defer { data = nil }
            return data
        }
    }
}

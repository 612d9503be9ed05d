// SPDX-License-Identifier: Apache-2.0
// The import plan of entities that are mirrored: their parties are found, then their rows are decided on.

internal import Diagnostics
package import Model
package import PostgreSQL

/// An entity whose records become rows of a mirror.
protocol MirroredEntity: MirrorTable {
    /// The parties that a record describes.
    static var roles: [PartyResolver.Role] { get }
    /// A hash that two records of a file share when they are the same thing.
    static func fileKey(of record: Record, _ key: [RecordKeyPart]) -> Int?
    /// The row of a record, given its parties by role; nil where one that it needs is missing.
    static func row(
        _ record: Record, _ index: Int, _ places: [PartyResolver.Place?], _ context: ImportContext
    ) -> MirrorRow?
    /// Why a record is left out.
    static func leftOut(_ record: Record, _ context: ImportContext) -> Diagnostic?
    /// What follows from rows that were written.
    static func settle(
        _ written: WrittenMirrors, _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws
}

extension MirroredEntity {
    static func fileKey(of record: Record, _ key: [RecordKeyPart]) -> Int? {
        key.isEmpty ? nil : MirrorKey.text(record, key).hashValue
    }

    static func leftOut(_ record: Record, _ context: ImportContext) -> Diagnostic? { nil }
}

/// Rows of a mirror that a batch wrote.
struct WrittenMirrors: Sendable {
    /// Place in the batch and number of the new ones.
    var inserted: [(index: Int, id: Int)] = []
    /// Number of the changed ones.
    var changed: [(index: Int, id: Int)] = []

    /// Numbers of all of them.
    var ids: [Int] { inserted.map(\.id) + changed.map(\.id) }
    /// Places in the batch of all of them.
    var indices: [Int] { inserted.map(\.index) + changed.map(\.index) }
}

/// The key that a mapping gives records, as a text.
enum MirrorKey {
    /// The parts one behind the other, without the record's number among those with an equal key.
    static func text(_ record: Record, _ key: [RecordKeyPart]) -> String {
        key.map { part in
            switch part {
            case .field(let slot): record.value(of: record.cells[slot])?.description ?? ""
            case .year(let slot):
                record.value(of: record.cells[slot])?.date.map { String($0.year) } ?? ""
            case .ordinal: ""
            }
        }.joined(separator: "\u{1F}")
    }

    /// The same with that number.
    static func full(_ record: Record, _ key: [RecordKeyPart]) -> Value {
        let text = text(record, key)
        return .text(record.origin.repetition > 1 ? "\(text)\u{1F}#\(record.origin.repetition)" : text)
    }
}

/// The import plan of a mirrored entity.
package struct MirrorImport: ImportPlan {
    private let entity: any MirroredEntity.Type

    init(_ entity: any MirroredEntity.Type) {
        self.entity = entity
    }

    package var schema: EntitySchema { entity.schema }
    package var fieldOfColumn: [String: String] { entity.fieldOfColumn }

    package func key(of record: Record, _ key: [RecordKeyPart]) -> Int? { entity.fileKey(of: record, key) }

    package func makeStages(on connection: Connection) async throws(PostgreSQLError) {
        try await connection.script(entity.stageScript)
    }

    package func prepare(
        _ records: [Record], _ context: ImportContext, _ foresight: inout Foresight, on connection: Connection
    ) async throws -> PreparedBatch {
        try await Self.prepare(entity, records, context, &foresight, on: connection)
    }

    private static func prepare<Entity: MirroredEntity>(
        _ entity: Entity.Type, _ records: [Record], _ context: ImportContext, _ foresight: inout Foresight,
        on connection: Connection
    ) async throws -> PreparedBatch {
        var decisions = records.map { record in
            Entity.leftOut(record, context).map { RecordDecision(.skipped($0)) }
        }
        let wanted = records.indices.filter { decisions[$0] == nil }
        let answers = try await PartyResolver(context: context)
            .resolve(wanted.map { records[$0] }, Entity.roles, &foresight, on: connection)
        var rows: [MirrorRow] = []
        for (index, answer) in zip(wanted, answers) {
            if let refusal = answer.refusal {
                decisions[index] = RecordDecision(.quarantined(refusal))
            } else if let row = Entity.row(records[index], index, answer.places, context) {
                rows.append(row)
            } else {
                let finding = ImportFinding.noMatch.diagnostic(field: "party", of: records[index])
                decisions[index] = RecordDecision(.quarantined(finding))
            }
        }
        var batch = MirrorBatch<Entity>(records, context)
        try await batch.decide(rows, &decisions, on: connection)
        for (index, answer) in zip(wanted, answers) { decisions[index]?.explain(answer) }
        return PreparedBatch(decisions: decisions.map { $0 ?? RecordDecision(.unchanged) }) {
            [batch, foresight] connection in
            let numbers = try await foresight.takeNumbers(on: connection)
            try await PartyWriter(foresight, numbers, context).write(on: connection)
            let written = try await batch.write(numbers, on: connection)
            guard !written.ids.isEmpty else { return }
            try await Entity.settle(written, records, context, on: connection)
        }
    }
}

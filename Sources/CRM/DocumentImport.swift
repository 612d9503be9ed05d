// SPDX-License-Identifier: Apache-2.0
// Invoices and credit notes of the ERP into mirrors with their lines and taxes.

internal import Diagnostics
package import Model
package import PostgreSQL

/// The import plan of invoices.
///
/// Seller and buyer are resolved to parties first, so that the key of a document (source, issuer, kind, number,
/// year) does not change when a SIREN appears later. An unknown party is made where the mapping allows it.
package struct DocumentImport: ImportPlan {
    /// The plan; it holds no state.
    package init() {}

    package var schema: EntitySchema { .invoice }

    package func key(of record: Record) -> String? {
        guard let number = record.text("number") else { return nil }
        let seller = PartyReference(record, prefix: "seller.")
        let parts = [
            seller.identity ?? seller.name ?? "", record.text("kind") ?? "", number,
            record.date("issue_date").map { String($0.year) } ?? "",
        ]
        return parts.joined(separator: "\u{1F}")
    }

    package func apply(
        _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws -> [ImportOutcome] {
        var outcomes = [ImportOutcome?](repeating: nil, count: records.count)
        let resolver = PartyResolver(context: context)
        let parties = try await resolver.resolve(records, on: connection)
        var documents: [Document] = []
        for (index, answer) in parties.enumerated() {
            switch answer {
            case .refused(let diagnostic): outcomes[index] = .quarantined(diagnostic)
            case .known(let issuer, let party, let site):
                documents.append(
                    Document(records[index], index: index, issuer: issuer, party: party, site: site))
            }
        }
        documents = withoutRepeats(documents, records, &outcomes)
        try await write(documents, records, context, &outcomes, on: connection)
        return outcomes.map { $0 ?? .unchanged }
    }

    /// Of documents with one key in the batch, the first stays when all are equal, and none otherwise.
    private func withoutRepeats(
        _ documents: [Document], _ records: [Record], _ outcomes: inout [ImportOutcome?]
    ) -> [Document] {
        var kept: [Document] = []
        for (_, group) in Dictionary(grouping: documents, by: \.key) {
            let areEqual = Set(group.map(\.contentHash)).count == 1
            for document in areEqual ? group[1...] : group[...] {
                outcomes[document.index] =
                    areEqual
                    ? .skipped
                    : .quarantined(
                        ImportFinding.keyConflict.diagnostic(field: "number", of: records[document.index]))
            }
            if areEqual { kept.append(group[0]) }
        }
        return kept.sorted { $0.index < $1.index }
    }

    private func write(
        _ documents: [Document], _ records: [Record], _ context: ImportContext,
        _ outcomes: inout [ImportOutcome?], on connection: Connection
    ) async throws {
        guard !documents.isEmpty else { return }
        let known = try await connection.run(KnownDocuments(documents: documents, source: context.source))
        var fresh: [Document] = []
        var changed: [Document] = []
        for (var document, old) in zip(documents, known) {
            switch old {
            case nil: fresh.append(document)
            case let old? where old.contentHash == document.contentHash: outcomes[document.index] = .unchanged
            case let old?:
                guard context.change == .write else {
                    outcomes[document.index] = .quarantined(
                        ImportFinding.changed.diagnostic(field: "number", of: records[document.index]))
                    continue
                }
                document.id = old.id
                changed.append(document)
            }
        }
        let ids = try await connection.takeIDs(fresh.count, of: "sales_doc")
        for (index, id) in ids.enumerated() { fresh[index].id = id }
        try await insert(fresh, context, on: connection)
        try await update(changed, context, on: connection)
        for document in fresh { outcomes[document.index] = .inserted }
        for document in changed { outcomes[document.index] = .updated }
    }

    private func insert(
        _ documents: [Document], _ context: ImportContext, on connection: Connection
    ) async throws(PostgreSQLError) {
        guard !documents.isEmpty else { return }
        try await connection.execute(InsertDocuments(documents: documents, context: context))
        try await insertRows(of: documents, on: connection)
        try await connection.log(
            documents.map { ChangeLogEntry(entity: "sales_doc", id: $0.id, op: "insert") }, context)
    }

    private func update(
        _ documents: [Document], _ context: ImportContext, on connection: Connection
    ) async throws(PostgreSQLError) {
        guard !documents.isEmpty else { return }
        try await connection.execute(UpdateDocuments(documents: documents, context: context))
        try await connection.execute(DeleteDocumentRows(ids: documents.map(\.id)))
        try await insertRows(of: documents, on: connection)
        try await connection.log(
            documents.map { ChangeLogEntry(entity: "sales_doc", id: $0.id, op: "update") }, context)
    }

    private func insertRows(of documents: [Document], on connection: Connection) async throws(PostgreSQLError)
    {
        try await connection.execute(InsertDocumentLines(documents: documents))
        try await connection.execute(InsertDocumentTaxes(documents: documents))
    }
}

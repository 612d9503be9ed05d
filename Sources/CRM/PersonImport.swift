// SPDX-License-Identifier: Apache-2.0
// People of accounts: a party of their own, ways to reach them, and the account they work for.

internal import Diagnostics
package import Model
package import PostgreSQL

/// The import plan of people.
///
/// A person is known by the code that the source has for it or, without one, by the mapping's key; the same name at
/// another account is another person. What sources say is claimed field by field, as for accounts.
package struct PersonImport: ImportPlan {
    package var schema: EntitySchema { .person }

    private static let roles = [
        PartyResolver.Role("account", prefix: "account.", .person, status: "client", absent: .nobody)
    ]
    private static let claimed = ["civility", "first_name", "last_name", "language"]

    package func key(of record: Record, _ key: [RecordKeyPart]) -> Int? {
        record.origin.repetition > 0 || !key.isEmpty ? identity(record, key).hashValue : nil
    }

    /// What the source knows the person by; the record's number among equal ones is part of it.
    private func identity(_ record: Record, _ key: [RecordKeyPart]) -> String {
        record.text("code") ?? MirrorKey.full(record, key).description
    }

    package func prepare(
        _ records: [Record], _ context: ImportContext, _ foresight: inout Foresight, on connection: Connection
    ) async throws -> PreparedBatch {
        let answers = try await PartyResolver(context: context)
            .resolve(records, Self.roles, &foresight, on: connection)
        let identities = records.map { identity($0, context.key) }
        let known = try await connection.run(
            FindPersons(source: context.source, identities: Set(identities).sorted()))
        let personOf = Dictionary(known.map { ($0.identity, $0) }) { first, _ in first }
        var writer = PartyWriter(context)
        var places: [Place] = []
        var first: [String: Int] = [:]
        for (index, record) in records.enumerated() {
            guard answers[index].refusal == nil else {
                places.append(.refused)
                continue
            }
            if let earlier = first[identities[index]] {
                places.append(records[earlier].values == record.values ? .again : .contradiction)
                continue
            }
            first[identities[index]] = index
            let account = answers[index].places[0]?.party
            let place: Place
            if let person = personOf[identities[index]] {
                place = .known(person.id)
                writer.offer(Self.claims(record), person: person.id, line: record.origin.line)
            } else {
                let id = foresight.addPerson()
                place = .new(id)
                writer.addPerson(
                    Self.claims(record), id: id, identity: identities[index], line: record.origin.line)
            }
            let job = PartyWriter.Job(
                person: place.id, account: account ?? 0, title: record.text("job_title"))
            // A record that waited may be older than the job that the person has now.
            let isSettled = context.isReplay && personOf[identities[index]]?.accounts.isEmpty == false
            if account != nil, !isSettled, job.differs(from: personOf[identities[index]]) {
                writer.addJob(job)
            }
            addContacts(of: record, person: place.id, &writer)
            places.append(place)
        }
        let changes = try await writer.settle(on: connection)
        let decisions = decide(records, answers, places, changes)
        return PreparedBatch(decisions: decisions) { [writer, foresight] connection in
            let numbers = try await foresight.takeNumbers(on: connection)
            try await PartyWriter(foresight, numbers, context).write(on: connection)
            var writer = writer
            writer.number(numbers)
            try await writer.write(on: connection)
        }
    }

    /// Where a record goes.
    private enum Place {
        case new(Int)
        case known(Int)
        /// The same person came before in the batch, with the same values or with others.
        case again, contradiction
        case refused

        var id: Int {
            switch self {
            case .new(let id), .known(let id): id
            case .again, .contradiction, .refused: 0
            }
        }
    }

    private static func claims(_ record: Record) -> [(field: String, value: String?)] {
        claimed.map { ($0, record.text($0)) }
    }

    private func addContacts(of record: Record, person: Int, _ writer: inout PartyWriter) {
        for (field, kind) in [("email", ContactKind.email), ("phone", .phone), ("mobile", .phone)] {
            guard let value = record.text(field) else { continue }
            writer.addContact(kind.rawValue, value, norm: kind.normalised(value), party: person)
        }
    }

    private func decide(
        _ records: [Record], _ answers: [PartyResolver.Answer], _ places: [Place],
        _ changes: PartyWriter.Changes
    ) -> [RecordDecision] {
        let claims = Dictionary(grouping: changes.claims) { $0.claim.row }
        return records.indices.map { index in
            var decision: RecordDecision
            switch places[index] {
            case .new: decision = RecordDecision(.inserted)
            case .known(let id):
                decision = RecordDecision(
                    changes.parties.contains(id) ? .updated : .unchanged, "party", id)
                let row = PartyWriter.Claim.Row(entity: "person", id: id)
                (decision.before, decision.after) = changes.describe([row], party: id, claims)
            case .again: decision = RecordDecision(.skipped(nil))
            case .contradiction:
                decision = RecordDecision(
                    .quarantined(ImportFinding.keyConflict.diagnostic(field: "code", of: records[index])))
            case .refused:
                decision = RecordDecision(
                    .quarantined(
                        answers[index].refusal
                            ?? ImportFinding.noMatch.diagnostic(field: "account.name", of: records[index])))
            }
            decision.explain(answers[index])
            return decision
        }
    }
}

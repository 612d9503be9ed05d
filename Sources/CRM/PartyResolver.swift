// SPDX-License-Identifier: Apache-2.0
// Gives every record the parties it speaks of, foreseeing those that may be made.

internal import Diagnostics
internal import Model
internal import PostgreSQL

/// Resolves the parties that records describe.
struct PartyResolver: Sendable {
    let context: ImportContext

    /// One of the parties of a record.
    struct Role: Sendable {
        /// What it is called in facts.
        let name: String
        let fields: PartyReference.Fields
        /// Status of a party that is made for it.
        let status: String
        /// What stands for it where the record describes nobody.
        let absent: Absent

        enum Absent: Sendable {
            case ownCompany, nobody, fault
        }

        /// The field that a finding points to.
        let nameField: String

        init(_ name: String, prefix: String, _ schema: EntitySchema, status: String, absent: Absent) {
            self.name = name
            fields = PartyReference.Fields(schema, prefix: prefix)
            nameField = prefix + "name"
            self.status = status
            self.absent = absent
        }

        init(
            _ name: String, _ fields: PartyReference.Fields, nameField: String, status: String, absent: Absent
        ) {
            self.name = name
            self.fields = fields
            self.nameField = nameField
            self.status = status
            self.absent = absent
        }
    }

    /// A party found or foreseen; negative numbers are provisional.
    struct Place: Sendable {
        let party: Int
        let site: Int?
    }

    /// The parties of one record, by role.
    struct Answer: Sendable {
        var places: [Place?] = []
        var refusal: Diagnostic?
        /// What a person is to decide.
        var question: MatchQuestion?
        var traces: [MatchTrace] = []
    }

    /// One answer a record, in their order.
    func resolve(
        _ records: [Record], _ roles: [Role], _ foresight: inout Foresight, on connection: Connection
    ) async throws -> [Answer] {
        let references = roles.map { role in records.map { PartyReference($0, role.fields) } }
        let matcher = PartyMatcher(
            keys: context.matching.keys, source: context.source, decisions: context.decisions)
        let matches = try await matcher.match(references.flatMap { $0 }, on: connection)
        var answers = [Answer](repeating: Answer(), count: records.count)
        for (index, record) in records.enumerated() {
            for (number, role) in roles.enumerated() {
                let match = matches[number * records.count + index]
                let reference = references[number][index]
                judge(match, reference, role, record, foresight, &answers[index])
            }
        }
        // Buyers before sellers would do too: what counts is that a party which buys is made a client.
        for index in records.indices where answers[index].refusal == nil {
            for (number, role) in roles.enumerated() {
                let place = place(
                    matches[number * records.count + index], references[number][index], role, &foresight)
                answers[index].places.append(place)
            }
        }
        return answers
    }

    private func judge(
        _ match: PartyMatch, _ reference: PartyReference, _ role: Role, _ record: Record,
        _ foresight: Foresight, _ answer: inout Answer
    ) {
        answer.traces.append(MatchTrace(role.name, reference, match, foresight))
        guard answer.refusal == nil else { return }
        if reference.isEmpty {
            guard role.absent == .fault || role.absent == .ownCompany && context.company == nil else {
                return
            }
            answer.refusal = ImportFinding.noMatch.diagnostic(
                ["role": role.name], field: role.nameField, of: record)
            return
        }
        if match == .unknown, foresight.party(reference) != nil { return }
        guard let finding = finding(match, reference) else { return }
        let candidates = match.candidates
        var facts = ["role": role.name]
        if !candidates.isEmpty { facts["candidates"] = candidates.list }
        answer.refusal = finding.diagnostic(facts, field: role.nameField, of: record)
        answer.question = MatchQuestion(reference, finding, candidates)
    }

    /// Why a match is left to a person; nil when it is certain, or when the party may be made.
    private func finding(_ match: PartyMatch, _ reference: PartyReference) -> ImportFinding? {
        switch match {
        case .found: return nil
        case .several: return .manyMatches
        case .contradictory: return .conflict
        case .similar: return .similar
        case .unknown:
            let mayCreate =
                switch context.matching.creation {
                case .always: reference.identity != nil
                case .withValidIdentifier: reference.hasValidIdentifier
                case .never: false
                }
            return mayCreate ? nil : .noMatch
        }
    }

    private func place(
        _ match: PartyMatch, _ reference: PartyReference, _ role: Role, _ foresight: inout Foresight
    ) -> Place? {
        if reference.isEmpty {
            return role.absent == .ownCompany ? context.company.map { Place(party: $0, site: nil) } : nil
        }
        if case .found(let party, let site, _) = match { return Place(party: party, site: site) }
        let new = foresight.add(reference, status: role.status)
        // One party is made from the first of several references: its site is that one's only.
        return Place(party: new.party, site: new.reference.siret == reference.siret ? new.site : nil)
    }
}

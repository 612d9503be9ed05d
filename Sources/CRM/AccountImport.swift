// SPDX-License-Identifier: Apache-2.0
// Account records into parties and sites: one row of a file is one establishment.

internal import Diagnostics
package import Model
package import PostgreSQL

/// The import plan of accounts.
///
/// Rows of one SIREN are one party with several sites; the code of each row belongs to its site. Only the row of
/// the main site speaks for the party (name, SIREN, VAT number), so that two rows of one file never overwrite
/// each other and a second import changes nothing.
package struct AccountImport: ImportPlan {
    /// The plan; it holds no state.
    package init() {}

    package var schema: EntitySchema { .account }

    private static let fields = PartyReference.Fields(.account)

    package func key(of record: Record, _ key: [RecordKeyPart]) -> Int? {
        (record.text("code") ?? record.text("siret") ?? record.text("siren") ?? record.text("name"))?
            .hashValue
    }

    package func prepare(
        _ records: [Record], _ context: ImportContext, _ foresight: inout Foresight, on connection: Connection
    ) async throws -> PreparedBatch {
        let references = records.map { PartyReference($0, Self.fields) }
        let matcher = PartyMatcher(
            keys: context.matching.keys, source: context.source, decisions: context.decisions)
        let matches = try await matcher.match(references, on: connection)
        var placement = Placement(context)
        try await placement.place(records, references, matches, &foresight, on: connection)
        let changes = try await placement.writer.settle(on: connection)
        let decisions = placement.decisions(records, references, matches, changes, foresight)
        return PreparedBatch(decisions: decisions) { [writer = placement.writer, foresight] connection in
            var writer = writer
            writer.number(try await foresight.takeNumbers(on: connection))
            try await writer.write(on: connection)
        }
    }
}

/// Where each record of a batch goes: a new party, a new site of a known one, or a known site.
private struct Placement {
    /// A record's place once it is decided.
    enum Decision {
        case new(site: Int, party: Int)
        case known(site: Int, party: Int)
        case refused(ImportFinding, [Int])

        /// The party, unless the record was refused.
        var party: Int? {
            switch self {
            case .new(_, let party), .known(_, let party): party
            case .refused: nil
            }
        }
    }

    var writer: PartyWriter
    private let context: ImportContext
    private var decisions: [Decision] = []
    private var sitesOfParty: [Int: [SitesOfParties.Row]] = [:]
    /// Main sites without SIRET that a record of this batch has taken.
    private var takenSites: Set<Int> = []

    init(_ context: ImportContext) {
        self.context = context
        writer = PartyWriter(context)
    }

    /// Finds a place for each record of a batch.
    mutating func place(
        _ records: [Record], _ references: [PartyReference], _ matches: [PartyMatch],
        _ foresight: inout Foresight, on connection: Connection
    ) async throws {
        let known = matches.compactMap { match in
            if case .found(let party, _, _) = match { party } else { nil }
        }
        let sites = try await connection.run(
            SitesOfParties(parties: Set(known).sorted(), source: context.source))
        sitesOfParty = Dictionary(grouping: sites, by: \.party)
        for ((record, reference), match) in zip(zip(records, references), matches) {
            let decision = decide(reference, match, &foresight)
            addContacts(of: record, to: decision)
            decisions.append(decision)
        }
    }

    private mutating func decide(
        _ reference: PartyReference, _ match: PartyMatch, _ foresight: inout Foresight
    ) -> Decision {
        switch match {
        case .several(let parties): return .refused(.manyMatches, parties)
        case .similar(let parties): return .refused(.similar, parties)
        case .contradictory(let parties): return .refused(.conflict, parties)
        case .found(let party, let site?, _): return keep(reference, site: site, party: party)
        case .found(let party, nil, _): return place(reference, in: party, &foresight)
        case .unknown:
            if let party = foresight.party(reference)?.party {
                return add(reference, to: party, &foresight)
            }
            let new = foresight.add(reference, status: "client")
            writer.addParty(reference, id: new.party, site: new.site, status: new.status)
            return .new(site: new.site, party: new.party)
        }
    }

    private mutating func add(
        _ reference: PartyReference, to party: Int, _ foresight: inout Foresight
    ) -> Decision {
        let site = foresight.addSite()
        writer.addSite(reference, id: site, of: party)
        return .new(site: site, party: party)
    }

    private mutating func keep(_ reference: PartyReference, site: Int, party: Int) -> Decision {
        let isMain = sitesOfParty[party]?.first { $0.site == site }?.isMain == true
        writer.offer(reference, party: isMain ? party : nil, site: site)
        if let code = reference.code { writer.addCode(code, site: site) }
        return .known(site: site, party: party)
    }

    /// A record of a known party without a known site: its main site when that waits for a SIRET, or a new one.
    private mutating func place(
        _ reference: PartyReference, in party: Int, _ foresight: inout Foresight
    ) -> Decision {
        // Who names no establishment means the main one.
        if reference.code == nil, reference.siret == nil, reference.gln == nil,
            let main = sitesOfParty[party]?.first(where: \.isMain)
        {
            return keep(reference, site: main.site, party: party)
        }
        let free = sitesOfParty[party]?.first {
            $0.isMain && $0.siret == nil && !$0.hasCode && !takenSites.contains($0.site)
        }
        guard let free else { return add(reference, to: party, &foresight) }
        takenSites.insert(free.site)
        return keep(reference, site: free.site, party: party)
    }

    private mutating func addContacts(of record: Record, to decision: Decision) {
        guard let party = decision.party else { return }
        for kind in ContactKind.allCases {
            guard let value = record.text(kind.rawValue) else { continue }
            writer.addContact(kind.rawValue, value, norm: kind.normalised(value), party: party)
        }
    }

    /// What becomes of each record, given what differs.
    func decisions(
        _ records: [Record], _ references: [PartyReference], _ matches: [PartyMatch],
        _ changes: PartyWriter.Changes, _ foresight: Foresight
    ) -> [RecordDecision] {
        let claims = Dictionary(grouping: changes.claims) { $0.claim.row }
        return decisions.indices.map { index in
            let reference = references[index]
            var answer = PartyResolver.Answer()
            answer.traces = [MatchTrace("account", reference, matches[index], foresight)]
            var decision: RecordDecision
            switch decisions[index] {
            case .new: decision = RecordDecision(.inserted)
            case .known(let site, let party):
                let isChanged = changes.sites.contains(site) || changes.parties.contains(party)
                decision = RecordDecision(isChanged ? .updated : .unchanged, "party", party)
                let rows = [
                    PartyWriter.Claim.Row(entity: "party", id: party),
                    PartyWriter.Claim.Row(entity: "site", id: site),
                ]
                (decision.before, decision.after) = changes.describe(rows, party: party, site: site, claims)
            case .refused(let finding, let candidates):
                decision = RecordDecision(
                    .quarantined(
                        finding.diagnostic(
                            ["candidates": candidates.list], field: "name", of: records[index])))
                answer.question = MatchQuestion(reference, finding, candidates)
            }
            decision.explain(answer)
            return decision
        }
    }
}

/// Kinds of contact points, by the account's field.
enum ContactKind: String, CaseIterable {
    case phone, email, iban
    case emailDomain = "email_domain"

    /// The form that two spellings of one value share: E.164 for phones (French where no country is given),
    /// lower case for addresses.
    func normalised(_ value: String) -> String {
        switch self {
        case .iban: return value.filter { !$0.isWhitespace }.uppercased()
        case .email, .emailDomain: return value.lowercased()
        case .phone:
            let digits = value.filter(\.isNumber)
            if value.hasPrefix("+") { return "+" + digits }
            if digits.hasPrefix("00") { return "+" + digits.dropFirst(2) }
            return digits.count == 10 && digits.hasPrefix("0") ? "+33" + digits.dropFirst() : digits
        }
    }
}

extension [Int] {
    /// The numbers separated by commas.
    var list: String { map(String.init).joined(separator: ", ") }
}

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

    package func key(of record: Record) -> String? {
        record.text("code") ?? record.text("siret") ?? record.text("siren") ?? record.text("name")
    }

    package func apply(
        _ records: [Record], _ context: ImportContext, on connection: Connection
    ) async throws -> [ImportOutcome] {
        let references = records.map { PartyReference($0) }
        let matcher = PartyMatcher(keys: context.matching.keys, source: context.source)
        let matches = try await matcher.match(references, on: connection)
        let placement = try await Placement(records, references, matches, context, on: connection)
        let changes = try await placement.writer.write(on: connection)
        return placement.outcomes(changes)
    }
}

/// Where each record of a batch goes: a new party, a new site of a known one, or a known site.
private struct Placement {
    /// A record's place once it is decided.
    enum Decision {
        case new(site: Int, party: Int)
        case known(site: Int, party: Int)
        case refused(Diagnostic)
    }

    var writer: PartyWriter
    private var decisions: [Decision] = []
    private var partyOfIdentity: [String: Int] = [:]
    private var sitesOfParty: [Int: [SitesOfParties.Row]] = [:]
    /// Main sites without SIRET that a record of this batch has taken.
    private var takenSites: Set<Int> = []

    init(
        _ records: [Record], _ references: [PartyReference], _ matches: [PartyMatch],
        _ context: ImportContext,
        on connection: Connection
    ) async throws {
        writer = PartyWriter(context)
        let known = matches.compactMap { match in if case .found(let party, _) = match { party } else { nil }
        }
        let sites = try await connection.run(
            SitesOfParties(parties: Set(known).sorted(), source: context.source))
        sitesOfParty = Dictionary(grouping: sites, by: \.party)
        var siteIDs = try await connection.takeIDs(records.count, of: "site")[...]
        var partyIDs = try await connection.takeIDs(matches.count { $0 == .unknown }, of: "party")[...]
        for ((record, reference), match) in zip(zip(records, references), matches) {
            let decision = decide(
                record, reference, match, siteID: siteIDs.popFirst() ?? 0,
                partyID: match == .unknown ? partyIDs.popFirst() ?? 0 : 0)
            addContacts(of: record, to: decision)
            decisions.append(decision)
        }
    }

    private mutating func decide(
        _ record: Record, _ reference: PartyReference, _ match: PartyMatch, siteID: Int, partyID: Int
    ) -> Decision {
        switch match {
        case .several(let parties):
            return .refused(
                ImportFinding.manyMatches.diagnostic(["candidates": parties.list], field: "name", of: record))
        case .contradictory(let parties):
            return .refused(
                ImportFinding.conflict.diagnostic(["candidates": parties.list], field: "name", of: record))
        case .found(let party, let site?): return keep(reference, site: site, party: party)
        case .found(let party, nil): return place(reference, in: party, siteID: siteID)
        case .unknown:
            if let identity = reference.identity, let party = partyOfIdentity[identity] {
                writer.addSite(reference, id: siteID, of: party)
                return .new(site: siteID, party: party)
            }
            writer.addParty(reference, id: partyID, site: siteID, status: "client")
            if let identity = reference.identity { partyOfIdentity[identity] = partyID }
            return .new(site: siteID, party: partyID)
        }
    }

    private mutating func keep(_ reference: PartyReference, site: Int, party: Int) -> Decision {
        let isMain = sitesOfParty[party]?.first { $0.site == site }?.isMain == true
        writer.offer(reference, party: isMain ? party : nil, site: site)
        if let code = reference.code { writer.addCode(code, site: site) }
        return .known(site: site, party: party)
    }

    /// A record of a known party without a known site: its main site when that waits for a SIRET, or a new one.
    private mutating func place(_ reference: PartyReference, in party: Int, siteID: Int) -> Decision {
        let free = sitesOfParty[party]?.first {
            $0.isMain && $0.siret == nil && !$0.hasCode && !takenSites.contains($0.site)
        }
        if let free {
            takenSites.insert(free.site)
            return keep(reference, site: free.site, party: party)
        }
        writer.addSite(reference, id: siteID, of: party)
        return .new(site: siteID, party: party)
    }

    private mutating func addContacts(of record: Record, to decision: Decision) {
        guard let party = decision.party else { return }
        for kind in ContactKind.allCases {
            guard let value = record.text(kind.rawValue) else { continue }
            writer.addContact(kind.rawValue, value, norm: kind.normalised(value), party: party)
        }
    }

    /// What happened to each record, given what the writer changed.
    func outcomes(_ changes: PartyWriter.Changes) -> [ImportOutcome] {
        decisions.map { decision in
            switch decision {
            case .new: .inserted
            case .known(let site, let party):
                changes.sites.contains(site) || changes.parties.contains(party) ? .updated : .unchanged
            case .refused(let diagnostic): .quarantined(diagnostic)
            }
        }
    }
}

extension Placement.Decision {
    /// The party, unless the record was refused.
    fileprivate var party: Int? {
        switch self {
        case .new(_, let party), .known(_, let party): party
        case .refused: nil
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

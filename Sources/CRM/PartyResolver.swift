// SPDX-License-Identifier: Apache-2.0
// Gives every document of a batch its issuer and its client, making those that may be made.

internal import Diagnostics
internal import Model
internal import PostgreSQL

/// Resolves the seller and the buyer of documents.
struct PartyResolver: Sendable {
    let context: ImportContext

    /// The parties of one document.
    enum Answer: Sendable {
        case known(issuer: Int, party: Int, site: Int?)
        case refused(Diagnostic)
    }

    private enum Role: String, CaseIterable {
        case seller, buyer

        var prefix: String { rawValue + "." }
        var newStatus: String { self == .buyer ? "client" : "other" }
    }

    /// A party found or made for one reference.
    private struct Place {
        let party: Int
        let site: Int?
        var siret: String?
    }

    /// One answer a record, in their order.
    func resolve(_ records: [Record], on connection: Connection) async throws -> [Answer] {
        let sellers = records.map { PartyReference($0, prefix: Role.seller.prefix) }
        let buyers = records.map { PartyReference($0, prefix: Role.buyer.prefix) }
        let matcher = PartyMatcher(keys: context.matching.keys, source: context.source)
        let matches = try await matcher.match(sellers + buyers, on: connection)
        var refusals = [Diagnostic?](repeating: nil, count: records.count)
        for (index, record) in records.enumerated() {
            refusals[index] =
                refusal(matches[index], sellers[index], .seller, record)
                ?? refusal(matches[records.count + index], buyers[index], .buyer, record)
        }
        let made = try await makeUnknown(sellers, buyers, matches, refusals, on: connection)
        return records.indices.map { index in
            if let refusal = refusals[index] { return .refused(refusal) }
            guard let seller = place(matches[index], sellers[index], made),
                let buyer = place(matches[records.count + index], buyers[index], made)
            else {
                return .refused(ImportFinding.noMatch.diagnostic(field: "buyer.name", of: records[index]))
            }
            return .known(issuer: seller.party, party: buyer.party, site: buyer.site)
        }
    }

    private func refusal(
        _ match: PartyMatch, _ reference: PartyReference, _ role: Role, _ record: Record
    ) -> Diagnostic? {
        let field = role.prefix + "name"
        switch match {
        case .found: return nil
        case .several(let parties):
            return ImportFinding.manyMatches.diagnostic(
                ["candidates": parties.list], field: field, of: record)
        case .contradictory(let parties):
            return ImportFinding.conflict.diagnostic(["candidates": parties.list], field: field, of: record)
        case .unknown:
            let mayCreate =
                switch context.matching.creation {
                case .always: reference.identity != nil
                case .withValidIdentifier: reference.hasValidIdentifier
                case .never: false
                }
            return mayCreate
                ? nil : ImportFinding.noMatch.diagnostic(["role": role.rawValue], field: field, of: record)
        }
    }

    /// Makes one party for each identity that nobody knows; a company that buys anywhere in the batch is a client.
    private func makeUnknown(
        _ sellers: [PartyReference], _ buyers: [PartyReference], _ matches: [PartyMatch],
        _ refusals: [Diagnostic?], on connection: Connection
    ) async throws -> [String: Place] {
        var references: [String: PartyReference] = [:]
        var statuses: [String: String] = [:]
        for (role, group) in [(Role.buyer, buyers), (Role.seller, sellers)] {
            let offset = role == .seller ? 0 : sellers.count
            for (index, reference) in group.enumerated() where refusals[index] == nil {
                guard matches[offset + index] == .unknown, let identity = reference.identity else { continue }
                if references[identity] == nil {
                    references[identity] = reference
                    statuses[identity] = role.newStatus
                }
            }
        }
        let identities = references.keys.sorted()
        let parties = try await connection.takeIDs(identities.count, of: "party")
        let sites = try await connection.takeIDs(identities.count, of: "site")
        var writer = PartyWriter(context)
        var made: [String: Place] = [:]
        for (index, identity) in identities.enumerated() {
            guard let reference = references[identity] else { continue }
            writer.addParty(
                reference, id: parties[index], site: sites[index], status: statuses[identity] ?? "other")
            made[identity] = Place(party: parties[index], site: sites[index], siret: reference.siret)
        }
        _ = try await writer.write(on: connection)
        return made
    }

    private func place(_ match: PartyMatch, _ reference: PartyReference, _ made: [String: Place]) -> Place? {
        if case .found(let party, let site) = match { return Place(party: party, site: site) }
        guard let place = reference.identity.flatMap({ made[$0] }) else { return nil }
        // One party was made from the first of several references: its site is that one's only.
        return Place(party: place.party, site: place.siret == reference.siret ? place.site : nil, siret: nil)
    }
}

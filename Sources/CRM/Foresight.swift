// SPDX-License-Identifier: Apache-2.0
// The parties that a batch is going to make, under provisional numbers until they are made.

internal import Model
internal import PostgreSQL

/// What earlier records are going to make.
///
/// An import forgets it after each batch, since the database knows by then; a preview, which writes nothing, keeps
/// it to the end of the file.
package struct Foresight: Sendable {
    /// A party that is going to be made, with its main site; negative numbers, which no row has.
    struct NewParty: Sendable {
        let reference: PartyReference
        var status: String
        let party: Int
        let site: Int
    }

    private(set) var newParties: [NewParty] = []
    private var partyCount = 0
    private var siteCount = 0
    private var indexOfIdentity: [String: Int] = [:]

    /// Nothing foreseen.
    package init() {}

    /// The party that is going to be made for a description: one that has its code, its SIREN or, where no SIREN
    /// says otherwise, its VAT number.
    func party(_ reference: PartyReference) -> NewParty? {
        for identity in reference.identities {
            guard let index = indexOfIdentity[identity] else { continue }
            let known = newParties[index].reference
            guard let siren = reference.siren, let other = known.siren, siren != other else {
                return newParties[index]
            }
        }
        return nil
    }

    /// Foresees a party, or finds the one foreseen; one that buys anywhere in the batch is a client.
    mutating func add(_ reference: PartyReference, status: String) -> NewParty {
        if let known = party(reference), let index = newParties.firstIndex(ofParty: known.party) {
            if status == "client" { newParties[index].status = status }
            note(reference, index)
            return newParties[index]
        }
        let new = NewParty(reference: reference, status: status, party: addPerson(), site: addSite())
        newParties.append(new)
        note(reference, newParties.count - 1)
        return new
    }

    private mutating func note(_ reference: PartyReference, _ index: Int) {
        for identity in reference.identities where indexOfIdentity[identity] == nil {
            indexOfIdentity[identity] = index
        }
    }

    /// Foresees a party that is no organisation.
    mutating func addPerson() -> Int {
        partyCount += 1
        return -2 * partyCount
    }

    /// Foresees a site.
    mutating func addSite() -> Int {
        siteCount += 1
        return -2 * siteCount - 1
    }

    /// Takes numbers for all that is foreseen.
    func takeNumbers(on connection: Connection) async throws(PostgreSQLError) -> ProvisionalNumbers {
        ProvisionalNumbers(
            parties: try await connection.takeIDs(partyCount, of: "party"),
            sites: try await connection.takeIDs(siteCount, of: "site"))
    }
}

extension [Foresight.NewParty] {
    /// Where a party is; they are in the order of their provisional numbers, which fall.
    fileprivate func firstIndex(ofParty party: Int) -> Int? {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].party > party { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low].party == party ? low : nil
    }
}

/// The real numbers of what had provisional ones.
struct ProvisionalNumbers: Sendable {
    let parties: [Int]
    let sites: [Int]

    /// Every provisional number, and the real ones in the same order.
    var provisional: [Int] {
        parties.indices.map { -2 * ($0 + 1) } + sites.indices.map { -2 * ($0 + 1) - 1 }
    }
    var all: [Int] { parties + sites }

    /// The real number: even provisional ones are parties, odd ones sites.
    func real(_ number: Int) -> Int {
        guard number < 0 else { return number }
        return number.isMultiple(of: 2) ? parties[-number / 2 - 1] : sites[(-number - 1) / 2 - 1]
    }

    /// The same for a value.
    func real(_ value: Value) -> Value {
        if case .integer(let number) = value { .integer(real(number)) } else { value }
    }
}

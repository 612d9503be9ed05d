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

    /// The party that is going to be made for an identity.
    func party(_ identity: String) -> NewParty? { indexOfIdentity[identity].map { newParties[$0] } }

    /// Foresees a party, or finds the one foreseen; one that buys anywhere in the batch is a client.
    mutating func add(_ reference: PartyReference, status: String) -> NewParty {
        if let identity = reference.identity, let index = indexOfIdentity[identity] {
            if status == "client" { newParties[index].status = status }
            return newParties[index]
        }
        let new = NewParty(reference: reference, status: status, party: addPerson(), site: addSite())
        if let identity = reference.identity { indexOfIdentity[identity] = newParties.count }
        newParties.append(new)
        return new
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

/// The real numbers of what had provisional ones.
struct ProvisionalNumbers: Sendable {
    let parties: [Int]
    let sites: [Int]

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

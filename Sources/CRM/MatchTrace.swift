// SPDX-License-Identifier: Apache-2.0
// How a party was found for a record, and what a person is asked when it was not.

internal import Diagnostics
internal import Foundation
internal import Model
package import PostgreSQL

/// How the party of one role of a record was found.
package struct MatchTrace: Sendable, Hashable {
    /// What became of the search.
    package enum Result: String, Sendable {
        case found, decided, new, several, similar, contradictory, unknown, absent
    }

    /// `seller`, `buyer`, `party`, `account`.
    package let role: String
    /// What became of the search.
    package let result: Result
    /// The key that found it.
    package let key: String?
    /// The value that was looked up.
    package let value: String?
    /// Numbers of the accounts found.
    package let parties: [Int]

    init(_ role: String, _ reference: PartyReference, _ match: PartyMatch, _ foresight: Foresight) {
        self.role = role
        parties = match.candidates
        switch match {
        case _ where reference.isEmpty: (result, key, value) = (.absent, nil, nil)
        case .found(_, _, nil): (result, key, value) = (.decided, nil, nil)
        case .found(_, _, let found?):
            (result, key, value) = (.found, found.rawValue, reference.value(found))
        case .several: (result, key, value) = (.several, nil, reference.name)
        case .similar: (result, key, value) = (.similar, PartyKey.nameAndPostalCode.rawValue, reference.name)
        case .contradictory: (result, key, value) = (.contradictory, nil, reference.name)
        case .unknown:
            (result, key, value) = (reference.identity == nil ? .unknown : .new, nil, reference.identity)
        }
    }
}

/// What a person is asked to decide: which account a description means.
package struct MatchQuestion: Sendable {
    /// Equal for descriptions that say the same.
    package let fingerprint: [UInt8]
    /// The description, as a JSON object of texts.
    package let reference: JSONText
    /// Code of the finding.
    package let reason: String
    /// Numbers of the accounts that come into question.
    package let candidates: [Int]

    init(_ reference: PartyReference, _ finding: ImportFinding, _ candidates: [Int]) {
        fingerprint = reference.fingerprint
        self.reference = reference.json
        reason = finding.rawValue
        self.candidates = candidates
    }
}

/// What people decided on the descriptions of one source system.
package struct MatchDecisions: Sendable {
    var accounts: [[UInt8]: (party: Int, site: Int?)] = [:]
    /// Accounts that a description does not mean.
    var never: [[UInt8]: Set<Int>] = [:]

    /// Nothing decided.
    package init() {}

    /// Loads the decisions on one source system.
    package static func load(source: Int, on connection: Connection) async throws(PostgreSQLError)
        -> MatchDecisions
    {
        var decisions = MatchDecisions()
        for row in try await connection.run(DecidedMatches(source: source)) {
            if let party = row.party { decisions.accounts[row.fingerprint] = (party, row.site) }
            if !row.never.isEmpty { decisions.never[row.fingerprint] = Set(row.never) }
        }
        return decisions
    }
}

struct DecidedMatches: Statement {
    struct Row: Sendable {
        let fingerprint: [UInt8]
        let party: Int?
        let site: Int?
        let never: [Int]
    }

    let source: Int

    static let sql = """
        select c.fingerprint, c.party_id, c.site_id,
          array(select n.party_id from match_never n where n.case_id = c.id)
        from match_case c
        where c.source_id = $1::bigint
          and (c.party_id is not null or exists (select from match_never n where n.case_id = c.id))
        """
    var parameters: [Parameter] { [Parameter(source)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            fingerprint: try row.next(Bytes.self).array, party: try row.next(), site: try row.next(),
            never: try row.next())
    }
}

extension PartyReference {
    /// What it says, as a JSON object of texts.
    fileprivate var json: JSONText {
        let all = [
            "code": code, "name": name, "siren": siren, "siret": siret, "vat": vat, "legal_id": legalID,
            "gln": gln, "street": street, "postal_code": postalCode, "city": city, "country": country,
        ]
        return JSONText(facts: all.compactMapValues { $0 })
    }
}

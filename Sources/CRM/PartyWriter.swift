// SPDX-License-Identifier: Apache-2.0
// Makes parties and sites and writes what a source claims about them, many in one statement.

internal import PostgreSQL

/// Gathers the new rows and claims of a batch, then writes them in a fixed number of statements.
struct PartyWriter {
    /// A value that a source gives for a field of a party or a site.
    struct Claim: Sendable, Hashable {
        let entity: String
        let id: Int
        let field: String
        let value: String
        let line: Int?

        /// The field of one row that a claim is about.
        struct Place: Hashable {
            let entity: String
            let id: Int
            let field: String
        }

        var place: Place { Place(entity: entity, id: id, field: field) }
    }

    let context: ImportContext
    private var parties:
        [(id: Int, name: String, status: String, siren: String?, vat: String?, legalID: String?)] = []
    private var sites: [(id: Int, party: Int, reference: PartyReference, isMain: Bool)] = []
    private var codes: [(code: String, site: Int)] = []
    private var freshClaims: [Claim] = []
    private var offeredClaims: [Claim] = []
    private var contacts: [(party: Int, kind: String, norm: String, value: String)] = []

    init(_ context: ImportContext) {
        self.context = context
    }

    // MARK: - Gathering

    /// A new organisation with its main site.
    mutating func addParty(_ reference: PartyReference, id: Int, site: Int, status: String) {
        parties.append(
            (
                id, reference.name ?? reference.identity ?? "?", status, reference.siren, reference.vat,
                reference.legalID
            ))
        freshClaims += claims("party", id, reference.partyFields, reference)
        addSite(reference, id: site, of: id, isMain: true)
    }

    /// A new site of a party.
    mutating func addSite(_ reference: PartyReference, id: Int, of party: Int, isMain: Bool = false) {
        sites.append((id, party, reference, isMain))
        freshClaims += claims("site", id, reference.siteFields, reference)
        if let code = reference.code { codes.append((code, id)) }
    }

    /// What a record says about rows that exist; written only where it differs.
    mutating func offer(_ reference: PartyReference, party: Int?, site: Int) {
        if let party { offeredClaims += claims("party", party, reference.partyFields, reference) }
        offeredClaims += claims("site", site, reference.siteFields, reference)
    }

    /// Binds a code of the source system to a site that exists.
    mutating func addCode(_ code: String, site: Int) {
        codes.append((code, site))
    }

    /// A phone number, address or account of a party.
    mutating func addContact(_ kind: String, _ value: String, norm: String, party: Int) {
        contacts.append((party, kind, norm, value))
    }

    private func claims(
        _ entity: String, _ id: Int, _ fields: [(field: String, value: String?)], _ reference: PartyReference
    ) -> [Claim] {
        fields.compactMap { field, value in
            value.map { Claim(entity: entity, id: id, field: field, value: $0, line: reference.line) }
        }
    }

    // MARK: - Writing

    /// Rows that existed and are different now.
    struct Changes: Sendable {
        var parties: Set<Int> = []
        var sites: Set<Int> = []
    }

    /// Writes everything gathered.
    ///
    /// - Returns: which existing rows changed; contact points and codes count for their party and site.
    func write(on connection: Connection) async throws(PostgreSQLError) -> Changes {
        var changes = Changes()
        try await writeNewRows(on: connection)
        for party in try await writeContacts(on: connection) { changes.parties.insert(party) }
        changes.sites.formUnion(try await writeCodes(on: connection))
        try await connection.execute(WriteClaims(claims: freshClaims, context: context))
        try await writeOffers(on: connection, &changes)
        try await writeLog(changes, on: connection)
        return changes
    }

    private func writeNewRows(on connection: Connection) async throws(PostgreSQLError) {
        if !parties.isEmpty {
            try await connection.execute(
                InsertParties(
                    ids: parties.map(\.id), names: parties.map(\.name), statuses: parties.map(\.status),
                    sirens: parties.map(\.siren), vats: parties.map(\.vat), legalIDs: parties.map(\.legalID),
                    run: context.run))
        }
        guard !sites.isEmpty else { return }
        try await connection.execute(
            InsertSites(
                ids: sites.map(\.id), parties: sites.map(\.party), references: sites.map(\.reference),
                areMain: sites.map(\.isMain), run: context.run))
    }

    private func writeCodes(on connection: Connection) async throws(PostgreSQLError) -> [Int] {
        guard !codes.isEmpty else { return [] }
        return try await connection.run(
            InsertExternalIdentities(
                source: context.source, codes: codes.map(\.code), sites: codes.map(\.site), run: context.run))
    }

    private func writeContacts(on connection: Connection) async throws(PostgreSQLError) -> [Int] {
        guard !contacts.isEmpty else { return [] }
        return try await connection.run(
            InsertContactPoints(
                parties: contacts.map(\.party), kinds: contacts.map(\.kind), norms: contacts.map(\.norm),
                values: contacts.map(\.value), run: context.run))
    }

    /// Writes the offered claims that differ from what this source said before, and the columns they win.
    private func writeOffers(on connection: Connection, _ changes: inout Changes)
        async throws(PostgreSQLError)
    {
        guard !offeredClaims.isEmpty else { return }
        // Two records of a batch may speak for one row: the later wins, as it would in the next batch.
        var last: [Claim.Place: Claim] = [:]
        for claim in offeredClaims { last[claim.place] = claim }
        let offeredClaims = offeredClaims.filter { last[$0.place] == $0 }
        let differing = try await connection.run(
            DifferingClaims(claims: offeredClaims, source: context.source))
        guard !differing.isEmpty else { return }
        let claims = differing.map { offeredClaims[$0 - 1] }
        try await connection.execute(WriteClaims(claims: claims, context: context))
        let parties = Set(claims.filter { $0.entity == "party" }.map(\.id)).sorted()
        let sites = Set(claims.filter { $0.entity == "site" }.map(\.id)).sorted()
        let run = context.run
        changes.parties.formUnion(try await connection.run(UpdatePartyColumns(ids: parties, run: run)))
        changes.parties.formUnion(try await connection.run(UpdateOrgColumns(ids: parties, run: run)))
        changes.sites.formUnion(try await connection.run(UpdateSiteColumns(ids: sites, run: run)))
    }

    private func writeLog(_ changes: Changes, on connection: Connection) async throws(PostgreSQLError) {
        let newParties = parties.map { ChangeLogEntry(entity: "party", id: $0.id, op: "insert") }
        let newSites = sites.map { ChangeLogEntry(entity: "site", id: $0.id, op: "insert") }
        let fresh = Set(parties.map(\.id))
        let oldParties = changes.parties.subtracting(fresh).sorted()
            .map { ChangeLogEntry(entity: "party", id: $0, op: "update") }
        let oldSites = changes.sites.subtracting(sites.map(\.id)).sorted().map {
            ChangeLogEntry(entity: "site", id: $0, op: "update")
        }
        try await connection.log(newParties + newSites + oldParties + oldSites, context)
    }
}

/// A line of the change log.
struct ChangeLogEntry: Sendable {
    let entity: String
    let id: Int
    let op: String
}

extension Connection {
    /// Appends to the change log.
    nonisolated func log(_ entries: [ChangeLogEntry], _ context: ImportContext) async throws(PostgreSQLError)
    {
        guard !entries.isEmpty else { return }
        try await execute(
            WriteChangeLog(
                entities: entries.map(\.entity), ids: entries.map(\.id), ops: entries.map(\.op),
                source: context.source, run: context.run))
    }

    /// Fresh ids from the sequence of a table.
    nonisolated func takeIDs(_ count: Int, of table: String) async throws(PostgreSQLError) -> [Int] {
        count == 0 ? [] : try await run(TakeIDs(sequence: table + "_id_seq", count: count))
    }
}

// SPDX-License-Identifier: Apache-2.0
// Makes parties and sites and writes what a source claims about them, many in one statement.

internal import PostgreSQL

/// Gathers the new rows and claims of a batch, then writes them in a fixed number of statements.
struct PartyWriter {
    /// A value that a source gives for a field of a party or a site.
    struct Claim: Sendable, Hashable {
        let entity: String
        var id: Int
        let field: String
        let value: String
        let line: Int?

        /// The field of one row that a claim is about.
        struct Place: Hashable {
            let entity: String
            let id: Int
            let field: String
        }

        /// The row that a claim is about.
        struct Row: Hashable {
            let entity: String
            let id: Int
        }

        var row: Row { Row(entity: entity, id: id) }
        var place: Place { Place(entity: entity, id: id, field: field) }
    }

    let context: ImportContext
    private var parties: [(id: Int, reference: PartyReference, status: String)] = []
    private var sites: [NewSite] = []
    private var codes: [(code: String, site: Int)] = []
    private var freshClaims: [Claim] = []
    private var offeredClaims: [Claim] = []
    private var contacts: [Contact] = []
    private var persons: [NewPerson] = []
    private var jobs: [Job] = []

    /// A site on its way.
    struct NewSite: Sendable {
        var id: Int
        var party: Int
        let reference: PartyReference
        let isMain: Bool
    }

    /// A person on its way.
    struct NewPerson: Sendable {
        var id: Int
        let identity: String
        let values: [String: String]
    }

    /// A person's place at an account.
    struct Job: Sendable {
        var person: Int
        var account: Int
        let title: String?

        /// Whether it is not the one that a known person has.
        func differs(from known: FindPersons.Person?) -> Bool {
            guard let known else { return true }
            // What people said of it by hand, files do not change.
            if known.left.contains(account) { return false }
            let isRenamed = title != nil && known.titles != [title] && !known.named.contains(account)
            return known.accounts != [account] || isRenamed
        }
    }

    /// A contact point on its way.
    struct Contact: Sendable, Hashable {
        var party: Int
        let kind: String
        let norm: String
        let value: String
    }

    init(_ context: ImportContext) {
        self.context = context
    }

    /// The parties that a batch foresaw.
    init(_ foresight: Foresight, _ numbers: ProvisionalNumbers, _ context: ImportContext) {
        self.init(context)
        for new in foresight.newParties {
            addParty(
                new.reference, id: numbers.real(new.party), site: numbers.real(new.site), status: new.status)
        }
    }

    // MARK: - Gathering

    /// A new organisation with its main site.
    mutating func addParty(_ reference: PartyReference, id: Int, site: Int, status: String) {
        parties.append((id, reference, status))
        freshClaims += claims("party", id, reference.partyFields, reference.line)
        addSite(reference, id: site, of: id, isMain: true)
    }

    /// A new site of a party.
    mutating func addSite(_ reference: PartyReference, id: Int, of party: Int, isMain: Bool = false) {
        sites.append(NewSite(id: id, party: party, reference: reference, isMain: isMain))
        freshClaims += claims("site", id, reference.siteFields, reference.line)
        if let code = reference.code { codes.append((code, id)) }
    }

    /// What a record says about rows that exist; written only where it differs.
    mutating func offer(_ reference: PartyReference, party: Int?, site: Int) {
        if let party { offeredClaims += claims("party", party, reference.partyFields, reference.line) }
        offeredClaims += claims("site", site, reference.siteFields, reference.line)
    }

    /// Binds a code of the source system to a site that exists.
    mutating func addCode(_ code: String, site: Int) {
        codes.append((code, site))
    }

    /// A phone number, address or account of a party.
    mutating func addContact(_ kind: String, _ value: String, norm: String, party: Int) {
        contacts.append(Contact(party: party, kind: kind, norm: norm, value: value))
    }

    /// A new person.
    mutating func addPerson(
        _ fields: [(field: String, value: String?)], id: Int, identity: String, line: Int?
    ) {
        let values = fields.reduce(into: [:]) { $0[$1.field] = $1.value }
        persons.append(NewPerson(id: id, identity: identity, values: values))
        freshClaims += claims("person", id, fields, line)
    }

    /// What a record says about a person that exists; written only where it differs.
    mutating func offer(_ fields: [(field: String, value: String?)], person: Int, line: Int?) {
        offeredClaims += claims("person", person, fields, line)
    }

    /// A job that the person does not have yet.
    mutating func addJob(_ job: Job) {
        jobs.append(job)
    }

    private func claims(
        _ entity: String, _ id: Int, _ fields: [(field: String, value: String?)], _ line: Int?
    ) -> [Claim] {
        fields.compactMap { field, value in
            value.map { Claim(entity: entity, id: id, field: field, value: $0, line: line) }
        }
    }

    // MARK: - Looking before writing

    /// What of the gathered is new to rows that exist, and how many claims they have changed.
    struct Changes: Sendable {
        fileprivate(set) var parties: Set<Int> = []
        fileprivate(set) var sites: Set<Int> = []
        /// Claims that are other ones, with what the source said before.
        fileprivate(set) var claims: [(claim: Claim, before: String?)] = []
        /// Contact points, jobs and codes that rows get besides, by the number of their party or site.
        fileprivate(set) var partyAdditions: [Int: [String: String]] = [:]
        fileprivate(set) var siteAdditions: [Int: [String: String]] = [:]

        /// What some rows of a record change, as it is and as it will be.
        func describe(
            _ rows: [Claim.Row], party: Int, site: Int? = nil,
            _ claims: [Claim.Row: [(claim: Claim, before: String?)]]
        ) -> (before: JSONText, after: JSONText) {
            var before: [String: String] = [:]
            var after = partyAdditions[party] ?? [:]
            after.merge(site.flatMap { siteAdditions[$0] } ?? [:]) { $1 }
            for change in rows.flatMap({ claims[$0] ?? [] }) {
                before[change.claim.field] = change.before
                after[change.claim.field] = change.claim.value
            }
            return (JSONText(facts: before), JSONText(facts: after))
        }
    }

    /// Drops what is known already.
    ///
    /// - Returns: which existing rows will change; contact points and codes count for their party and site.
    mutating func settle(on connection: Connection) async throws(PostgreSQLError) -> Changes {
        var changes = Changes()
        changes.parties.formUnion(jobs.lazy.map(\.person).filter { $0 > 0 })
        for job in jobs where job.person > 0 {
            changes.partyAdditions[job.person, default: [:]]["job_title"] = job.title ?? "–"
        }
        try await settleClaims(&changes, on: connection)
        if !contacts.isEmpty {
            let missing = try await connection.run(MissingContactPoints(contacts: contacts))
            contacts = missing.map { contacts[$0 - 1] }
            changes.parties.formUnion(contacts.lazy.map(\.party).filter { $0 > 0 })
            for contact in contacts where contact.party > 0 {
                changes.partyAdditions[contact.party, default: [:]][contact.kind] = contact.value
            }
        }
        if !codes.isEmpty {
            let missing = try await connection.run(
                MissingCodes(source: context.source, codes: codes.map(\.code)))
            codes = missing.map { codes[$0 - 1] }
            changes.sites.formUnion(codes.lazy.map(\.site).filter { $0 > 0 })
            for (code, site) in codes where site > 0 {
                changes.siteAdditions[site, default: [:]]["code"] = code
            }
        }
        return changes
    }

    /// Keeps the claims that differ from what this source said before.
    private mutating func settleClaims(
        _ changes: inout Changes, on connection: Connection
    ) async throws(PostgreSQLError) {
        guard !offeredClaims.isEmpty else { return }
        // Two records of a batch may speak for one row: the later wins, as it would in the next batch.
        var last: [Claim.Place: Claim] = [:]
        for claim in offeredClaims { last[claim.place] = claim }
        let offered = offeredClaims.filter { last[$0.place] == $0 }
        let differing = try await connection.run(DifferingClaims(claims: offered, context: context))
        changes.claims = differing.map { (offered[$0.number - 1], $0.before) }
        offeredClaims = changes.claims.map(\.claim)
        changes.parties.formUnion(offeredClaims.lazy.filter { $0.entity != "site" }.map(\.id))
        changes.sites.formUnion(offeredClaims.lazy.filter { $0.entity == "site" }.map(\.id))
    }

    /// Replaces provisional numbers by real ones.
    mutating func number(_ numbers: ProvisionalNumbers) {
        for index in parties.indices { parties[index].id = numbers.real(parties[index].id) }
        for index in sites.indices {
            sites[index].id = numbers.real(sites[index].id)
            sites[index].party = numbers.real(sites[index].party)
        }
        for index in codes.indices { codes[index].site = numbers.real(codes[index].site) }
        for index in contacts.indices { contacts[index].party = numbers.real(contacts[index].party) }
        for index in persons.indices { persons[index].id = numbers.real(persons[index].id) }
        for index in jobs.indices {
            jobs[index].person = numbers.real(jobs[index].person)
            jobs[index].account = numbers.real(jobs[index].account)
        }
        for index in freshClaims.indices { freshClaims[index].id = numbers.real(freshClaims[index].id) }
    }

    // MARK: - Writing

    /// Writes everything gathered; what is already known has been dropped by ``settle(on:)``, or is all new.
    func write(on connection: Connection) async throws(PostgreSQLError) {
        try await writeNewRows(on: connection)
        if !persons.isEmpty {
            try await connection.execute(
                InsertPersons(persons: persons, source: context.source, run: context.run))
        }
        if !jobs.isEmpty {
            try await connection.execute(EndJobs(jobs: jobs, run: context.run))
            try await connection.execute(BeginJobs(jobs: jobs, run: context.run))
        }
        if !contacts.isEmpty {
            try await connection.execute(InsertContactPoints(contacts: contacts, run: context.run))
        }
        if !codes.isEmpty {
            try await connection.execute(
                InsertExternalIdentities(
                    source: context.source, codes: codes.map(\.code), sites: codes.map(\.site),
                    run: context.run))
        }
        if !freshClaims.isEmpty {
            try await connection.execute(InsertClaims(claims: freshClaims, context: context))
        }
        try await writeOffers(on: connection)
        try await writeLog(on: connection)
    }

    private func writeNewRows(on connection: Connection) async throws(PostgreSQLError) {
        if !parties.isEmpty {
            let references = parties.map(\.reference)
            try await connection.execute(
                InsertParties(
                    ids: parties.map(\.id),
                    names: references.map { $0.name ?? $0.identity ?? "?" },
                    statuses: parties.map(\.status), sirens: references.map(\.siren),
                    vats: references.map(\.vat), legalIDs: references.map(\.legalID), run: context.run))
        }
        guard !sites.isEmpty else { return }
        try await connection.execute(
            InsertSites(
                ids: sites.map(\.id), parties: sites.map(\.party), references: sites.map(\.reference),
                areMain: sites.map(\.isMain), run: context.run))
    }

    /// Writes the claims that differ, and the columns they win.
    private func writeOffers(on connection: Connection) async throws(PostgreSQLError) {
        guard !offeredClaims.isEmpty else { return }
        try await connection.execute(ReplaceClaims(claims: offeredClaims, context: context))
        let parties = Set(offeredClaims.filter { $0.entity == "party" }.map(\.id)).sorted()
        let sites = Set(offeredClaims.filter { $0.entity == "site" }.map(\.id)).sorted()
        let persons = Set(offeredClaims.filter { $0.entity == "person" }.map(\.id)).sorted()
        try await connection.execute(UpdatePartyColumns(ids: parties, run: context.run))
        if !persons.isEmpty {
            try await connection.execute(UpdatePersonColumns(ids: persons, run: context.run))
        }
        try await connection.execute(UpdateSiteColumns(ids: sites, run: context.run))
    }

    private func writeLog(on connection: Connection) async throws(PostgreSQLError) {
        let newParties = Set(parties.map(\.id) + persons.map(\.id))
        let newSites = Set(sites.map(\.id))
        let oldParties = Set(
            contacts.map(\.party) + jobs.map(\.person)
                + offeredClaims.filter { $0.entity != "site" }.map(\.id))
        let oldSites = Set(codes.map(\.site) + offeredClaims.filter { $0.entity == "site" }.map(\.id))
        let entries =
            newParties.sorted().map { ChangeLogEntry(entity: "party", id: $0, op: "insert") }
            + newSites.sorted().map { ChangeLogEntry(entity: "site", id: $0, op: "insert") }
            + oldParties.subtracting(newParties).sorted().map {
                ChangeLogEntry(entity: "party", id: $0, op: "update")
            }
            + oldSites.subtracting(newSites).sorted().map {
                ChangeLogEntry(entity: "site", id: $0, op: "update")
            }
        try await connection.log(entries, context)
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

// SPDX-License-Identifier: Apache-2.0
// Accounts changed by hand: values of people outrank those of files, and both stay visible.

internal import Diagnostics
package import PostgreSQL

/// A field that somebody else has changed meanwhile.
package struct AccountConflict: Sendable, Hashable {
    /// Which; nil for a phone or an address.
    package let field: AccountField?
    /// Which phone or address; nil for a field of the account.
    package let contact: ContactField?
    /// What one's own form says.
    package let mine: String
    /// What is there now.
    package let theirs: String

    /// A conflict.
    package init(field: AccountField?, contact: ContactField? = nil, mine: String, theirs: String) {
        (self.field, self.contact, self.mine, self.theirs) = (field, contact, mine, theirs)
    }
}

/// Changes accounts by hand.
package enum AccountEdits {
    /// What became of an edit.
    package enum Outcome: Sendable {
        /// Saved by this run, which can be taken back; nil when nothing was different.
        case saved(run: Int?)
        /// Nothing was saved: somebody else changed the same fields.
        case conflicts([AccountConflict])
        /// The number is another account's.
        case taken(AccountField)
        /// Not there, or not for this user.
        case unseen
    }

    /// What the fields of an account are now.
    ///
    /// - Returns: nil where the user does not see it.
    package static func fields(
        of id: Int, for user: AppUser, on connection: Connection
    ) async throws(PostgreSQLError) -> [AccountField: String]? {
        guard let row = try await connection.run(EditableFields(id: id, scope: user.scope)).first else {
            return nil
        }
        return Dictionary(
            uniqueKeysWithValues: zip(EditableFields.columns, row.values).map { ($0, $1 ?? "") })
    }

    /// Saves what a person changed: only fields whose text differs from what the form began with.
    ///
    /// What somebody else changed meanwhile in other fields stays; in the same field it is a conflict, and nothing is
    /// saved.
    /// - Parameters:
    ///   - was: the texts that the form was filled with.
    ///   - now: the texts of the form, normalised and without faults.
    ///   - contacts: phones and addresses of the form, changed or not.
    package static func save(
        _ now: [AccountField: String], was: [AccountField: String], contacts: [ContactChange] = [],
        of id: Int, by user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        do {
            return try await connection.transaction { connection in
                _ = try await connection.run(LockPartiesForEdit())
                guard let current = try await fields(of: id, for: user, on: connection) else {
                    return .unseen
                }
                let edit = FieldEdit(now, was: was, current: current)
                let contacts = ContactEdit(
                    contacts, of: id, known: try await connection.run(EditableContacts(party: id)))
                let conflicts = edit.conflicts.map {
                    AccountConflict(field: $0.field, mine: $0.mine, theirs: $0.theirs)
                }
                let lost = contacts.lost.map {
                    AccountConflict(field: nil, contact: $0.field, mine: $0.now, theirs: "")
                }
                guard conflicts.isEmpty, lost.isEmpty else { return .conflicts(conflicts + lost) }
                guard !edit.differing.isEmpty || !contacts.isEmpty else { return .saved(run: nil) }
                guard let site = try await connection.run(MainSite(party: id)).first else { return .unseen }
                return .saved(
                    run: try await write(edit.differing, contacts, id, site: site, user, on: connection))
            }
        } catch let error as PostgreSQLError where error.has(.constraint) {
            return .taken(try taken(error))
        }
    }

    /// Makes a prospect by hand; whoever makes it looks after it, where he sees his own only.
    ///
    /// - Parameters:
    ///   - fields: normalised and without faults; the name is among them.
    ///   - contacts: phones and addresses of the form.
    /// - Returns: the account and the run that made it, or which number is another account's.
    package static func create(
        _ fields: [AccountField: String], contacts: [ContactChange] = [], by user: AppUser,
        on connection: Connection
    ) async throws -> Creation {
        do {
            return try await connection.transaction { connection in
                _ = try await connection.run(LockPartiesForEdit())
                guard let run = try await connection.run(BeginEdit(user: user.id)).first,
                    let made = try await connection.run(
                        CreateAccount(name: fields[.name] ?? "", user: user, run: run)
                    ).first
                else { return .unmade }
                let contacts = ContactEdit(contacts, of: made.party, known: [])
                try await claim(
                    FieldEdit(fields, was: [:], current: [:]).differing, contacts, made.party,
                    site: made.site, user, run,
                    on: connection)
                try await contacts.write(of: made.party, run: run, on: connection)
                try await connection.execute(UpdatePartyColumns(ids: [made.party], run: run))
                try await connection.execute(UpdateSiteColumns(ids: [made.site], run: run))
                try await connection.execute(
                    EndEdit(run: run, party: made.party, user: user.id, isNew: true))
                return .made(account: made.party, run: run)
            }
        } catch let error as PostgreSQLError where error.has(.constraint) {
            return .taken(try taken(error))
        }
    }

    /// What became of a new account.
    package enum Creation: Sendable {
        /// Its number, and the run that made it.
        case made(account: Int, run: Int)
        /// The number is another account's.
        case taken(AccountField)
        /// Nothing was made.
        case unmade
    }

    /// Which number a violated constraint is about.
    private static func taken(_ error: PostgreSQLError) throws(PostgreSQLError) -> AccountField {
        let name = error.diagnostic.facts["constraint"] ?? ""
        let fields: [AccountField] = [.siren, .siret]
        guard let field = fields.first(where: { name.hasSuffix("\($0.rawValue)_key") }) else { throw error }
        return field
    }

    private static func write(
        _ fields: [(field: AccountField, value: String)], _ contacts: ContactEdit, _ id: Int, site: Int,
        _ user: AppUser, on connection: Connection
    ) async throws(PostgreSQLError) -> Int {
        guard let run = try await connection.run(BeginEdit(user: user.id)).first else { return 0 }
        try await claim(fields, contacts, id, site: site, user, run, on: connection)
        try await contacts.write(of: id, run: run, on: connection)
        try await connection.execute(UpdatePartyColumns(ids: [id], run: run))
        try await connection.execute(UpdateSiteColumns(ids: [site], run: run))
        try await connection.execute(EndEdit(run: run, party: id, user: user.id))
        return run
    }

    private static func claim(
        _ fields: [(field: AccountField, value: String)], _ contacts: ContactEdit, _ id: Int, site: Int,
        _ user: AppUser, _ run: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        let reached = contacts.claims
        try await connection.execute(
            WriteHumanClaims(
                entities: fields.map(\.field.entity) + reached.map { _ in "party" },
                ids: fields.map { $0.field.entity == "party" ? id : site } + reached.map { _ in id },
                fields: fields.map(\.field.rawValue) + reached.map(\.field),
                values: fields.map(\.value) + reached.map(\.value), run: run, user: user.id))
    }

    /// The phones and addresses of an account that a form begins with.
    package static func contacts(
        of id: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [KnownContact] {
        try await connection.run(EditableContacts(party: id))
    }

    static let statements: [any Statement.Type] =
        [
            EditableFields.self, MainSite.self, CreateAccount.self, RaiseSimilarity.self, LikelyAccounts.self,
        ] + editStatements

}

struct EditableFields: Statement {
    struct Row: Sendable {
        let values: [String?]
    }

    static let columns: [AccountField] = [
        .name, .siren, .vat, .siret, .street, .postalCode, .city, .country,
    ]
    let id: Int
    let scope: Int

    static let sql = """
        select p.name, o.siren, o.vat, s.siret, s.street, s.postal_code, s.city, s.country
        from party_scope v
        join party p on p.id = v.party_id
        join org o on o.party_id = p.id
        left join lateral (
          select * from site where party_id = p.id order by is_main desc, id limit 1
        ) s on true
        where v.party_id = $1::bigint and v.scope_id = $2::bigint
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(scope)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        var values: [String?] = []
        for _ in columns { values.append(try row.next()) }
        return Row(values: values)
    }
}

/// The main site of an account; an account without any gets one.
struct MainSite: Statement {
    let party: Int

    static let sql = """
        with known as (
          select id from site where party_id = $1::bigint order by is_main desc, id limit 1
        ), made as (
          insert into site (party_id, is_main) select $1, true where not exists (select from known) returning id
        )
        select id from known union all select id from made
        """
    var parameters: [Parameter] { [Parameter(party)] }
    typealias Row = Int
}

/// A new prospect with its main site; what a person who sees his own only makes is his.
struct CreateAccount: Statement {
    struct Row: Sendable {
        let party: Int
        let site: Int
    }

    let name: String
    let user: AppUser
    let run: Int

    static let sql = """
        with made as (
          insert into party (kind, name, status, owner_id, created_run)
          values ('organisation', $1, 'prospect', $2::bigint, $3::bigint)
          returning id
        ), organisation as (
          insert into org (party_id) select id from made
        ), site as (
          insert into site (party_id, is_main, created_run) select id, true, $3 from made returning id
        )
        select made.id, site.id from made, site
        """
    var parameters: [Parameter] {
        [Parameter(name), Parameter(user.scope == user.id ? user.id : nil), Parameter(run)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(party: try row.next(), site: try row.next())
    }
}

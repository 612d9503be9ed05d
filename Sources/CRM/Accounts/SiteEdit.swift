// SPDX-License-Identifier: Apache-2.0
// Sites of an account, written by hand: what people say of them outranks files, and can be taken back.

internal import Diagnostics
package import PostgreSQL

/// A field of a site that people may change.
package enum SiteField: String, Sendable, CaseIterable, EditableField {
    case name, siret, phone, street
    case postalCode = "postal_code"
    case city, country

    /// The same field of an account, which is that of its main site.
    private var ofAccount: AccountField? {
        switch self {
        case .name, .phone: nil
        case .siret, .street, .postalCode, .city, .country: AccountField(rawValue: rawValue)
        }
    }

    /// A text as it is kept and compared; a phone as imports compare it.
    package func normalised(_ text: String) -> String {
        if let ofAccount { return ofAccount.normalised(text) }
        let line = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return self == .phone && ContactField.phone.fault(in: line) == nil
            ? ContactField.phone.norm(of: line) : line
    }

    /// What is wrong with a text; nil when nothing is.
    ///
    /// - Returns: a code of the message catalogue.
    package func fault(in text: String) -> String? {
        if let ofAccount { return ofAccount.fault(in: text) }
        return self == .phone ? ContactField.phone.fault(in: text) : text.count > 300 ? "EDIT-LONG" : nil
    }
}

/// Changes sites by hand.
package enum SiteEdits {
    /// What a form says of a site.
    package struct Draft: Sendable {
        /// The texts that the form was filled with.
        package var was: [SiteField: String]
        /// The texts of the form, normalised and without faults.
        package var now: [SiteField: String]

        /// What a form says.
        package init(was: [SiteField: String], now: [SiteField: String]) {
            (self.was, self.now) = (was, now)
        }
    }

    /// A field that somebody else has changed meanwhile.
    package struct Conflict: Sendable, Hashable {
        /// Which.
        package let field: SiteField
        /// What one's own form says.
        package let mine: String
        /// What is there now.
        package let theirs: String
    }

    /// What became of an edit.
    package enum Outcome: Sendable {
        /// Saved by this run, which can be taken back; nil when nothing was different.
        case saved(run: Int?)
        /// Nothing was saved: somebody else changed the same fields.
        case conflicts([Conflict])
        /// The SIRET is another site's.
        case taken
        /// Not there, or not for this user.
        case unseen
    }

    /// What the fields of a site are now.
    ///
    /// - Returns: nil where the user does not see the account, or the site is not its own.
    package static func fields(
        of site: Int, at account: Int, for user: AppUser, on connection: Connection
    ) async throws(PostgreSQLError) -> [SiteField: String]? {
        try await connection.run(SiteAtAccount(site: site, account: account, scope: user.scope)).first
    }

    /// Makes a site of an account; the first one is the main one.
    package static func add(
        _ draft: Draft, at account: Int, by user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        try await writing(on: connection) { connection in
            guard try await Accounts.sees(account, scope: user.scope, on: connection),
                let run = try await connection.run(BeginEdit(user: user.id)).first,
                let site = try await connection.run(CreateSite(account: account, run: run)).first
            else { return .unseen }
            let filled = FieldEdit(draft.now, was: [:], current: [:]).differing
            try await write(filled, of: site, at: account, by: user, run, isNew: true, on: connection)
            return .saved(run: run)
        }
    }

    /// Saves what a person changed of a site: only what differs from what the form began with.
    package static func save(
        _ draft: Draft, of site: Int, at account: Int, by user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        try await writing(on: connection) { connection in
            guard let current = try await fields(of: site, at: account, for: user, on: connection) else {
                return .unseen
            }
            let edit = FieldEdit(draft.now, was: draft.was, current: current)
            guard edit.conflicts.isEmpty else {
                return .conflicts(
                    edit.conflicts.map { Conflict(field: $0.field, mine: $0.mine, theirs: $0.theirs) })
            }
            guard !edit.differing.isEmpty,
                let run = try await connection.run(BeginEdit(user: user.id)).first
            else { return .saved(run: nil) }
            try await write(
                edit.differing, of: site, at: account, by: user, run, isNew: false, on: connection)
            return .saved(run: run)
        }
    }

    /// A transaction in which nobody else writes parties.
    private static func writing(
        on connection: Connection, _ body: (Connection) async throws -> Outcome
    ) async throws -> Outcome {
        do {
            return try await connection.transaction { connection in
                _ = try await connection.run(LockPartiesForEdit())
                return try await body(connection)
            }
        } catch let error as PostgreSQLError where error.has(.constraint) {
            guard error.diagnostic.facts["constraint"] == "site_siret_key" else { throw error }
            return .taken
        }
    }

    private static func write(
        _ fields: [(field: SiteField, value: String)], of site: Int, at account: Int, by user: AppUser,
        _ run: Int, isNew: Bool, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(
            WriteHumanClaims(
                entities: fields.map { _ in "site" }, ids: fields.map { _ in site },
                fields: fields.map(\.field.rawValue), values: fields.map(\.value), run: run, user: user.id))
        try await connection.execute(UpdateSiteColumns(ids: [site], run: run))
        try await connection.execute(
            EndEdit(run: run, party: account, user: user.id, entity: "site", changed: site, isNew: isNew))
    }

    static let statements: [any Statement.Type] = [SiteAtAccount.self, CreateSite.self]
}

struct SiteAtAccount: Statement {
    let site: Int
    let account: Int
    let scope: Int

    static let sql = """
        select \(SiteField.allCases.map { "s.\($0.rawValue)" }.joined(separator: ", "))
        from party_scope v
        join org o on o.party_id = v.party_id
        join site s on s.party_id = v.party_id
        where v.party_id = $1::bigint and v.scope_id = $2::bigint and s.id = $3::bigint
        """
    var parameters: [Parameter] { [Parameter(account), Parameter(scope), Parameter(site)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> [SiteField: String] {
        var fields: [SiteField: String] = [:]
        for field in SiteField.allCases { fields[field] = try row.next(String?.self) ?? "" }
        return fields
    }
}

/// A site that nothing is known of yet.
struct CreateSite: Statement {
    let account: Int
    let run: Int

    static let sql = """
        insert into site (party_id, is_main, created_run)
        select $1::bigint, not exists (select from site where party_id = $1 and is_main), $2::bigint
        returning id
        """
    var parameters: [Parameter] { [Parameter(account), Parameter(run)] }
    typealias Row = Int
}

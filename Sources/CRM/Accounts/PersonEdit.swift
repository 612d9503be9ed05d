// SPDX-License-Identifier: Apache-2.0
// People of an account, written by hand: what people say of them outranks files, and can be taken back.

internal import Model
package import PostgreSQL

/// A field of a person at an account that people may change.
package enum PersonField: String, Sendable, CaseIterable, EditableField {
    case firstName = "first_name"
    case lastName = "last_name"
    case jobTitle = "job_title"

    /// A text as it is kept and compared: on one line.
    package func normalised(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// What is wrong with a text; nil when nothing is.
    ///
    /// - Returns: a code of the message catalogue.
    package func fault(in text: String) -> String? { text.count > 200 ? "EDIT-LONG" : nil }
}

/// A person at an account as a form shows it.
package struct EditablePerson: Sendable {
    /// What each field is.
    package let fields: [PersonField: String]
    /// Phones, then addresses.
    package let contacts: [KnownContact]

    /// `Élodie Marchand`.
    package var name: String {
        [PersonField.firstName, .lastName].compactMap { fields[$0] }.filter { !$0.isEmpty }.joined(
            separator: " ")
    }
}

/// Changes people by hand.
package enum PersonEdits {
    /// What a form says of a person.
    package struct Draft: Sendable {
        /// The texts that the form was filled with.
        package var was: [PersonField: String]
        /// The texts of the form, normalised and without faults; a first or a last name is among them.
        package var now: [PersonField: String]
        /// Phones and addresses, changed or not.
        package var contacts: [ContactChange]

        /// What a form says.
        package init(was: [PersonField: String], now: [PersonField: String], contacts: [ContactChange]) {
            (self.was, self.now, self.contacts) = (was, now, contacts)
        }

        fileprivate var name: String {
            [PersonField.firstName, .lastName].compactMap { now[$0] }.filter { !$0.isEmpty }
                .joined(separator: " ")
        }
    }

    /// Something that somebody else has changed meanwhile.
    package struct Conflict: Sendable, Hashable {
        /// Field of the person; nil for a phone or an address.
        package let field: PersonField?
        /// Which phone or address; nil for a field of the person.
        package let contact: ContactField?
        /// What one's own form says.
        package let mine: String
        /// What is there now; empty where it is gone.
        package let theirs: String
    }

    /// What became of an edit.
    package enum Outcome: Sendable {
        /// Saved by this run, which can be taken back; nil when nothing was different.
        case saved(run: Int?)
        /// Nothing was saved: somebody else changed the same fields.
        case conflicts([Conflict])
        /// Not there, or not for this user.
        case unseen
    }

    /// A person who works at an account.
    ///
    /// - Returns: nil where the user does not see the account, or the person does not work there.
    package static func show(
        _ person: Int, at account: Int, for user: AppUser, on connection: Connection
    ) async throws(PostgreSQLError) -> EditablePerson? {
        let statement = PersonAtAccount(person: person, account: account, scope: user.scope)
        guard let fields = try await connection.run(statement).first else { return nil }
        return EditablePerson(
            fields: fields, contacts: try await connection.run(EditableContacts(party: person)))
    }

    /// Makes a person who works at an account.
    ///
    /// - Returns: the run that made it; nil where the user does not see the account.
    package static func add(
        _ draft: Draft, at account: Int, by user: AppUser, on connection: Connection
    ) async throws -> Int? {
        try await connection.transaction { connection in
            _ = try await connection.run(LockPartiesForEdit())
            guard try await Accounts.sees(account, scope: user.scope, on: connection),
                let run = try await connection.run(BeginEdit(user: user.id)).first,
                let person = try await connection.run(
                    CreatePerson(
                        name: draft.name, fields: draft.now, account: account, user: user, run: run)
                ).first
            else { return nil }
            let contacts = ContactEdit(draft.contacts, of: person, known: [])
            let filled = FieldEdit(draft.now, was: [:], current: [:]).differing
            try await claim(filled, contacts, of: person, at: account, user, run, on: connection)
            try await contacts.write(of: person, run: run, on: connection)
            try await connection.execute(
                EndEdit(run: run, party: account, user: user.id, changed: person, isNew: true))
            return run
        }
    }

    /// Saves what a person changed of another: only what differs from what the form began with.
    package static func save(
        _ draft: Draft, of person: Int, at account: Int, by user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        try await connection.transaction { connection in
            _ = try await connection.run(LockPartiesForEdit())
            guard let current = try await show(person, at: account, for: user, on: connection) else {
                return .unseen
            }
            let edit = FieldEdit(draft.now, was: draft.was, current: current.fields)
            let contacts = ContactEdit(draft.contacts, of: person, known: current.contacts)
            let conflicts =
                edit.conflicts.map {
                    Conflict(field: $0.field, contact: nil, mine: $0.mine, theirs: $0.theirs)
                } + contacts.lost.map { Conflict(field: nil, contact: $0.field, mine: $0.now, theirs: "") }
            guard conflicts.isEmpty else { return .conflicts(conflicts) }
            guard !edit.differing.isEmpty || !contacts.isEmpty,
                let run = try await connection.run(BeginEdit(user: user.id)).first
            else { return .saved(run: nil) }
            try await claim(edit.differing, contacts, of: person, at: account, user, run, on: connection)
            try await connection.execute(UpdatePersonColumns(ids: [person], run: run))
            if let title = edit.differing.first(where: { $0.field == .jobTitle })?.value {
                try await connection.execute(
                    NameJob(person: person, account: account, title: title, run: run))
            }
            try await contacts.write(of: person, run: run, on: connection)
            try await connection.execute(
                EndEdit(run: run, party: account, user: user.id, changed: person))
            return .saved(run: run)
        }
    }

    /// Ends that a person works at an account, whatever files say of it later.
    ///
    /// - Returns: the run that did, which can be taken back; nil where the person does not work there for this user.
    package static func remove(
        _ person: Int, from account: Int, by user: AppUser, on connection: Connection
    ) async throws -> Int? {
        try await connection.transaction { connection in
            _ = try await connection.run(LockPartiesForEdit())
            guard try await show(person, at: account, for: user, on: connection) != nil,
                let run = try await connection.run(BeginEdit(user: user.id)).first
            else { return nil }
            try await connection.execute(
                WriteHumanClaims(
                    entities: ["person"], ids: [person], fields: ["job:\(account)"], values: [""], run: run,
                    user: user.id))
            try await connection.execute(LeaveJob(person: person, account: account, run: run))
            try await connection.execute(
                EndEdit(run: run, party: account, user: user.id, changed: person))
            return run
        }
    }

    private static func claim(
        _ fields: [(field: PersonField, value: String)], _ contacts: ContactEdit, of person: Int,
        at account: Int,
        _ user: AppUser, _ run: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        let said = fields.map { field, value in
            // A title is the account's: elsewhere the same person may have another.
            (field == .jobTitle ? "job_title:\(account)" : field.rawValue, value)
        }
        let reached = contacts.claims
        try await connection.execute(
            WriteHumanClaims(
                entities: said.map { _ in "person" } + reached.map { _ in "party" },
                ids: (said + reached.map { ($0.field, $0.value) }).map { _ in person },
                fields: said.map(\.0) + reached.map(\.field), values: said.map(\.1) + reached.map(\.value),
                run: run, user: user.id))
    }

    static let statements: [any Statement.Type] =
        [PersonAtAccount.self, CreatePerson.self, NameJob.self, LeaveJob.self] + ContactEdit.statements
}

struct PersonAtAccount: Statement {
    let person: Int
    let account: Int
    let scope: Int

    static let sql = """
        select coalesce(o.first_name, ''), coalesce(o.last_name, ''), coalesce(r.label, '')
        from party_scope v
        join relation r on r.to_id = v.party_id and r.kind = 'works_for' and upper_inf(r.valid)
        join party p on p.id = r.from_id and p.merged_into is null
        join person o on o.party_id = p.id
        where v.party_id = $1::bigint and v.scope_id = $2::bigint and r.from_id = $3::bigint
        order by r.id
        limit 1
        """
    var parameters: [Parameter] { [Parameter(account), Parameter(scope), Parameter(person)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> [PersonField: String] {
        [.firstName: try row.next(), .lastName: try row.next(), .jobTitle: try row.next()]
    }
}

/// A person who works at an account; what a user who sees his own only makes is his.
struct CreatePerson: Statement {
    let name: String
    let fields: [PersonField: String]
    let account: Int
    let user: AppUser
    let run: Int

    static let sql = """
        with made as (
          insert into party (kind, name, status, owner_id, created_run)
          values ('person', $1, 'other', $6::bigint, $7::bigint)
          returning id
        ), named as (
          insert into person (party_id, first_name, last_name)
          select id, nullif($2::text, ''), nullif($3::text, '') from made
        ), works as (
          insert into relation (from_id, to_id, kind, label, created_run)
          select id, $5::bigint, 'works_for', nullif($4::text, ''), $7 from made
        )
        select id from made
        """
    var parameters: [Parameter] {
        [
            Parameter(name), Parameter(fields[.firstName] ?? ""), Parameter(fields[.lastName] ?? ""),
            Parameter(fields[.jobTitle] ?? ""), Parameter(account),
            Parameter(user.scope == user.id ? user.id : nil), Parameter(run),
        ]
    }
    typealias Row = Int
}

/// What a person does at an account; what was there goes to `run_change`.
struct NameJob: Statement {
    let person: Int
    let account: Int
    let title: String
    let run: Int

    static let sql = """
        with old as (
          select id, label from relation
          where from_id = $1::bigint and to_id = $2::bigint and kind = 'works_for' and upper_inf(valid)
        ), changed as (
          update relation r set label = nullif($3::text, ''), version = r.version + 1
          from old where r.id = old.id
          returning r.id, r.version
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $4::bigint, 'relation', old.id, 'update', jsonb_build_object('label', old.label), changed.version
        from old
        join changed using (id)
        """
    var parameters: [Parameter] { [Parameter(person), Parameter(account), Parameter(title), Parameter(run)] }
}

/// The end of a job today; what was there goes to `run_change`.
struct LeaveJob: Statement {
    let person: Int
    let account: Int
    let run: Int

    static let sql = """
        with old as (
          select id, valid from relation
          where from_id = $1::bigint and to_id = $2::bigint and kind = 'works_for' and upper_inf(valid)
        ), changed as (
          update relation r
          set valid = daterange(lower(r.valid), greatest(lower(r.valid), current_date)), version = r.version + 1
          from old where r.id = old.id
          returning r.id, r.version
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $3::bigint, 'relation', old.id, 'update', jsonb_build_object('valid', old.valid), changed.version
        from old
        join changed using (id)
        """
    var parameters: [Parameter] { [Parameter(person), Parameter(account), Parameter(run)] }
}

// SPDX-License-Identifier: Apache-2.0
// Phones and e-mail addresses of accounts and people, as people write them.

internal import Model
internal import PostgreSQL

/// A way to reach a party that people may write.
package enum ContactField: String, Sendable, CaseIterable {
    case phone, email

    fileprivate var kind: ContactKind { self == .phone ? .phone : .email }

    /// What is wrong with a text; nil when nothing is, or there is none.
    ///
    /// - Returns: a code of the message catalogue.
    package func fault(in text: String) -> String? {
        guard !text.isEmpty else { return nil }
        switch self {
        case .phone:
            let isWhole = text.wholeMatch(of: #/\+?[0-9 .()\-\/]{6,40}/#) != nil
            return isWhole && 6...15 ~= text.filter(\.isNumber).count ? nil : "EDIT-PHONE"
        case .email:
            return text.wholeMatch(of: #/[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,63}/#) == nil
                ? "EDIT-EMAIL" : nil
        }
    }

    /// The form that two spellings of one value share, as imports compare them.
    package func norm(of text: String) -> String { kind.normalised(text) }
}

/// A phone or an address that somebody changes: from one text to another, from nothing, or to nothing.
package struct ContactChange: Sendable, Hashable {
    /// Which.
    package let field: ContactField
    /// What the form was filled with; empty for a new one.
    package let was: String
    /// What it says now; empty for one that goes.
    package let now: String

    /// A change.
    package init(field: ContactField, was: String, now: String) {
        (self.field, self.was, self.now) = (field, was, now)
    }
}

/// A phone or an address that is there.
package struct KnownContact: Sendable, Hashable {
    /// Which.
    package let field: ContactField
    /// As it was written.
    package let value: String
}

/// What a form changes of a party's phones and addresses.
///
/// A number that somebody takes away is claimed to be none, and one that he adds is claimed as his: the claim outlives
/// what files say later, shows who said so, and goes with an undo.
struct ContactEdit {
    /// Those that go, and those that come.
    private(set) var removed: [(kind: String, norm: String)] = []
    private(set) var added: [PartyWriter.Contact] = []
    /// Those that somebody else has taken away or changed meanwhile.
    private(set) var lost: [ContactChange] = []

    var isEmpty: Bool { removed.isEmpty && added.isEmpty }

    init(_ changes: [ContactChange], of party: Int, known: [KnownContact]) {
        let there = Set(known.map { [$0.field.rawValue, $0.field.norm(of: $0.value)] })
        for change in changes {
            let (field, old, new) = (
                change.field, change.field.norm(of: change.was), change.field.norm(of: change.now)
            )
            guard old != new else { continue }
            let kind = field.kind.rawValue
            let isThere = there.contains([field.rawValue, old])
            if !old.isEmpty, !isThere, !new.isEmpty, !there.contains([field.rawValue, new]) {
                lost.append(change)
            }
            if !old.isEmpty, isThere { removed.append((kind, old)) }
            if !new.isEmpty, !there.contains([field.rawValue, new]) {
                added.append(.init(party: party, kind: kind, norm: new, value: change.now))
            }
        }
    }

    /// What the person claims, for ``WriteHumanClaims``.
    var claims: [(field: String, value: String)] {
        removed.map { (Self.claim($0.kind, $0.norm), "") }
            + added.map { (Self.claim($0.kind, $0.norm), $0.value) }
    }

    /// The field of a claim on a contact point.
    private static func claim(_ kind: String, _ norm: String) -> String { "\(kind):\(norm)" }

    /// Writes them; what goes is kept for an undo.
    func write(of party: Int, run: Int, on connection: Connection) async throws(PostgreSQLError) {
        if !removed.isEmpty {
            try await connection.execute(
                RemoveContacts(
                    party: party, kinds: removed.map(\.kind), norms: removed.map(\.norm), run: run))
        }
        if !added.isEmpty {
            try await connection.execute(InsertContactPoints(contacts: added, run: run))
        }
    }

    static let statements: [any Statement.Type] = [EditableContacts.self, RemoveContacts.self]
}

/// Phones and e-mail addresses of a party, the main ones first.
struct EditableContacts: Statement {
    let party: Int

    static let sql = """
        select kind, value
        from contact_point
        where party_id = $1::bigint and kind in ('phone', 'email')
        order by kind desc, is_main desc, value_norm
        limit 40
        """
    var parameters: [Parameter] { [Parameter(party)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> KnownContact {
        KnownContact(
            field: ContactField(rawValue: try row.next(String.self)) ?? .phone, value: try row.next())
    }
}

struct RemoveContacts: Statement {
    let party: Int
    let kinds: [String]
    let norms: [String]
    let run: Int

    static let sql = """
        with gone as (
          delete from contact_point c
          using unnest($2::text[], $3::text[]) as i(kind, norm)
          where c.party_id = $1::bigint and c.kind = i.kind and c.value_norm = i.norm
          returning c.*
        )
        insert into run_change (run_id, entity, entity_id, op, before, version_after)
        select $4::bigint, 'contact_point', party_id, 'delete', to_jsonb(gone), 0 from gone
        """
    var parameters: [Parameter] { [Parameter(party), Parameter(kinds), Parameter(norms), Parameter(run)] }
}

/// SQL of a claim by which a person says that something is no more: `owner` is the row, `field` the claim's field.
func deniedByHand(_ entity: String, _ owner: String, _ field: String) -> String {
    """
    exists (
      select from field_claim h
      join source_system y on y.id = h.source_id and y.code = 'person'
      where h.entity = '\(entity)' and h.entity_id = \(owner) and h.field = \(field) and h.value is null
    )
    """
}

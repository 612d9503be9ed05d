// SPDX-License-Identifier: Apache-2.0
// Agendas and address books of a person: made on first use, named and coloured by whichever program shows them.

package import PostgreSQL

/// A collection of calendar objects or cards.
package struct DAVCollection: Sendable, Hashable {
    /// What a collection holds.
    package enum Kind: String, Sendable {
        case calendar
        case addressbook
        /// Files, which only tests of the protocol have.
        case plain
    }

    /// Number of the row.
    package let id: Int
    /// Number of the user whose it is.
    package let owner: Int
    /// What it holds.
    package let kind: Kind
    /// Its name in addresses.
    package let slug: String
    /// Whether it is one of those that everybody has, and nobody deletes.
    package let isDefault: Bool
    /// What a calendar holds: `VEVENT`, `VTODO`, `VJOURNAL`.
    package let components: [String]
    /// What it is called; nil = as its kind.
    package let name: String?
    /// `#RRGGBBAA`, as programs write it.
    package let color: String?
    /// Where programs show it among others.
    package let position: Int?
    /// What it is for.
    package let description: String?
    /// Properties that only programs understand: `{namespace}name` to the XML inside.
    package let properties: [String: String]
    /// Its count of changes.
    package let sequence: Int
    /// Which life of the collection the count belongs to.
    package let epoch: Int
    /// Deletions up to this count are forgotten.
    package let forgottenSequence: Int

    static let columns = """
        c.id, c.owner_id, c.kind, c.slug, c.is_default, c.components, c.name, c.color, c.position, c.description,
          c.props, c.seq, c.epoch, c.forgotten_seq
        """

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        owner = try row.next()
        kind = Kind(rawValue: try row.next(String.self)) ?? .plain
        slug = try row.next()
        isDefault = try row.next()
        components = try row.next()
        name = try row.next()
        color = try row.next()
        position = try row.next()
        description = try row.next()
        properties = try row.next(JSONText.self).objectOfTexts
        sequence = try row.next()
        epoch = try row.next()
        forgottenSequence = try row.next()
    }
}

/// What a new collection is to be.
package struct DAVCollectionDraft: Sendable {
    /// What it holds.
    package let kind: DAVCollection.Kind
    /// Its name in addresses.
    package let slug: String
    /// The plain collection around it.
    package var parent: Int?
    /// What a calendar holds.
    package var components: [String] = []
    /// What it is called and looks like.
    package var look = DAVCollectionLook()

    /// A collection without a name of its own.
    package init(kind: DAVCollection.Kind, slug: String) {
        (self.kind, self.slug) = (kind, slug)
    }
}

/// What programs may set of a collection.
package struct DAVCollectionLook: Sendable, Hashable {
    /// What it is called.
    package var name: String?
    /// `#RRGGBBAA`.
    package var color: String?
    /// Where it is shown among others.
    package var position: Int?
    /// What it is for.
    package var description: String?
    /// Properties that only programs understand.
    package var properties: [String: String] = [:]

    /// Nothing is set.
    package init() {}

    /// How a collection looks now.
    package init(_ collection: DAVCollection) {
        (name, color, position) = (collection.name, collection.color, collection.position)
        (description, properties) = (collection.description, collection.properties)
    }
}

/// Keeps collections.
package enum DAVCollections {
    /// Those of a user that are of one kind, in no plain collection, by their names in addresses; made on first use.
    package static func list(
        _ kind: DAVCollection.Kind, of user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [DAVCollection] {
        let found = try await connection.run(ListCollections(user: user, kind: kind))
        guard found.isEmpty, kind != .plain else { return found }
        try await connection.execute(MakeDefaults(user: user))
        return try await connection.run(ListCollections(user: user, kind: kind))
    }

    /// One of a user's; nil where there is none.
    ///
    /// - Parameter parent: the plain collection around it.
    package static func find(
        _ kind: DAVCollection.Kind, _ slug: String, in parent: Int? = nil, of user: Int,
        on connection: Connection
    ) async throws(PostgreSQLError) -> DAVCollection? {
        let statement = FindCollection(user: user, kind: kind, slug: slug, parent: parent)
        if let found = try await connection.run(statement).first { return found }
        // Whoever knows the addresses need not have listed them.
        guard kind != .plain, DefaultCollections.slugs.contains(slug) else { return nil }
        try await connection.execute(MakeDefaults(user: user))
        return try await connection.run(statement).first
    }

    /// The plain collections inside one.
    package static func children(
        of parent: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [DAVCollection] {
        try await connection.run(ChildCollections(parent: parent))
    }

    /// Makes one; nil where its name is taken.
    package static func make(
        _ draft: DAVCollectionDraft, for user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Int? {
        guard let id = try await connection.run(MakeCollection(user: user, draft: draft)).first else {
            return nil
        }
        if draft.kind != .plain {
            try await Audit.write(
                "agenda.collection.made", by: user, of: "dav_collection", id, on: connection)
        }
        return id
    }

    /// Sets how one looks.
    package static func set(
        _ look: DAVCollectionLook, of id: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(SetLook(id: id, look: look))
    }

    /// Deletes one with what is in it; it is kept, to be brought back.
    ///
    /// - Returns: false where it is one that everybody has.
    package static func delete(
        _ collection: DAVCollection, by user: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> Bool {
        guard try await connection.run(DeleteCollection(id: collection.id)).first != nil else { return false }
        if collection.kind != .plain {
            try await Audit.write(
                "agenda.collection.deleted", by: user, of: "dav_collection", collection.id, on: connection)
        }
        return true
    }

    /// Moves a plain collection, with what is in it.
    package static func move(
        _ id: Int, to slug: String, in parent: Int?, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(MoveCollection(id: id, slug: slug, parent: parent))
    }

    /// Copies a plain collection; with what is in it, or its properties alone.
    package static func copy(
        _ collection: DAVCollection, to slug: String, in parent: Int?, isDeep: Bool, by user: Int,
        on connection: Connection
    ) async throws {
        var draft = DAVCollectionDraft(kind: .plain, slug: slug)
        (draft.parent, draft.look) = (parent, DAVCollectionLook(collection))
        guard let copy = try await make(draft, for: collection.owner, on: connection), isDeep else { return }
        let objects = try await DAVObjects.list(
            collection.id, after: "", limit: Int(Int32.max), on: connection)
        for object in objects {
            let place = DAVObjects.Destination(collection: copy, name: object.name, overwrites: false)
            _ = try await DAVObjects.transfer(
                object.name, from: collection.id, to: place, moves: false, if: DAVCondition(), by: user,
                on: connection)
        }
        for child in try await children(of: collection.id, on: connection) {
            try await self.copy(child, to: child.slug, in: copy, isDeep: true, by: user, on: connection)
        }
    }

    static let statements: [any Statement.Type] = [
        MoveCollection.self, ListCollections.self, FindCollection.self, ChildCollections.self,
        MakeDefaults.self,
        MakeCollection.self, SetLook.self, DeleteCollection.self,
    ]
}

/// What everybody has.
enum DefaultCollections {
    static let slugs = ["calendar", "tasks", "addressbook"]
}

struct ListCollections: Statement {
    let user: Int
    let kind: DAVCollection.Kind

    static let sql = """
        select \(DAVCollection.columns)
        from dav_collection c
        where c.owner_id = $1::bigint and c.kind = $2 and c.parent_id is null and c.deleted_at is null
        order by c.slug
        """
    var parameters: [Parameter] { [Parameter(user), Parameter(kind.rawValue)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVCollection {
        try DAVCollection(&row)
    }
}

struct FindCollection: Statement {
    let user: Int
    let kind: DAVCollection.Kind
    let slug: String
    let parent: Int?

    static let sql = """
        select \(DAVCollection.columns)
        from dav_collection c
        where c.owner_id = $1::bigint and c.kind = $2 and coalesce(c.parent_id, 0) = coalesce($4::bigint, 0)
          and c.slug = $3 and c.deleted_at is null
        """
    var parameters: [Parameter] {
        [Parameter(user), Parameter(kind.rawValue), Parameter(slug), Parameter(parent)]
    }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVCollection {
        try DAVCollection(&row)
    }
}

struct ChildCollections: Statement {
    let parent: Int

    static let sql = """
        select \(DAVCollection.columns)
        from dav_collection c
        where c.parent_id = $1::bigint and c.deleted_at is null
        order by c.slug
        """
    var parameters: [Parameter] { [Parameter(parent)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVCollection {
        try DAVCollection(&row)
    }
}

struct MakeDefaults: Statement {
    let user: Int

    static let sql = """
        insert into dav_collection (owner_id, kind, slug, is_default, components)
        values ($1::bigint, 'calendar', 'calendar', true, '{VEVENT}'), ($1, 'calendar', 'tasks', true, '{VTODO}'),
          ($1, 'addressbook', 'addressbook', true, '{}')
        on conflict do nothing
        """
    var parameters: [Parameter] { [Parameter(user)] }
}

struct MakeCollection: Statement {
    let user: Int
    let draft: DAVCollectionDraft

    static let sql = """
        insert into dav_collection (
          owner_id, kind, slug, parent_id, components, name, color, position, description, props)
        values ($1::bigint, $2, $3, $4::bigint, $5::text[], $6, $7, $8::bigint::int, $9, $10::jsonb)
        on conflict do nothing
        returning id
        """
    var parameters: [Parameter] {
        [
            Parameter(user), Parameter(draft.kind.rawValue), Parameter(draft.slug), Parameter(draft.parent),
            Parameter(draft.components), Parameter(draft.look.name), Parameter(draft.look.color),
            Parameter(draft.look.position), Parameter(draft.look.description),
            Parameter(JSONText(facts: draft.look.properties)),
        ]
    }
    typealias Row = Int
}

struct SetLook: Statement {
    let id: Int
    let look: DAVCollectionLook

    static let sql = """
        update dav_collection set name = $2, color = $3, position = $4::bigint::int, description = $5,
          props = $6::jsonb
        where id = $1::bigint
        """
    var parameters: [Parameter] {
        [
            Parameter(id), Parameter(look.name), Parameter(look.color), Parameter(look.position),
            Parameter(look.description), Parameter(JSONText(facts: look.properties)),
        ]
    }
}

struct DeleteCollection: Statement {
    let id: Int

    static let sql = """
        with recursive inside as (
          select id from dav_collection where id = $1::bigint and not is_default and deleted_at is null
          union all
          select c.id from dav_collection c join inside i on c.parent_id = i.id where c.deleted_at is null
        )
        update dav_collection set deleted_at = now() where id in (select id from inside)
        returning id
        """
    var parameters: [Parameter] { [Parameter(id)] }
    typealias Row = Int
}

struct MoveCollection: Statement {
    let id: Int
    let slug: String
    let parent: Int?

    static let sql = """
        update dav_collection set slug = $2, parent_id = $3::bigint where id = $1::bigint and kind = 'plain'
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(slug), Parameter(parent)] }
}

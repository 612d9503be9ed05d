// SPDX-License-Identifier: Apache-2.0
// Keeps objects: one writing is one transaction, which holds its collection's count until it is done.

package import PostgreSQL

/// Reads and writes the objects of collections.
package enum DAVObjects {
    // MARK: - Reading

    /// One object; nil where there is none.
    package static func find(
        _ name: String, in collection: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> DAVObject? {
        try await connection.run(FindObject(collection: collection, name: name)).first
    }

    /// One object with its bytes; nil where there is none.
    package static func read(
        _ name: String, in collection: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> DAVContent? {
        try await connection.run(ReadObjects(collection: collection, names: [name])).first
    }

    /// Those of these names that there are, with their bytes, in no order.
    package static func read(
        _ names: [String], in collection: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [DAVContent] {
        try await connection.run(ReadObjects(collection: collection, names: names))
    }

    /// Objects behind a name, in the order of names, at most so many; their bytes are not opened.
    package static func list(
        _ collection: Int, after name: String, limit: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [DAVObject] {
        try await connection.run(ListObjects(collection: collection, after: name, limit: limit))
    }

    /// The same with their bytes.
    package static func contents(
        _ collection: Int, after name: String, limit: Int, on connection: Connection
    ) async throws(PostgreSQLError) -> [DAVContent] {
        try await connection.run(ListContents(collection: collection, after: name, limit: limit))
    }

    // MARK: - Writing

    /// Keeps an object as it was sent, in a transaction of its own or around it.
    ///
    /// Bytes that are there already write nothing; also where the request wants a new object and the same request made
    /// it, which comes twice when its first answer got lost.
    package static func put(
        _ draft: DAVObjectDraft, in collection: Int, if condition: DAVCondition, by user: Int,
        on connection: Connection
    ) async throws -> DAVOutcome {
        let etag = DAVObject.etag(of: draft.bytes)
        return try await connection.transaction { connection in
            guard try await connection.run(LockCollections(ids: [collection])).count == 1 else {
                return .gone
            }
            let before = try await connection.run(FindObject(collection: collection, name: draft.name)).first
            if let before, before.etag == etag,
                condition.holds(before) || condition == DAVCondition(noneMatch: .any) && before.isAsMade
            {
                return .same(before)
            }
            guard condition.holds(before) else { return .refused }
            if let uid = draft.uid,
                let holder = try await connection.run(
                    UIDHolder(collection: collection, uid: uid, name: draft.name)
                ).first
            {
                return .taken(holder)
            }
            let write = PutObject(
                collection: collection, draft: draft, etag: etag, wantsNew: condition.noneMatch == .any,
                user: user)
            if let before {
                try await connection.execute(ReplaceObject(id: before.id, put: write))
            } else {
                try await connection.execute(write)
            }
            if let occurrences = draft.occurrences {
                try await connection.execute(
                    WriteOccurrences(collection: collection, name: draft.name, index: occurrences))
            }
            guard
                let after = try await connection.run(
                    FindObject(collection: collection, name: draft.name)
                ).first
            else { return .gone }
            if before != nil { try await connection.execute(ForgetAgenda(object: after.id)) }
            try await AgendaItems.write(draft.items, of: after.id, on: connection)
            return before == nil ? .made(after) : .replaced(after)
        }
    }

    /// Deletes an object; its bytes are kept, to be brought back.
    ///
    /// - Returns: `gone` where there is none, `refused` where it is not as the request wants it, else what it was.
    package static func delete(
        _ name: String, in collection: Int, if condition: DAVCondition, by user: Int,
        on connection: Connection
    ) async throws -> DAVOutcome {
        try await connection.transaction { connection in
            guard try await connection.run(LockCollections(ids: [collection])).count == 1,
                let before = try await connection.run(FindObject(collection: collection, name: name)).first
            else { return .gone }
            guard condition.holds(before) else { return .refused }
            try await connection.execute(DeleteObject(id: before.id, collection: collection, user: user))
            return .replaced(before)
        }
    }

    /// Where an object goes.
    package struct Destination: Sendable {
        /// The collection.
        package let collection: Int
        /// The name in it.
        package let name: String
        /// Whether what is there may go.
        package let overwrites: Bool

        /// A place.
        package init(collection: Int, name: String, overwrites: Bool) {
            (self.collection, self.name, self.overwrites) = (collection, name, overwrites)
        }
    }

    /// Copies or moves an object; a move keeps its versions.
    ///
    /// - Returns: `refused` where something is there already and may not go, or the object is not as the request wants it.
    package static func transfer(
        _ name: String, from source: Int, to destination: Destination, moves: Bool,
        if condition: DAVCondition, by user: Int, on connection: Connection
    ) async throws -> DAVOutcome {
        try await connection.transaction { connection in
            // In one order for all, so that two that go opposite ways do not wait for each other.
            let ids = Set([source, destination.collection])
            guard try await connection.run(LockCollections(ids: ids.sorted())).count == ids.count,
                let object = try await connection.run(FindObject(collection: source, name: name)).first
            else { return .gone }
            let place = FindObject(collection: destination.collection, name: destination.name)
            let there = try await connection.run(place).first
            guard condition.holds(object), there == nil || destination.overwrites else { return .refused }
            // What goes away anyway has no uid to defend.
            let going = [there?.id, moves ? object.id : nil].compactMap(\.self)
            let holder = UIDHolderForCopy(object: object.id, collection: destination.collection, going: going)
            if let holder = try await connection.run(holder).first { return .taken(holder) }
            if let there {
                try await connection.execute(
                    DeleteObject(id: there.id, collection: destination.collection, user: user))
            }
            let transfer = CopyObject(
                object: object.id, source: source, destination: destination, user: user)
            if moves {
                try await connection.execute(MoveObject(copy: transfer))
            } else {
                try await connection.execute(transfer)
            }
            guard let after = try await connection.run(place).first else { return .gone }
            return there == nil ? .made(after) : .replaced(after)
        }
    }

    /// Sets the properties of an object that only programs understand.
    package static func set(
        _ properties: [String: String], of object: Int, on connection: Connection
    ) async throws(PostgreSQLError) {
        try await connection.execute(SetObjectProperties(id: object, properties: properties))
    }

    static let statements: [any Statement.Type] = [
        FindObject.self, ReadObjects.self, ListObjects.self, ListContents.self, LockCollections.self,
        UIDHolder.self, PutObject.self, ReplaceObject.self, DeleteObject.self, UIDHolderForCopy.self,
        CopyObject.self, MoveObject.self, SetObjectProperties.self,
    ]
}

struct FindObject: Statement {
    let collection: Int
    let name: String

    static let sql = """
        select \(DAVObject.columns)
        from dav_object o
        where o.collection_id = $1::bigint and o.name = $2 and o.deleted_at is null
        """
    var parameters: [Parameter] { [Parameter(collection), Parameter(name)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVObject { try DAVObject(&row) }
}

struct ReadObjects: Statement {
    let collection: Int
    let names: [String]

    static let sql = """
        select \(DAVObject.columns), v.bytes
        from dav_object o
        join dav_version v on v.object_id = o.id and v.revision = o.revision
        where o.collection_id = $1::bigint and o.name = any($2::text[]) and o.deleted_at is null
        """
    var parameters: [Parameter] { [Parameter(collection), Parameter(names)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVContent { try DAVContent(&row) }
}

struct ListObjects: Statement {
    let collection: Int
    let after: String
    let limit: Int

    static let sql = """
        select \(DAVObject.columns)
        from dav_object o
        where o.collection_id = $1::bigint and o.name > $2 and o.deleted_at is null
        order by o.name
        limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(collection), Parameter(after), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVObject { try DAVObject(&row) }
}

struct ListContents: Statement {
    let collection: Int
    let after: String
    let limit: Int

    static let sql = """
        select \(DAVObject.columns), v.bytes
        from dav_object o
        join dav_version v on v.object_id = o.id and v.revision = o.revision
        where o.collection_id = $1::bigint and o.name > $2 and o.deleted_at is null
        order by o.name
        limit $3::bigint
        """
    var parameters: [Parameter] { [Parameter(collection), Parameter(after), Parameter(limit)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> DAVContent { try DAVContent(&row) }
}

/// Nobody else changes these collections until the transaction ends.
struct LockCollections: Statement {
    let ids: [Int]

    static let sql = """
        select id from dav_collection where id = any($1::bigint[]) and deleted_at is null
        order by id
        for no key update
        """
    var parameters: [Parameter] { [Parameter(ids)] }
    typealias Row = Int
}

/// Whoever else has a uid; or what is there has another: then it is itself in the way.
struct UIDHolder: Statement {
    let collection: Int
    let uid: String
    let name: String

    static let sql = """
        select name
        from dav_object
        where collection_id = $1::bigint and deleted_at is null
          and (uid = $2 and name <> $3 or name = $3 and uid <> $2)
        order by uid <> $2
        limit 1
        """
    var parameters: [Parameter] { [Parameter(collection), Parameter(uid), Parameter(name)] }
    typealias Row = String
}

struct UIDHolderForCopy: Statement {
    let object: Int
    let collection: Int
    let going: [Int]

    static let sql = """
        select o.name
        from dav_object o
        join dav_object source on source.id = $1::bigint and source.uid = o.uid
        where o.collection_id = $2::bigint and o.deleted_at is null and o.id <> all($3::bigint[])
        """
    var parameters: [Parameter] { [Parameter(object), Parameter(collection), Parameter(going)] }
    typealias Row = String
}

struct PutObject: Statement {
    let collection: Int
    let draft: DAVObjectDraft
    let etag: String
    let wantsNew: Bool
    let user: Int

    static let sql = """
        with counted as (
          update dav_collection set seq = seq + 1 where id = $1::bigint returning seq
        ), made as (
          insert into dav_object (
            collection_id, name, uid, component, content_type, etag, size, schedule_tag, made_as_new, seq)
          select $1, $2, $3, $4, $5, $6, length($7::bytea), case when $8 then $6 end, $10::boolean, seq
          from counted
          returning id, seq
        ), kept as (
          insert into dav_version (object_id, revision, etag, bytes, user_id)
          select id, 1, $6, $7, $9::bigint from made
        ), noted as (
          insert into dav_change (collection_id, seq, name, op) select $1, seq, $2, 'put' from made
        )
        insert into change_log (entity, entity_id, op, user_id) select 'dav_object', id, 'insert', $9 from made
        """
    var parameters: [Parameter] {
        [
            Parameter(collection), Parameter(draft.name), Parameter(draft.uid), Parameter(draft.component),
            Parameter(draft.contentType), Parameter(etag), Parameter(Bytes(draft.bytes)),
            Parameter(draft.hasAttendees), Parameter(user), Parameter(wantsNew),
        ]
    }
}

struct ReplaceObject: Statement {
    let id: Int
    let put: PutObject

    static let sql = """
        with counted as (
          update dav_collection set seq = seq + 1 where id = $1::bigint returning seq
        ), changed as (
          update dav_object o set uid = $3, component = $4, content_type = $5, etag = $6,
            size = length($7::bytea), schedule_tag = case when $8 then $6 end, seq = counted.seq,
            revision = o.revision + 1, modified_at = now()
          from counted
          where o.id = $10::bigint
          returning o.id, o.revision, counted.seq
        ), kept as (
          insert into dav_version (object_id, revision, etag, bytes, user_id)
          select id, revision, $6, $7, $9::bigint from changed
        ), noted as (
          insert into dav_change (collection_id, seq, name, op) select $1, seq, $2, 'put' from changed
        )
        insert into change_log (entity, entity_id, op, user_id) select 'dav_object', id, 'update', $9 from changed
        """
    var parameters: [Parameter] { put.parameters.dropLast() + [Parameter(id)] }
}

struct DeleteObject: Statement {
    let id: Int
    let collection: Int
    let user: Int

    static let sql = """
        with counted as (
          update dav_collection set seq = seq + 1 where id = $2::bigint returning seq
        ), gone as (
          update dav_object o set deleted_at = now(), seq = counted.seq
          from counted
          where o.id = $1::bigint
          returning o.id, o.name, counted.seq
        ), forgotten as (
          delete from occurrence where object_id = $1
        ), noted as (
          insert into dav_change (collection_id, seq, name, op) select $2, seq, name, 'delete' from gone
        )
        insert into change_log (entity, entity_id, op, user_id)
        select 'dav_object', id, 'delete', $3::bigint from gone
        """
    var parameters: [Parameter] { [Parameter(id), Parameter(collection), Parameter(user)] }
}

struct CopyObject: Statement {
    let object: Int
    let source: Int
    let destination: DAVObjects.Destination
    let user: Int

    static let sql = """
        with counted as (
          update dav_collection set seq = seq + 1 where id = $2::bigint returning seq
        ), made as (
          insert into dav_object (
            collection_id, name, uid, component, content_type, etag, size, schedule_tag, props, seq,
            occurs_from, occurs_until)
          select $2, $3, o.uid, o.component, o.content_type, o.etag, o.size, o.schedule_tag, o.props, counted.seq,
            o.occurs_from, o.occurs_until
          from dav_object o, counted
          where o.id = $1::bigint
          returning id, seq
        ), kept as (
          insert into dav_version (object_id, revision, etag, bytes, user_id)
          select made.id, 1, v.etag, v.bytes, $4::bigint
          from made, dav_object o
          join dav_version v on v.object_id = o.id and v.revision = o.revision
          where o.id = $1
        ), happens as (
          insert into occurrence (object_id, collection_id, recurrence, during, all_day)
          select made.id, $2, c.recurrence, c.during, c.all_day from made, occurrence c where c.object_id = $1
        ), says as (
          insert into agenda_item
          select (jsonb_populate_record(i, jsonb_build_object('object_id', made.id))).*
          from made, agenda_item i where i.object_id = $1
        ), invites as (
          insert into agenda_attendee
          select (jsonb_populate_record(a, jsonb_build_object('object_id', made.id))).*
          from made, agenda_attendee a where a.object_id = $1
        ), noted as (
          insert into dav_change (collection_id, seq, name, op) select $2, seq, $3, 'put' from made
        )
        insert into change_log (entity, entity_id, op, user_id) select 'dav_object', id, 'insert', $4 from made
        """
    var parameters: [Parameter] {
        [
            Parameter(object), Parameter(destination.collection), Parameter(destination.name),
            Parameter(user),
        ]
    }
}

/// Within one collection the count moves by two: one for the name that is gone, one for the new one.
struct MoveObject: Statement {
    let copy: CopyObject

    static let sql = """
        with counted as (
          update dav_collection
          set seq = seq + case when $2::bigint = $5::bigint then 2 else 1 end
          where id in ($2, $5)
          returning id, seq
        ), left_behind as (
          insert into dav_change (collection_id, seq, name, op)
          select $5, counted.seq - case when $2 = $5 then 1 else 0 end, o.name, 'delete'
          from counted, dav_object o
          where counted.id = $5 and o.id = $1::bigint
        ), moved as (
          update dav_object o set collection_id = $2, name = $3, seq = counted.seq
          from counted
          where o.id = $1 and counted.id = $2
          returning o.id, counted.seq
        ), happens as (
          update occurrence set collection_id = $2 where object_id = $1
        ), noted as (
          insert into dav_change (collection_id, seq, name, op) select $2, seq, $3, 'put' from moved
        )
        insert into change_log (entity, entity_id, op, user_id)
        select 'dav_object', id, 'update', $4::bigint from moved
        """
    var parameters: [Parameter] { copy.parameters + [Parameter(copy.source)] }
}

struct SetObjectProperties: Statement {
    let id: Int
    let properties: [String: String]

    static let sql = "update dav_object set props = $2::jsonb where id = $1::bigint and deleted_at is null"
    var parameters: [Parameter] { [Parameter(id), Parameter(JSONText(facts: properties))] }
}

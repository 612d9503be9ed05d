// SPDX-License-Identifier: Apache-2.0
// What people plan, move and finish in the CRM: the lines of an object that say so are changed, every other byte stays.

package import Foundation
package import ICalendar
package import Model
package import PostgreSQL

/// What a form says of an item.
package struct AgendaFields: Sendable, Hashable {
    /// When it takes place, on the clocks of the company.
    package struct Time: Sendable, Hashable {
        /// The beginning; its first day for whole days.
        package var start: WallTime
        /// The end; the day behind the last for whole days.
        package var end: WallTime
        /// Whether it takes whole days.
        package var isAllDay: Bool

        /// A time.
        package init(start: WallTime, end: WallTime, isAllDay: Bool) {
            (self.start, self.end, self.isAllDay) = (start, end, isAllDay)
        }
    }

    /// In a line; nil leaves it as it is, like the others.
    package var title: String?
    /// When.
    package var time: Time?
    /// Where, in words; empty for nowhere.
    package var location: String?
    /// The text; empty for none.
    package var details: String?
    /// The account that it is about.
    package var party: Int?

    /// What a form says.
    package init(
        title: String?, time: Time?, location: String? = nil, details: String? = nil, party: Int? = nil
    ) {
        (self.title, self.time, self.location, self.details) = (title, time, location, details)
        self.party = party
    }
}

/// Changes agendas for people, as their devices would.
package struct AgendaEdits: Sendable {
    /// Where floating times and whole days are.
    package let zone: TimeZone
    /// The moment of the change.
    package let now: Timestamp

    /// Changes of a moment.
    package init(zone: TimeZone, now: Timestamp) {
        (self.zone, self.now) = (zone, now)
    }

    /// What became of a change.
    package enum Outcome: Sendable, Hashable {
        /// It is done.
        ///
        /// - Parameter revision: the version of the object that an undo brings back; 0 for none.
        case done(object: Int, before: Int)
        /// Nothing was different.
        case same
        /// Somebody, or a device, changed the object since it was shown.
        case stale
        /// It is not there, or another's.
        case unseen
    }

    /// Plans something in somebody's own agenda.
    package func add(
        _ fields: AgendaFields, for user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        let uid = UUID().uuidString.lowercased()
        let bytes = item(of: fields, uid: uid).object(by: "-//Relais//FR", at: now)
        return try await connection.transaction { connection in
            let calendar = try await DAVCollections.find(.calendar, "calendar", of: user.id, on: connection)
            guard let calendar else { return .unseen }
            let draft = try DAVObjectDraft(
                name: uid + ".ics", reading: bytes, kind: .calendar, zone: zone, now: now)
            let outcome = try await DAVObjects.put(
                draft, in: calendar.id, if: DAVCondition(noneMatch: .any), by: user.id, on: connection)
            guard case .made(let object) = outcome else { return .stale }
            if fields.party != nil {
                try await AgendaItems.link(object.id, to: fields.party, scope: user.scope, on: connection)
            }
            return .done(object: object.id, before: 0)
        }
    }

    /// Saves what a form says of an item.
    ///
    /// - Parameter etag: what the object was known by when the form was shown.
    package func save(
        _ fields: AgendaFields, of id: Int, etag: String, for user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        try await connection.transaction { connection in
            let outcome = try await change(id, etag: etag, for: user, on: connection) { object, patch in
                guard let item = object.master ?? object.overrides.first else { return }
                for (name, text) in [
                    ("SUMMARY", fields.title), ("LOCATION", fields.location), ("DESCRIPTION", fields.details),
                ] where text != nil {
                    patch.set(name, toText: text, in: item)
                }
                if let time = fields.time { set(time, of: item, in: object, &patch) }
            }
            switch outcome {
            case .done, .same:
                try await AgendaItems.link(id, to: fields.party, scope: user.scope, on: connection)
            case .stale, .unseen: break
            }
            return outcome
        }
    }

    /// Moves an item to another time.
    package func move(
        _ id: Int, to time: AgendaFields.Time, etag: String, for user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        try await change(id, etag: etag, for: user, on: connection) { object, patch in
            guard let item = object.master ?? object.overrides.first else { return }
            set(time, of: item, in: object, &patch)
        }
    }

    /// Deletes an item.
    package func delete(
        _ id: Int, etag: String, for user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        guard let place = try await AgendaItems.place(of: id, user: user.id, on: connection) else {
            return .unseen
        }
        let outcome = try await DAVObjects.delete(
            place.name, in: place.collection, if: DAVCondition(match: .these([etag])), by: user.id,
            on: connection)
        switch outcome {
        case .replaced: return .done(object: id, before: place.revision)
        case .refused: return .stale
        default: return .unseen
        }
    }

    /// Brings an object back to a version, as a new one; to none at all for 0.
    package func restore(
        _ id: Int, to revision: Int, for user: AppUser, on connection: Connection
    ) async throws -> Outcome {
        try await connection.transaction { connection in
            let statement = AgendaVersion(object: id, revision: revision, user: user.id)
            guard let version = try await connection.run(statement).first else { return .unseen }
            let outcome: DAVOutcome
            if let bytes = version.bytes {
                let draft = try DAVObjectDraft(
                    name: version.name, reading: bytes, kind: .calendar, zone: zone, now: now)
                if version.isDeleted { try await connection.execute(ReviveObject(object: id)) }
                outcome = try await DAVObjects.put(
                    draft, in: version.collection, if: DAVCondition(), by: user.id, on: connection)
            } else {
                // Another may have its name by now.
                guard !version.isDeleted else { return .same }
                outcome = try await DAVObjects.delete(
                    version.name, in: version.collection, if: DAVCondition(), by: user.id, on: connection)
            }
            switch outcome {
            case .made, .replaced: return .done(object: id, before: version.current)
            case .same: return .same
            case .refused, .taken: return .stale
            case .gone: return .unseen
            }
        }
    }

    /// Writes to the timeline of its account that an item was done.
    ///
    /// - Returns: false where it is about no account that the user sees.
    package func finish(
        _ id: Int, channel: String, for user: AppUser, on connection: Connection
    ) async throws -> Bool {
        try await connection.transaction { connection in
            guard
                let entry = try await AgendaItems.find(id, of: user.id, scope: user.scope, on: connection),
                entry.status != .done, let party = entry.party,
                let interaction = try await Timeline.write(
                    channel, subject: entry.title, body: entry.details, about: party, by: user,
                    on: connection)
            else { return false }
            try await AgendaItems.finish(id, as: interaction, on: connection)
            return true
        }
    }

    static let statements: [any Statement.Type] = [AgendaVersion.self, ReviveObject.self]

    // MARK: - Bytes

    private func change(
        _ id: Int, etag: String, for user: AppUser, on connection: Connection,
        _ edit: (CalendarObject, inout ContentPatch) -> Void
    ) async throws -> Outcome {
        guard let place = try await AgendaItems.place(of: id, user: user.id, on: connection),
            let content = try await DAVObjects.read(place.name, in: place.collection, on: connection)
        else { return .unseen }
        let document = try ContentDocument(parsing: content.bytes)
        let object = try CalendarObject(document)
        var patch = ContentPatch(document)
        edit(object, &patch)
        guard !patch.isEmpty else { return .same }
        if let item = object.master ?? object.overrides.first { patch.touch(item, at: now) }
        let draft = try DAVObjectDraft(
            name: place.name, reading: patch.bytes, kind: .calendar, zone: zone, now: now)
        let outcome = try await DAVObjects.put(
            draft, in: place.collection, if: DAVCondition(match: .these([etag])), by: user.id, on: connection)
        switch outcome {
        case .made(let object), .replaced(let object): return .done(object: object.id, before: place.revision)
        case .same: return .same
        case .refused, .taken: return .stale
        case .gone: return .unseen
        }
    }

    /// The times stay in the zone that they were written in.
    private func set(
        _ time: AgendaFields.Time, of item: Component, in object: CalendarObject, _ patch: inout ContentPatch
    ) {
        let zones = CalendarZones(object.zones, local: zone)
        let old = item["DTSTART"].flatMap { CalendarMoment($0) }
        func moment(_ wall: WallTime) -> CalendarMoment {
            guard !time.isAllDay else { return .day(wall.day) }
            let instant = zones.local.instant(of: wall)
            guard let old, !old.isDay, let zone = zones.zone(of: old) else {
                return .utc(CalendarZone.utc.wall(at: instant))
            }
            return old.with(zone.wall(at: instant))
        }
        let end = item.name == "VTODO" ? "DUE" : "DTEND"
        for (name, wall) in [("DTSTART", time.start), (end, time.end)] {
            patch.set(name, to: [moment(wall).line(name)], in: item)
        }
        patch.set("DURATION", to: [], in: item)
    }

    private func item(of fields: AgendaFields, uid: String) -> CalendarItem {
        let local = CalendarZone.known(zone)
        func moment(_ wall: WallTime) -> CalendarMoment {
            fields.time?.isAllDay == true
                ? .day(wall.day) : .utc(CalendarZone.utc.wall(at: local.instant(of: wall)))
        }
        var item = CalendarItem()
        (item.uid, item.created) = (uid, .utc(CalendarZone.utc.wall(at: now)))
        (item.start, item.end) = (fields.time.map { moment($0.start) }, fields.time.map { moment($0.end) })
        item.summary = fields.title
        item.location = fields.location.flatMap { $0.isEmpty ? nil : $0 }
        item.details = fields.details.flatMap { $0.isEmpty ? nil : $0 }
        return item
    }
}

/// A version of an object of somebody's own, deleted or not.
struct AgendaVersion: Statement {
    let object: Int
    let revision: Int
    let user: Int

    struct Row: Sendable {
        let collection: Int
        let name: String
        let isDeleted: Bool
        let current: Int
        /// nil for version 0, when there was no object yet.
        let bytes: [UInt8]?
    }

    static let sql = """
        select o.collection_id, o.name, o.deleted_at is not null, o.revision, v.bytes
        from dav_object o
        join dav_collection c on c.id = o.collection_id and c.owner_id = $3::bigint and c.deleted_at is null
        left join dav_version v on v.object_id = o.id and v.revision = $2::bigint
        where o.id = $1::bigint and (v.revision is not null or $2 = 0)
        """
    var parameters: [Parameter] { [Parameter(object), Parameter(revision), Parameter(user)] }
    static func decode(_ row: inout RowReader) throws(PostgreSQLError) -> Row {
        Row(
            collection: try row.next(), name: try row.next(), isDeleted: try row.next(),
            current: try row.next(),
            bytes: try row.next(Bytes?.self)?.array)
    }
}

/// Undeletes an object whose name and uid nobody took meanwhile; its next version says what it is.
struct ReviveObject: Statement {
    let object: Int

    static let sql = """
        update dav_object o set deleted_at = null, etag = ''
        where id = $1::bigint and not exists (
          select from dav_object n
          where n.collection_id = o.collection_id and n.deleted_at is null and (n.name = o.name or n.uid = o.uid))
        """
    var parameters: [Parameter] { [Parameter(object)] }
}

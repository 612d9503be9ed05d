// SPDX-License-Identifier: Apache-2.0
// Events, tasks and cards as programs send them: their bytes are kept, and told apart by their hash.

internal import Crypto
package import Foundation
package import ICalendar
package import Model
internal import PostgreSQL

/// What is known of an object without opening its bytes.
package struct DAVObject: Sendable, Hashable {
    /// Number of the row.
    package let id: Int
    /// Its name in addresses, decoded.
    package let name: String
    /// What it is; empty for a file.
    package let component: String
    /// MIME type.
    package let contentType: String
    /// What its bytes are known by, without quotes.
    package let etag: String
    /// Bytes.
    package let size: Int
    /// What it is known by as far as attendees are concerned; nil where there are none.
    package let scheduleTag: String?
    /// Properties that only programs understand: `{namespace}name` to the XML inside.
    package let properties: [String: String]
    /// Whether it is as a request made it that wanted a new object.
    package let isAsMade: Bool
    /// The collection's count at its last change.
    package let sequence: Int
    /// When it was made.
    package let madeAt: Timestamp
    /// When it was changed last.
    package let modifiedAt: Timestamp

    static let columns = """
        o.id, o.name, o.component, o.content_type, o.etag, o.size, o.schedule_tag, nullif(o.props, '{}'),
          o.made_as_new and o.revision = 1, o.seq,
          o.made_at, o.modified_at
        """

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        id = try row.next()
        name = try row.next()
        component = try row.next()
        contentType = try row.next()
        etag = try row.next()
        size = try row.next()
        scheduleTag = try row.next()
        properties = try row.next(JSONText?.self)?.objectOfTexts ?? [:]
        isAsMade = try row.next()
        sequence = try row.next()
        madeAt = try row.next()
        modifiedAt = try row.next()
    }

    /// What bytes are known by: the first 128 bits of their SHA-256, in hexadecimal.
    package static func etag(of bytes: [UInt8]) -> String {
        SHA256.hash(data: bytes).prefix(16).reduce(into: "") { text, byte in
            text += byte < 16 ? "0" + String(byte, radix: 16) : String(byte, radix: 16)
        }
    }
}

/// An object with its bytes.
package struct DAVContent: Sendable {
    /// What it is known by.
    package let object: DAVObject
    /// As sent.
    package let bytes: [UInt8]

    init(_ row: inout RowReader) throws(PostgreSQLError) {
        object = try DAVObject(&row)
        bytes = try row.next(Bytes.self).array
    }
}

/// An object that is to be kept.
package struct DAVObjectDraft: Sendable {
    /// Its name in addresses, decoded.
    package let name: String
    /// What it is the same by; nil for a file.
    package var uid: String?
    /// What it is; empty for a file.
    package var component = ""
    /// MIME type.
    package var contentType: String
    /// As sent.
    package let bytes: [UInt8]
    /// Whether attendees are to hear of it.
    package var hasAttendees = false
    /// What it says in the terms of the CRM.
    package var items: [AgendaItemDraft] = []
    /// When it takes place; nil for what does not.
    package private(set) var occurrences: OccurrenceIndex?

    /// A file.
    package init(name: String, contentType: String, bytes: [UInt8]) {
        (self.name, self.contentType, self.bytes) = (name, contentType, bytes)
    }

    /// A calendar object or a card, read as far as a collection needs.
    ///
    /// - Parameters:
    ///   - zone: where floating times and days are.
    ///   - now: around which rules are followed.
    /// - Throws: why no collection of this kind may hold it.
    package init(
        name: String, reading bytes: [UInt8], kind: DAVCollection.Kind, zone: TimeZone, now: Timestamp
    ) throws(ICalendarError) {
        let document = try ContentDocument(parsing: bytes)
        if kind == .calendar {
            let object = try CalendarObject(document)
            self.init(
                name: name, contentType: "text/calendar; charset=utf-8; component=\(object.kind.rawValue)",
                bytes: bytes)
            (uid, component) = (object.uid, object.kind.rawValue)
            occurrences = OccurrenceIndex(of: object, zone: zone, now: now)
            hasAttendees = (object.overrides + [object.master].compactMap(\.self)).contains {
                $0["ORGANIZER"] != nil
            }
            items = AgendaItemDraft.all(of: object, zone: zone)
        } else {
            let card = try ContactObject(document)
            self.init(name: name, contentType: "text/vcard; charset=utf-8", bytes: bytes)
            (uid, component) = (card.uid, "VCARD")
        }
    }
}

/// What must be true of an object for a request to be done.
///
/// - Source: RFC 9110, section 13.1; RFC 6638, section 8.3.
package struct DAVCondition: Sendable, Hashable {
    /// Etags, or any.
    package enum Tags: Sendable, Hashable {
        case any
        case these([String])

        func contain(_ tag: String) -> Bool {
            switch self {
            case .any: true
            case .these(let tags): tags.contains(tag)
            }
        }
    }

    /// It has one of these.
    package var match: Tags?
    /// It has none of these.
    package var noneMatch: Tags?
    /// Its schedule tag is this one.
    package var scheduleTag: String?

    /// The etags that it has or has not; nothing by default.
    package init(match: Tags? = nil, noneMatch: Tags? = nil) {
        (self.match, self.noneMatch) = (match, noneMatch)
    }

    /// Whether it is true.
    ///
    /// - Parameter object: as it is; nil where there is none.
    package func holds(_ object: DAVObject?) -> Bool {
        if let match {
            guard let object, match.contain(object.etag) else { return false }
        }
        if let noneMatch, let object, noneMatch.contain(object.etag) { return false }
        if let scheduleTag {
            guard let object, object.scheduleTag == scheduleTag else { return false }
        }
        return true
    }
}

/// What became of an object that was to be written.
package enum DAVOutcome: Sendable, Hashable {
    /// It is new.
    case made(DAVObject)
    /// It was there, and is as sent now.
    case replaced(DAVObject)
    /// It is as sent already; nothing was written.
    case same(DAVObject)
    /// What the request wants to be true is not.
    case refused
    /// Another of the same collection, of this name, has its uid.
    case taken(String)
    /// The collection, or the object, is gone.
    case gone
}

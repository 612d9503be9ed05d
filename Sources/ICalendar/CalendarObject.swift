// SPDX-License-Identifier: Apache-2.0
// One object of a calendar collection: an event, task or journal entry with all its overrides.

internal import Diagnostics

/// What a CalDAV server must know about an object before it stores it.
///
/// - Source: RFC 4791, 4.1.
package struct CalendarObject: Sendable {
    /// What an object is; the raw values are the names of components.
    package enum Kind: String, Sendable, CaseIterable {
        case event = "VEVENT"
        case task = "VTODO"
        case journal = "VJOURNAL"
        case freeBusy = "VFREEBUSY"
        case availability = "VAVAILABILITY"
    }

    /// The document that it was read from.
    package let document: ContentDocument
    /// The UID that all its components share.
    package let uid: String
    /// What its components are.
    package let kind: Kind
    /// The component without RECURRENCE-ID, of several the one revised last; nil in an object of overrides
    /// alone, as an attendee of one occurrence gets it.
    package let master: Component?
    /// The components with RECURRENCE-ID.
    package let overrides: [Component]
    /// The VTIMEZONE components.
    package let zones: [Component]

    /// The object that a document holds.
    ///
    /// - Throws: `ICALENDAR-NOT-CALENDAR`, `-METHOD`, `-EMPTY`, `-MIXED-KINDS`, `-NO-UID`, `-SEVERAL-UIDS`.
    package init(_ document: ContentDocument) throws(ICalendarError) {
        guard document.components.count == 1, let calendar = document.components.first,
            calendar.name == "VCALENDAR"
        else { throw ICalendarError(.notCalendar) }
        if let method = calendar["METHOD"] {
            throw ICalendarError(
                .method, at: Place(line: method.number, field: "METHOD", value: method.value))
        }
        let components = calendar.components.filter { Kind(rawValue: $0.name) != nil }
        guard let first = components.first, let kind = Kind(rawValue: first.name) else {
            throw ICalendarError(.empty, at: Place(line: calendar.number))
        }
        if let other = components.first(where: { $0.name != first.name }) {
            throw ICalendarError(
                .mixedKinds, ["first": first.name, "second": other.name], at: Place(line: other.number))
        }
        var uid: String?
        for component in components {
            let own = try Self.uid(of: component)
            if let uid, uid != own.text {
                throw ICalendarError(
                    .severalUIDs, at: Place(line: own.number, field: "UID", value: own.value))
            }
            uid = own.text
        }
        self.document = document
        self.uid = uid ?? ""
        self.kind = kind
        let masters = components.filter { $0["RECURRENCE-ID"] == nil }
        master = masters.max { Self.sequence($0) < Self.sequence($1) }
        overrides = components.filter { $0["RECURRENCE-ID"] != nil }
        zones = calendar.components("VTIMEZONE")
    }

    private static func sequence(_ component: Component) -> Int {
        component["SEQUENCE"].flatMap { Int($0.value.trimmingBlanks) } ?? 0
    }

    /// The UID of a component, which RFC 5545 (3.8.4.7) and RFC 4791 (4.1) require.
    static func uid(of component: Component) throws(ICalendarError) -> ContentLine {
        guard let line = component["UID"], !line.text.trimmingBlanks.isEmpty else {
            throw ICalendarError(.noUID, ["component": component.name], at: Place(line: component.number))
        }
        return line
    }
}

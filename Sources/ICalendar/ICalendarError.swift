// SPDX-License-Identifier: Apache-2.0
// Why an iCalendar object or a vCard is refused, and what is only noted about one that is kept.

package import Diagnostics

/// An object that cannot be stored as what it is said to be.
package struct ICalendarError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        /// More bytes than allowed.
        case size = "ICALENDAR-SIZE"
        /// More content lines than allowed.
        case lines = "ICALENDAR-LINES"
        /// Components nested deeper than allowed.
        case depth = "ICALENDAR-DEPTH"
        /// Nothing that begins with `BEGIN:`.
        case noComponent = "ICALENDAR-NO-COMPONENT"
        /// Not exactly one VCALENDAR.
        case notCalendar = "ICALENDAR-NOT-CALENDAR"
        /// Not exactly one VCARD.
        case notContact = "ICALENDAR-NOT-CONTACT"
        /// A VCALENDAR without any event, task or other component than zones.
        case empty = "ICALENDAR-EMPTY"
        /// A component without UID.
        case noUID = "ICALENDAR-NO-UID"
        /// Components of several UIDs.
        case severalUIDs = "ICALENDAR-SEVERAL-UIDS"
        /// Components of several kinds.
        case mixedKinds = "ICALENDAR-MIXED-KINDS"
        /// A scheduling message, which is no stored object.
        case method = "ICALENDAR-METHOD"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }

    /// Whether the bytes are no iCalendar object or vCard at all, rather than one that no collection may
    /// hold.
    ///
    /// - Source: RFC 4791, 5.3.2.1: `CALDAV:valid-calendar-data` against
    /// `CALDAV:valid-calendar-object-resource`.
    package var isAboutSyntax: Bool {
        [.depth, .lines, .noComponent, .notCalendar, .notContact].contains { has($0) }
    }
}

/// What is noted about an object that is kept; the raw values are keys of the message catalogue.
package enum ICalendarFinding: String, CaseIterable, Sendable {
    /// A line that is no content line; its bytes are kept, its meaning is not known.
    case malformedLine = "ICALENDAR-MALFORMED-LINE"
    /// BEGIN and END that do not match.
    case unbalanced = "ICALENDAR-UNBALANCED"
    /// Bytes that are no UTF-8, read as Windows-1252.
    case encoding = "ICALENDAR-ENCODING"
    /// NUL characters, which no text may have, left out of values.
    case nul = "ICALENDAR-NUL"
    /// A value that its property may not have; the property is left out.
    case value = "ICALENDAR-VALUE"
    /// A rule of recurrence that is wrong, or is a second one; it is left out.
    case rule = "ICALENDAR-RULE"
    /// More dates of exceptions or additions than are read.
    case dates = "ICALENDAR-DATES"
    /// An end that lies before the beginning; it is left out.
    case endBeforeStart = "ICALENDAR-END-BEFORE-START"
    /// A zone that nothing describes; its times are read as the local ones.
    case zone = "ICALENDAR-ZONE"
    /// More occurrences than are counted.
    case occurrences = "ICALENDAR-OCCURRENCES"

    /// The finding at a place of a document.
    func at(_ place: Place, _ facts: [String: String] = [:]) -> Diagnostic {
        Diagnostic(code: rawValue, facts: facts, place: place, severity: .warning)
    }
}

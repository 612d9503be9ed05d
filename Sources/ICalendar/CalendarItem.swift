// SPDX-License-Identifier: Apache-2.0
// An event, a task or a journal entry in the terms of the CRM.

package import Diagnostics

/// What a component says, as far as it is understood. A value that is wrong is left out and noted; the object
/// it stands in is kept all the same.
///
/// - Source: RFC 5545, 3.6.1 to 3.6.3 and 3.8.
package struct CalendarItem: Hashable, Sendable {
    /// How it stands.
    package enum Status: String, Sendable, CaseIterable {
        case tentative = "TENTATIVE"
        case confirmed = "CONFIRMED"
        case cancelled = "CANCELLED"
        case needsAction = "NEEDS-ACTION"
        case inProcess = "IN-PROCESS"
        case completed = "COMPLETED"
        case draft = "DRAFT"
        case final = "FINAL"
    }

    /// Who may see it. What is not known counts as private (RFC 5545, 3.8.1.3).
    package enum Privacy: String, Sendable, CaseIterable {
        case everybody = "PUBLIC"
        case owner = "PRIVATE"
        case confidential = "CONFIDENTIAL"
    }

    /// An occurrence added to those of the rule.
    package struct Addition: Hashable, Sendable {
        /// Its beginning.
        package let start: CalendarMoment
        /// Its own length; nil for that of the item.
        package let duration: CalendarDuration?
    }

    /// What it is.
    package var kind = CalendarObject.Kind.event
    /// Its UID; empty where it has none.
    package var uid = ""
    /// Which occurrence of a series it replaces; nil for the series itself.
    package var recurrence: CalendarMoment?
    /// Whether it replaces all later occurrences too (RANGE=THISANDFUTURE).
    package var isThisAndFuture = false
    /// The title.
    package var summary: String?
    /// The text.
    package var details: String?
    /// The place, in words.
    package var location: String?
    /// The page that belongs to it.
    package var url: String?
    /// The beginning.
    package var start: CalendarMoment?
    /// The end of an event, the due moment of a task; the length is in `duration` where that was written.
    package var end: CalendarMoment?
    /// The length, where it was written instead of an end.
    package var duration: CalendarDuration?
    /// How it stands.
    package var status: Status?
    /// Whether its time counts as free.
    package var isTransparent = false
    /// Who may see it.
    package var privacy = Privacy.everybody
    /// Free words to sort by.
    package var categories: [String] = []
    /// 1 (highest) to 9 (lowest); nil where none is given, or 0.
    package var priority: Int?
    /// Of a task, 0...100.
    package var percent: Int?
    /// When a task was done, of UTC.
    package var completed: CalendarMoment?
    /// Who invites.
    package var organizer: CalendarPerson?
    /// Who is invited.
    package var attendees: [CalendarPerson] = []
    /// The reminders.
    package var alarms: [CalendarAlarm] = []
    /// How it repeats.
    package var rule: RecurrenceRule?
    /// Occurrences beside those of the rule.
    package var additions: [Addition] = []
    /// Occurrences that do not take place.
    package var exceptions: [CalendarMoment] = []
    /// How often the organiser changed it.
    package var sequence = 0
    /// When it was made.
    package var created: CalendarMoment?
    /// When it was last changed: LAST-MODIFIED, or else DTSTAMP.
    package var lastModified: CalendarMoment?
    /// What was not understood, by line, property and value.
    package internal(set) var findings: [Diagnostic] = []

    /// Dates of one component in RDATE and EXDATE, each; further ones are left out with a finding.
    package static let dateLimit = 20_000

    /// Whether it has more than one occurrence, or may have.
    package var isRecurring: Bool { rule != nil || !additions.isEmpty }

    /// An item that says nothing.
    package init() {}

    /// The item that a component describes.
    package init(_ component: Component) {
        var reader = CalendarItemReader(component)
        self = reader.read()
    }
}

// SPDX-License-Identifier: Apache-2.0
// From what a calendar object says to what the agenda knows of it.

package import Foundation
package import ICalendar
package import Model

extension AgendaItemDraft {
    /// Years ahead for which occurrences are written down.
    package static let yearsAhead = 5

    /// What an object says: itself first, then each exception of its series; nothing for what is neither event nor task.
    ///
    /// - Parameters:
    ///   - local: the zone of times that name none.
    ///   - now: occurrences are written down until ``yearsAhead`` from here.
    package static func all(
        of object: CalendarObject, local: TimeZone, now: Timestamp
    ) -> [AgendaItemDraft] {
        guard object.kind == .event || object.kind == .task else { return [] }
        let series = CalendarSeries(object, local: local)
        let end = now.microsecondsSince1970 + Int64(yearsAhead) * 366 * 86_400_000_000
        let found = series.occurrences(in: beginning..<Timestamp(microsecondsSince1970: end))
        let spans = Dictionary(grouping: found.occurrences) { $0.override }
        let masters = series.master.map { [(nil as Int?, $0)] } ?? []
        let overrides = series.overrides.enumerated().map { ($0.offset as Int?, $0.element) }
        return (masters + overrides).map { number, item in
            var draft = AgendaItemDraft(item)
            draft.recurrence = number == nil ? "" : item.recurrence?.text ?? ""
            draft.isSeries = number != nil || item.isRecurring
            draft.occurrences = (spans[number] ?? []).map {
                AgendaSpan(start: $0.span.lowerBound, end: $0.span.upperBound, isAllDay: $0.start.isDay)
            }
            draft.span = draft.occurrences.first
            return draft
        }
    }

    // 1900: nothing older is planned.
    private static let beginning = Timestamp(microsecondsSince1970: -2_208_988_800_000_000)

    private init(_ item: CalendarItem) {
        self.init()
        kind = item.kind == .task ? .task : .event
        title = item.summary ?? ""
        (location, details) = (item.location, item.details)
        status =
            switch item.status {
            case .tentative: .tentative
            case .cancelled: .cancelled
            case .completed: .done
            default: .planned
            }
        isPrivate = item.privacy != .everybody
        isFree = item.isTransparent
        attendees = item.attendees.filter { $0.address.contains("@") }.map {
            AgendaAttendee(address: $0.address, name: $0.name, answer: Self.answer($0.participation))
        }
    }

    private static func answer(_ participation: CalendarPerson.Participation) -> String {
        switch participation {
        case .accepted: "accepted"
        case .declined: "declined"
        case .tentative: "tentative"
        default: "none"
        }
    }
}

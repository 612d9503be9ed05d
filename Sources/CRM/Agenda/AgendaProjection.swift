// SPDX-License-Identifier: Apache-2.0
// From what a calendar object says to what the agenda knows of it.

package import Foundation
package import ICalendar
internal import Model

extension AgendaItemDraft {
    /// What an object says: itself first, then each exception of its series; nothing for what is neither event nor task.
    ///
    /// - Parameter zone: where floating times and days are.
    package static func all(of object: CalendarObject, zone: TimeZone) -> [AgendaItemDraft] {
        guard object.kind == .event || object.kind == .task else { return [] }
        let series = CalendarSeries(object, local: zone)
        let master = series.master.map { item in
            var draft = AgendaItemDraft(item, series.zones)
            draft.isSeries = item.isRecurring
            return draft
        }
        let exceptions = series.overrides.map { item in
            var draft = AgendaItemDraft(item, series.zones)
            draft.recurrence = item.recurrence?.text ?? ""
            draft.isSeries = true
            return draft
        }
        return [master].compactMap(\.self) + exceptions
    }

    private init(_ item: CalendarItem, _ zones: CalendarZones) {
        self.init()
        span = Self.span(of: item, zones)
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

    /// Its own time, whatever its rule says.
    private static func span(of item: CalendarItem, _ zones: CalendarZones) -> AgendaSpan? {
        guard item.start != nil || item.end != nil else { return nil }
        let once = CalendarSeries(master: item.once, zones: zones)
        let everything =
            Timestamp(microsecondsSince1970: .min / 4)..<Timestamp(microsecondsSince1970: .max / 4)
        return once.occurrences(in: everything, limit: 1).occurrences.first.map {
            AgendaSpan(start: $0.span.lowerBound, end: $0.span.upperBound, isAllDay: $0.start.isDay)
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

extension CalendarItem {
    /// The item as if it took place once.
    fileprivate var once: CalendarItem {
        var item = self
        (item.rule, item.additions, item.exceptions, item.recurrence) = (nil, [], [], nil)
        return item
    }
}

// SPDX-License-Identifier: Apache-2.0
// When an object takes place: its rule, its additions and exceptions, and what replaces single occurrences.

package import Diagnostics
package import Foundation
package import Model

/// One time at which an object takes place.
package struct Occurrence: Hashable, Sendable {
    /// Which occurrence it is, by the moment that the series gives it; what RECURRENCE-ID names.
    package let recurrence: CalendarMoment
    /// When it begins, as the calendar writes it.
    package let start: CalendarMoment
    /// From its beginning to its end; empty where it has no length.
    package let span: Range<Timestamp>
    /// The index in ``CalendarSeries/overrides`` of what describes it; nil for the series itself.
    package let override: Int?

    /// Whether some of it lies in a range.
    ///
    /// - Source: RFC 4791, 9.9: what has no length counts by its beginning.
    package func overlaps(_ range: Range<Timestamp>) -> Bool {
        span.isEmpty
            ? range.contains(span.lowerBound)
            : span.lowerBound < range.upperBound && span.upperBound > range.lowerBound
    }
}

/// An object with everything that says when it takes place.
package struct CalendarSeries: Sendable {
    /// The occurrences of a range.
    package struct Expansion: Sendable {
        /// In the order of their beginnings.
        package let occurrences: [Occurrence]
        /// Whether these are all; if not, a finding says so.
        package let isComplete: Bool
        /// What stood in the way.
        package let findings: [Diagnostic]
    }

    /// The component that stands for all occurrences; nil in an object of overrides alone.
    package let master: CalendarItem?
    /// What replaces single occurrences, or all from one on, in the order of the object.
    package let overrides: [CalendarItem]
    /// The zones that its moments are in.
    package let zones: CalendarZones

    /// Times of a rule that are looked at for one range, at most.
    private static let stepLimit = 100_000

    /// The series of an object, for somebody in a zone, where its floating times and its days are.
    package init(_ object: CalendarObject, local: TimeZone) {
        self.init(
            master: object.master.map { CalendarItem($0) },
            overrides: object.overrides.map { CalendarItem($0) },
            zones: CalendarZones(object.zones, local: local))
    }

    /// A series of items.
    package init(master: CalendarItem?, overrides: [CalendarItem] = [], zones: CalendarZones) {
        self.master = master
        self.overrides = overrides
        self.zones = zones
    }

    /// What is wrong with any of the items.
    package var findings: [Diagnostic] { ([master].compactMap(\.self) + overrides).flatMap(\.findings) }

    /// Whether it has no moment at all, as a task may.
    package var isUndated: Bool {
        ([master].compactMap(\.self) + overrides).allSatisfy { $0.anchor == nil }
    }

    /// Whether a search for a range finds the object: some occurrence overlaps it, or it is a task without
    /// moments that was made or completed in the range, or of which neither is known.
    ///
    /// - Source: RFC 4791, 9.9.
    package func overlaps(_ range: Range<Timestamp>) -> Bool {
        guard isUndated else { return !occurrences(in: range, limit: 1).occurrences.isEmpty }
        guard let item = master ?? overrides.first, item.kind == .task else { return false }
        let moments = [item.created, item.completed].compactMap(\.self).map(zones.instant)
        guard let first = moments.min(), let last = moments.max() else { return true }
        return first < range.upperBound && (last >= range.lowerBound || item.completed == nil)
    }

    /// The occurrences that overlap a range, the earliest `limit` of them.
    package func occurrences(in range: Range<Timestamp>, limit: Int = 10_000) -> Expansion {
        var expander = SeriesExpander(self, range: range, limit: limit, stepLimit: Self.stepLimit)
        return expander.expand()
    }
}

extension CalendarItem {
    /// The moment that an item is placed by: its beginning, or else the moment a task is due.
    package var anchor: CalendarMoment? { start ?? end }
}

// SPDX-License-Identifier: Apache-2.0
// libical's iterator over the times of a rule.

internal import CLibICal
internal import Model

/// The times of a rule of weeks, months or years; ended when it is let go.
///
/// Only what ``RecurrenceRule`` writes comes here: the library crashes on some of what others write.
@safe
final class RuleIterator {
    private let iterator: OpaquePointer

    /// The library is told once, before its first use, not to end the process.
    private static let isPrepared: Bool = {
        relais_ical_prepare()
        return true
    }()

    /// An iterator from a time on; nil where the library does not take the rule.
    init?(_ rule: String, from start: WallTime) {
        guard Self.isPrepared, let iterator = unsafe relais_ical_begin(rule, start.iCalendarText) else {
            return nil
        }
        unsafe self.iterator = iterator
    }

    deinit {
        unsafe icalrecur_iterator_free(iterator)
    }

    /// The next time; nil at the end, and behind the year 2582, where the library stops.
    func next() -> WallTime? {
        var parts: [Int32] = Array(repeating: 0, count: 6)
        guard unsafe relais_ical_next(iterator, &parts) == 1,
            let day = CalendarDate(year: Int(parts[0]), month: Int(parts[1]), day: Int(parts[2]))
        else { return nil }
        return WallTime(day, second: Int(parts[3]) * 3600 + Int(parts[4]) * 60 + Int(parts[5]))
    }
}

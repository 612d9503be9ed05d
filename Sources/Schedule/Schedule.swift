// SPDX-License-Identifier: Apache-2.0
// When something is to begin: a cron line by the clock of a place, which is put forward and back.

internal import Diagnostics
internal import Foundation
package import Model

/// Times by the clock of an IANA zone.
///
/// Where the clock is put forward, a time that does not exist is the first minute after; where it is put back, a time
/// that comes twice counts once, the first time. A line that means every hour follows the time that passes instead:
/// it skips the hour that does not exist and counts both that come twice.
package struct Schedule: Sendable {
    /// Which times are meant.
    package let cron: CronExpression
    /// Days that are left out.
    package let holidays: PublicHolidays?
    private let zone: TimeZone

    /// A schedule.
    ///
    /// - Parameters:
    ///   - zone: name of the IANA database, such as `Europe/Paris`.
    ///   - holidays: left out, unless nil.
    /// - Throws: `CRON-ZONE` for a zone that the system does not know.
    package init(
        _ cron: CronExpression, zone name: String, without holidays: PublicHolidays? = nil
    ) throws(ScheduleError) {
        // Abbreviations (`CET`) are ambiguous and have no rules.
        let isName = name.contains("/") || name == "UTC"
        guard isName, let zone = TimeZone(identifier: name) else {
            throw ScheduleError(.zone, at: Place(field: "zone", value: name))
        }
        self.cron = cron
        self.zone = zone
        self.holidays = holidays
    }

    /// The first time behind an instant; nil where no day of the next nine years is meant.
    package func next(after instant: Timestamp) -> Timestamp? {
        let seconds = instant.seconds
        let local = seconds + offset(at: seconds)
        // A day earlier: where the clock is put back at midnight, the day before comes again.
        let today = local.quotient(dividingBy: 86_400)
        for day in today - 1...today + 9 * 366 {
            let date = CalendarDate(daysSince1970: day)
            guard cron.includes(date), holidays?.contains(date) != true else { continue }
            if let found = first(on: day, after: seconds) {
                return Timestamp(microsecondsSince1970: Int64(found) * 1_000_000)
            }
        }
        return nil
    }

    /// The next times, the earliest first.
    package func next(_ count: Int, after instant: Timestamp) -> [Timestamp] {
        var times: [Timestamp] = []
        while times.count < count, let time = next(after: times.last ?? instant) { times.append(time) }
        return times
    }

    /// What a change of the clock does to one of the times.
    package enum Oddity: Sendable, Hashable {
        /// It stands for this minute of the day, which does not exist.
        case skipped(minute: Int)
        /// The clock shows it twice; the first time counts.
        case twice
    }

    /// What a change of the clock does to a time that ``next(after:)`` gave; nil on all other days, and for lines that
    /// follow the time that passes.
    package func oddity(of instant: Timestamp) -> Oddity? {
        guard !cron.isHourly else { return nil }
        let seconds = instant.seconds
        let (before, now) = (offset(at: seconds - 60), offset(at: seconds))
        let clock = seconds + now
        if now > before {
            let (gone, shown) = (minute(of: seconds + before), minute(of: clock))
            let meant = cron.hours.flatMap { hour in cron.minutes.map { hour * 60 + $0 } }
            // Where the minute after the gap is meant too, nothing was moved.
            guard !meant.contains(shown) else { return nil }
            return meant.first { gone..<shown ~= $0 }.map { .skipped(minute: $0) }
        }
        let back = now - offset(at: seconds + 6 * 3600)
        return back > 0 && offset(at: seconds + back) == now - back ? .twice : nil
    }

    /// The minute of the day of a clock in seconds.
    private func minute(of clock: Int) -> Int {
        (clock - clock.quotient(dividingBy: 86_400) * 86_400) / 60
    }

    // MARK: - Days

    /// The first time of a day that is behind an instant, in seconds of UTC.
    private func first(on day: Int, after seconds: Int) -> Int? {
        let midnight = day * 86_400
        let (before, after) = (offset(at: midnight - 86_400), offset(at: midnight + 2 * 86_400))
        guard before != after else {
            return firstOfPlainDay(midnight - before, after: seconds)
        }
        var found: Int?
        for hour in cron.hours {
            for minute in cron.minutes {
                for time in instants(of: midnight + hour * 3600 + minute * 60, before, after)
                where time > seconds && time < found ?? .max {
                    found = time
                }
            }
        }
        return found
    }

    /// The same for a day without any change of the clock, which begins at `start`.
    private func firstOfPlainDay(_ start: Int, after seconds: Int) -> Int? {
        for hour in cron.hours where start + hour * 3600 + 3600 > seconds {
            for minute in cron.minutes {
                let time = start + hour * 3600 + minute * 60
                if time > seconds { return time }
            }
        }
        return nil
    }

    /// The instants that a time by the clock means: none, one or, where every hour counts, two.
    private func instants(of clock: Int, _ before: Int, _ after: Int) -> [Int] {
        let real = [clock - before, clock - after].filter { $0 + offset(at: $0) == clock }
        guard let first = real.min() else {
            return cron.isHourly ? [] : [change(around: clock, before, after)]
        }
        return cron.isHourly ? real : [first]
    }

    /// When the clock is put from one offset to another near a time that it leaves out.
    private func change(around clock: Int, _ before: Int, _ after: Int) -> Int {
        var (low, high) = (clock - max(before, after) - 86_400, clock - min(before, after) + 86_400)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if offset(at: middle) == before { low = middle } else { high = middle }
        }
        return high
    }

    private func offset(at seconds: Int) -> Int {
        zone.secondsFromGMT(for: Date(timeIntervalSince1970: TimeInterval(seconds)))
    }
}

extension Timestamp {
    /// Whole seconds since 1970, rounded towards −∞.
    fileprivate var seconds: Int { Int(microsecondsSince1970).quotient(dividingBy: 1_000_000) }
}

extension Int {
    /// The quotient rounded towards −∞.
    fileprivate func quotient(dividingBy divisor: Int) -> Int {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

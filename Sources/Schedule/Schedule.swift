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

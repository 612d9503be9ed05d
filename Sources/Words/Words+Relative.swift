// SPDX-License-Identifier: Apache-2.0
// How long something took, has been or will be: relative moments, durations and estimates.

package import Model

extension Words {
    /// `il y a 4 s`, `il y a 3 h`, `hier à 16:40`, `dans 10 min`, `demain à 06:45`; further away as
    /// ``momentShort(_:now:in:)``.
    ///
    /// Hours are counted within the day of `now` only: across midnight, "hier à 23:10" says more than
    /// "il y a 9 h". Minutes are counted across midnight too.
    package func ago(_ instant: Timestamp, now: Timestamp, in zone: String) -> String {
        // In milliseconds each, since the difference of two far moments in microseconds may not fit.
        let elapsed = Int((now.microsecondsSince1970 / 1000 - instant.microsecondsSince1970 / 1000) / 1000)
        let (length, isToCome) = (abs(elapsed), elapsed < 0)
        let local = LocalTime(instant, in: zone)
        let days = local.day.daysSince1970 - day(now, in: zone).daysSince1970
        if length < 3600 || (days == 0 && length < 86_400) {
            let duration = length < 3600 ? duration(seconds: length) : hours(length)
            return self(isToCome ? "moment.in" : "moment.ago", ["duration": duration])
        }
        switch days {
        case -1: return self("moment.yesterday", ["time": local.clock])
        case 1: return self("moment.tomorrow", ["time": local.clock])
        default: return momentShort(instant, now: now, in: zone)
        }
    }

    /// `4 s`, `6 min`, `1 h 25` (`1 h 25 min` in English), `8 jours`: what has passed in full, never rounded up.
    ///
    /// A negative number of seconds, which clocks out of step give, reads `0 s`.
    package func duration(seconds: Int) -> String {
        switch seconds {
        case ..<60: return "\(max(0, seconds))\u{A0}s"
        case ..<3600: return "\(seconds / 60)\u{A0}min"
        case ..<86_400:
            let minutes = seconds / 60 % 60
            if minutes == 0 { return hours(seconds) }
            let rest = language == .french ? LocalTime.twoDigits(minutes) : "\(minutes)\u{A0}min"
            return "\(hours(seconds))\u{A0}\(rest)"
        default: return self("duration.days", count: seconds / 86_400)
        }
    }

    /// An estimate of what is left, such as `environ 30 s`: to the nearest 5 s under a minute, 1 min under ten,
    /// 5 min beyond, whole days from a day on; at least 5 s.
    package func remaining(seconds: Int) -> String {
        self("remaining.about", ["duration": duration(seconds: Self.estimate(seconds))])
    }

    private static func estimate(_ seconds: Int) -> Int {
        // From where a step would round up to the next unit, that unit's step holds.
        let step =
            switch seconds {
            case ..<58: 5
            case ..<570: 60
            case ..<86_250: 300
            default: 86_400
            }
        let steps = seconds / step + (seconds % step * 2 >= step ? 1 : 0)
        return max(steps, 1) * step
    }

    private func hours(_ seconds: Int) -> String { "\(seconds / 3600)\u{A0}h" }
}

// SPDX-License-Identifier: Apache-2.0
// The clocks of a zone: what they show at an instant, and at which instant they show it.

package import Foundation
package import Model

/// A zone that is known by its IANA name, that a VTIMEZONE describes, or that is a fixed distance from UTC.
package enum CalendarZone: Hashable, Sendable {
    /// A zone that the system knows.
    case known(TimeZone)
    /// A zone that came with the object.
    case described(DescribedZone)
    /// So many seconds east of UTC.
    case fixed(Int)

    /// UTC.
    package static let utc = CalendarZone.fixed(0)

    /// The IANA name, where it has one.
    package var name: String? {
        if case .known(let zone) = self { zone.identifier } else { nil }
    }

    /// Seconds east of UTC at an instant, which is in seconds since 1970.
    package func offset(at instant: Int) -> Int {
        switch self {
        case .known(let zone): zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(instant)))
        case .described(let zone): zone.offset(at: instant)
        case .fixed(let seconds): seconds
        }
    }

    /// The instant at which the clocks show a time.
    ///
    /// Of a time that comes twice it is the first; a time that is left out counts by the offset before it.
    /// - Source: RFC 5545, 3.3.5, form 3.
    package func instant(of wall: WallTime) -> Timestamp {
        let before = wall.seconds - offset(at: wall.seconds - 86_400)
        if wall.seconds - before == offset(at: before) { return Timestamp(seconds: before) }
        let after = wall.seconds - offset(at: wall.seconds + 86_400)
        let isShown = wall.seconds - after == offset(at: after)
        return Timestamp(seconds: isShown ? after : before)
    }

    /// What the clocks show at an instant; fractions of a second are left out.
    package func wall(at instant: Timestamp) -> WallTime {
        WallTime(seconds: instant.seconds + offset(at: instant.seconds))
    }
}

extension Timestamp {
    /// An instant in whole seconds since 1970.
    init(seconds: Int) {
        self.init(microsecondsSince1970: Int64(seconds) * 1_000_000)
    }

    /// Whole seconds since 1970, rounded down.
    var seconds: Int {
        let (quotient, rest) = microsecondsSince1970.quotientAndRemainder(dividingBy: 1_000_000)
        return Int(rest < 0 ? quotient - 1 : quotient)
    }

    /// The same within the years of four digits, which all calendars are in.
    var clampedSeconds: Int { min(max(seconds, -62_135_596_800), 253_402_300_800) }
}

// SPDX-License-Identifier: Apache-2.0
// What a clock on the wall of a zone shows at a moment.

internal import struct Foundation.Date
internal import struct Foundation.TimeZone
internal import Model

/// A moment by the clock of a zone.
struct LocalTime {
    let day: CalendarDate
    /// Seconds since midnight as the clock shows them, 0...86 399.
    private let seconds: Int

    /// The moment by the clock of an IANA zone; of an unknown zone, by UTC.
    init(_ instant: Timestamp, in zone: String) {
        let seconds = Self.quotient(Int(instant.microsecondsSince1970), 1_000_000)
        let date = Date(timeIntervalSince1970: Double(seconds))
        let local = seconds + (TimeZone(identifier: zone)?.secondsFromGMT(for: date) ?? 0)
        let days = Self.quotient(local, 86_400)
        self.day = CalendarDate(daysSince1970: days)
        self.seconds = local - days * 86_400
    }

    /// `14:05`.
    var clock: String { "\(Self.twoDigits(seconds / 3600)):\(Self.twoDigits(seconds / 60 % 60))" }
    /// `14:05:02`.
    var fullClock: String { "\(clock):\(Self.twoDigits(seconds % 60))" }

    /// `05`.
    static func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

    /// Rounded towards −∞, so that moments before 1970 fall on their own day.
    private static func quotient(_ value: Int, _ divisor: Int) -> Int {
        let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
        return rest < 0 ? quotient - 1 : quotient
    }
}

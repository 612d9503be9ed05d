// SPDX-License-Identifier: Apache-2.0
// An instant with PostgreSQL's resolution: microseconds.

/// A point in time, in microseconds of UTC; exactly what a `timestamptz` column holds.
public struct Timestamp: Sendable, Hashable, BitwiseCopyable, Comparable, CustomStringConvertible {
    /// Microseconds since 1970-01-01T00:00:00Z, negative before.
    public let microsecondsSince1970: Int64

    /// The instant so many microseconds after 1970-01-01T00:00:00Z.
    public init(microsecondsSince1970: Int64) {
        self.microsecondsSince1970 = microsecondsSince1970
    }

    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microsecondsSince1970 < right.microsecondsSince1970
    }

    /// ISO 8601 in UTC with seconds: `2026-11-23T06:15:00Z`.
    public var description: String {
        let seconds = Int(microsecondsSince1970.flooredQuotient(dividingBy: 1_000_000))
        let day = seconds.flooredQuotient(dividingBy: 86_400)
        let clock = seconds - day * 86_400
        let parts = [clock / 3600, clock / 60 % 60, clock % 60].map { $0 < 10 ? "0\($0)" : "\($0)" }
        return "\(CalendarDate(daysSince1970: day))T\(parts.joined(separator: ":"))Z"
    }
}

extension BinaryInteger {
    /// The quotient rounded towards −∞.
    func flooredQuotient(dividingBy divisor: Self) -> Self {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}

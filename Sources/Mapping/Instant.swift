// SPDX-License-Identifier: Apache-2.0
// Reads points in time as XML and the French platforms write them.

internal import Foundation
internal import Model

/// Points in time as texts.
enum Instant {
    /// French business time, which a text without a zone is in.
    private static let paris = TimeZone(identifier: "Europe/Paris") ?? .gmt

    /// The instant of `2026-11-23T06:15:00+01:00` (with fractions or without, the zone optional) or of the digits
    /// `yyyyMMddHHmmss`, `yyyyMMddHHmm` and `yyyyMMdd` (formats 204, 203 and 102 of UN/EDIFACT 2379); nil for
    /// anything else.
    static func read(_ text: String) -> Timestamp? {
        let bytes = Array(text.utf8)
        let digits = bytes.filter { (48...57).contains($0) }
        if digits.count == bytes.count, [8, 12, 14].contains(bytes.count) {
            return instant(digits + Array(repeating: 48, count: 14 - digits.count), fraction: 0, zone: nil)
        }
        return readISO(text)
    }

    private static func readISO(_ text: String) -> Timestamp? {
        // A regular expression of Swift's own: the text is one short field, and the pattern cannot backtrack far.
        let pattern =
            /(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?/
        guard let match = text.wholeMatch(of: pattern) else { return nil }
        let digits =
            match.output.1.utf8.filter { $0 >= 48 && $0 <= 57 }
            + (match.output.2?.utf8.filter { $0 >= 48 && $0 <= 57 } ?? Array("000000".utf8))
        let fraction = match.output.3.map { String($0.prefix(6)) } ?? ""
        let micros = Int64(fraction + String(repeating: "0", count: 6 - fraction.count)) ?? 0
        return instant(Array(digits), fraction: micros, zone: match.output.4.map(String.init))
    }

    private static func instant(_ digits: [UInt8], fraction: Int64, zone: String?) -> Timestamp? {
        func number(_ start: Int, _ count: Int) -> Int {
            digits[start..<start + count].reduce(0) { $0 * 10 + Int($1) - 48 }
        }
        guard let day = CalendarDate(year: number(0, 4), month: number(4, 2), day: number(6, 2)) else {
            return nil
        }
        let (hour, minute, second) = (number(8, 2), number(10, 2), number(12, 2))
        guard hour < 24, minute < 60, second < 61 else { return nil }
        let local = day.daysSince1970 * 86_400 + hour * 3600 + minute * 60 + second
        let seconds = local - (offset(zone) ?? parisOffset(local))
        return Timestamp(microsecondsSince1970: Int64(seconds) * 1_000_000 + fraction)
    }

    private static func offset(_ zone: String?) -> Int? {
        guard let zone else { return nil }
        if zone == "Z" { return 0 }
        let parts = zone.dropFirst().split(separator: ":").compactMap { Int($0) }
        return (parts[0] * 3600 + parts[1] * 60) * (zone.hasPrefix("-") ? -1 : 1)
    }

    /// Seconds that Paris is ahead of UTC at a local time; of an hour that occurs twice, the first.
    private static func parisOffset(_ local: Int) -> Int {
        let guess = paris.secondsFromGMT(for: Date(timeIntervalSince1970: Double(local - 7200)))
        return paris.secondsFromGMT(for: Date(timeIntervalSince1970: Double(local - guess)))
    }
}

// SPDX-License-Identifier: Apache-2.0
// Date patterns as a mapping declares them: tried in order, never guessed.

/// A pattern of `yyyy` (or `yy`), `MM`, `dd` and other ASCII characters, such as `dd/MM/yyyy` or `yyyyMMdd`.
package struct DateFormat: Sendable, Hashable {
    /// The pattern as written.
    package let pattern: String
    /// The pattern as dates are read with it.
    package let layout: DateLayout

    /// ISO 8601 with hyphens; a zone behind the day (`2016-04-04+01:00`, `…Z`) is accepted and ignored.
    package static let iso = DateFormat(known: "yyyy-MM-dd", acceptsZone: true)

    private init(known pattern: String, acceptsZone: Bool) {
        self.pattern = pattern
        layout = DateLayout(Array(pattern.utf8), century: 0, acceptsZone: acceptsZone)
    }

    /// A pattern, or nil where it lacks a part, repeats one, is longer than 16 characters, or has a two-digit
    /// year without `century`.
    ///
    /// - Parameter century: the first year that a two-digit year may mean (1970: `69` is 2069), so that no
    ///   century is ever guessed.
    package init?(_ pattern: String, century: Int? = nil) {
        let letters = String(pattern.filter(\.isLetter).sorted())
        let year = letters == "MMddyyyy" ? "yyyy" : letters == "MMddyy" && century != nil ? "yy" : nil
        guard let year, [year, "MM", "dd"].allSatisfy(pattern.contains), pattern.utf8.count <= 16 else {
            return nil
        }
        self.pattern = pattern
        layout = DateLayout(
            Array(pattern.utf8), century: year == "yy" ? century ?? 0 : 0,
            acceptsZone: pattern == "yyyy-MM-dd")
    }

    /// The day that `text` names in this pattern; nil where it does not follow it or the day does not exist.
    package func date(_ text: String) -> CalendarDate? {
        let bytes = Array(text.utf8)
        return layout.date(bytes, TextRange(start: 0, count: bytes.count))
    }
}

/// A date pattern in a form that reads bytes without any memory of its own.
package struct DateLayout: Sendable, Hashable, BitwiseCopyable {
    private let pattern: SIMD16<UInt8>
    private let count: Int8
    private let acceptsZone: Bool
    /// First year that a two-digit year may mean; 0 for four digits.
    private let century: Int16

    init(_ pattern: [UInt8], century: Int, acceptsZone: Bool) {
        var padded = SIMD16<UInt8>(repeating: 0)
        for (index, byte) in pattern.prefix(16).enumerated() { padded[index] = byte }
        self.pattern = padded
        count = Int8(min(pattern.count, 16))
        self.century = Int16(truncatingIfNeeded: century)
        self.acceptsZone = acceptsZone
    }

    /// The day written at a place of some bytes; nil where it does not follow the pattern or does not exist.
    package func date(_ bytes: [UInt8], _ place: TextRange) -> CalendarDate? {
        let count = Int(count)
        guard place.count >= count else { return nil }
        var year = 0
        var month = 0
        var day = 0
        let start = Int(place.start)
        for index in 0..<count {
            let byte = bytes[start + index]
            let digit = Int(byte &- UInt8(ascii: "0"))
            switch pattern[index] {
            case UInt8(ascii: "y") where digit < 10: year = year * 10 + digit
            case UInt8(ascii: "M") where digit < 10: month = month * 10 + digit
            case UInt8(ascii: "d") where digit < 10: day = day * 10 + digit
            case byte where digit >= 10 && !Self.isPart(byte): break
            default: return nil
            }
        }
        if place.count > count {
            guard acceptsZone, Self.isZone(bytes[(start + count)..<(start + Int(place.count))]) else {
                return nil
            }
        }
        if century > 0 {
            let first = Int(century)
            year += first - first % 100
            if year < first { year += 100 }
        }
        return CalendarDate(year: year, month: month, day: day)
    }

    private static func isPart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "y") || byte == UInt8(ascii: "M") || byte == UInt8(ascii: "d")
    }

    /// Whether the bytes are `Z` or `±hh:mm`, as XML Schema allows behind a date.
    private static func isZone(_ bytes: ArraySlice<UInt8>) -> Bool {
        let bytes = Array(bytes)
        if bytes == [UInt8(ascii: "Z")] { return true }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return bytes.count == 6 && (bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"))
            && bytes[3] == UInt8(ascii: ":") && [1, 2, 4, 5].allSatisfy { digits.contains(bytes[$0]) }
    }
}

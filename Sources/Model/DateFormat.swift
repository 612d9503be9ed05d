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
    /// Offsets of the parts.
    private let yearAt: Int8
    private let monthAt: Int8
    private let dayAt: Int8
    private let yearDigits: Int8
    /// Offsets of the characters between the parts, −1 for none.
    private let marks: SIMD8<Int8>
    private let acceptsZone: Bool
    /// First year that a two-digit year may mean; 0 for four digits.
    private let century: Int16

    init(_ pattern: [UInt8], century: Int, acceptsZone: Bool) {
        var padded = SIMD16<UInt8>(repeating: 0)
        var marks = SIMD8<Int8>(repeating: -1)
        var markCount = 0
        for (index, byte) in pattern.prefix(16).enumerated() {
            padded[index] = byte
            guard ![UInt8(ascii: "y"), UInt8(ascii: "M"), UInt8(ascii: "d")].contains(byte) else { continue }
            marks[min(markCount, 7)] = Int8(index)
            markCount += 1
        }
        func offset(_ letter: Character) -> Int8 {
            Int8(pattern.firstIndex(of: letter.asciiValue ?? 0) ?? 0)
        }
        self.pattern = padded
        self.marks = marks
        count = Int8(min(pattern.count, 16))
        (yearAt, monthAt, dayAt) = (offset("y"), offset("M"), offset("d"))
        yearDigits = Int8(pattern.count { $0 == UInt8(ascii: "y") })
        self.century = Int16(truncatingIfNeeded: century)
        self.acceptsZone = acceptsZone
    }

    /// The day written at a place of some bytes; nil where it does not follow the pattern or does not exist.
    package func date(_ bytes: [UInt8], _ place: TextRange) -> CalendarDate? {
        let start = Int(place.start)
        guard place.count >= count, place.range.upperBound <= bytes.count else { return nil }
        for index in 0..<8 {
            let mark = Int(marks[index])
            if mark < 0 { break }
            guard bytes[start + mark] == pattern[mark] else { return nil }
        }
        guard var year = Self.number(bytes, start + Int(yearAt), Int(yearDigits)),
            let month = Self.number(bytes, start + Int(monthAt), 2),
            let day = Self.number(bytes, start + Int(dayAt), 2)
        else { return nil }
        if place.count > count {
            let rest = bytes[(start + Int(count))..<place.range.upperBound]
            guard acceptsZone, Self.isZone(rest) else { return nil }
        }
        if century > 0 {
            let first = Int(century)
            year += first - first % 100
            if year < first { year += 100 }
        }
        return CalendarDate(year: year, month: month, day: day)
    }

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int? {
        var number = 0
        for index in start..<start + count {
            let digit = bytes[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
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

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
        layout.date(Array(text.utf8).span)
    }
}

/// A date pattern in a form that reads bytes without any memory of its own.
public struct DateLayout: Sendable, Hashable, BitwiseCopyable {
    /// The pattern's characters, the first of each eight in the lowest byte.
    private let pattern: SIMD2<UInt64>
    private let count: Int8
    /// Offsets of the parts.
    private let yearAt: Int8
    private let monthAt: Int8
    private let dayAt: Int8
    private let yearDigits: Int8
    /// Offsets of the characters between the parts, a bit each.
    private let marks: UInt16
    private let acceptsZone: Bool
    /// First year that a two-digit year may mean; 0 for four digits.
    private let century: Int16

    init(_ pattern: [UInt8], century: Int, acceptsZone: Bool) {
        var words = SIMD2<UInt64>(0, 0)
        var marks: UInt16 = 0
        for (index, byte) in pattern.prefix(16).enumerated() {
            words[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8))
            if ![UInt8(ascii: "y"), UInt8(ascii: "M"), UInt8(ascii: "d")].contains(byte) {
                marks |= 1 << index
            }
        }
        func offset(_ letter: Character) -> Int8 {
            Int8(pattern.firstIndex(of: letter.asciiValue ?? 0) ?? 0)
        }
        self.pattern = words
        self.marks = marks
        count = Int8(min(pattern.count, 16))
        (yearAt, monthAt, dayAt) = (offset("y"), offset("M"), offset("d"))
        yearDigits = Int8(pattern.count { $0 == UInt8(ascii: "y") })
        self.century = Int16(truncatingIfNeeded: century)
        self.acceptsZone = acceptsZone
    }

    /// The day that a text writes; nil where it does not follow the pattern or does not exist.
    public func date(_ text: Span<UInt8>) -> CalendarDate? {
        guard text.count >= count else { return nil }
        var rest = marks
        while rest != 0 {
            let mark = rest.trailingZeroBitCount
            let wanted = (mark < 8 ? pattern.x : pattern.y) >> UInt64(8 * (mark % 8))
            guard text[mark] == UInt8(truncatingIfNeeded: wanted) else { return nil }
            rest &= rest - 1
        }
        guard var year = Self.number(text, Int(yearAt)), let month = Self.number(text, Int(monthAt)),
            let day = Self.number(text, Int(dayAt))
        else { return nil }
        if yearDigits == 4 {
            guard let last = Self.number(text, Int(yearAt) + 2) else { return nil }
            year = year * 100 + last
        }
        if text.count > count {
            guard acceptsZone, Self.isZone(text.extracting(droppingFirst: Int(count))) else { return nil }
        }
        if century > 0 {
            let first = Int(century)
            year += first - first % 100
            if year < first { year += 100 }
        }
        return CalendarDate(year: year, month: month, day: day)
    }

    /// The number of two digits.
    @inline(__always)
    private static func number(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        let tens = bytes[start] &- UInt8(ascii: "0")
        let ones = bytes[start + 1] &- UInt8(ascii: "0")
        return tens < 10 && ones < 10 ? Int(tens &* 10 &+ ones) : nil
    }

    /// Whether the bytes are `Z` or `±hh:mm`, as XML Schema allows behind a date.
    private static func isZone(_ bytes: Span<UInt8>) -> Bool {
        if bytes.count == 1 { return bytes[0] == UInt8(ascii: "Z") }
        return bytes.count == 6 && (bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"))
            && bytes[3] == UInt8(ascii: ":") && number(bytes, 1) != nil && number(bytes, 4) != nil
    }
}

// SPDX-License-Identifier: Apache-2.0
// Date patterns as a mapping declares them: tried in order, never guessed.

internal import Bytes

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

    /// A day written in this pattern.
    package func text(_ date: CalendarDate) -> String {
        let (year, month, day) = date.parts
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return pattern.replacing("yyyy", with: padded(year, 4)).replacing("yy", with: padded(year % 100, 2))
            .replacing("MM", with: padded(month, 2)).replacing("dd", with: padded(day, 2))
    }

    /// The day that `text` names in this pattern; nil where it does not follow it or the day does not exist.
    package func date(_ text: String) -> CalendarDate? {
        layout.date(Array(text.utf8).span)
    }
}

/// A date pattern in a form that reads bytes without any memory of its own.
public struct DateLayout: Sendable, Hashable, BitwiseCopyable {
    /// Eight bytes of a pattern.
    private struct Word: Hashable, BitwiseCopyable {
        /// The characters between the parts; the bytes of the parts are 0.
        var marks: UInt64 = 0
        /// All bits of those characters' places.
        var markPlaces: UInt64 = 0

        /// Whether a text has these marks here, and digits otherwise.
        @inline(__always)
        func fits(_ word: ByteWord) -> Bool {
            let digits = word.bits & ~markPlaces | markPlaces & 0x3030_3030_3030_3030
            return word.bits & markPlaces == marks && ByteWord(bits: digits).areDigits
        }
    }

    private var first = Word()
    private var second = Word()
    private let count: Int8
    /// Offsets of the parts.
    private let yearAt: Int8
    private let monthAt: Int8
    private let dayAt: Int8
    private let yearDigits: Int8
    private let acceptsZone: Bool
    /// First year that a two-digit year may mean; 0 for four digits.
    private let century: Int16

    init(_ pattern: [UInt8], century: Int, acceptsZone: Bool) {
        func offset(_ letter: Character) -> Int8 {
            Int8(pattern.firstIndex(of: letter.asciiValue ?? 0) ?? 0)
        }
        count = Int8(min(pattern.count, 16))
        (yearAt, monthAt, dayAt) = (offset("y"), offset("M"), offset("d"))
        yearDigits = Int8(pattern.count { $0 == UInt8(ascii: "y") })
        self.century = Int16(truncatingIfNeeded: century)
        self.acceptsZone = acceptsZone
        for (index, byte) in pattern.prefix(16).enumerated()
        where ![UInt8(ascii: "y"), UInt8(ascii: "M"), UInt8(ascii: "d")].contains(byte) {
            let shift = UInt64(8 * (index % 8))
            let word = index < 8 ? \DateLayout.first : \DateLayout.second
            self[keyPath: word].marks |= UInt64(byte) << shift
            self[keyPath: word].markPlaces |= 0xFF << shift
        }
    }

    /// The day that a text writes; nil where it does not follow the pattern or does not exist.
    public func date(_ text: Span<UInt8>) -> CalendarDate? {
        let size = Int(count)
        guard text.count >= size, first.fits(text.word(at: 0, count: size)) else { return nil }
        if size > 8, !second.fits(text.word(at: 8, count: size &- 8)) { return nil }
        var year = Self.number(text, Int(yearAt))
        if yearDigits == 4 { year = year &* 100 &+ Self.number(text, Int(yearAt) &+ 2) }
        if text.count > size {
            guard acceptsZone, Self.isZone(text.extracting(droppingFirst: size)) else { return nil }
        }
        if century > 0 {
            let first = Int(century)
            year += first - first % 100
            if year < first { year += 100 }
        }
        return CalendarDate(
            year: year, month: Self.number(text, Int(monthAt)), day: Self.number(text, Int(dayAt)))
    }

    /// The number of two digits.
    @inline(__always)
    private static func number(_ bytes: Span<UInt8>, _ start: Int) -> Int {
        Int(bytes[start] &- UInt8(ascii: "0")) &* 10 &+ Int(bytes[start &+ 1] &- UInt8(ascii: "0"))
    }

    /// Whether the bytes are `Z` or `±hh:mm`, as XML Schema allows behind a date.
    private static func isZone(_ bytes: Span<UInt8>) -> Bool {
        if bytes.count == 1 { return bytes[0] == UInt8(ascii: "Z") }
        return bytes.count == 6 && (bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"))
            && bytes[3] == UInt8(ascii: ":") && bytes.extracting(1..<3).areDigits
            && bytes.extracting(4..<6).areDigits
    }
}

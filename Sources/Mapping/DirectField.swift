// SPDX-License-Identifier: Apache-2.0
// The short way of a field: one place, tidy already, of a plain type. Whatever else it is, it takes the long way.

internal import Bytes
internal import Model
internal import Tabular

/// A rule in the form that the short way runs; made from its ``FieldOperation`` alone.
///
/// The short way gives the cell of the long way or none at all, never another one: it may give up at anything
/// that is not as files have it nearly always.
struct DirectField: BitwiseCopyable {
    enum Shape: BitwiseCopyable {
        /// The rule has no short way.
        case indirect
        case text, decimal, date, currency
        /// Exactly so many digits.
        case digits
        /// One of an enumeration's texts, remembered from the rows before.
        case choice
        /// One of two constants (`when`, `const`, `else`), behind all others.
        case conditional

        /// Whether a text at the field's place is enough to know its cell.
        @inline(__always) var isDirect: Bool { self != .indirect && self != .conditional }
    }

    /// Marks a place that belongs to the alternative of the place before it.
    static let sameAlternative: Int32 = 1 << 30

    // Few bytes: they are read for every field of every record.

    /// Where the text is; of several places, the first in ``RecordProgram/directPlaces``.
    var place: Int32 = -1
    /// Number of places where there are several; 0 = one.
    var placeCount: Int16 = 0
    var slot: Int16 = -1
    /// Bytes at most, or exactly.
    var count: Int32 = .max
    /// Bytes at most that `take` leaves as they are.
    var take: Int16 = .max
    /// Position in ``RecordEvaluator/Memory/choices``.
    var memory: Int16 = -1
    var firstFormat: Int16 = 0
    var formatCount: Int8 = 0
    var decimals: Int8 = -1
    var shape = Shape.indirect
    var cleaning: CleaningSet = []
    var check: ValueCheck?
    var locale = NumberLocale.plain
    /// Whether the first place that has a text has the field's; otherwise only one may have any.
    var takesFirst = false
    /// Whether nothing at the place means ``RecordProgram/emptyCells``.
    var mayBeEmpty = false
}

extension DirectField {
    /// Whether a text's bytes are what the rule makes of them.
    @inline(__always)
    func isTidy(_ text: TextRange, _ bytes: Span<UInt8>) -> Bool {
        if shape == .digits {
            guard text.count == count, bytes.extracting(text.offsets).areDigits else { return false }
        } else {
            guard text.count <= count, cleaning.isEmpty || cleaning.isDone(text, bytes) else { return false }
        }
        return check?.holds(bytes.extracting(text.offsets)) ?? true
    }

    /// The amount that a text writes.
    @inline(__always)
    func decimal(_ text: TextRange, _ bytes: Span<UInt8>) -> Decimal? {
        if decimals < 0, let short = locale.shortDecimal(text, bytes) { return short }
        return locale.decimal(bytes.extracting(text.offsets), decimals: decimals)
    }

    /// The day that a text is in the first of the rule's formats that fits.
    @inline(__always)
    func date(_ text: Span<UInt8>, _ formats: Span<DateLayout>) -> CalendarDate? {
        for format in Int(firstFormat)..<Int(firstFormat) + Int(formatCount) {
            if let date = formats[format].date(text) { return date }
        }
        return nil
    }
}

extension Span<UInt8> {
    /// A text without white space at its ends; nil where nothing is left.
    @inline(__always)
    func tidied(_ text: TextRange) -> TextRange? {
        let (first, last) = (self[Int(text.start)], self[text.end - 1])
        // Letters with accents (0xC3 first) are what else stands at the ends of texts.
        let isTidy =
            first > 32 && (first < 0xC2 || first == 0xC3)
            && (last > 32 && last < 0x80 || last >= 0x80 && text.count > 1 && self[text.end - 2] == 0xC3)
        if isTidy { return text }
        let trimmed = text.trimmed(in: self)
        return trimmed.count > 0 ? trimmed : nil
    }

    /// Whether all bytes are A…Z.
    @inline(__always)
    func areCapitals(_ text: TextRange) -> Bool {
        for index in text.offsets where self[index] &- UInt8(ascii: "A") > 25 { return false }
        return true
    }
}

extension CleaningSet {
    /// Whether cleaning would leave a trimmed text as it is; false where only Unicode's rules know.
    @inline(__always)
    fileprivate func isDone(_ text: TextRange, _ bytes: Span<UInt8>) -> Bool {
        let changesCase = !isDisjoint(with: [.upper, .lower, .fold])
        let blanks = ByteWord(repeating: 32)
        var index = Int(text.start)
        // Words overlap by a byte, so that each has both of two blanks beside each other.
        while index < text.end {
            let word = bytes.word(at: index, count: text.end &- index)
            // Other blanks than those of ASCII, and letters that have another case.
            guard word.isASCII || !changesCase && word.isWesternText else {
                return !changesCase && !hasSuperfluousBlanks(text, bytes)
            }
            if contains(.upper)
                ? word.hasByte(from: 0x61, through: 0x7A)
                : changesCase && word.hasByte(from: 0x41, through: 0x5A)
            {
                return false
            }
            if contains(.nospace) || contains(.squeeze) {
                if word.hasByte(from: 0, through: 31) { return false }
                let marks = word.marks(of: blanks)
                if marks != 0, contains(.nospace) || marks & marks << 8 != 0 { return false }
            }
            index &+= 7
        }
        return true
    }
}

/// What the last texts of an enumeration's place became: a column has few different ones.
///
/// Only cells of constants are remembered, which are the same in every record.
struct ChoiceMemory {
    /// A text of at most 16 bytes.
    struct Key: Equatable, BitwiseCopyable {
        private let low: UInt64
        private let high: UInt64
        private let count: Int

        @inline(__always)
        init?(_ text: TextRange, _ bytes: Span<UInt8>) {
            guard text.count <= 16, text.count > 0 else { return nil }
            count = Int(text.count)
            let start = Int(text.start)
            low = bytes.word(at: start, count: count).bits
            high = count > 8 ? bytes.word(at: start &+ 8, count: count &- 8).bits : 0
        }
    }

    private var keys: [Key] = []
    private var cells: [Cell] = []
    private var oldest = 0
    private static let capacity = 8

    /// The cell that the text became before.
    @inline(__always)
    func cell(_ key: Key) -> Cell? {
        let keys = keys.span
        for index in keys.indices where keys[index] == key { return cells[index] }
        return nil
    }

    mutating func remember(_ cell: Cell, for key: Key) {
        guard keys.count == Self.capacity else {
            keys.append(key)
            return cells.append(cell)
        }
        keys[oldest] = key
        cells[oldest] = cell
        oldest = (oldest + 1) % Self.capacity
    }
}

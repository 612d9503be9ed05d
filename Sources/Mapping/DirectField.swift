// SPDX-License-Identifier: Apache-2.0
// The short way of a field: one place, tidy already, of a plain type. Whatever else it is, it takes the long way.

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

extension Span<DirectField> {
    /// The cell of a text that is valid UTF-8, by the field at `index`; nil where only the long way knows.
    ///
    /// Here and not in the field itself, which would be copied for each call.
    func cell(_ index: Int, _ raw: TextRange, _ bytes: Span<UInt8>, _ program: RecordProgram) -> Cell? {
        var text = raw
        let ends = (bytes[Int(text.start)], bytes[text.end - 1])
        if ends.0 <= 32 || ends.1 <= 32 || (ends.0 | ends.1) >= 0x80 {
            text = text.trimmed(in: bytes)
            guard text.count > 0 else { return nil }
        }
        guard text.count <= self[index].take else { return nil }
        let span = bytes.extracting(text.offsets)
        switch self[index].shape {
        case .text:
            let cleaning = self[index].cleaning
            guard text.count <= self[index].count, cleaning.isEmpty || cleaning.isDone(span) else {
                return nil
            }
            if let check = self[index].check, !check.holds(span) { return nil }
            return .text(text)
        case .digits:
            guard text.count == self[index].count, span.areDigits else { return nil }
            if let check = self[index].check, !check.holds(span) { return nil }
            return .text(text)
        case .decimal:
            let decimal = self[index].locale.decimal(span, decimals: self[index].decimals)
            return decimal.map { .decimal($0) }
        case .date:
            let first = Int(self[index].firstFormat)
            for format in first..<first + Int(self[index].formatCount) {
                if let date = program.formats[format].date(span) { return .date(date) }
            }
            return nil
        case .currency:
            guard text.count == 3, span.areCapitals else { return nil }
            return .text(text)
        case .choice, .conditional, .indirect: return nil
        }
    }
}

extension Span<UInt8> {
    var areDigits: Bool {
        for index in indices where self[index] &- UInt8(ascii: "0") > 9 { return false }
        return true
    }

    fileprivate var areCapitals: Bool {
        for index in indices where self[index] &- UInt8(ascii: "A") > 25 { return false }
        return true
    }
}

extension CleaningSet {
    /// Whether tidying would leave a trimmed text as it is; false where only Unicode's rules know.
    @inline(__always)
    fileprivate func isDone(_ text: Span<UInt8>) -> Bool {
        let letters =
            contains(.upper) ? UInt8(ascii: "a") : contains(.lower) || contains(.fold) ? UInt8(ascii: "A") : 0
        let blanks = contains(.nospace) || contains(.squeeze)
        var previous: UInt8 = 0
        for index in text.indices {
            let byte = text[index]
            if byte >= 0x80 {
                if letters > 0 { return false }
                if byte == 0xC2 || byte > 0xE0, text.blankWidth(at: index, end: text.count) != nil {
                    return false
                }
            } else if letters > 0, byte &- letters < 26 {
                return false
            } else if blanks, byte.isBlank, contains(.nospace) || byte != 32 || previous == 32 {
                return false
            }
            previous = byte
        }
        return true
    }
}

/// What the last texts of an enumeration's place became: a column has few different ones.
///
/// Only cells of constants are remembered, which are the same in every record.
struct ChoiceMemory {
    /// A text of at most 16 bytes, zeros behind it (which no text holds).
    struct Key: Equatable {
        private let low: UInt64
        private let high: UInt64

        @inline(__always)
        init?(_ text: Span<UInt8>) {
            guard text.count <= 16, !text.isEmpty else { return nil }
            var (low, high) = (UInt64(0), UInt64(0))
            for index in 0..<Swift.min(8, text.count) { low = low << 8 | UInt64(text[index]) }
            for index in Swift.min(8, text.count)..<text.count { high = high << 8 | UInt64(text[index]) }
            (self.low, self.high) = (low, high)
        }
    }

    private var keys: [Key] = []
    private var cells: [Cell] = []
    private var oldest = 0
    private static let capacity = 8

    /// The cell that the text became before.
    @inline(__always)
    func cell(_ key: Key) -> Cell? {
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

// SPDX-License-Identifier: Apache-2.0
// A row as it was received, with the cell at fault marked.

/// A text in three parts, the middle one marked.
struct MarkedText: Sendable, Hashable {
    let before: String
    /// What is marked; nil where it was not found.
    let marked: String?
    let after: String

    /// Marks where a value stands in a row: as a whole cell before a part of one, and as written before any case.
    init(_ text: String, marking value: String?) {
        guard let value, !value.isEmpty, let range = Self.place(of: value, in: text) else {
            (before, marked, after) = (text, nil, "")
            return
        }
        before = String(text[..<range.lowerBound])
        marked = String(text[range])
        after = String(text[range.upperBound...])
    }

    private static func place(of value: String, in text: String) -> Range<String.Index>? {
        let exact = text.ranges(of: value)
        if let cell = exact.first(where: { isCell($0, in: text) }) ?? exact.first { return cell }
        // Cleaning made another text of it, mostly in lower case.
        let (low, wanted) = (text.lowercased(), value.lowercased())
        guard low.count == text.count else { return nil }
        let found = low.ranges(of: wanted).map { range -> Range<String.Index> in
            let start = text.index(
                text.startIndex, offsetBy: low.distance(from: low.startIndex, to: range.lowerBound))
            return start..<text.index(start, offsetBy: wanted.count)
        }
        return found.first { isCell($0, in: text) } ?? found.first
    }

    /// Whether separators, quotes or tags stand around a range.
    private static func isCell(_ range: Range<String.Index>, in text: String) -> Bool {
        let borders: Set<Character> = [";", ",", "\t", "|", "\"", "'", "<", ">", "\n", "\r\n", ":"]
        let isBegun =
            range.lowerBound == text.startIndex
            || borders.contains(text[text.index(before: range.lowerBound)])
        let isEnded = range.upperBound == text.endIndex || borders.contains(text[range.upperBound])
        return isBegun && isEnded
    }
}

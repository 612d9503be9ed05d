// SPDX-License-Identifier: Apache-2.0
// Date patterns as a mapping declares them: tried in order, never guessed.

/// A pattern of `yyyy`, `MM`, `dd` and literal characters, such as `dd/MM/yyyy` or `yyyyMMdd`.
package struct DateFormat: Sendable, Hashable {
    /// The pattern as written.
    package let pattern: String

    /// ISO 8601 with hyphens; a zone behind the day (`2016-04-04+01:00`, `…Z`) is accepted and ignored.
    package static let iso = DateFormat(known: "yyyy-MM-dd")

    private init(known pattern: String) {
        self.pattern = pattern
    }

    /// nil where the pattern lacks a part, repeats one, or has a two-digit year (which century is a guess).
    package init?(_ pattern: String) {
        let letters = pattern.filter(\.isLetter).sorted()
        guard letters == "MMddyyyy".sorted(), ["yyyy", "MM", "dd"].allSatisfy(pattern.contains) else {
            return nil
        }
        self.pattern = pattern
    }

    /// The day that `text` names in this pattern; nil where it does not follow it or the day does not exist.
    package func date(_ text: String) -> CalendarDate? {
        var rest = Substring(text).utf8
        var parts: [Character: Int] = [:]
        for letter in pattern {
            guard let byte = rest.popFirst() else { return nil }
            if letter.isLetter {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                parts[letter, default: 0] = parts[letter, default: 0] * 10 + Int(byte - UInt8(ascii: "0"))
            } else if letter.asciiValue != byte {
                return nil
            }
        }
        guard rest.isEmpty || (self == .iso && Self.isZone(Substring(rest))) else { return nil }
        guard let year = parts["y"], let month = parts["M"], let day = parts["d"] else { return nil }
        return CalendarDate(year: year, month: month, day: day)
    }

    /// Whether `text` is `Z` or `±hh:mm`, as XML Schema allows behind a date.
    private static func isZone(_ text: Substring) -> Bool {
        if text == "Z" { return true }
        let bytes = Array(text.utf8)
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return bytes.count == 6 && (bytes[0] == UInt8(ascii: "+") || bytes[0] == UInt8(ascii: "-"))
            && bytes[3] == UInt8(ascii: ":") && [1, 2, 4, 5].allSatisfy { digits.contains(bytes[$0]) }
    }
}

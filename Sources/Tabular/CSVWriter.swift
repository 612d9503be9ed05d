// SPDX-License-Identifier: Apache-2.0
// Writes tables that spreadsheets open without running anything.

/// A cell of a table to be written.
package enum CSVCell: Sendable, Hashable {
    /// Text of people and peers: it may look like a formula.
    case text(String)
    /// A number, date or other value of our own making, written as it is.
    case literal(String)
}

/// Writes delimited text (RFC 4180) in UTF-8, with a byte order mark so that spreadsheets read letters right.
///
/// A text that a spreadsheet would take for a formula gets an apostrophe in front.
/// Source: OWASP, "CSV Injection": `=`, `+`, `-`, `@`, tab, carriage return, line feed.
package struct CSVWriter: Sendable {
    /// What was written so far.
    package private(set) var bytes: [UInt8]
    private let delimiter: UInt8

    /// A writer with this delimiter between cells; a semicolon is what French spreadsheets expect.
    ///
    /// - Parameter hasMark: whether the text begins with a byte order mark.
    package init(delimiter: UInt8 = UInt8(ascii: ";"), hasMark: Bool = true) {
        self.delimiter = delimiter
        bytes = hasMark ? [0xEF, 0xBB, 0xBF] : []
    }

    /// What was written since the last time.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Writes a row.
    package mutating func write(_ cells: [CSVCell]) {
        for (index, cell) in cells.enumerated() {
            if index > 0 { bytes.append(delimiter) }
            switch cell {
            case .text(let text): append(Self.neutralised(text))
            case .literal(let text): append(text)
            }
        }
        bytes.append(contentsOf: [13, 10])
    }

    private mutating func append(_ text: String) {
        let needsQuotes = text.utf8.contains {
            $0 == delimiter || $0 == UInt8(ascii: "\"") || $0 == 10 || $0 == 13
        }
        guard needsQuotes else { return bytes.append(contentsOf: text.utf8) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: text.replacing("\"", with: "\"\"").utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    /// The text as a spreadsheet shows it instead of computing it.
    static func neutralised(_ text: String) -> String {
        guard let first = text.unicodeScalars.first, "=+-@\t\r\n".unicodeScalars.contains(first) else {
            return text
        }
        return "'" + text
    }
}

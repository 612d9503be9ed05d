// SPDX-License-Identifier: Apache-2.0
// Finds a mapping's columns in the header of a table.

internal import Diagnostics
internal import Foundation
internal import Tabular
internal import YAML

/// What is known of a table once its header has been read.
struct TableLayout: Sendable {
    /// For each place of the program, the column it is in; −1 for a column that the file lacks.
    var positions: [Int] = []
    /// Number of columns; nil where rows may have any.
    var width: Int?
    /// Number of nameless columns behind the last one that has a name.
    var trailing = 0
    /// The column that overflows; −1 for none.
    var overflow = -1
}

extension TableSource {
    /// The declared delimiter that the first line has most of.
    func delimiter(firstBytes bytes: [UInt8]) -> UInt8 {
        let line = bytes.prefix { $0 != UInt8(ascii: "\n") }
        // UTF-16 has a zero beside each delimiter, which makes no difference to their number.
        let counts = delimiters.map { delimiter in (delimiter, line.count { $0 == delimiter }) }
        let best = counts.map(\.1).max() ?? 0
        return counts.first { $0.1 == best }?.0 ?? UInt8(ascii: ",")
    }

    /// The layout of a table without header: a column's name is its number, from 1.
    func layoutByPosition(_ places: [Locator]) -> TableLayout {
        // Of a tagged row, number 0 is the tag itself.
        let first = kind == .tagged ? 0 : 1
        return TableLayout(
            positions: places.map { place in
                if case .column(let number) = place.inner {
                    min(Int(number) ?? 0, TableLimits().fields + 1) - first
                } else {
                    0
                }
            })
    }

    /// The layout of a table with this header.
    ///
    /// - Throws: `CSV-REPEATED-COLUMN` where a wanted column occurs twice.
    func layout(_ places: [Locator], header: [String]) throws(TabularError) -> TableLayout {
        var layout = TableLayout(width: header.count)
        for place in places {
            guard case .column(let column) = place.inner else {
                layout.positions.append(0)
                continue
            }
            layout.positions.append(try position(of: column, in: header))
        }
        if let overflow { layout.overflow = try position(of: overflow, in: header) }
        if ignoresTrailingEmpty {
            layout.trailing = header.reversed().prefix { $0.isEmpty }.count
            layout.width = header.count - layout.trailing
        }
        return layout
    }

    /// Refuses a table that lacks a column without which no record can be read.
    ///
    /// - Throws: `CSV-MISSING-COLUMN`, with the column that is nearest to it.
    func require(_ columns: [String], in header: [String]) throws(TabularError) {
        for column in columns where try position(of: column, in: header) < 0 {
            throw TabularError(
                .missingColumn,
                [
                    "column": column, "header": header.joined(separator: ", "),
                    "suggestion": Suggestion.nearest(to: column, in: header) ?? "",
                ], at: Place(line: 1))
        }
    }

    private func position(of column: String, in header: [String]) throws(TabularError) -> Int {
        let names = ([column] + (aliases[column] ?? [])).map { comparable($0) }
        let found = header.indices.filter { names.contains(comparable(header[$0])) }
        guard found.count < 2 else {
            throw TabularError(.repeatedColumn, ["column": column], at: Place(line: 1))
        }
        return found.first ?? -1
    }

    private func comparable(_ name: String) -> String {
        guard columns == .byNameIgnoringCase else { return name }
        return name.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
    }
}

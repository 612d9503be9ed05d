// SPDX-License-Identifier: Apache-2.0
// What a file holds that a mapping does not read, and the other way round.

internal import Diagnostics
internal import Foundation
package import Tabular
internal import XML

/// One column or path of a file or a mapping.
package struct CoverageEntry: Sendable, Hashable {
    /// Whether the two meet.
    package enum State: String, Sendable {
        /// In the file and read.
        case read
        /// In the file, not read.
        case unread
        /// Not in the file, though the mapping would read it.
        case absent
    }

    /// Its name.
    package let name: String
    /// Whether the two meet.
    package let state: State
    /// How often the file has a value there.
    package let count: Int
}

/// Compares a file with a mapping while the file goes by.
package final class MappingCoverage {
    private enum Source {
        case xml(XMLCensus, XMLBinding)
        case records(RecordCensus, XMLBinding)
        case table(TableCensus, TableSource)
    }

    private let definition: MappingDefinition
    private let source: Source
    private let isDetail: Bool

    /// A comparison of one file.
    ///
    /// - Parameter isDetail: whether it is the second file of a mapping that reads two.
    /// - Throws: `CSV-EMPTY`, `CSV-ENCODING`, `CSV-NUL`.
    package init(
        _ definition: MappingDefinition, probe: EncodingProbe, isDetail: Bool = false
    ) throws(TabularError) {
        self.definition = definition
        self.isDetail = isDetail
        switch definition.source {
        case .xml(let xml):
            let program = RecordProgram(definition, fileVariables: [:])
            let binding = XMLBinding(xml, program, definition)
            source =
                switch xml.form {
                case .xml: .xml(XMLCensus(records: xml.records), binding)
                case .records(let stream): .records(RecordCensus(stream: stream), binding)
                }
        case .table(let table):
            let encoding = try probe.choose(from: table.encodings)
            source = .table(TableCensus(table, encoding, probe.mark), table)
        }
    }

    /// Looks at the next bytes.
    package func feed(_ bytes: [UInt8], isLast: Bool) throws(TabularError) {
        switch source {
        case .xml(let census, _): census.feed(bytes)
        case .records(let census, _): census.feed(bytes)
        case .table(let census, _): try census.feed(bytes, isLast: isLast)
        }
    }

    /// The columns or paths of both.
    package var entries: [CoverageEntry] {
        switch source {
        case .xml(let census, let binding):
            Self.entries(census.entries.map { ($0.path, $0.count) }, binding)
        case .records(let census, let binding): Self.entries(census.entries, binding)
        case .table(let census, let table): entries(census, table)
        }
    }

    private static func entries(
        _ found: [(path: [String], count: Int)], _ binding: XMLBinding
    ) -> [CoverageEntry] {
        var known: Set<[String]> = []
        var skipped: Set<[String]> = []
        func collect(_ node: Int, _ path: [String]) {
            let name = binding.trie.describe(node)
            let own = node == 0 ? [] : path + [name.replacing(" (skip)", with: "")]
            if name.hasSuffix(" (skip)") { skipped.insert(own) }
            known.insert(own)
            for child in binding.trie.children(of: node) { collect(child, own) }
        }
        collect(0, [])
        return found.filter { entry in
            !skipped.contains { entry.path.starts(with: $0) }
        }.map { entry in
            CoverageEntry(
                name: entry.path.joined(separator: "/"), state: known.contains(entry.path) ? .read : .unread,
                count: entry.count)
        }
    }

    private func entries(_ census: TableCensus, _ table: TableSource) -> [CoverageEntry] {
        let wanted = definition.columns(ofDetail: isDetail)
        func matches(_ column: String, _ name: String) -> Bool {
            ([column] + (table.aliases[column] ?? [])).contains { other in
                table.columns == .byNameIgnoringCase
                    ? other.compare(name, options: [.caseInsensitive, .diacriticInsensitive]) == .orderedSame
                    : other == name
            }
        }
        let inFile = census.header.enumerated().map { index, name in
            let isRead = wanted.contains { matches($0, name) || $0 == String(index + 1) && name == $0 }
            return CoverageEntry(name: name, state: isRead ? .read : .unread, count: census.filled[index])
        }
        let absent = wanted.filter { column in !census.header.contains { matches(column, $0) } }
        return inFile + absent.map { CoverageEntry(name: $0, state: .absent, count: 0) }
    }
}

/// Counts the filled cells of each column.
private final class TableCensus {
    private(set) var header: [String] = []
    private(set) var filled: [Int] = []
    private let table: TableSource
    private let encoding: TextEncoding
    private let mark: EncodingProbe.Mark
    private var reader: CSVReader?
    private var linesLeft: Int

    init(_ table: TableSource, _ encoding: TextEncoding, _ mark: EncodingProbe.Mark) {
        self.table = table
        self.encoding = encoding
        self.mark = mark
        linesLeft = table.columns == .byPosition ? 0 : table.headerLines
    }

    func feed(_ bytes: [UInt8], isLast: Bool) throws(TabularError) {
        var csv =
            reader
            ?? CSVReader(
                CSVDialect(delimiter: table.delimiter(firstBytes: bytes), quote: table.quote),
                encoding: encoding, mark: mark)
        reader = nil
        try csv.append(bytes)
        while try csv.next(isLast: isLast) {
            if linesLeft == table.headerLines, linesLeft > 0 {
                for index in csv.fields.indices { header.append(try csv.text(index).trimmingBlanks) }
                filled = Array(repeating: 0, count: header.count)
            }
            if linesLeft > 0 {
                linesLeft -= 1
                continue
            }
            while header.count < csv.fieldCount {
                header.append(String(header.count + 1))
                filled.append(0)
            }
            for (index, field) in csv.fields.enumerated() where field.count > 0 { filled[index] += 1 }
        }
        reader = csv
    }
}

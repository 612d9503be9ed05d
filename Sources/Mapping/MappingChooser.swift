// SPDX-License-Identifier: Apache-2.0
// Finds the mapping that a file is written for, from the file itself, and says why.

package import Diagnostics
internal import Model
package import Tabular
internal import XML

/// A mapping and why it was taken.
package struct MappingChoice: Sendable {
    /// The mapping.
    package let definition: MappingDefinition
    /// Why: `MAP-CHOSEN-…` as a remark, with facts.
    package let reason: Diagnostic
}

/// Why a mapping was taken; each has its texts in the message catalogue.
package enum ChoiceReason: String, Sendable, CaseIterable {
    case named = "MAP-CHOSEN-NAMED"
    case element = "MAP-CHOSEN-ELEMENT"
    case kind = "MAP-CHOSEN-KIND"
    case columns = "MAP-CHOSEN-COLUMNS"
    case fileName = "MAP-CHOSEN-FILENAME"
    case shape = "MAP-CHOSEN-SHAPE"
}

/// What is known of a file before it is mapped.
package struct FileHead: Sendable {
    /// The file's name without folders.
    package let name: String
    /// Its first bytes, 16 KiB of them or all.
    package let bytes: [UInt8]
    /// What one pass over the whole file found.
    package let probe: EncodingProbe

    /// Bytes that are enough to choose by.
    package static let size = 16 << 10

    /// The head of a file.
    package init(name: String, bytes: [UInt8], probe: EncodingProbe) {
        self.name = name
        self.bytes = bytes
        self.probe = probe
    }

    /// Whether it starts like XML: `<` behind a byte order mark and blanks, in UTF-8 or UTF-16.
    var isXML: Bool { firstMeaningful == UInt8(ascii: "<") }

    /// Whether it starts like JSON, with an object or an array.
    var isJSON: Bool { firstMeaningful == UInt8(ascii: "{") || firstMeaningful == UInt8(ascii: "[") }

    private var firstMeaningful: UInt8? {
        bytes.first { ![0xEF, 0xBB, 0xBF, 0xFE, 0xFF, 0, 9, 10, 13, 32].contains($0) }
    }

    /// Its whole lines; all of it where the file ends there.
    var lines: [UInt8] {
        guard probe.count > bytes.count, let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
            return bytes
        }
        // Of UTF-16 in little endian, the line's end has one byte more.
        let extra = probe.mark == .utf16LittleEndian && end + 1 < bytes.count ? 1 : 0
        return Array(bytes[...(end + extra)])
    }
}

/// Chooses among mappings.
package struct MappingChooser: Sendable {
    private let mappings: [MappingDefinition]
    /// The one that a person named.
    private let named: MappingDefinition?

    /// A chooser among the mappings of a library, or of the one named.
    package init(_ library: MappingLibrary, named: MappingDefinition? = nil) {
        mappings = library.mappings.values.sorted { $0.name < $1.name }
        self.named = named
    }

    /// The mapping for a file.
    ///
    /// - Throws: `MAP-NONE-FITS` with what the file begins with.
    package func choose(_ file: FileHead) throws(MappingError) -> MappingChoice {
        if let named { return MappingChoice(definition: named, reason: reason(.named)) }
        if file.isXML { return try chooseXML(file) }
        if file.isJSON, let choice = chooseRecords(file) { return choice }
        return try chooseTable(file)
    }

    /// Names of the second files that a file has for mappings that read two; usually none.
    package func detailNames(besides fileName: String) -> Set<String> {
        let all = named.map { [$0] } ?? mappings.filter { $0.fileName?.namedGroups(in: fileName) != nil }
        return Set(all.compactMap { try? $0.detailName(besides: fileName) })
    }

    /// Whether any of its mappings reads two files.
    package var readsPairs: Bool {
        (named.map { [$0] } ?? mappings).contains {
            if case .table(let table) = $0.source, case .byDetail = table.grouping { true } else { false }
        }
    }

    private func reason(_ reason: ChoiceReason, _ facts: [String: String] = [:]) -> Diagnostic {
        Diagnostic(code: reason.rawValue, facts: facts, severity: .info)
    }

    /// The mapping one of whose records comes first.
    private func chooseXML(_ file: FileHead) throws(MappingError) -> MappingChoice {
        let elements = XMLElements.first(in: file.bytes)
        for element in elements {
            for definition in mappings {
                guard case .xml(let source) = definition.source, source.form == .xml,
                    source.records.contains(where: { $0.matches(element) })
                else { continue }
                let facts = ["element": element.local, "namespace": element.namespace ?? ""]
                return MappingChoice(
                    definition: definition, reason: reason(.element, facts))
            }
        }
        // A DOCTYPE longer than the head is not yet seen by the parser.
        if elements.isEmpty, file.bytes.firstRange(of: Array("<!DOCTYPE".utf8)) != nil {
            throw MappingError(XMLError(.doctype, at: Place(line: 1)).diagnostic)
        }
        if let fault = XMLElements.fault(in: file.bytes, isWhole: file.bytes.count == file.probe.count) {
            throw MappingError(fault.diagnostic)
        }
        if let root = elements.first {
            throw MappingError(.noneFits, ["found": "<\(root.local)> \(root.namespace ?? "")"])
        }
        // Whatever is wrong with the first tag, its reader says it better.
        let anyXML = mappings.first { definition in
            if case .xml(let source) = definition.source { source.form == .xml } else { false }
        }
        guard let anyXML else { throw MappingError(.noneFits, [:]) }
        return MappingChoice(definition: anyXML, reason: reason(.kind))
    }

    /// The mapping of structured records that reads most of the first ones without an error, and most of what they
    /// hold.
    private func chooseRecords(_ file: FileHead) -> MappingChoice? {
        let trials = mappings.compactMap {
            definition -> (definition: MappingDefinition, right: Int, cells: Int)? in
            guard case .xml(let source) = definition.source, source.form != .xml,
                var reader = try? MappingReader(
                    definition, probe: file.probe, fileName: file.name, wantsAll: true)
            else { return nil }
            var (right, cells) = (0, 0)
            try? reader.feed(file.bytes) { item in
                right += item.isApplicable ? 1 : 0
                cells += item.record.cells.count(where: \.isValue)
            }
            return right > 0 ? (definition, right, cells) : nil
        }
        let best = trials.max { ($0.right, $0.cells) < ($1.right, $1.cells) }
        return best.map { MappingChoice(definition: $0.definition, reason: reason(.shape)) }
    }

    /// The mapping that knows most of the columns and reads most of the first rows without an error.
    private func chooseTable(_ file: FileHead) throws(MappingError) -> MappingChoice {
        let trials = mappings.compactMap { TableTrial($0, file) }
        let best = trials.filter(\.canBeMeant).max { $0.isWorse(than: $1) }
        guard let best else {
            // A fault of the file that most of its columns' mapping meets says more than "none fits".
            let near = trials.filter { $0.hasHeader && ($0.columns >= 2 || $0.columns < 0) }.max {
                $0.columns < $1.columns
            }
            if let fault = near?.fault { throw MappingError(fault) }
            let line = file.bytes.prefix { $0 != UInt8(ascii: "\n") }.prefix(200)
            throw MappingError(.noneFits, ["found": String(decoding: line, as: UTF8.self)])
        }
        let facts = [
            "columns": String(best.columns), "faulty": String(best.faulty), "rows": String(best.rows),
        ]
        let code: ChoiceReason =
            best.followsName
            ? .fileName : best.hasHeader ? .columns : .shape
        return MappingChoice(definition: best.definition, reason: reason(code, facts))
    }
}

/// What a mapping makes of the first rows of a table.
private struct TableTrial {
    let definition: MappingDefinition
    let hasHeader: Bool
    let followsName: Bool
    /// Columns that the mapping knows; −1 where the file cannot be read at all.
    private(set) var columns = -1
    private(set) var rows = 0
    private(set) var faulty = 0
    /// Faulty rows whose faults are rather the mapping's: rows of another shape, or several faults in one.
    private(set) var misfits = 0
    /// Number of lines that were tried.
    private let lines: Int
    /// Why the file cannot be read to the end of its head.
    private(set) var fault: Diagnostic?

    /// nil for mappings of XML.
    init?(_ definition: MappingDefinition, _ file: FileHead) {
        guard case .table(let source) = definition.source else { return nil }
        self.definition = definition
        hasHeader = source.kind == .csv && source.headerLines > 0 && source.columns != .byPosition
        lines = file.lines.count { $0 == UInt8(ascii: "\n") }
        followsName = definition.fileName?.namedGroups(in: file.name) != nil
        do {
            var reader = try MappingReader(
                definition, probe: file.probe, fileName: file.name, wantsAll: true)
            defer {
                rows = reader.recordCount
                columns = reader.knownColumns
            }
            func count(_ item: inout MappedItem) {
                faulty += item.isApplicable ? 0 : 1
                misfits += Self.isMisfit(item.findings) ? 1 : 0
            }
            try reader.feed(file.lines, count)
            try reader.finish(count)
        } catch let error as any ReportableError {
            fault = error.diagnostic
        } catch {
            fault = Diagnostic(code: "UNEXPECTED")
        }
    }

    /// Whether the file may be meant for the mapping: with a header its columns say so, without one its rows.
    var canBeMeant: Bool {
        if hasHeader {
            return (columns >= 2 || followsName) && (rows > 0 || fault?.code == "MAP-NO-RECORD" || isCutShort)
        }
        // Where each row says what it is, it is enough that most are known; a record has many of them.
        if case .table(let source) = definition.source, case .byKind = source.grouping {
            return rows > misfits && misfits * 4 <= lines
        }
        return rows > 0 && misfits * 10 <= rows && faulty * 2 <= rows
    }

    private static func isMisfit(_ findings: [Diagnostic]) -> Bool {
        let errors = findings.filter { $0.severity == .error }
        let shapes: [TabularError.Code] = [.ragged, .unknownRow, .orphanRow]
        return errors.count > 2 || errors.contains { shapes.map(\.rawValue).contains($0.code) }
    }

    /// Whether the fault may be due to the head's end, as an open quote is.
    private var isCutShort: Bool { fault?.code == TabularError.Code.openQuote.rawValue }

    func isWorse(than other: TableTrial) -> Bool {
        func rank(_ trial: TableTrial) -> (Int, Int, Int) {
            (trial.followsName ? 1 : 0, trial.columns, trial.rows - trial.faulty)
        }
        return rank(self) < rank(other)
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais map`: reads files and shows what a mapping makes of them, without a database.

internal import ArgumentParser
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Mapping
internal import Model
internal import Unpacking
internal import Words

/// Parses, maps and checks files; writes nothing.
struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: words("command.map"), discussion: words("command.map.discussion"))

    @Argument(help: ArgumentHelp(words("argument.files"), valueName: "FILE"))
    var files: [String]

    @OptionGroup var mapping: MappingOptions

    @Option(help: ArgumentHelp(words("option.export"), valueName: "NAME"))
    var export: String?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let chooser = try mapping.chooser()
        let library = try MappingShelf.ofSurroundings.library()
        var exporter = try export.map {
            RecordExporter(try MappingOptions.findExport($0, in: library).definition)
        }
        var pairs = PairedFiles(chooser)
        var counts = MappedFile.Counts()
        var unreadable = 0
        for file in files {
            do {
                try await Unpacker().withFiles(of: file) { parts in
                    for part in parts { try map(part, among: parts, &pairs, chooser, &exporter, &counts) }
                }
            } catch let error as any ReportableError {
                unreadable += 1
                Console.report([error.inFile(file).diagnostic], asJSON: output.asJSON)
            }
        }
        let alone = pairs.findings()
        unreadable += alone.count
        Console.report(alone, asJSON: output.asJSON)
        if let written = exporter?.take(isLast: true) {
            Console.write(Data(written))
            Console.warn(words("map.exported", count: exporter?.count ?? 0))
        }
        if !output.asJSON {
            Console.warn(words("map.summary", count: counts.read, ["faulty": words.number(counts.faulty)]))
        }
        if unreadable > 0 { throw ExitStatus.failed }
        if counts.faulty > 0 { throw ExitStatus.quarantined }
    }

    private func map(
        _ part: UnpackedFile, among parts: [UnpackedFile], _ pairs: inout PairedFiles,
        _ chooser: MappingChooser,
        _ exporter: inout RecordExporter?, _ total: inout MappedFile.Counts
    ) throws {
        let path = part.name
        guard pairs.header(of: part, among: parts) == nil else { return }
        let file = try MappedFile(part, among: parts, &pairs, chooser)
        if let detail = file.detail, !output.asJSON {
            Console.warn(words("map.detail", ["file": detail.name, "header": path]))
        }
        if !output.asJSON {
            let facts = [
                "file": path, "mapping": file.choice.definition.identifier,
                "reason": words.message(file.choice.reason),
            ]
            Console.warn(words("map.chosen", facts))
        }
        let (reader, counts) = try file.read { item in
            if exporter != nil { return write(&item, path, &exporter) }
            output.asJSON ? Console.printJSON(file.json(item) { JSONValue($0) }) : showText(item, path)
        }
        total.read += counts.read
        let findings = file.fileFindings(reader)
        total.faulty += counts.faulty + (findings.contains { $0.severity == .error } ? 1 : 0)
        if output.asJSON, exporter == nil {
            Console.printJSON(
                file.json(reader, counts, reason: words.message(file.choice.reason)) { JSONValue($0) })
        } else {
            Console.report(findings, asJSON: false)
        }
    }

    /// Hands a record to the export; one with an error is reported and left out.
    private func write(_ item: inout MappedItem, _ path: String, _ exporter: inout RecordExporter?) {
        let found = item.isApplicable ? exporter?.write(item.record) ?? [] : []
        let faults = item.findings.filter { $0.severity == .error } + found
        item.findings += found
        Console.report(
            faults.map { fault in
                var fault = fault
                fault.place = fault.place.inFile(path)
                return fault
            }, asJSON: false)
        if let written = exporter?.take(), !written.isEmpty { Console.write(Data(written)) }
    }

    private func showText(_ item: MappedItem, _ path: String) {
        let record = item.record
        Console.print(
            "\(path):\(record.origin.line ?? 0): \(words("entity.\(record.schema.name)")) \(record.origin.ordinal)"
        )
        for (field, value) in zip(record.schema.fields, record.values) {
            if let value { Console.print("  \(field.name): \(shown(value))") }
        }
        for (collection, rows) in zip(record.schema.collections, record.children) where rows.count > 0 {
            Console.print("  \(collection.name): \(rows.count)")
        }
        for finding in item.findings { Console.print(Console.text(of: finding, indent: "  ! ")) }
    }

    private func shown(_ value: Value) -> String {
        if case .date(let date) = value { words.date(date) } else { value.description }
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais map`: reads files and shows what a mapping makes of them, without a database.

internal import ArgumentParser
internal import Diagnostics
internal import FileTransfer
internal import Hub
internal import Mapping
internal import Model
internal import Words

/// Parses, maps and checks files; writes nothing.
struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: words("command.map"), discussion: words("command.map.discussion"))

    @Argument(help: ArgumentHelp(words("argument.files"), valueName: "FILE"))
    var files: [String]

    @OptionGroup var mapping: MappingOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let chooser = try mapping.chooser()
        var counts = Counts()
        for file in files {
            do {
                try map(file, chooser, &counts)
            } catch let error as any ReportableError {
                counts.unreadable += 1
                Console.report([error.inFile(file).diagnostic], asJSON: output.asJSON)
            }
        }
        if !output.asJSON {
            Console.warn(words("map.summary", count: counts.read, ["faulty": words.number(counts.faulty)]))
        }
        if counts.unreadable > 0 { throw ExitStatus.failed }
        if counts.faulty > 0 { throw ExitStatus.quarantined }
    }

    /// What was read, over all files.
    private struct Counts {
        var read = 0
        var faulty = 0
        var unreadable = 0
    }

    private func map(_ path: String, _ chooser: MappingChooser, _ counts: inout Counts) throws {
        let file = try LocalFile(path)
        let facts = try FileFacts(file)
        file.rewind()
        let name = String(path.split(separator: "/").last ?? "")
        let head = FileHead(name: name, bytes: try file.read(upTo: FileHead.size), probe: facts.probe)
        let choice = try chooser.choose(head)
        if !output.asJSON {
            let facts = [
                "file": path, "mapping": choice.definition.identifier, "reason": words.message(choice.reason),
            ]
            Console.warn(words("map.chosen", facts))
        }
        var reader = try MappingReader(choice.definition, probe: facts.probe, fileName: name)
        file.rewind()
        var own = Counts()
        func show(_ item: inout MappedItem) {
            own.read += 1
            if !item.isApplicable { own.faulty += 1 }
            output.asJSON ? showJSON(item, path, choice.definition) : showText(item, path)
        }
        while true {
            let bytes = try file.read()
            if bytes.isEmpty { break }
            try reader.feed(bytes, show)
        }
        try reader.finish(show)
        counts.read += own.read
        counts.faulty += own.faulty + (reader.fileFindings.contains { $0.severity == .error } ? 1 : 0)
        showFile(path, choice, reader, own)
    }

    /// What is to be said about the file as a whole.
    private func showFile(_ path: String, _ choice: MappingChoice, _ reader: MappingReader, _ own: Counts) {
        let findings = reader.fileFindings.map { finding in
            var finding = finding
            finding.place.file = path
            return finding
        }
        guard output.asJSON else { return Console.report(findings, asJSON: false) }
        Console.printJSON([
            "entity": .text("file"), "file": .text(path), "faulty": .number(own.faulty),
            "findings": .list(findings.map { JSONValue($0) }),
            "mapping": .text(choice.definition.identifier), "read": .number(reader.recordCount),
            "reason": .text(words.message(choice.reason)), "records": .number(own.read),
            "skipped": .number(reader.recordCount - own.read),
            "totals": .object(reader.totals.mapValues { JSONValue($0) }),
        ])
    }

    private func showJSON(_ item: MappedItem, _ path: String, _ mapping: MappingDefinition) {
        Console.printJSON([
            "applicable": .boolean(item.isApplicable), "entity": .text(item.record.schema.name),
            "fields": JSONValue(item.record), "file": .text(path),
            "findings": .list(item.findings.map { JSONValue($0) }),
            "line": JSONValue(item.record.origin.line),
            "mapping": .text(mapping.identifier), "ordinal": .number(item.record.origin.ordinal),
        ])
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

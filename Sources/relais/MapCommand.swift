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
        let choose = try mapping.chooser()
        var counts = (read: 0, faulty: 0, unreadable: 0)
        for file in files {
            do {
                try map(file, choose, &counts)
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

    private func map(
        _ path: String, _ choose: (String, [UInt8]) throws -> MappingDefinition,
        _ counts: inout (read: Int, faulty: Int, unreadable: Int)
    ) throws {
        let file = try LocalFile(path)
        let facts = try FileFacts(file)
        file.rewind()
        let definition = try choose(path, try file.read(upTo: 4096))
        var reader = try MappingReader(
            definition, probe: facts.probe, fileName: String(path.split(separator: "/").last ?? ""))
        file.rewind()
        func show(_ item: inout MappedItem) {
            counts.read += 1
            if !item.isApplicable { counts.faulty += 1 }
            output.asJSON ? showJSON(item, path, definition) : showText(item, path)
        }
        while true {
            let bytes = try file.read()
            if bytes.isEmpty { break }
            try reader.feed(bytes, show)
        }
        try reader.finish(show)
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

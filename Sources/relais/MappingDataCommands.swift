// SPDX-License-Identifier: Apache-2.0
// The commands of `relais mapping` that look at data: test, infer, coverage.

internal import ArgumentParser
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Hub
internal import Mapping
internal import Model
internal import Tabular
internal import Unpacking
internal import Words

/// Runs a mapping over its samples and compares with the JSON beside them.
struct MappingTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: words("command.mapping.test"),
        discussion: words("command.mapping.test.discussion"))
    @Argument(help: ArgumentHelp(words("argument.mappings"), valueName: "NAME"))
    var names: [String] = []
    @Flag(help: ArgumentHelp(words("option.accept")))
    var accept = false

    func run() async throws {
        let library = try MappingShelf.ofSurroundings.library()
        var failed = 0
        var passed = 0
        let all = library.mappings.keys.sorted() + library.exports.keys.sorted()
        for name in names.isEmpty ? all : names {
            if try MappingOptions.isExport(name, in: library) {
                let results = try testExport(name, library)
                passed += results.count { $0 }
                failed += results.count { !$0 }
                continue
            }
            let (definition, file) = try MappingOptions.find(name, in: library)
            guard let folder = file?.deletingLastPathComponent() else { continue }
            let files = definition.tests.flatMap { Self.files($0, in: folder) }
            // A second file is read with its first one.
            let details = Set(files.compactMap { try? definition.detailName(besides: $0.lastPathComponent) })
            let samples = files.filter { !details.contains($0.lastPathComponent) }
            if samples.isEmpty {
                Console.warn(words("mapping.test.none", ["mapping": definition.identifier]))
            }
            for sample in samples {
                if try test(sample, MappingChooser(library, named: definition)) {
                    passed += 1
                } else {
                    failed += 1
                }
            }
        }
        Console.warn(words("mapping.tested", count: passed, ["failed": words.number(failed)]))
        if failed > 0 { throw ExitStatus.failed }
    }

    /// Reads an export's samples with the mappings that fit them, and compares what it writes.
    private func testExport(_ name: String, _ library: MappingLibrary) throws -> [Bool] {
        let (definition, file) = try MappingOptions.findExport(name, in: library)
        guard let folder = file?.deletingLastPathComponent() else { return [] }
        return try definition.tests.flatMap { Self.files($0, in: folder) }.map { sample in
            var exporter = RecordExporter(definition)
            var findings: [Diagnostic] = []
            _ = try MappedFile(sample.path, MappingChooser(library)).read { item in
                if item.isApplicable { findings += exporter.write(item.record) }
            }
            for finding in findings { Console.print(Console.text(of: finding)) }
            let actual = Data(exporter.take(isLast: true))
            let golden = sample.deletingPathExtension()
                .appendingPathExtension("export.\(definition.fileExtension)")
            if accept {
                try actual.write(to: golden)
                Console.print("\(golden.lastPathComponent): \(words("mapping.test.accepted"))")
                return true
            }
            let isSame = findings.isEmpty && (try? Data(contentsOf: golden)) == actual
            if !isSame { Console.print(words("mapping.test.differs", ["file": golden.lastPathComponent])) }
            return isSame
        }
    }

    /// Files that a pattern such as `tests/factures_*.csv` names, the JSON files excepted.
    private static func files(_ pattern: String, in folder: URL) -> [URL] {
        let place = folder.appending(path: pattern)
        let parts = place.lastPathComponent.split(separator: "*", omittingEmptySubsequences: false)
        let all = try? FileManager.default.contentsOfDirectory(
            at: place.deletingLastPathComponent(), includingPropertiesForKeys: nil)
        return (all ?? []).filter { file in
            let name = file.lastPathComponent
            guard file.pathExtension != "json", !name.contains(".export.") else { return false }
            guard parts.count == 2 else { return name == place.lastPathComponent }
            return name.hasPrefix(parts[0]) && name.hasSuffix(parts[1])
                && name.utf8.count >= parts[0].utf8.count + parts[1].utf8.count
        }.sorted { $0.path < $1.path }
    }

    /// Texts in the user's language, which a comparison must not depend on.
    private static let languageKeys: Set = ["hint", "message", "reason"]

    private func test(_ sample: URL, _ chooser: MappingChooser) throws -> Bool {
        let file = try MappedFile(sample.path, chooser)
        var lines: [JSONValue] = []
        let (reader, counts) = try file.read { lines.append(file.json($0)) }
        lines.append(file.json(reader, counts))
        let actual = lines.map {
            $0.replacing(sample.path, with: sample.lastPathComponent).removing(Self.languageKeys)
        }
        let golden = sample.deletingPathExtension().appendingPathExtension("json")
        if accept {
            try Data((actual.map(\.text).joined(separator: "\n") + "\n").utf8).write(to: golden)
            Console.print("\(golden.lastPathComponent): \(words("mapping.test.accepted"))")
            return true
        }
        let text = (try? String(contentsOf: golden, encoding: .utf8)) ?? ""
        let expected = text.split(separator: "\n").map { JSONValue(parsing: String($0)) }
        let differences = JSONValue.list(expected).differences(from: .list(actual), at: "")
        for difference in differences.prefix(20) {
            Console.print(
                "\(sample.lastPathComponent)\(difference.path): \(difference.old) → \(difference.new)")
        }
        return differences.isEmpty
    }
}

/// Drafts a mapping for a table.
struct MappingInferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "infer", abstract: words("command.mapping.infer"),
        discussion: words("command.mapping.infer.discussion"))
    @Argument(help: ArgumentHelp(words("argument.data"), valueName: "DATA"))
    var path: String
    @Option(help: ArgumentHelp(words("option.target"), valueName: "ENTITY"))
    var target: String?

    func run() async throws {
        var schema: EntitySchema?
        if let target {
            schema = EntitySchema.named(target)
            guard schema != nil else {
                throw ValidationError(
                    words("infer.target", ["known": EntitySchema.all.map(\.name).joined(separator: ", ")]))
            }
        }
        try await Unpacker().withFiles(of: path) { parts in
            for part in parts { try infer(part, schema) }
        }
    }

    private func infer(_ part: UnpackedFile, _ schema: EntitySchema?) throws {
        let file = try LocalFile(part.path, limit: .max)
        let facts = try FileFacts(file)
        let library = try MappingShelf.ofSurroundings.library()
        let head = try MappedFile.head(of: file, facts, name: part.name)
        var inference = try TableInference(head)
        file.rewind()
        var bytes: [UInt8] = []
        while true {
            try file.read(into: &bytes)
            try inference.feed(bytes, isLast: bytes.isEmpty)
            if bytes.isEmpty { break }
        }
        let name = String(head.name.prefix { $0 != "." }).lowercased()
        let draft = inference.draft(name: name, target: schema, known: Array(library.mappings.values)) {
            words($0, $1)
        }
        Console.print(draft.text.hasSuffix("\n") ? String(draft.text.dropLast()) : draft.text)
        for finding in draft.findings { Console.warn(Console.text(of: finding)) }
    }
}

/// Compares a file with a mapping.
struct MappingCoverageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage", abstract: words("command.mapping.coverage"),
        discussion: words("command.mapping.coverage.discussion"))
    @Argument(help: ArgumentHelp(words("argument.data"), valueName: "DATA"))
    var path: String
    @OptionGroup var mapping: MappingOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let chooser = try mapping.chooser()
        try await Unpacker().withFiles(of: path) { parts in
            for part in parts { try show(part, among: parts, chooser) }
        }
    }

    private func show(_ part: UnpackedFile, among parts: [UnpackedFile], _ chooser: MappingChooser) throws {
        var pairs = PairedFiles(chooser)
        let mapped = try MappedFile(part, among: parts, &pairs, chooser)
        // A file that its mapping cannot read to the end has no coverage worth showing: the fault is said instead.
        _ = try mapped.read { _ in }
        try show(part, mapped.choice.definition, isDetail: false)
        if let detail = mapped.detail { try show(detail, mapped.choice.definition, isDetail: true) }
    }

    /// What a file holds beside what its mapping reads.
    private func show(_ part: UnpackedFile, _ definition: MappingDefinition, isDetail: Bool) throws {
        let file = try LocalFile(part.path, limit: .max)
        let facts = try FileFacts(file)
        let coverage = try MappingCoverage(definition, probe: facts.probe, isDetail: isDetail)
        file.rewind()
        var bytes: [UInt8] = []
        while true {
            try file.read(into: &bytes)
            try coverage.feed(bytes, isLast: bytes.isEmpty)
            if bytes.isEmpty { break }
        }
        let entries = coverage.entries
        if output.asJSON {
            for entry in entries {
                Console.printJSON([
                    "count": .number(entry.count), "name": .text(entry.name),
                    "state": .text(entry.state.rawValue),
                ])
            }
            return
        }
        Console.print(isDetail ? "\n\(definition.identifier), \(part.lastName)" : definition.identifier)
        Console.printTable(
            [words("column.place"), words("column.state"), words("column.count")],
            entries.map { [$0.name, words("coverage.\($0.state.rawValue)"), words.number($0.count)] },
            rightAligned: [2])
        let unread = entries.count { $0.state == .unread && $0.count > 0 }
        Console.warn(words("coverage.summary", count: unread))
    }
}

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
        let shelf = MappingShelf.ofSurroundings
        let library = try shelf.library()
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
            // A mapping named by its file has its examples there only.
            let samples =
                library.files[definition.name] == file
                ? try MappingExamples(shelf).files(of: .reading(definition))
                : file.map {
                    MappingExamples.files(of: .reading(definition), in: $0.deletingLastPathComponent())
                } ?? []
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
        return try MappingExamples.files(of: .writing(definition), in: folder).map { sample in
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

    private func test(_ sample: URL, _ chooser: MappingChooser) throws -> Bool {
        if accept {
            let golden = try MappingExamples.accept(sample, chooser)
            Console.print("\(golden.lastPathComponent): \(words("mapping.test.accepted"))")
            return true
        }
        let differences = try MappingExamples.test(sample, chooser).differences
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

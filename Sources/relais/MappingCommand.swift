// SPDX-License-Identifier: Apache-2.0
// `relais mapping`: lists, checks and explains mappings, and writes templates.

internal import ArgumentParser
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Hub
internal import Mapping
internal import Model
internal import Words

/// Everything about mappings.
struct MappingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mapping", abstract: words("command.mapping"),
        discussion: words("command.mapping.discussion"),
        subcommands: [
            List.self, Check.self, MappingTestCommand.self, Explain.self, MappingInferCommand.self,
            MappingCoverageCommand.self, Template.self, Keys.self,
        ], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.mapping.list"),
            discussion: words("command.mapping.discussion"))
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let library = try MappingShelf.ofSurroundings.library()
            let mappings = library.mappings.values.sorted { $0.name < $1.name }
            let exports = library.exports.values.sorted { $0.name < $1.name }
            if output.asJSON {
                for mapping in mappings {
                    Console.printJSON([
                        "direction": .text("import"), "format": .text(mapping.format.rawValue),
                        "mapping": .text(mapping.identifier), "target": .text(mapping.target.name),
                        "title": .text(mapping.title),
                    ])
                }
                for export in exports {
                    Console.printJSON([
                        "direction": .text("export"), "format": .text(export.fileExtension),
                        "mapping": .text(export.identifier), "target": .text(export.target.name),
                        "title": .text(export.title),
                    ])
                }
                return
            }
            Console.printTable(
                [words("column.mapping"), words("column.target"), words("column.title")],
                mappings.map { [$0.identifier, $0.target.name, $0.title] }
                    + exports.map { [$0.identifier, "← \($0.target.name)", $0.title] })
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: words("command.mapping.check"),
            discussion: words("command.mapping.check.discussion"))
        @Argument(help: ArgumentHelp(words("argument.mappings"), valueName: "FILE"))
        var files: [String] = []
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let shipped =
                files.isEmpty
                ? try MappingShelf.ofSurroundings.library().files.values.map(\.path).sorted() : files
            var errors = 0
            for path in shipped {
                let file = try LocalFile(path, limit: 1 << 20)
                let text = String(decoding: try file.read(upTo: 1 << 20), as: UTF8.self)
                var findings: [Diagnostic] = []
                do {
                    findings = try MappingFile.parse(text, file: path).warnings
                } catch {
                    findings = error.faults
                }
                errors += findings.count { $0.severity == .error }
                if output.asJSON {
                    for finding in findings { Console.printJSON(["finding": JSONValue(finding)]) }
                } else {
                    for finding in findings { Console.print(MappingCommand.line(finding)) }
                }
            }
            if !output.asJSON {
                Console.warn(words("mapping.checked", count: shipped.count, ["errors": words.number(errors)]))
            }
            if errors > 0 { throw ExitStatus.failed }
        }
    }

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain", abstract: words("command.mapping.explain"),
            discussion: words("command.mapping.explain.discussion"))
        @Argument(help: ArgumentHelp(words("argument.mapping"), valueName: "NAME"))
        var name: String
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let library = try MappingShelf.ofSurroundings.library()
            if try MappingOptions.isExport(name, in: library) {
                return show(try MappingOptions.findExport(name, in: library).definition)
            }
            let mapping = try MappingOptions.find(name, in: library).definition
            if output.asJSON {
                for field in mapping.explanation {
                    Console.printJSON([
                        "field": .text(field.field), "origins": .list(field.origins.map { .text($0) }),
                        "steps": .list(field.steps.map { .text($0) }),
                        "cost": [
                            "short": .boolean(field.cost.isShort), "places": .number(field.cost.places),
                            "patterns": .number(field.cost.patterns),
                            "operations": .number(field.cost.operations),
                        ],
                    ])
                }
                return
            }
            Console.print("\(mapping.identifier) → \(mapping.target.name)")
            for place in mapping.places {
                Console.print(String(repeating: "  ", count: place.depth + 1) + place.name)
            }
            Console.print("")
            Console.printTable(
                [words("column.field"), words("column.origin"), words("column.steps"), words("column.cost")],
                mapping.explanation.map {
                    [
                        $0.field, $0.origins.joined(separator: ", "), $0.steps.joined(separator: " → "),
                        Self.text($0.cost),
                    ]
                })
            Console.print("")
            Console.print(words("explain.cost"))
        }

        private func show(_ export: ExportDefinition) {
            if output.asJSON {
                for line in export.lines {
                    Console.printJSON([
                        "expression": .text(line.expression), "field": .text(line.name),
                    ])
                }
                return
            }
            Console.print("\(export.identifier) ← \(export.target.name)\n")
            Console.printTable(
                [words("column.field"), words("column.expression")],
                export.lines.map { [$0.name, $0.expression] })
        }

        /// `court`, or what the long way has to do: `2 lieux, 1 motif`.
        private static func text(_ cost: FieldCost) -> String {
            if cost.isShort { return words("explain.short") }
            let parts = [
                ("places", cost.places), ("patterns", cost.patterns), ("operations", cost.operations),
            ]
            .filter { $0.1 > 0 }
            .map { words("explain.\($0.0)", ["count": String($0.1)]) }
            return parts.isEmpty ? "–" : parts.joined(separator: ", ")
        }
    }

    struct Template: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "template", abstract: words("command.mapping.template"),
            discussion: words("command.mapping.template.discussion"))
        @Argument(help: ArgumentHelp(words("argument.mapping"), valueName: "NAME"))
        var name: String

        func run() async throws {
            let mapping = try MappingOptions.find(name, in: try MappingShelf.ofSurroundings.library())
                .definition
            guard let template = mapping.template else {
                throw Diagnostic(code: "MAP-NO-TEMPLATE", facts: ["mapping": mapping.identifier])
            }
            Console.write(Data(template))
        }
    }

    struct Keys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keys", abstract: words("command.mapping.keys"),
            discussion: words("command.mapping.discussion"))

        func run() async throws {
            for context in KeyContext.allCases {
                Console.print(
                    "\n## \(words("mapping.context.\(context.rawValue)")) (`\(context.rawValue)`)\n")
                Console.print(
                    "| \(["key", "type", "meaning", "example"].map { words("column.\($0)") }.joined(separator: " | ")) |"
                )
                Console.print("|---|---|---|---|")
                for key in MappingKey.all where key.context == context {
                    let mark = key.isRequired ? " \\*" : ""
                    let type = key.type.replacing("|", with: "\\|")
                    let example = key.example.replacing("|", with: "\\|")
                    Console.print("| `\(key.name)`\(mark) | \(type) | \(words(key.meaning)) | `\(example)` |")
                }
            }
        }
    }

    /// `fichier:18:14 error CODE message` and the hint.
    static func line(_ finding: Diagnostic) -> String {
        let head =
            "\(finding.place.position) \(finding.severity.rawValue) \(finding.code) \(words.message(finding))"
        return words.hint(finding).map { "\(head)\n  → \($0)" } ?? head
    }
}

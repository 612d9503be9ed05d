// SPDX-License-Identifier: Apache-2.0
// `relais sources`: the systems that values come from, and how much each is believed.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import Hub
internal import Model
internal import PostgreSQL
internal import Words

/// Lists, adds, names and believes sources.
struct SourcesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sources", abstract: words("command.sources"),
        discussion: words("command.sources.discussion"),
        subcommands: [List.self, Add.self, Rename.self, Trust.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.sources.list"),
            discussion: words("command.sources.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let sources = try await database.withConnection { try await SourceSystems.list(on: $0) }
            if output.asJSON {
                return sources.forEach { source in
                    Console.printJSON([
                        "code": .text(source.code), "kind": .text(source.kind),
                        "last_run_at": JSONValue(source.lastRunAt?.description),
                        "name": JSONValue(source.name), "trust": .number(source.trust),
                    ])
                }
            }
            Console.printTable(
                [words("column.source"), words("column.name"), words("column.kind"), words("column.trust")],
                sources.map { source in
                    [
                        source.code, source.name ?? "–", words("page.sources.kind_\(source.kind)"),
                        words.number(source.trust),
                    ]
                }, rightAligned: [3])
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: words("command.sources.add"),
            discussion: words("command.sources.discussion"))
        @Argument(help: ArgumentHelp(words("argument.sourceCode"), valueName: "CODE"))
        var code: String
        @Option(help: ArgumentHelp(words("option.sourceName"), valueName: "NAME"))
        var name = ""
        @Option(help: ArgumentHelp(words("option.sourceKind"), valueName: "erp|crm|directory"))
        var kind = "erp"
        @Option(help: ArgumentHelp(words("option.sourceTrust"), valueName: "N"))
        var trust = "50"
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let trust = try SourceSystems.trust(trust)
            try await database.withConnection { connection in
                try await SourceSystems.add(
                    code, name: name, kind: kind, trust: trust, by: nil, on: connection)
            }
            Console.print(words("sources.added", ["code": code]))
        }
    }

    struct Rename: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rename", abstract: words("command.sources.rename"),
            discussion: words("command.sources.discussion"))
        @Argument(help: ArgumentHelp(words("argument.sourceCode"), valueName: "CODE"))
        var code: String
        @Argument(help: ArgumentHelp(words("argument.sourceName"), valueName: "NAME"))
        var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let source = try await database.withConnection { connection in
                _ = try await SourceSystems.rename(code, to: name, by: nil, on: connection)
                return try await SourceSystems.show(code, on: connection)
            }
            Console.print(words("sources.renamed", ["code": code, "name": source.title]))
        }
    }

    struct Trust: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "trust", abstract: words("command.sources.trust"),
            discussion: words("command.sources.trust.discussion"))
        @Argument(help: ArgumentHelp(words("argument.sourceCode"), valueName: "CODE"))
        var code: String
        @Argument(help: ArgumentHelp(words("argument.sourceTrust"), valueName: "N"))
        var trust: String
        @Flag(name: .customLong("dry-run"), help: ArgumentHelp(words("option.dryRun")))
        var isDryRun = false
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let trust = try SourceSystems.trust(trust)
            guard !isDryRun else {
                let outlook = try await database.withDatabase { pool in
                    try await pool.transaction { connection in
                        try await TrustChanges.outlook(code, trust: trust, on: connection)
                    }
                }
                return show(outlook)
            }
            let (report, problems) = try await database.withDatabase { pool in
                let report = try await TrustChanges(pool: pool).run(code, trust: trust) { done, all in
                    let facts = ["done": words.number(done), "all": words.number(max(done, all))]
                    Console.progress(words("sources.progress", facts))
                }
                return (
                    report,
                    try await pool.withConnection { try await Runs.problems(of: report.run, on: $0) }
                )
            }
            Console.progress("")
            if output.asJSON {
                return Console.printJSON([
                    "code": .text(code), "ledger": LedgerText.json(report.ledger), "run": .number(report.run),
                    "trust": .number(trust),
                ])
            }
            for problem in problems.compactMap({ Diagnostic(kept: $0) }) {
                Console.print(Console.text(of: problem))
            }
            Console.print(
                words(
                    "sources.trusted",
                    ["code": code, "after": words.number(trust), "run": String(report.run)]))
            Console.print(LedgerText.line(report.ledger, kind: "trust"))
        }

        private func show(_ outlook: Redecision.Outlook) {
            if output.asJSON {
                return Console.printJSON([
                    "accounts": .number(outlook.accounts), "changed": .number(outlook.changed),
                    "looked": .number(outlook.looked), "persons": .number(outlook.persons),
                ])
            }
            let accounts = outlook.accounts < Redecision.most ? "accounts" : "moreAccounts"
            Console.print(words("page.sources.\(accounts)", count: outlook.accounts))
            Console.print(
                words(
                    "page.sources.outlook", count: outlook.changed,
                    ["looked": words("page.sources.looked", count: outlook.looked)]))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais runs`: what was imported when, and what waits in quarantine.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Model
internal import PostgreSQL
internal import Server
internal import Words

/// Lists and shows runs.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: words("command.runs"), discussion: words("command.runs.discussion"),
        subcommands: [List.self, Show.self, Undo.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.runs.list"),
            discussion: words("command.runs.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let runs = try await database.withConnection { try await Runs.list(on: $0) }
            if output.asJSON { return runs.forEach { Console.printJSON(RunsCommand.json($0)) } }
            guard !runs.isEmpty else { return Console.print(words("runs.empty")) }
            Console.printTable(
                [
                    words("column.run"), words("column.kind"), words("column.state"), words("column.started"),
                    words("column.files"), words("column.ledger"),
                ],
                runs.map { run in
                    [
                        String(run.id), words("run.\(run.kind)"), words("state.\(run.stateOrUndone)"),
                        words.instant(run.startedAt),
                        RunsCommand.files(run), LedgerText.line(run.ledger, kind: run.kind),
                    ]
                }, rightAligned: [0])
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: words("command.runs.show"),
            discussion: words("command.runs.discussion"))
        @Argument(help: ArgumentHelp(words("argument.run"), valueName: "ID"))
        var id: Int
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let found = try await database.withConnection { connection in
                (
                    try await Runs.show(id, on: connection),
                    try await Runs.artifacts(of: id, on: connection),
                    try await Quarantine.list(QuarantineFilter(run: id, withClosed: true), on: connection),
                    try await Runs.problems(of: id, on: connection)
                )
            }
            guard let run = found.0 else {
                throw Diagnostic(code: "RUN-UNKNOWN", facts: ["id": String(id)])
            }
            let problems = found.3.compactMap { Diagnostic(kept: $0) }
            if output.asJSON { return showJSON(run, found.1, found.2, problems) }
            show(run, found.1, found.2)
            for problem in problems { Console.print(Console.text(of: problem)) }
        }

        private func show(_ run: RunSummary, _ artifacts: [RunArtifact], _ records: [QuarantinedRecord]) {
            Console.print(words("runs.title", ["run": String(run.id), "state": words("state.\(run.state)")]))
            Console.print(words("runs.started", ["at": words.instant(run.startedAt)]))
            if let undone = run.undoneBy { Console.print(words("runs.undoneBy", ["run": String(undone)])) }
            if let undoes = run.undoes { Console.print(words("runs.undoes", ["run": String(undoes)])) }
            if let end = run.finishedAt {
                Console.print(words("runs.finished", ["at": words.instant(end)]))
            }
            Console.print(LedgerText.line(run.ledger, kind: run.kind))
            if let error = run.failure { Console.print(Console.text(of: error)) }
            Console.printTable(
                [
                    words("column.file"), words("column.size"), words("column.mapping"),
                    words("column.quarantined"),
                ],
                artifacts.map {
                    [$0.name, words.size($0.size), $0.mapping ?? "–", words.number($0.quarantined)]
                },
                rightAligned: [1, 3])
            for artifact in artifacts {
                for finding in artifact.warnings { Console.print(Console.text(of: finding)) }
            }
            for record in records {
                Console.print(Console.text(of: record.reason))
            }
        }

        private func showJSON(
            _ run: RunSummary, _ artifacts: [RunArtifact], _ records: [QuarantinedRecord],
            _ problems: [Diagnostic]
        ) {
            guard case .object(var object) = RunsCommand.json(run) else { return }
            object["files"] = .list(
                artifacts.map {
                    [
                        "file": .text($0.name), "mapping": JSONValue($0.mapping), "size": .number($0.size),
                        "warnings": .list($0.warnings.map { JSONValue($0) }),
                    ]
                })
            object["problems"] = .list(problems.map { JSONValue($0) })
            object["quarantine"] = .list(
                records.map { record in
                    [
                        "id": .number(record.id), "ordinal": .number(record.ordinal),
                        "reason": JSONValue(record.reason), "stage": .text(record.stage),
                        "status": .text(record.status),
                    ]
                })
            Console.printJSON(.object(object))
        }
    }

    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "undo", abstract: words("command.runs.undo"),
            discussion: words("command.runs.undo.discussion"))
        @Argument(help: ArgumentHelp(words("argument.run"), valueName: "ID"))
        var id: Int
        @Flag(name: .customLong("dry-run"), help: ArgumentHelp(words("option.dryRun")))
        var isDryRun = false
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let report = try await database.withDatabase { pool in
                try await UndoEngine(pool: pool).undo(id, isDryRun: isDryRun)
            }
            output.asJSON ? Console.printJSON(json(report)) : show(report)
        }

        private func show(_ report: UndoReport) {
            let rows = report.counts.map { count in
                [words("table.\(count.entity)"), words("undo.\(count.action)"), words.number(count.count)]
            }
            if !rows.isEmpty {
                Console.printTable(
                    [words("column.table"), words("column.action"), words("column.rows")], rows,
                    rightAligned: [2])
            }
            for exception in report.exceptions {
                Console.print(UndoTexts.text(exception, words))
            }
            guard let run = report.run else {
                return Console.print(words("undo.dryRun", ["run": String(id)]))
            }
            Console.print(words("undo.done", ["run": String(run), "undone": String(id)]))
        }

        private func json(_ report: UndoReport) -> JSONValue {
            [
                "counts": .list(
                    report.counts.map { count in
                        [
                            "action": .text(count.action), "count": .number(count.count),
                            "table": .text(count.entity),
                        ]
                    }),
                "exceptions": .list(
                    report.exceptions.map { exception in
                        [
                            "facts": .object(JSONTexts.object(exception.facts).mapValues { .text($0) }),
                            "id": .number(exception.id), "label": JSONValue(exception.label),
                            "outcome": .text(exception.outcome),
                            "reason": .text(exception.reason), "table": .text(exception.entity),
                        ]
                    }), "run": JSONValue(report.run), "undoes": .number(id),
            ]
        }
    }

    static func json(_ run: RunSummary) -> JSONValue {
        [
            "error": run.failure.map { JSONValue($0) } ?? .null, "file_count": .number(run.fileCount),
            "files": .list(run.files.map { .text($0) }),
            "finished_at": JSONValue(run.finishedAt?.description), "id": .number(run.id),
            "ledger": LedgerText.json(run.ledger), "started_at": .text(run.startedAt.description),
            "kind": .text(run.kind), "state": .text(run.state), "undoes": JSONValue(run.undoes),
            "undone_by": JSONValue(run.undoneBy),
        ]
    }

    fileprivate static func files(_ run: RunSummary) -> String {
        let shown = run.files.joined(separator: ", ")
        let rest = run.fileCount - run.files.count
        return rest > 0 ? "\(shown), +\(words.number(rest))" : shown
    }
}

extension RunSummary {
    /// The state, or that another run took this one back.
    fileprivate var stateOrUndone: String { undoneBy == nil ? state : "undone" }
}

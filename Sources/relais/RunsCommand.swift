// SPDX-License-Identifier: Apache-2.0
// `relais runs`: what was imported when, and what waits in quarantine.

internal import ArgumentParser
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Model
internal import PostgreSQL
internal import Words

/// Lists and shows runs.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: words("command.runs"), discussion: words("command.runs.discussion"),
        subcommands: [List.self, Show.self], defaultSubcommand: List.self)

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
                    words("column.run"), words("column.state"), words("column.started"),
                    words("column.files"), words("column.ledger"),
                ],
                runs.map { run in
                    [
                        String(run.id), words("state.\(run.state)"), words.instant(run.startedAt),
                        RunsCommand.files(run), LedgerText.line(run.ledger),
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
                    try await Runs.quarantine(of: id, on: connection)
                )
            }
            guard let run = found.0 else {
                throw Diagnostic(code: "RUN-UNKNOWN", facts: ["id": String(id)])
            }
            output.asJSON ? showJSON(run, found.1, found.2) : show(run, found.1, found.2)
        }

        private func show(_ run: RunSummary, _ artifacts: [RunArtifact], _ records: [QuarantinedRecord]) {
            Console.print(words("runs.title", ["run": String(run.id), "state": words("state.\(run.state)")]))
            Console.print("\(words("column.started")): \(words.instant(run.startedAt))")
            if let end = run.finishedAt {
                Console.print("\(words("column.finished")): \(words.instant(end))")
            }
            Console.print(LedgerText.line(run.ledger))
            Console.printTable(
                [
                    words("column.file"), words("column.size"), words("column.mapping"),
                    words("column.quarantined"),
                ],
                artifacts.map {
                    [$0.name, words.size($0.size), $0.mapping ?? "–", words.number($0.quarantined)]
                },
                rightAligned: [1, 3])
            for record in records {
                Console.print(Console.text(of: record.reason))
            }
        }

        private func showJSON(_ run: RunSummary, _ artifacts: [RunArtifact], _ records: [QuarantinedRecord]) {
            guard case .object(var object) = RunsCommand.json(run) else { return }
            object["files"] = .list(
                artifacts.map {
                    ["file": .text($0.name), "mapping": JSONValue($0.mapping), "size": .number($0.size)]
                })
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

    static func json(_ run: RunSummary) -> JSONValue {
        [
            "file_count": .number(run.fileCount), "files": .list(run.files.map { .text($0) }),
            "finished_at": JSONValue(run.finishedAt?.description), "id": .number(run.id),
            "ledger": LedgerText.json(run.ledger), "started_at": .text(run.startedAt.description),
            "state": .text(run.state),
        ]
    }

    fileprivate static func files(_ run: RunSummary) -> String {
        let shown = run.files.joined(separator: ", ")
        let rest = run.fileCount - run.files.count
        return rest > 0 ? "\(shown), +\(words.number(rest))" : shown
    }
}

extension QuarantinedRecord {
    /// The reason with its place.
    var reason: Diagnostic {
        let facts = (try? JSONDecoder().decode([String: String].self, from: Data(facts.text.utf8))) ?? [:]
        return Diagnostic(
            code: code, facts: facts, place: Place(file: file, line: line, field: field, value: value))
    }
}

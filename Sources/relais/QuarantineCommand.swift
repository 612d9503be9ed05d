// SPDX-License-Identifier: Apache-2.0
// `relais quarantine`: records that wait for a person: looked at, corrected, replayed, closed.

internal import ArgumentParser
internal import Diagnostics
internal import Hub
internal import Mapping
internal import PostgreSQL
internal import Words

/// Works on the quarantine.
struct QuarantineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "quarantine", abstract: words("command.quarantine"),
        discussion: words("command.quarantine.discussion"),
        subcommands: [List.self, Show.self, Set.self, Replay.self, Ignore.self],
        defaultSubcommand: List.self)

    /// Which records are meant.
    struct Selection: ParsableArguments {
        @Option(name: .customLong("run"), help: ArgumentHelp(words("option.quarantine.run"), valueName: "ID"))
        var run: Int?
        @Option(help: ArgumentHelp(words("option.quarantine.code"), valueName: "CODE"))
        var code: String?

        func filter(_ ids: [Int]) -> QuarantineFilter {
            QuarantineFilter(ids: ids.isEmpty ? nil : ids, run: run, code: code?.uppercased())
        }

        /// A filter that means something: whoever names nothing does not mean everything.
        func required(_ ids: [Int]) throws -> QuarantineFilter {
            guard !ids.isEmpty || run != nil || code != nil else {
                throw ValidationError(words("quarantine.select"))
            }
            return filter(ids)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.quarantine.list"),
            discussion: words("command.quarantine.discussion"))
        @OptionGroup var selection: Selection
        @Flag(name: .customLong("all"), help: ArgumentHelp(words("option.quarantine.all")))
        var withClosed = false
        @Option(help: ArgumentHelp(words("option.limit"), valueName: "N"))
        var limit = 100
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var filter = selection.filter([])
            filter.withClosed = withClosed
            let (records, groups) = try await database.withConnection { connection in
                (
                    try await Quarantine.list(filter, limit: limit, on: connection),
                    try await Quarantine.groups(filter, on: connection)
                )
            }
            if output.asJSON { return records.forEach { Console.printJSON($0.json) } }
            guard !records.isEmpty else { return Console.print(words("quarantine.empty")) }
            Console.printTable(
                [
                    words("column.code"), words("column.field"), words("column.records"),
                    words("column.fixed"),
                ],
                groups.map {
                    [$0.code, $0.field ?? "–", words.number($0.count), words.number($0.fixed)]
                }, rightAligned: [2, 3])
            Console.print("")
            records.forEach { Console.print($0.summary) }
            let total = groups.reduce(0) { $0 + $1.count }
            if total > records.count { Console.print(words("quarantine.more", count: total - records.count)) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: words("command.quarantine.show"),
            discussion: words("command.quarantine.discussion"))
        @Argument(help: ArgumentHelp(words("argument.quarantine"), valueName: "ID"))
        var id: Int
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let filter = QuarantineFilter(ids: [id], withClosed: true)
            let (found, raw) = try await database.withConnection { connection in
                (
                    try await Quarantine.list(filter, on: connection).first,
                    try await Quarantine.raw(id, on: connection)
                )
            }
            guard let record = found else { throw RunError(.quarantineUnknown, ["id": String(id)]) }
            let text = raw.map { String(decoding: $0, as: UTF8.self) }
            guard !output.asJSON else {
                guard case .object(var object) = record.json else { return }
                object["raw"] = JSONValue(text)
                return Console.printJSON(.object(object))
            }
            Console.print(Console.text(of: record.reason))
            let facts = [
                "mapping": record.mapping ?? "–", "ordinal": String(record.ordinal),
                "run": String(record.run),
                "status": words("quarantine.status.\(record.status)"),
            ]
            Console.print(words("quarantine.facts", facts))
            if let why = record.why { Console.print(words("quarantine.why", ["why": why])) }
            for (field, value) in record.overrideTexts.sorted(by: { $0.key < $1.key }) {
                Console.print(words("quarantine.override", ["field": field, "value": value]))
            }
            if let matchCase = record.matchCase {
                Console.print(words("quarantine.match", ["case": String(matchCase)]))
            }
            if let text { Console.print("\n\(text)") }
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: words("command.quarantine.set"),
            discussion: words("command.quarantine.set.discussion"))
        @Argument(help: ArgumentHelp(words("argument.quarantine.set"), valueName: "ID|FIELD=VALUE"))
        var arguments: [String] = []
        @Flag(help: ArgumentHelp(words("option.quarantine.reset")))
        var reset = false
        @OptionGroup var selection: Selection
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            var fields: [String: String] = [:]
            var ids: [Int] = []
            for argument in arguments {
                if let number = Int(argument) {
                    ids.append(number)
                } else if let split = argument.firstIndex(of: "=") {
                    fields[String(argument[..<split])] = String(argument[argument.index(after: split)...])
                } else {
                    throw ValidationError(words("quarantine.assignment", ["text": argument]))
                }
            }
            guard fields.isEmpty == reset else { throw ValidationError(words("quarantine.noFields")) }
            let filter = try selection.required(ids)
            guard !reset else {
                let count = try await database.withConnection { try await Quarantine.reset(filter, on: $0) }
                return Console.print(words("quarantine.reset", count: count))
            }
            let count = try await database.withConnection { [fields] connection in
                try await Quarantine.correct(filter, fields, database.mappings.library(), on: connection)
            }
            guard count > 0 else { throw RunError(.nothingToReplay) }
            Console.print(words("quarantine.corrected", count: count))
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "replay", abstract: words("command.quarantine.replay"),
            discussion: words("command.quarantine.discussion"))
        @Argument(help: ArgumentHelp(words("argument.quarantine"), valueName: "ID"))
        var ids: [Int] = []
        @OptionGroup var selection: Selection
        @OptionGroup var mapping: MappingOptions
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let filter = try selection.required(ids)
            let library = try database.mappings.library()
            let own = try mapping.name.map { try MappingOptions.find($0, in: library).definition }
            let (report, waiting) = try await database.withDatabase { pool in
                let settings = try database.importSettings
                let engine = ReplayEngine(pool: pool, library: library, own: own, settings)
                let report = try await engine.run(filter)
                // Whatever waits now was refused again.
                let waiting = try await pool.withConnection {
                    try await Quarantine.list(filter, limit: 20, on: $0)
                }
                return (report, waiting)
            }
            guard let run = report.run else { throw RunError(.nothingToReplay) }
            if output.asJSON {
                Console.printJSON([
                    "errors": .list(report.failures.map { JSONValue($0) }),
                    "ledger": LedgerText.json(report.ledger),
                    "mappings": .list(report.mappings.sorted().map { .text($0) }), "run": .number(run),
                ])
            } else {
                Console.report(report.failures, asJSON: false)
                let facts = [
                    "ledger": LedgerText.line(report.ledger),
                    "mappings": report.mappings.sorted().joined(separator: ", "), "run": String(run),
                ]
                Console.print(words("quarantine.replayed", facts))
                waiting.forEach { Console.print($0.summary) }
            }
            if !report.failures.isEmpty { throw ExitStatus.failed }
            if report.ledger.quarantined > 0 { throw ExitStatus.quarantined }
        }
    }

    struct Ignore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "ignore", abstract: words("command.quarantine.ignore"),
            discussion: words("command.quarantine.discussion"))
        @Argument(help: ArgumentHelp(words("argument.quarantine"), valueName: "ID"))
        var ids: [Int] = []
        @Option(help: ArgumentHelp(words("option.quarantine.why"), valueName: "TEXT"))
        var why: String
        @OptionGroup var selection: Selection
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let filter = try selection.required(ids)
            guard why.contains(where: { !$0.isWhitespace }) else {
                throw ValidationError(words("quarantine.whyEmpty"))
            }
            let count = try await database.withConnection {
                try await Quarantine.ignore(filter, why: why, on: $0)
            }
            guard count > 0 else { throw RunError(.nothingToReplay) }
            Console.print(words("quarantine.closed", count: count))
        }
    }
}

extension QuarantinedRecord {
    /// Its number, its status unless it is open, and its reason.
    fileprivate var summary: String {
        let shown = status == "open" ? "" : " (\(words("quarantine.status.\(status)")))"
        return "\(id)\(shown)  \(Console.text(of: reason, indent: ""))"
    }

    /// Values that a person gave.
    var overrideTexts: [String: String] {
        JSONTexts.object(overrides)
    }

    /// The record for programs.
    var json: JSONValue {
        [
            "id": .number(id), "match_case": JSONValue(matchCase), "mapping": JSONValue(mapping),
            "ordinal": .number(ordinal), "overrides": .object(overrideTexts.mapValues { .text($0) }),
            "reason": JSONValue(reason), "replay_run": JSONValue(replayRun), "run": .number(run),
            "stage": .text(stage), "status": .text(status), "why": JSONValue(why),
        ]
    }
}

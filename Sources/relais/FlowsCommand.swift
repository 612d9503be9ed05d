// SPDX-License-Identifier: Apache-2.0
// `relais flows`: what IT says once, and what became of it.

internal import ArgumentParser
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Hub
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Schedule
internal import Words

/// Lists, checks, applies and steers flows.
struct FlowsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "flows", abstract: words("command.flows"), discussion: words("command.flows.discussion"),
        subcommands: [
            List.self, Check.self, Apply.self, Run.self, Pause.self, Resume.self, History.self, Export.self,
        ], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.flows.list"),
            discussion: words("command.flows.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let flows = try await database.withConnection { try await Flows.list(on: $0) }
            if output.asJSON { return flows.forEach { Console.printJSON($0.json) } }
            guard !flows.isEmpty else { return Console.print(words("flows.empty")) }
            Console.printTable(
                [
                    words("column.flow"), words("column.version"), words("column.schedule"),
                    words("column.next"), words("column.lastRun"), words("column.state"),
                ],
                flows.map { flow in
                    [
                        flow.name, String(flow.version), flow.cron ?? "–",
                        flow.pausedAt == nil
                            ? flow.nextAt.map { words.instant($0) } ?? "–" : words("flows.paused"),
                        flow.lastRun.map { "\($0), \(flow.lastAt.map { words.instant($0) } ?? "")" } ?? "–",
                        flow.lastState.map { words("state.\($0)") } ?? "–",
                    ]
                }, rightAligned: [1])
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check", abstract: words("command.flows.check"),
            discussion: words("command.flows.check.discussion"))
        @Argument(help: ArgumentHelp(words("argument.flowFile"), valueName: "FILE"))
        var file: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let flow = try await FlowFile.read(file, database.mappings)
            Console.print(words("flows.checked", ["name": flow.name, "count": String(flow.tests.count)]))
            FlowFile.showNext(flow)
        }
    }

    struct Apply: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply", abstract: words("command.flows.apply"),
            discussion: words("command.flows.apply.discussion"))
        @Argument(help: ArgumentHelp(words("argument.flowFile"), valueName: "FILE"))
        var file: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let flow = try await FlowFile.read(file, database.mappings)
            let applied = try await database.withConnection { connection in
                try await Flows.apply(
                    flow, by: Surroundings.person, now: Surroundings.now, on: connection)
            }
            let key = applied.isNew ? "flows.applied" : "flows.unchanged"
            Console.print(words(key, ["name": flow.name, "version": String(applied.version)]))
            FlowFile.showNext(flow)
        }
    }

    struct Run: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "run", abstract: words("command.flows.run"),
            discussion: words("command.flows.discussion"))
        @Argument(help: ArgumentHelp(words("argument.flow"), valueName: "NAME"))
        var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let mappings = try database.mappings.library()
            let job = try await database.withConnection { connection in
                try await Flows.run(name, connectors: connectors, mappings: mappings, on: connection)
            }
            Console.print(words("flows.queued", ["name": name, "job": String(job)]))
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: words("command.flows.pause"),
            discussion: words("command.flows.discussion"))
        @Argument(help: ArgumentHelp(words("argument.flow"), valueName: "NAME"))
        var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.withConnection { connection in
                try await Flows.pause(name, true, by: Surroundings.person, on: connection)
            }
            Console.print(words("flows.pausing", ["name": name]))
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: words("command.flows.resume"),
            discussion: words("command.flows.discussion"))
        @Argument(help: ArgumentHelp(words("argument.flow"), valueName: "NAME"))
        var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.withConnection { connection in
                try await Flows.pause(name, false, by: Surroundings.person, on: connection)
            }
            Console.print(words("flows.resumed", ["name": name]))
        }
    }

    struct History: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "history", abstract: words("command.flows.history"),
            discussion: words("command.flows.discussion"))
        @Argument(help: ArgumentHelp(words("argument.flow"), valueName: "NAME"))
        var name: String
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let events = try await database.withConnection { try await Flows.history(name, on: $0) }
            if output.asJSON { return events.forEach { Console.printJSON($0.json) } }
            for event in events {
                let facts = [
                    "number": event.number.map(String.init) ?? "",
                    "state": event.state.map { words("state.\($0)") } ?? "",
                ]
                Console.print("\(words.instant(event.at))  \(words("flows.event.\(event.kind)", facts))")
                if let error = event.error.flatMap({ Diagnostic(kept: $0) }) {
                    Console.print(Console.text(of: error, indent: "    "))
                }
            }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export", abstract: words("command.flows.export"),
            discussion: words("command.flows.export.discussion"))
        @Argument(help: ArgumentHelp(words("argument.flow"), valueName: "NAME"))
        var name: String
        @Option(help: ArgumentHelp(words("option.version"), valueName: "N"))
        var version: Int?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let text = try await database.withConnection { connection in
                try await Flows.text(name, version: version, on: connection)
            }
            Console.write(Data(text.utf8))
        }
    }
}

/// A flow's file on this machine.
private enum FlowFile {
    /// Reads a file, checks it, and runs its tests.
    static func read(_ path: String, _ shelf: MappingShelf) async throws -> FlowDefinition {
        let file = try LocalFile(path, limit: 1 << 20)
        let text = String(decoding: try file.read(upTo: 1 << 20), as: UTF8.self)
        let mappings = try shelf.library()
        let flow = try FlowDefinition.parse(text, file: path, connectors: connectors, mappings: mappings)
        let folder = URL(filePath: path).deletingLastPathComponent().path
        try await FlowTesting.check(flow, in: folder, mappings: mappings)
        return flow
    }

    /// The next five times, by the clock of the schedule's zone.
    static func showNext(_ flow: FlowDefinition) {
        guard let schedule = flow.schedule else { return Console.print(words("flows.unscheduled")) }
        Console.print(words("flows.next", ["zone": schedule.zone]))
        for time in schedule.times.next(5, after: Surroundings.now) {
            Console.print("  " + words.instant(time, in: schedule.zone))
        }
    }
}

extension FlowSummary {
    fileprivate var json: JSONValue {
        [
            "applied_at": .text(appliedAt.description), "cron": JSONValue(cron), "jobs": .number(jobs),
            "last_run": JSONValue(lastRun), "last_state": JSONValue(lastState),
            "name": .text(name), "next_at": JSONValue(nextAt?.description),
            "paused_at": JSONValue(pausedAt?.description), "version": .number(version),
        ]
    }
}

extension FlowEvent {
    fileprivate var json: JSONValue {
        [
            "at": .text(at.description),
            "error": error.flatMap { Diagnostic(kept: $0) }.map { JSONValue($0) } ?? .null,
            "kind": .text(kind), "number": JSONValue(number), "state": JSONValue(state),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais jobs limit`: how much of a connector may run at once, or begin in a minute.

internal import ArgumentParser
internal import Diagnostics
internal import Hub
internal import Jobs
internal import PostgreSQL
internal import Words

/// Shows limits, sets those of a connector, or takes them away.
struct JobLimitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: words("command.jobs.limit"),
        discussion: words("command.jobs.limit.discussion"))

    @Argument(help: ArgumentHelp(words("argument.connector"), valueName: "CONNECTOR"))
    var connector: String?
    @Option(help: ArgumentHelp(words("option.running"), valueName: "N"))
    var running: Int?
    @Option(name: .customLong("per-minute"), help: ArgumentHelp(words("option.perMinute"), valueName: "N"))
    var perMinute: Int?
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        if let connector { try await set(connector) }
        let limits = try await database.withConnection { try await QueueControl.list(on: $0) }
            .filter { $0.scope == QueueControl.Scope.limit.rawValue }
        if output.asJSON {
            return limits.forEach {
                Console.printJSON([
                    "name": .text($0.name), "per_minute": JSONValue($0.perMinute),
                    "running": JSONValue($0.maxRunning),
                ])
            }
        }
        guard !limits.isEmpty else { return Console.print(words("jobs.noLimit")) }
        Console.printTable(
            [words("column.connector"), words("column.running"), words("column.perMinute")],
            limits.map { limit in
                [
                    String(limit.name.drop { $0 != ":" }.dropFirst()),
                    limit.maxRunning.map(String.init) ?? "–", limit.perMinute.map(String.init) ?? "–",
                ]
            }, rightAligned: [1, 2])
    }

    private func set(_ connector: String) async throws {
        guard connectors[connector] != nil || connector == "outgoing" else {
            throw Diagnostic(
                code: "FLOW-CONNECTOR",
                facts: ["name": connector, "known": (connectors.ids + ["outgoing"]).joined(separator: ", ")])
        }
        for (option, number) in [("--running", running), ("--per-minute", perMinute)] {
            guard let number, number < 1 else { continue }
            throw Diagnostic(
                code: "OPTION-VALUE", facts: ["option": option, "expected": "1…"],
                place: Place(value: String(number)))
        }
        try await database.withConnection { connection in
            try await QueueControl.limit(
                "connector:" + connector, maxRunning: running, perMinute: perMinute, on: connection)
            try await JobQueue.wake(on: connection)
        }
    }
}

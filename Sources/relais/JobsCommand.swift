// SPDX-License-Identifier: Apache-2.0
// `relais jobs`: what waits, what runs, what was given up.

internal import ArgumentParser
internal import Diagnostics
internal import Hub
internal import Jobs
internal import Model
internal import PostgreSQL
internal import Words

/// Lists and steers jobs.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: words("command.jobs"), discussion: words("command.jobs.discussion"),
        subcommands: [List.self, Show.self, Retry.self, Cancel.self, JobLimitCommand.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.jobs.list"),
            discussion: words("command.jobs.discussion"))
        @Option(help: ArgumentHelp(words("option.flow"), valueName: "NAME"))
        var flow: String?
        @Flag(help: ArgumentHelp(words("option.dead")))
        var dead = false
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let jobs = try await database.withConnection { connection in
                try await JobQueue.list(
                    group: flow.map(FlowDefinition.group), onlyDead: dead, on: connection)
            }
            if output.asJSON { return jobs.forEach { Console.printJSON($0.json) } }
            guard !jobs.isEmpty else { return Console.print(words("jobs.empty")) }
            Console.printTable(
                [
                    words("column.job"), words("column.group"), words("column.state"),
                    words("column.attempt"), words("column.created"), words("column.begins"),
                    words("column.jobRun"),
                ],
                jobs.map { job in
                    [
                        String(job.id), job.group.isEmpty ? job.kind : job.group, words("job.\(job.state)"),
                        String(job.attempt), words.instant(job.createdAt),
                        (job.startedAt ?? job.runAt).map { words.instant($0) } ?? "–",
                        job.run.map(String.init) ?? "–",
                    ]
                }, rightAligned: [0, 3, 6])
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: words("command.jobs.show"),
            discussion: words("command.jobs.discussion"))
        @Argument(help: ArgumentHelp(words("argument.job"), valueName: "ID"))
        var id: Int
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let job = try await database.withConnection { try await JobQueue.show(id, on: $0) }
            if output.asJSON { return Console.printJSON(job.json) }
            Console.print(
                words("jobs.title", ["job": String(job.id), "state": words("job.\(job.state)")]))
            let lines: [(String, String?)] = [
                ("kind", "\(job.kind) \(job.group)"), ("queue", job.queue),
                ("attempt", job.maxAttempts.map { "\(job.attempt) / \($0)" } ?? String(job.attempt)),
                ("created", words.instant(job.createdAt)),
                ("begins", job.runAt.map { words.instant($0) }),
                ("started", job.startedAt.map { words.instant($0) }),
                ("ended", job.endedAt.map { words.instant($0) }), ("worker", job.worker),
                ("run", job.run.map(String.init)), ("payload", job.payload?.text),
            ]
            for (key, value) in lines {
                if let value { Console.print("  \(words("jobs.\(key)")) \(value)") }
            }
            if let error = job.error.flatMap({ Diagnostic(kept: $0) }) {
                Console.print(Console.text(of: error, indent: "  "))
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry", abstract: words("command.jobs.retry"),
            discussion: words("command.jobs.discussion"))
        @Argument(help: ArgumentHelp(words("argument.job"), valueName: "ID"))
        var id: Int
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let made = try await database.withConnection { connection in
                let made = try await JobQueue.retry(id, on: connection)
                try await JobQueue.wake(on: connection)
                return made
            }
            Console.print(words("jobs.retried", ["job": String(made)]))
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: words("command.jobs.cancel"),
            discussion: words("command.jobs.discussion"))
        @Argument(help: ArgumentHelp(words("argument.job"), valueName: "ID"))
        var id: Int
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.withConnection { try await JobQueue.cancel(id, on: $0) }
            Console.print(words("jobs.cancelled", ["job": String(id)]))
        }
    }
}

extension JobStatus {
    fileprivate var json: JSONValue {
        [
            "attempt": .number(attempt), "created_at": .text(createdAt.description),
            "ended_at": JSONValue(endedAt?.description),
            "error": error.flatMap { Diagnostic(kept: $0) }.map { JSONValue($0) } ?? .null,
            "group": .text(group), "id": .number(id), "kind": .text(kind),
            "max_attempts": JSONValue(maxAttempts), "queue": .text(queue), "run": JSONValue(run),
            "run_at": JSONValue(runAt?.description), "started_at": JSONValue(startedAt?.description),
            "state": .text(state), "worker": JSONValue(worker),
        ]
    }
}

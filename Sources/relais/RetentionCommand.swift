// SPDX-License-Identifier: Apache-2.0
// `relais retention`: lets old things go, as the daemon does once a day.

internal import ArgumentParser
internal import Hub
internal import Words

/// Shows or does what the daily job does.
struct RetentionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retention", abstract: words("command.retention"),
        discussion: words("command.retention.discussion"))

    @Flag(name: .customLong("dry-run"), help: ArgumentHelp(words("option.retentionDryRun")))
    var isDryRun = false
    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let days = try database.configuration().retention
        let report = try await database.withDatabase { pool in
            let retention = Retention(pool: pool, blobs: database.blobs, days: days)
            return try await isDryRun ? retention.plan() : retention.run()
        }
        if output.asJSON {
            return Console.printJSON([
                "bytes": .number(report.bytes), "dry_run": .boolean(isDryRun), "files": .number(report.files),
                "images": .number(report.images), "jobs": .number(report.jobs), "runs": .number(report.runs),
            ])
        }
        let facts = [
            "size": words.size(report.bytes), "images": words.number(report.images),
            "files_days": String(days.files), "images_days": String(days.images),
            "jobs_days": String(days.jobs),
        ]
        Console.print(words(isDryRun ? "retention.would" : "retention.done"))
        Console.print(words("retention.files", count: report.files, facts))
        Console.print(words("retention.runs", count: report.runs, facts))
        Console.print(words("retention.jobs", count: report.jobs, facts))
    }
}

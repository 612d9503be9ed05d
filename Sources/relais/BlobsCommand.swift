// SPDX-License-Identifier: Apache-2.0
// `relais blobs`: the files that are kept.

internal import ArgumentParser
internal import BlobStore
internal import Diagnostics
internal import Hub
internal import PostgreSQL
internal import Words

/// Checks and counts kept files.
struct BlobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blobs", abstract: words("command.blobs"), discussion: words("command.blobs.discussion"),
        subcommands: [Scrub.self, Stats.self], defaultSubcommand: Stats.self)

    struct Scrub: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "scrub", abstract: words("command.blobs.scrub"),
            discussion: words("command.blobs.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let store = database.blobs
            let report = try await database.withConnection { try await store.scrub(on: $0) }
            if output.asJSON {
                Console.printJSON([
                    "blobs": .number(report.blobs), "bytes": .number(report.bytes),
                    "damaged": .list(report.damaged.map { .text($0) }),
                    "missing": .list(report.missing.map { .text($0) }),
                    "swept": .list(report.swept.map { .text($0) }),
                ])
            } else {
                let faults =
                    report.missing.map { Diagnostic(code: "BLOB-MISSING", facts: ["sha256": $0]) }
                    + report.damaged.map { Diagnostic(code: "BLOB-DAMAGED", facts: ["sha256": $0]) }
                Console.report(faults, asJSON: false)
                let facts = [
                    "damaged": words.number(report.damaged.count),
                    "missing": words.number(report.missing.count), "size": words.size(report.bytes),
                    "swept": words.number(report.swept.count),
                ]
                Console.print(words("blobs.scrubbed", count: report.blobs, facts))
            }
            if !report.missing.isEmpty || !report.damaged.isEmpty { throw ExitStatus.failed }
        }
    }

    struct Stats: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "stats", abstract: words("command.blobs.stats"),
            discussion: words("command.blobs.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let store = database.blobs
            let counts = try await database.withConnection { try await store.count(on: $0) }
            if output.asJSON {
                return counts.forEach { count in
                    Console.printJSON([
                        "blobs": .number(count.count), "bytes": .number(count.bytes),
                        "store": .text(count.store),
                    ])
                }
            }
            guard !counts.isEmpty else { return Console.print(words("blobs.empty")) }
            Console.printTable(
                [words("column.place"), words("column.count"), words("column.size")],
                counts.map {
                    [words("blobs.store.\($0.store)"), words.number($0.count), words.size($0.bytes)]
                },
                rightAligned: [1, 2])
        }
    }
}

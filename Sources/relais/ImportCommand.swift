// SPDX-License-Identifier: Apache-2.0
// `relais import`: applies files to the CRM as one run.

internal import ArgumentParser
internal import ConnectorKit
internal import Diagnostics
internal import ERPConnector
internal import FileSources
internal import Hub
internal import Words

/// Imports files.
struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: words("command.import"),
        discussion: words("command.import.discussion"))

    @Argument(help: ArgumentHelp(words("argument.files"), valueName: "FILE"))
    var files: [String]

    @OptionGroup var mapping: MappingOptions
    @OptionGroup var database: DatabaseOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let chooser = try mapping.chooser(database.mappings)
        let report = try await database.withDatabase { pool in
            let settings = try database.importSettings
            let engine = ImportEngine(pool: pool, source: "erp", settings, chooser: chooser)
            let connector = ERPConnector(Settings([FileSettings.paths.name: files]))
            return try await engine.run(connector) { Console.progress(ProgressText.line($0)) }
        }
        Console.progress("")
        output.asJSON ? Console.printJSON(json(report)) : show(report)
        if !report.unreadable.isEmpty { throw ExitStatus.failed }
        if report.files.contains(where: \.isStoppedByLimit) { throw ExitStatus.stopped }
        if report.ledger.quarantined > 0 { throw ExitStatus.quarantined }
    }

    private func show(_ report: ImportReport) {
        for file in report.files {
            if let refusal = file.refusal {
                Console.warn(Console.text(of: refusal))
            } else if let earlier = file.earlierRun {
                Console.print(words("import.duplicate", ["file": file.name, "run": String(earlier)]))
            } else {
                Console.print("\(file.name): \(LedgerText.line(file.ledger))")
            }
            for warning in file.warnings { Console.warn(Console.text(of: warning)) }
        }
        Console.print(
            words("import.summary", ["ledger": LedgerText.line(report.ledger), "run": String(report.run)]))
        if report.ledger.quarantined > 0 {
            Console.print(words("import.quarantine", ["run": String(report.run)]))
        }
    }

    private func json(_ report: ImportReport) -> JSONValue {
        [
            "files": .list(
                report.files.map { file in
                    [
                        "earlier_run": JSONValue(file.earlierRun),
                        "error": file.refusal.map { JSONValue($0) } ?? .null,
                        "file": .text(file.name), "ledger": LedgerText.json(file.ledger),
                        "mapping": JSONValue(file.mapping),
                    ]
                }), "ledger": LedgerText.json(report.ledger), "run": .number(report.run),
        ]
    }
}

/// How far an import or a preview is.
enum ProgressText {
    static func line(_ progress: ImportProgress) -> String {
        let percent = progress.totalBytes == 0 ? 100 : progress.bytes * 100 / progress.totalBytes
        return words(
            "import.progress.\(progress.phase.rawValue)",
            [
                "file": progress.file, "percent": String(percent),
                "records": words.number(progress.ledger.read),
            ])
    }
}

/// A ledger for people and for programs.
enum LedgerText {
    /// `12 lus = 10 créés + 2 inchangés`; counts of zero are left out. Of what goes out, what was not sent is said.
    static func line(_ ledger: RunLedger, kind: String = "import") -> String {
        guard kind != "export" else {
            let sent = words("ledger.sent", count: ledger.unchanged)
            return ledger.skipped == 0
                ? sent : "\(sent), \(words("ledger.refused", count: ledger.skipped))"
        }
        let parts = [
            ("inserted", ledger.inserted), ("updated", ledger.updated), ("unchanged", ledger.unchanged),
            ("deleted", ledger.deleted), ("quarantined", ledger.quarantined), ("skipped", ledger.skipped),
        ].filter { $0.1 > 0 }.map { words("ledger.\($0.0)", count: $0.1) }
        let read = words("ledger.read", count: ledger.read)
        return parts.isEmpty ? read : "\(read) = \(parts.joined(separator: " + "))"
    }

    /// All counts.
    static func json(_ ledger: RunLedger) -> JSONValue {
        [
            "deleted": .number(ledger.deleted), "inserted": .number(ledger.inserted),
            "quarantined": .number(ledger.quarantined),
            "read": .number(ledger.read), "skipped": .number(ledger.skipped),
            "unchanged": .number(ledger.unchanged), "updated": .number(ledger.updated),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais preview`: what an import would do, record by record, without writing anything.

internal import ArgumentParser
internal import CRM
internal import ConnectorKit
internal import Diagnostics
internal import ERPConnector
internal import FileSources
internal import Foundation
internal import Hub
internal import Mapping
internal import Model
internal import Server
internal import Tabular
internal import Words

/// Previews an import.
struct PreviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview", abstract: words("command.preview"),
        discussion: words("command.preview.discussion"))

    @Argument(help: ArgumentHelp(words("argument.files"), valueName: "FILE"))
    var files: [String]

    @OptionGroup var mapping: MappingOptions
    @OptionGroup var database: DatabaseOptions

    @Option(help: ArgumentHelp(words("option.limit"), valueName: "N"))
    var limit = 20

    @Flag(name: .customLong("csv"), help: ArgumentHelp(words("option.csv")))
    var asCSV = false

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let chooser = try mapping.chooser(database.mappings)
        var printer = PreviewPrinter(form: output.asJSON ? .json : asCSV ? .csv : .text, limit: limit)
        let reports = try await database.withDatabase { pool in
            let settings = try database.importSettings
            let engine = PreviewEngine(pool: pool, source: "erp", settings, chooser: chooser)
            let connector = ERPConnector(Settings([FileSettings.paths.name: files]))
            return try await engine.run(connector, progress: { Console.progress(ProgressText.line($0)) }) {
                printer.add($0)
            }
        }
        Console.progress("")
        printer.finish(reports)
        let ledger = reports.reduce(into: RunLedger()) { $0 += $1.ledger }
        if reports.contains(where: { $0.refusal != nil && !$0.isStoppedByLimit }) { throw ExitStatus.failed }
        if reports.contains(where: \.isStoppedByLimit) { throw ExitStatus.stopped }
        if ledger.quarantined > 0 { throw ExitStatus.quarantined }
    }
}

/// Writes previewed records as text, JSON lines or CSV.
private struct PreviewPrinter {
    enum Form {
        case text, json, csv
    }

    let form: Form
    /// Records shown as text.
    let limit: Int
    private var shown = 0
    private var hidden = 0

    init(form: Form, limit: Int) {
        self.form = form
        self.limit = limit
        guard form == .csv else { return }
        row(
            [
                "file", "record", "line", "outcome", "code", "field", "origin", "source_text", "steps",
                "before",
                "after", "match",
            ], isFirst: true)
    }

    mutating func add(_ preview: RecordPreview) {
        let lines = PreviewedRecord(preview, words)
        switch form {
        case .json: Console.printJSON(lines.json)
        case .csv: writeCSV(lines)
        case .text:
            // What stays as it is needs no look.
            guard lines.outcome != "unchanged", lines.outcome != "skipped" else { return }
            guard shown < limit else { return hidden += 1 }
            shown += 1
            writeText(lines)
        }
    }

    func finish(_ reports: [FileReport]) {
        let ledger = reports.reduce(into: RunLedger()) { $0 += $1.ledger }
        guard form == .text else {
            for report in reports {
                if let refusal = report.refusal {
                    form == .json
                        ? Console.printJSON(["error": JSONValue(refusal), "file": .text(report.name)])
                        : Console.warn(Console.text(of: refusal))
                }
            }
            if form == .json {
                Console.printJSON(["entity": .text("preview"), "ledger": LedgerText.json(ledger)])
            }
            return
        }
        if hidden > 0 { Console.print(words("preview.hidden", count: hidden)) }
        for report in reports {
            if let refusal = report.refusal {
                Console.warn(Console.text(of: refusal))
            } else if let earlier = report.earlierRun {
                Console.print(words("import.duplicate", ["file": report.name, "run": String(earlier)]))
            } else {
                Console.print("\(report.name): \(LedgerText.line(report.ledger))")
            }
            for warning in report.warnings { Console.warn(Console.text(of: warning)) }
        }
        Console.print(words("preview.summary", ["ledger": LedgerText.line(ledger)]))
    }

    private func writeText(_ record: PreviewedRecord) {
        Console.print("\(record.place): \(words("preview.\(record.outcome)")) \(record.title)")
        if let reason = record.reason { Console.print(Console.text(of: reason, indent: "  ! ")) }
        for match in record.matches { Console.print("  \(match.text)") }
        for field in record.fields where field.isWorthShowing(record.outcome) {
            let origin = field.trace.map { trace in
                let text = trace.source.flatMap { $0 == field.after ? nil : " « \($0) »" } ?? ""
                return "   [\(trace.origin)\(text)]"
            }
            let change =
                field.before == nil ? field.after ?? "" : "\(field.before ?? "") → \(field.after ?? "")"
            Console.print("  \(field.name): \(change)\(origin ?? "")")
        }
    }

    private func writeCSV(_ record: PreviewedRecord) {
        let matches = record.matches.map(\.text).joined(separator: "; ")
        for field in record.fields {
            row([
                record.file, String(record.ordinal), record.line.map(String.init) ?? "", record.outcome,
                record.reason?.code ?? "", field.name, field.trace?.origin ?? "", field.trace?.source ?? "",
                field.trace?.steps.joined(separator: ", ") ?? "", field.before ?? "", field.after ?? "",
                matches,
            ])
        }
        guard record.fields.isEmpty else { return }
        row([
            record.file, String(record.ordinal), record.line.map(String.init) ?? "", record.outcome,
            record.reason?.code ?? "", "", "", "", "", "", "", matches,
        ])
    }

    /// One row; only the first begins with the mark that makes spreadsheets read UTF-8.
    private func row(_ cells: [String], isFirst: Bool = false) {
        var writer = CSVWriter(delimiter: UInt8(ascii: ";"), hasMark: isFirst)
        writer.write(cells.map { .text($0) })
        Console.write(Data(writer.bytes))
    }
}

extension PreviewedRecord {
    /// The record as one JSON line.
    var json: JSONValue {
        [
            "entity": .text(entity), "file": .text(file), "line": JSONValue(line), "outcome": .text(outcome),
            "record": .number(ordinal), "reason": reason.map { JSONValue($0) } ?? .null,
            "matches": .list(
                matches.map { match in
                    [
                        "accounts": .list(match.trace.parties.map { .number($0) }),
                        "key": JSONValue(match.trace.key), "result": .text(match.trace.result.rawValue),
                        "role": .text(match.role), "value": JSONValue(match.trace.value),
                    ]
                }),
            "fields": .list(
                fields.map { field in
                    [
                        "after": JSONValue(field.after), "before": JSONValue(field.before),
                        "field": .text(field.name), "origin": JSONValue(field.trace?.origin),
                        "source": JSONValue(field.trace?.source),
                        "steps": .list((field.trace?.steps ?? []).map { .text($0) }),
                    ]
                }),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais alerts`: what somebody was told, and whether mail gets through.

internal import ArgumentParser
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Mail
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Words

/// Lists alerts and tries the mail server.
struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: words("command.alerts"),
        discussion: words("command.alerts.discussion"), subcommands: [List.self, Test.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.alerts.list"),
            discussion: words("command.alerts.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let alerts = try await database.withConnection { try await Alerts.list(on: $0) }
            if output.asJSON { return alerts.forEach { Console.printJSON($0.json) } }
            guard !alerts.isEmpty else { return Console.print(words("alerts.empty")) }
            Console.printTable(
                [
                    words("column.flow"), words("column.alert"), words("column.expected"),
                    words("column.mailed"), words("column.posted"),
                ],
                alerts.map { alert in
                    [
                        alert.flow, words("alerts.kind.\(alert.kind.rawValue)"), words.instant(alert.nominal),
                        alert.mailedAt.map { words.instant($0) } ?? "–",
                        alert.postedAt.map { words.instant($0) } ?? "–",
                    ]
                })
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: words("command.alerts.test"),
            discussion: words("command.alerts.test.discussion"))
        @Argument(help: ArgumentHelp(words("argument.address"), valueName: "ADDRESS"))
        var address: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            guard MailMessage.isAddress(address) else {
                throw Diagnostic(
                    code: "OPTION-VALUE", facts: ["option": "ADDRESS", "expected": "nom@exemple.fr"],
                    place: Place(value: address))
            }
            guard let server = try database.configuration().mailServer else { throw FlowError(.mailServer) }
            try await database.withDatabase { pool in
                try await AlertTexts.sender(pool, database).test(
                    server, to: address, subject: words("alerts.test.subject"),
                    text: words("alerts.test.text"), now: Surroundings.now)
            }
            Console.print(words("alerts.test.sent", ["address": address]))
        }
    }
}

/// How alerts are said.
enum AlertTexts {
    /// What sends alerts of a database.
    static func sender(
        _ pool: Pool, _ database: DatabaseOptions, _ shelf: MappingShelf? = nil
    ) throws -> Alerts {
        Alerts(
            pool: pool, connectors: connectors, mappings: shelf ?? database.mappings,
            secrets: try database.secrets,
            mail: try database.configuration().mailServer, wording: { text(of: $0) })
    }

    private static func text(of alert: Alert) -> (subject: String, text: String) {
        let facts = ["flow": alert.flow, "at": words.instant(alert.nominal, in: "Europe/Paris")]
        let kind = alert.kind.rawValue
        var lines = [words("alerts.text.\(kind)", facts)]
        if let error = Diagnostic(kept: alert.facts) { lines.append(Console.text(of: error)) }
        lines += ["", words("alerts.hint.\(kind)", facts)]
        return (words("alerts.subject.\(kind)", facts), lines.joined(separator: "\n") + "\n")
    }
}

extension Alert {
    fileprivate var json: JSONValue {
        [
            "at": .text(at.description), "flow": .text(flow), "kind": .text(kind.rawValue),
            "mailed_at": JSONValue(mailedAt?.description), "nominal_at": .text(nominal.description),
            "posted_at": JSONValue(postedAt?.description),
        ]
    }
}

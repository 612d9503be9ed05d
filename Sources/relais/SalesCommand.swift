// SPDX-License-Identifier: Apache-2.0
// `relais sales`: the commercial documents of the CRM.

internal import ArgumentParser
internal import CRM
internal import Hub
internal import Model
internal import PostgreSQL
internal import Words

/// Lists documents.
struct SalesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sales", abstract: words("command.sales"), discussion: words("command.sales.discussion"),
        subcommands: [List.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.sales.list"),
            discussion: words("command.sales.discussion"))
        @Option(name: .customLong("account"), help: ArgumentHelp(words("option.account"), valueName: "ID"))
        var account: Int?
        @Flag(name: .customLong("contracts"), help: ArgumentHelp(words("option.contracts")))
        var contracts = false
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let documents = try await database.withConnection {
                try await SalesDocuments.list(
                    account: account, kind: contracts ? "contract" : nil, on: $0)
            }
            if output.asJSON { return documents.forEach { Console.printJSON(json($0)) } }
            guard !documents.isEmpty else { return Console.print(words("sales.empty")) }
            Console.printTable(
                [
                    words("column.kind"), words("column.number"), words("column.issued"), words("column.due"),
                    words("column.account"), words("column.lines"),
                    words(contracts ? "column.net" : "column.gross"), words("column.open"),
                    words("column.state"), words("column.file"),
                ],
                documents.map { document in
                    [
                        words("kind.\(document.kind)"), document.number,
                        document.issuedOn.map(words.date) ?? "–",
                        document.dueOn.map(words.date) ?? "–",
                        "\(document.accountName) (\(document.account))",
                        words.number(document.lines), amount(document.gross, document),
                        amount(document.open, document),
                        document.status.map { words("billing.\($0)") } ?? "–",
                        document.file ?? "–",
                    ]
                }, rightAligned: [5, 6, 7])
        }

        private func amount(_ amount: Decimal?, _ document: DocumentSummary) -> String {
            amount.map { words.amount($0, document.currency ?? "EUR") } ?? "–"
        }

        private func json(_ document: DocumentSummary) -> JSONValue {
            [
                "account": .number(document.account), "account_name": .text(document.accountName),
                "currency": JSONValue(document.currency), "due_date": JSONValue(document.dueOn),
                "file": JSONValue(document.file), "gross_total": JSONValue(document.gross),
                "id": .number(document.id), "issue_date": JSONValue(document.issuedOn),
                "issuer_name": .text(document.issuerName), "kind": .text(document.kind),
                "lines": .number(document.lines), "net_total": JSONValue(document.net),
                "number": .text(document.number), "open_amount": JSONValue(document.open),
                "status": JSONValue(document.status),
            ]
        }
    }
}

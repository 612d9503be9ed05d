// SPDX-License-Identifier: Apache-2.0
// `relais accounts`: finds accounts and shows what is known of one, and who said so.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import Hub
internal import Model
internal import PostgreSQL
internal import Words

/// Lists, searches and shows accounts.
struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: words("command.accounts"),
        discussion: words("command.accounts.discussion"), subcommands: [List.self, Search.self, Show.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.accounts.list"),
            discussion: words("command.accounts.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let accounts = try await database.withConnection { try await Accounts.list(on: $0) }
            AccountsCommand.show(accounts, asJSON: output.asJSON, empty: words("accounts.empty"))
        }
    }

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "search", abstract: words("command.accounts.search"),
            discussion: words("command.accounts.discussion"))
        @Argument(help: ArgumentHelp(words("argument.search"), valueName: "TEXT"))
        var text: String
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let accounts = try await database.withConnection { try await Accounts.search(text, on: $0) }
            AccountsCommand.show(
                accounts, asJSON: output.asJSON, empty: words("accounts.none", ["text": text]))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: words("command.accounts.show"),
            discussion: words("command.accounts.discussion"))
        @Argument(help: ArgumentHelp(words("argument.account"), valueName: "ID"))
        var id: Int
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let found = try await database.withConnection { try await Accounts.show(id, on: $0) }
            guard let account = found else {
                throw Diagnostic(code: "ACCOUNT-UNKNOWN", facts: ["id": String(id)])
            }
            output.asJSON ? Console.printJSON(AccountsCommand.json(account)) : AccountsCommand.show(account)
        }
    }

    private static func show(_ accounts: [AccountSummary], asJSON: Bool, empty: String) {
        if asJSON {
            return accounts.forEach { account in
                Console.printJSON([
                    "city": JSONValue(account.city), "documents": .number(account.documents),
                    "id": .number(account.id), "name": .text(account.name), "siren": JSONValue(account.siren),
                    "status": .text(account.status),
                ])
            }
        }
        guard !accounts.isEmpty else { return Console.print(empty) }
        Console.printTable(
            [
                words("column.id"), words("column.name"), words("column.siren"), words("column.city"),
                words("column.status"), words("column.documents"),
            ],
            accounts.map {
                [
                    String($0.id), $0.name, $0.siren ?? "–", $0.city ?? "–", words("status.\($0.status)"),
                    words.number($0.documents),
                ]
            }, rightAligned: [0, 5])
    }

    private static func show(_ account: AccountDetail) {
        let identity = account.identity
        Console.print("\(identity.name) (\(words("status.\(identity.status)")))")
        for (label, value) in [
            ("siren", identity.siren), ("vat", identity.vat), ("legal_id", identity.legalID),
        ] {
            if let value { Console.print("  \(words("column.\(label)")): \(value)") }
        }
        for code in account.codes { Console.print("  \(words("column.code")) \(code.source): \(code.code)") }
        for site in account.sites {
            let town = [site.postalCode, site.city].compactMap(\.self).joined(separator: " ")
            let address = [site.street, town, site.country].compactMap(\.self).filter { !$0.isEmpty }
            let label = words(site.isMain ? "site.main" : "site.other")
            Console.print(
                "  \(label): \(address.joined(separator: ", "))" + (site.siret.map { " (\($0))" } ?? ""))
        }
        for point in account.contactPoints {
            Console.print("  \(words("contact.\(point.kind)")): \(point.value)")
        }
        Console.print(words("accounts.claims"))
        Console.printTable(
            [words("column.field"), words("column.value"), words("column.source"), words("column.origin")],
            account.claims.map { claim in
                let place = [claim.file, claim.line.map(String.init)].compactMap(\.self).joined(
                    separator: ":")
                return [claim.field, claim.value ?? "–", claim.source, place]
            })
    }

    private static func json(_ account: AccountDetail) -> JSONValue {
        [
            "claims": .list(
                account.claims.map {
                    [
                        "entity": .text($0.entity), "field": .text($0.field), "file": JSONValue($0.file),
                        "line": JSONValue($0.line), "observed_at": .text($0.observedAt.description),
                        "source": .text($0.source), "value": JSONValue($0.value),
                    ]
                }),
            "codes": .list(account.codes.map { ["code": .text($0.code), "source": .text($0.source)] }),
            "contact_points": .list(
                account.contactPoints.map { ["kind": .text($0.kind), "value": .text($0.value)] }),
            "id": .number(account.identity.id), "legal_id": JSONValue(account.identity.legalID),
            "name": .text(account.identity.name), "siren": JSONValue(account.identity.siren),
            "sites": .list(
                account.sites.map {
                    [
                        "city": JSONValue($0.city), "country": JSONValue($0.country), "id": .number($0.id),
                        "is_main": .boolean($0.isMain), "postal_code": JSONValue($0.postalCode),
                        "siret": JSONValue($0.siret), "street": JSONValue($0.street),
                    ]
                }), "status": .text(account.identity.status), "vat": JSONValue(account.identity.vat),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais users`: who may sign in.

internal import ArgumentParser
internal import CRM
internal import Foundation
internal import Hub
internal import Model
internal import PostgreSQL
internal import Server
internal import Words

/// Keeps users.
struct UsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users", abstract: words("command.users"), discussion: words("command.users.discussion"),
        subcommands: [List.self, Add.self, Disable.self, OpenID.self, AppPassword.self, APIToken.self],
        defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.users.list"),
            discussion: words("command.users.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let users = try await database.withConnection { try await AppUsers.list(on: $0) }
            if output.asJSON {
                return users.forEach { user in
                    Console.printJSON([
                        "admin": .boolean(user.isAdmin),
                        "disabled_at": JSONValue(user.disabledAt?.description),
                        "login": .text(user.login), "name": .text(user.name),
                        "role": .text(user.role.rawValue), "team": JSONValue(user.team),
                    ])
                }
            }
            guard !users.isEmpty else { return Console.print(words("users.empty")) }
            Console.printTable(
                [
                    words("column.login"), words("column.name"), words("column.role"), words("column.team"),
                    words("column.state"),
                ],
                users.map { user in
                    let role = words("page.role.\(user.role.rawValue)")
                    return [
                        user.login, user.name,
                        user.isAdmin ? "\(role), \(words("page.role.admin"))" : role, user.team ?? "–",
                        words(user.disabledAt == nil ? "page.users.active" : "page.users.off"),
                    ]
                })
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: words("command.users.add"),
            discussion: words("command.users.add.discussion"))
        @Argument(help: ArgumentHelp(words("argument.login"), valueName: "LOGIN"))
        var login: String
        @Option(help: ArgumentHelp(words("option.users.role"), valueName: "rep|back_office|manager|it"))
        var role: String
        @Option(help: ArgumentHelp(words("option.users.name"), valueName: "TEXT"))
        var name: String?
        @Option(help: ArgumentHelp(words("option.users.team"), valueName: "TEXT"))
        var team: String?
        @Flag(help: ArgumentHelp(words("option.users.admin")))
        var admin = false
        @Flag(name: .customLong("sees-clients"), help: ArgumentHelp(words("option.users.seesClients")))
        var seesClients = false
        @Flag(name: .customLong("password-stdin"), help: ArgumentHelp(words("option.users.passwordStdin")))
        var readsPassword = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            // The two words of "back office" are written in several ways.
            guard let role = AppUser.Role(rawValue: role.lowercased().replacing("-", with: "_")) else {
                throw ValidationError(words("users.role", ["role": self.role]))
            }
            var draft = AppUsers.Draft(login: login, name: name ?? login, role: role)
            (draft.isAdmin, draft.seesClients, draft.team) = (admin, seesClients, team)
            let hash = readsPassword ? try await Passwords().hash(SecretInput.line()) : nil
            let link = try await database.withConnection { [draft] connection in
                try await connection.transaction { connection in
                    let user = try await AppUsers.add(draft, passwordHash: hash, on: connection)
                    try await Audit.write("user.added", by: nil, of: "user", user.id, on: connection)
                    return hash == nil ? try await SignIn.link(for: user.id, on: connection) : nil
                }
            }
            Console.print(words("users.added", ["login": login]))
            if let link { Console.print(words("users.link", ["path": "/welcome/\(link.text)"])) }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable", abstract: words("command.users.disable"),
            discussion: words("command.users.discussion"))
        @Argument(help: ArgumentHelp(words("argument.login"), valueName: "LOGIN"))
        var login: String
        @Flag(help: ArgumentHelp(words("option.users.again")))
        var undo = false
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.withConnection { connection in
                try await AppUsers.disable(login, !undo, on: connection)
                let user = try await AppUsers.show(login, on: connection)
                try await Audit.write(
                    undo ? "user.enabled" : "user.disabled", by: nil, of: "user", user.id, on: connection)
            }
            Console.print(words(undo ? "users.enabled" : "users.disabled", ["login": login]))
        }
    }

    struct OpenID: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "openid", abstract: words("command.users.openid"),
            discussion: words("command.users.openid.discussion"))
        @Argument(help: ArgumentHelp(words("argument.login"), valueName: "LOGIN"))
        var login: String
        @Option(help: ArgumentHelp(words("option.users.email"), valueName: "ADDRESS"))
        var email: String?
        @Flag(help: ArgumentHelp(words("option.users.unlink")))
        var unlink = false
        @OptionGroup var database: DatabaseOptions

        func validate() throws {
            guard email != nil || unlink else { throw ValidationError(words("users.openid.nothing")) }
        }

        func run() async throws {
            let isUnlinked = try await database.withConnection { connection in
                try await connection.transaction { connection in
                    let user = try await AppUsers.show(login, on: connection)
                    if let email {
                        try await OpenIDLinks.setEmail(
                            email.isEmpty ? nil : email, of: login, on: connection)
                        try await Audit.write("user.email", by: nil, of: "user", user.id, on: connection)
                    }
                    guard unlink, try await OpenIDLinks.unlink(login, on: connection) else { return false }
                    try await Audit.write("user.unlinked", by: nil, of: "user", user.id, on: connection)
                    return true
                }
            }
            if email != nil { Console.print(words("users.email", ["login": login])) }
            if unlink {
                Console.print(words(isUnlinked ? "users.unlinked" : "users.notLinked", ["login": login]))
            }
        }
    }

    struct APIToken: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "api-token", abstract: words("command.users.apiToken"),
            discussion: words("command.users.apiToken.discussion"))
        @Argument(help: ArgumentHelp(words("argument.login"), valueName: "LOGIN"))
        var login: String
        @Option(help: ArgumentHelp(words("option.users.label"), valueName: "TEXT"))
        var label: String
        @Option(
            name: .customLong("scope"),
            help: ArgumentHelp(words("option.users.scope"), valueName: "SCOPE"))
        var scopes: [String]
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let known = APIScope.allCases.map(\.rawValue)
            if let wrong = scopes.first(where: { !known.contains($0) }) {
                throw ValidationError(
                    words("users.scope", ["scope": wrong, "known": known.joined(separator: ", ")]))
            }
            let token = try await database.withConnection { connection in
                let user = try await AppUsers.show(login, on: connection)
                try await Audit.write("token.made", by: nil, of: "user", user.id, on: connection)
                return try await AccessTokens.make(
                    .api, label: label, scopes: scopes, for: user.id, on: connection)
            }
            // The token alone, for scripts.
            Console.print(token.text)
        }
    }

    struct AppPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "app-password", abstract: words("command.users.appPassword"),
            discussion: words("command.users.appPassword.discussion"))
        @Argument(help: ArgumentHelp(words("argument.login"), valueName: "LOGIN"))
        var login: String
        @Option(help: ArgumentHelp(words("option.users.label"), valueName: "TEXT"))
        var label: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let token = try await database.withConnection { connection in
                let user = try await AppUsers.show(login, on: connection)
                try await Audit.write("token.made", by: nil, of: "user", user.id, on: connection)
                return try await AccessTokens.make(.appPassword, label: label, for: user.id, on: connection)
            }
            // The token alone, for scripts.
            Console.print(token.text)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais secrets`: passwords and keys of other machines, which can be set and never read back.

internal import ArgumentParser
internal import FileTransfer
internal import Foundation
internal import Glibc
internal import Hub
internal import Model
internal import Words

/// Keeps secrets.
struct SecretsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secrets", abstract: words("command.secrets"),
        discussion: words("command.secrets.discussion"),
        subcommands: [List.self, Set.self, Delete.self, RotateKey.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.secrets.list"),
            discussion: words("command.secrets.discussion"))
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let secrets = try await database.withConnection { try await (try database.secrets).list(on: $0) }
            if output.asJSON {
                return secrets.forEach { secret in
                    Console.printJSON([
                        "flows": .list(secret.flows.map { .text($0) }), "name": .text(secret.name),
                        "set_at": .text(secret.setAt.description), "set_by": JSONValue(secret.setBy),
                    ])
                }
            }
            guard !secrets.isEmpty else { return Console.print(words("secrets.empty")) }
            Console.printTable(
                [
                    words("column.secret"), words("column.setAt"), words("column.setBy"),
                    words("column.flows"),
                ],
                secrets.map { secret in
                    [
                        secret.name, words.instant(secret.setAt), secret.setBy ?? "–",
                        secret.flows.isEmpty ? "–" : secret.flows.joined(separator: ", "),
                    ]
                })
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: words("command.secrets.set"),
            discussion: words("command.secrets.set.discussion"))
        @Argument(help: ArgumentHelp(words("argument.secret"), valueName: "NAME"))
        var name: String
        @Option(help: ArgumentHelp(words("option.secretFile"), valueName: "FILE"))
        var file: String?
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let value = try SecretInput.read(file, name: name)
            try await database.withConnection { connection in
                try await (try database.secrets).set(name, to: value, by: Surroundings.person, on: connection)
            }
            Console.print(words("secrets.set", ["name": name]))
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete", abstract: words("command.secrets.delete"),
            discussion: words("command.secrets.discussion"))
        @Argument(help: ArgumentHelp(words("argument.secret"), valueName: "NAME"))
        var name: String
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            try await database.withConnection { try await (try database.secrets).delete(name, on: $0) }
            Console.print(words("secrets.deleted", ["name": name]))
        }
    }

    struct RotateKey: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate-key", abstract: words("command.secrets.rotateKey"),
            discussion: words("command.secrets.rotateKey.discussion"))
        @OptionGroup var database: DatabaseOptions

        func run() async throws {
            let count = try await database.withConnection {
                try await (try database.secrets).rotateKey(on: $0)
            }
            Console.print(words("secrets.rotated", count: count))
        }
    }
}

/// Where the value of a secret comes from: never from the command line, which others can read.
enum SecretInput {
    /// The first line of standard input.
    static func line() throws -> String {
        let data = try FileHandle.standardInput.readToEnd() ?? Data()
        let text = String(decoding: data.prefix(Secrets.limit), as: UTF8.self)
        return text.split(separator: "\n", omittingEmptySubsequences: false).first.map(String.init) ?? ""
    }

    static func read(_ path: String?, name: String) throws -> String {
        if let path {
            let file = try LocalFile(path, limit: Secrets.limit)
            return String(decoding: try file.read(upTo: Secrets.limit), as: UTF8.self)
        }
        guard isatty(STDIN_FILENO) == 1 else {
            let data = try FileHandle.standardInput.readToEnd() ?? Data()
            let text = String(decoding: data.prefix(Secrets.limit), as: UTF8.self)
            // The line's end is the shell's, unless the secret has several lines, as keys have.
            let line = text.hasSuffix("\n") ? String(text.dropLast()) : text
            return line.contains("\n") ? text : line
        }
        return unsafe String(cString: getpass(words("secrets.prompt", ["name": name])))
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais match`: which account a description means, decided once by a person.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hub
internal import JSON
internal import PostgreSQL
internal import Words

/// Decides on descriptions that no rule could give an account.
struct MatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "match", abstract: words("command.match"), discussion: words("command.match.discussion"),
        subcommands: [List.self, Decide.self, Never.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: words("command.match.list"),
            discussion: words("command.match.discussion"))
        @Flag(name: .customLong("decided"), help: ArgumentHelp(words("option.match.decided")))
        var decided = false
        @OptionGroup var database: DatabaseOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let cases = try await database.withConnection {
                try await MatchCases.list(decided: decided, on: $0)
            }
            if output.asJSON { return cases.forEach { Console.printJSON($0.json) } }
            guard !cases.isEmpty else { return Console.print(words("match.empty")) }
            for found in cases { show(found) }
        }

        private func show(_ found: MatchCase) {
            let reference = JSONTexts.object(found.reference)
            let name = reference["name"] ?? reference["code"] ?? "–"
            let others = reference.filter { $0.key != "name" }.sorted { $0.key < $1.key }
                .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            Console.print(
                "\(found.id)  \(name)  [\(found.reason)]  \(words("match.records", count: found.records))")
            if !others.isEmpty { Console.print("    \(others)") }
            if let account = found.account {
                return Console.print("    \(words("match.decided", ["account": String(account)]))")
            }
            let candidates = JSONTexts.list(found.candidates)
            if candidates.isEmpty { Console.print("    \(words("match.noCandidate"))") }
            for candidate in candidates {
                let shares =
                    candidate["shares"]?.items.compactMap(\.text).map { words("match.share.\($0)") } ?? []
                let parts = [candidate["siren"]?.text, candidate["city"]?.text].compactMap(\.self)
                Console.print(
                    words(
                        "match.candidate",
                        [
                            "account": candidate["id"]?.text ?? "", "name": candidate["name"]?.text ?? "",
                            "parts": parts.joined(separator: ", "),
                            "shares": shares.isEmpty
                                ? words("match.share.none") : shares.joined(separator: ", "),
                        ]))
            }
        }
    }

    struct Decide: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "decide", abstract: words("command.match.decide"),
            discussion: words("command.match.discussion"))
        @OptionGroup var answer: Answer

        func run() async throws {
            try await answer.give("match.nowDecided") { try await MatchCases.decide($0, account: $1, on: $2) }
        }
    }

    struct Never: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "never", abstract: words("command.match.never"),
            discussion: words("command.match.discussion"))
        @OptionGroup var answer: Answer

        func run() async throws {
            try await answer.give("match.nowNever") { try await MatchCases.never($0, account: $1, on: $2) }
        }
    }

    /// What a person says about a case and an account.
    struct Answer: ParsableArguments {
        @Argument(help: ArgumentHelp(words("argument.match"), valueName: "ID"))
        var id: Int
        @Argument(help: ArgumentHelp(words("argument.account"), valueName: "ACCOUNT"))
        var account: Int
        @OptionGroup var database: DatabaseOptions

        /// Writes it, and tells how many records it frees under the text's name.
        func give(
            _ text: String, _ write: (Int, Int, Connection) async throws -> Int?
        ) async throws {
            let facts = ["account": String(account), "id": String(id)]
            let freed = try await database.withConnection { try await write(id, account, $0) }
            guard let freed else { throw RunError(.caseUnknown, facts) }
            Console.print(words(text, count: freed, facts))
        }
    }
}

extension MatchCase {
    /// The case for programs.
    var json: JSONValue {
        [
            "account": JSONValue(account),
            "candidates": .list(
                JSONTexts.list(candidates).map { candidate in
                    [
                        "city": JSONValue(candidate["city"]?.text),
                        "id": JSONValue(candidate["id"]?.text.flatMap { Int($0) }),
                        "name": JSONValue(candidate["name"]?.text),
                        "shares": .list(
                            (candidate["shares"]?.items ?? []).compactMap(\.text).map { .text($0) }),
                        "siren": JSONValue(candidate["siren"]?.text),
                    ]
                }),
            "id": .number(id), "reason": .text(reason), "records": .number(records),
            "reference": .object(JSONTexts.object(reference).mapValues { .text($0) }),
        ]
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais doctor`: checks what Relais needs to run, and says what to do about what is missing.

internal import ArgumentParser
internal import Diagnostics
internal import Foundation
internal import Hub
internal import PostgreSQL
internal import Server
internal import Words

/// Checks the installation.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: words("command.doctor"),
        discussion: words("command.doctor.discussion"))

    @OptionGroup var database: DatabaseOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let checks = [
            await NodeCheck.installation(), await NodeCheck.mappings(database.mappings),
            await NodeCheck.disk(database.folder.path), await databaseCheck(),
        ]
        output.asJSON ? checks.forEach(showJSON) : checks.forEach(show)
        if checks.contains(where: { $0.fault != nil }) { throw ExitStatus.failed }
    }

    /// Opens the database, without starting a private cluster that is down: a check changes nothing.
    private func databaseCheck() async -> NodeCheck {
        await NodeCheck(.database) {
            if let cluster = try database.cluster(), try cluster.runningServer() == nil {
                _ = try cluster.installation()
                return .stopped
            }
            let connection = try await Connection.open(try await database.connectionString())
            let detail = try await NodeCheck.schema(connection)
            await connection.close()
            return detail
        }
    }

    private func show(_ check: NodeCheck) {
        let label = words("doctor.\(check.subject.rawValue)")
        if let fault = check.told(words) {
            Console.print("✗ \(label)\n\(Console.text(of: fault, indent: "    "))")
        } else {
            Console.print("✓ \(label): \(check.detail?.text(words) ?? "")")
        }
    }

    private func showJSON(_ check: NodeCheck) {
        Console.printJSON([
            "check": .text(check.subject.rawValue), "detail": .text(check.detail?.text(words) ?? ""),
            "error": check.told(words).map { JSONValue($0) } ?? .null, "ok": .boolean(check.fault == nil),
        ])
    }
}

// SPDX-License-Identifier: Apache-2.0
// The command `relais`: finds the subcommand, runs it, and says in plain words what went wrong.

internal import ArgumentParser
internal import Diagnostics
internal import Foundation
internal import Glibc
internal import Hub
internal import Mapping
internal import Words

/// Entry point.
@main
struct Relais: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relais", abstract: words("command.relais"),
        discussion: words("command.relais.discussion"), version: Version.text,
        subcommands: [
            MapCommand.self, PreviewCommand.self, ImportCommand.self, MappingCommand.self, RunsCommand.self,
            QuarantineCommand.self, MatchCommand.self, AccountsCommand.self, SalesCommand.self,
            BlobsCommand.self, FlowsCommand.self, AlertsCommand.self, JobsCommand.self, SecretsCommand.self,
            UsersCommand.self, SourcesCommand.self,
            ServeCommand.self, ConfigCommand.self, UnitCommand.self,
            RetentionCommand.self, ConnectorsCommand.self, NewCommand.self,
            DatabaseCommand.self, DoctorCommand.self,
        ])

    /// Runs the command line; the exit code says how it went (``ExitStatus``).
    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Glibc.exit(report(error, asJSON: arguments.contains("--json")))
        }
    }

    /// Shows an error and returns its exit code.
    private static func report(_ error: any Error, asJSON: Bool) -> Int32 {
        switch error {
        case let status as ExitStatus: return status.rawValue
        case let error as any ReportableError: Console.report([error.diagnostic], asJSON: asJSON)
        case let faults as MappingFaults: Console.report(faults.faults, asJSON: asJSON)
        case let faults as ConfigurationFaults: Console.report(faults.faults, asJSON: asJSON)
        case let faults as FlowFaults: Console.report(faults.faults, asJSON: asJSON)
        case let diagnostic as Diagnostic: Console.report([diagnostic], asJSON: asJSON)
        default:
            let code = exitCode(for: error).rawValue
            if code == 0 || code == ExitStatus.usage.rawValue {
                let text = fullMessage(for: error)
                if code == 0 { Console.print(text) } else { Console.warn(text) }
                return code
            }
            Console.report([Diagnostic(code: "UNEXPECTED", facts: ["detail": "\(error)"])], asJSON: asJSON)
        }
        return ExitStatus.failed.rawValue
    }
}

/// How a command ended, for scripts.
enum ExitStatus: Int32, Error {
    case failed = 1
    case quarantined = 3
    case stopped = 4
    case usage = 64
}

/// The version of the program.
enum Version {
    static let text = "0.1.0"
}

// SPDX-License-Identifier: Apache-2.0
// The built command as a child process, as a user runs it.

internal import Foundation
internal import Subprocess
internal import SystemPackage

/// How a run of the command ended.
package struct CommandResult: Sendable {
    /// Exit code; the negative signal number of a killed process.
    package let status: Int32
    /// Standard output.
    package let output: String
    /// Standard error.
    package let errors: String
}

/// Runs `relais`.
package enum RelaisCommand {
    /// Runs the command to its end with a text on its standard input, in French unless the environment says otherwise.
    package static func run(
        _ arguments: [String], environment: [String: String] = [:], input: String = ""
    ) async throws -> CommandResult {
        let variables = ["LANG": "fr_FR.UTF-8", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let result = try await Subprocess.run(
            .path(.init(Repository.command.path)), arguments: Arguments(arguments),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) })),
            input: .string(input), output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): -signal
            }
        return CommandResult(status: status, output: result.standardOutput, errors: result.standardError)
    }
}

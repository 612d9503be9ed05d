// SPDX-License-Identifier: Apache-2.0
// Runs PostgreSQL's own programs (initdb, pg_ctl, pg_dump…) and says what they said when they fail.

package import Foundation
internal import Diagnostics
internal import Glibc
internal import Subprocess
internal import SystemPackage

/// The operating-system account that PostgreSQL's programs run as.
package struct ServerAccount: Sendable, Hashable {
    /// Numeric user id.
    package let user: UInt32
    /// Numeric group id.
    package let group: UInt32

    /// The account for a private cluster: this process's own, or Debian's `postgres` in place of root, which
    /// PostgreSQL refuses.
    ///
    /// - Throws: `PG-NOT-INSTALLED` as root without a `postgres` account.
    package static func current() throws(PostgreSQLError) -> ServerAccount {
        guard geteuid() == 0 else { return ServerAccount(user: geteuid(), group: getegid()) }
        guard let entry = unsafe getpwnam("postgres") else {
            throw PostgreSQLError(.notInstalled, ["detail": "account postgres"])
        }
        return unsafe ServerAccount(user: entry.pointee.pw_uid, group: entry.pointee.pw_gid)
    }
}

/// One installed PostgreSQL: the folder of its programs.
package struct Installation: Sendable, Hashable {
    /// Major version, such as 15.
    package let major: Int
    /// The folder with `postgres`, `initdb`, `pg_dump`…
    package let programs: URL

    /// The installation of a major version whose programs are in this folder.
    package init(major: Int, programs: URL) {
        self.major = major
        self.programs = programs
    }

    /// Every version under Debian's folder, newest first.
    package static func all(
        in folder: URL = URL(filePath: "/usr/lib/postgresql")
    ) -> [Installation] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.compactMap(Int.init).sorted(by: >)
            .map { Installation(major: $0, programs: folder.appending(path: "\($0)/bin")) }
            .filter {
                FileManager.default.isExecutableFile(atPath: $0.programs.appending(path: "postgres").path)
            }
    }

    /// Runs one of its programs to the end.
    ///
    /// - Parameters:
    ///   - account: runs as this account, when this process may change to it.
    ///   - environment: added to a bare environment in the C locale.
    /// - Returns: what it printed on standard output, at most 1 MiB.
    /// - Throws: `PG-TOOL-FAILED` with the program's last words.
    @discardableResult
    package func run(
        _ program: String, _ arguments: [String], as account: ServerAccount? = nil,
        environment: [String: String] = [:]
    ) async throws -> String {
        var command = [programs.appending(path: program).path] + arguments
        if let account, geteuid() == 0 {
            // Changing the account between fork and exec can hang in a process with threads: glibc waits for
            // threads that the child does not have. setpriv does it in a process of its own.
            command =
                [
                    "/usr/bin/setpriv", "--reuid", String(account.user), "--regid", String(account.group),
                    "--clear-groups", "--",
                ] + command
        }
        let variables = ["LC_ALL": "C", "PATH": "/usr/bin:/bin"].merging(environment) { $1 }
        let result = try await Subprocess.run(
            .path(FilePath(command[0])), arguments: Arguments(Array(command.dropFirst())),
            environment: .custom(
                Dictionary(uniqueKeysWithValues: variables.map { (Environment.Key(stringLiteral: $0), $1) })),
            workingDirectory: "/",
            output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
        guard result.terminationStatus.isSuccess else {
            let words = result.standardError + result.standardOutput
            throw PostgreSQLError(
                .toolFailed, ["program": program, "detail": String(words.trimmedLines.suffix(2000))])
        }
        return result.standardOutput
    }
}

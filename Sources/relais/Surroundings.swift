// SPDX-License-Identifier: Apache-2.0
// What the program takes from its surroundings: environment, locale, clock. Nothing else reads them.

internal import Foundation
internal import Glibc
internal import Model
internal import Words

/// The environment variables that Relais knows.
enum Surroundings {
    private static let variables = ProcessInfo.processInfo.environment

    private static func variable(_ name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// All variables, for the configuration.
    static var environment: [String: String] { variables }

    /// The variables that are read here, beside those of the configuration.
    static let variableNames = ["RELAIS_DATA", "RELAIS_CONFIG", "RELAIS_LANG", "RELAIS_DAV_FILES"]

    /// Whether WebDAV has collections of plain files, for tests of the protocol: `RELAIS_DAV_FILES=1`.
    static var hasPlainCollections: Bool { variable("RELAIS_DAV_FILES") == "1" }

    /// The configuration's file, where it is not `relais.yaml` of the data folder: `RELAIS_CONFIG`.
    static var configurationFile: String? { variable("RELAIS_CONFIG") }

    /// The data folder: `RELAIS_DATA`; otherwise `/var/lib/relais` for root and a folder of the user's.
    static var dataFolder: String {
        if let folder = variable("RELAIS_DATA") { return folder }
        if geteuid() == 0 { return "/var/lib/relais" }
        let shared = variable("XDG_DATA_HOME") ?? (variable("HOME") ?? ".") + "/.local/share"
        return shared + "/relais"
    }

    /// Who gives a command, as the system names them.
    static var person: String? { variable("SUDO_USER") ?? variable("LOGNAME") ?? variable("USER") }

    /// The service manager's socket, as systemd names it.
    static var notifySocket: String? { variable("NOTIFY_SOCKET") }

    /// The key that opens secrets, as systemd hands it over: its credential `relais-secret-key`.
    static var secretKeyCredential: String? {
        variable("CREDENTIALS_DIRECTORY").map { $0 + "/relais-secret-key" }
            .flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
    }

    /// `RELAIS_LANG`, or the locale in POSIX order.
    static var language: Language {
        Language(
            locale: variable("RELAIS_LANG") ?? variable("LC_ALL") ?? variable("LC_MESSAGES")
                ?? variable("LANG"))
    }

    /// Now.
    static var now: Timestamp {
        Timestamp(microsecondsSince1970: Int64(Date().timeIntervalSince1970 * 1_000_000))
    }

    /// Whether people watch standard error.
    static var hasTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}

/// The texts in the user's language; a program without its catalogue cannot say anything, and ends.
let words: Words = {
    do {
        return try Words(Surroundings.language)
    } catch {
        Console.warn("relais: message catalogue missing: \(error)")
        exit(ExitStatus.failed.rawValue)
    }
}()

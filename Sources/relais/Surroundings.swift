// SPDX-License-Identifier: Apache-2.0
// What the program takes from its surroundings: environment, locale, clock. Nothing else reads them.

internal import Foundation
internal import FileTransfer
internal import Glibc
internal import Mail
internal import Model
internal import Words

/// The environment variables that Relais knows.
enum Surroundings {
    private static let variables = ProcessInfo.processInfo.environment

    private static func variable(_ name: String) -> String? {
        variables[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    /// A PostgreSQL of one's own, as a libpq connection string.
    static var databaseURL: String? { variable("RELAIS_DATABASE_URL") }

    /// The data folder: `RELAIS_DATA`; otherwise `/var/lib/relais` for root and a folder of the user's.
    static var dataFolder: String {
        if let folder = variable("RELAIS_DATA") { return folder }
        if geteuid() == 0 { return "/var/lib/relais" }
        let shared = variable("XDG_DATA_HOME") ?? (variable("HOME") ?? ".") + "/.local/share"
        return shared + "/relais"
    }

    /// SIREN of our own company, where only its documents are to be imported: `RELAIS_COMPANY_SIREN`.
    static var companySIREN: String? { variable("RELAIS_COMPANY_SIREN") }

    /// Who gives a command, as the system names them.
    static var person: String? { variable("SUDO_USER") ?? variable("LOGNAME") ?? variable("USER") }

    /// The service manager's socket, as systemd names it.
    static var notifySocket: String? { variable("NOTIFY_SOCKET") }

    /// The file of the key that opens secrets: `RELAIS_SECRET_KEY_FILE`, or systemd's credential
    /// `relais-secret-key`.
    static var secretKeyFile: String? {
        variable("RELAIS_SECRET_KEY_FILE")
            ?? variable("CREDENTIALS_DIRECTORY").map { $0 + "/relais-secret-key" }
    }

    /// The company's mail server: `RELAIS_SMTP`, in the name of `RELAIS_SMTP_FROM`, vouched for by
    /// `RELAIS_SMTP_AUTHORITIES` where that is set.
    static var mailServer: MailServer? {
        get throws(TransferError) {
            guard let address = variable("RELAIS_SMTP") else { return nil }
            return try MailServer(
                address, sender: variable("RELAIS_SMTP_FROM") ?? "",
                authorities: variable("RELAIS_SMTP_AUTHORITIES") ?? "")
        }
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

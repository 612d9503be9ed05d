// SPDX-License-Identifier: Apache-2.0
// What a mailbox server says of a command: done, or not, and why.

internal import Foundation

/// The line that ends a command: `A003 NO [UNAVAILABLE] Try later`.
///
/// - Source: RFC 3501, section 7.1; RFC 5530.
struct MailboxReply: Sendable, Hashable {
    /// Whether the command did what it should.
    let isDone: Bool
    /// Its reason for programs, in upper case; empty where there is none.
    let code: String

    /// Reads a line; nil for one that ends no command.
    init?(_ line: String) {
        let line = line.trimmingCharacters(in: .whitespacesAndNewlines)
        let form = /[A-Z]+[0-9]+ (OK|NO|BAD)(?: \[([^\] ]+)[^\]]*\]| |$)/.ignoresCase()
        guard let match = line.prefixMatch(of: form) else { return nil }
        isDone = match.1.uppercased() == "OK"
        code = match.2?.uppercased() ?? ""
    }

    /// What a refusal means, whatever was asked for; nil where only the command can tell.
    var meaning: TransferError.Code? {
        switch code {
        // Somebody else has the mailbox, the server is in trouble, or we have asked too much of it.
        case "UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT": .busy
        case "NONEXISTENT": .missing
        case "NOPERM": .forbidden
        case "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED": .login
        default: nil
        }
    }
}

/// What a mailbox server has said during a transfer, which takes several commands.
struct MailboxReplies: Sendable {
    /// The command that failed; nil where the last one was done.
    private(set) var refusal: MailboxReply?
    private var isLeaving = false

    /// Takes a line of the server.
    mutating func take(_ line: String) {
        if line.hasPrefix("* ") {
            if line.dropFirst(2).prefix(3).uppercased() == "BYE" { isLeaving = true }
            return
        }
        guard let reply = MailboxReply(line) else { return }
        if !reply.isDone {
            refusal = reply
        } else if !isLeaving {
            refusal = nil
        }
        // Behind its farewell comes the end of a LOGOUT, with which libcurl leaves also where a command has failed.
        isLeaving = false
    }
}

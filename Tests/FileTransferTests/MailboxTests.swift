// SPDX-License-Identifier: Apache-2.0
// A mailbox of a real server (Dovecot): what is there, what is fetched, where it goes, and what goes wrong.

import Diagnostics
import Foundation
import RelaisTesting
import Testing

@testable import FileTransfer

@Suite struct MailboxTests {
    private func open(
        _ server: MailboxServer, _ mailbox: String = "", scheme: String = "imaps",
        _ change: (inout TransferAccess) -> Void = { _ in }
    ) throws -> Mailbox {
        var access = TransferAccess()
        access.password = MailboxServer.password
        access.authorities = server.certificate
        change(&access)
        return Mailbox(try RemoteAddress(server.address(mailbox, scheme: scheme)), access)
    }

    private func code(_ body: () async throws -> Void) async -> String? {
        do {
            try await body()
        } catch let error as TransferError {
            return error.diagnostic.code
        } catch {}
        return nil
    }

    @Test(arguments: ["imaps", "imap"])
    func `messages are listed, fetched unread, moved and deleted`(_ scheme: String) async throws {
        let server = try await MailboxServer(isImplicit: scheme == "imaps")
        let mailbox = try open(server, scheme: scheme)
        let empty = try await mailbox.list()
        #expect(empty.messages == [] && empty.validity > 0)
        for number in 1...3 { try server.deliver("Subject: \(number)\n\n100 % é") }
        let listing = try await mailbox.list()
        #expect(listing.messages.map(\.number) == [1, 2, 3])
        let behind = try await mailbox.list(after: 2, validity: listing.validity)
        #expect(behind.messages.map(\.number) == [3])
        #expect(try await mailbox.list(after: 3, validity: listing.validity).messages == [])
        #expect(try await mailbox.list(after: 2, validity: listing.validity + 1).messages.count == 3)
        let spool = server.peer.folder.appending(path: "spool")
        let first = try #require(listing.messages.first)
        try await mailbox.fetch(first, into: spool.path, as: "m", limit: 1 << 20)
        let text = try String(contentsOf: spool.appending(path: "m"), encoding: .utf8)
        #expect(text.hasSuffix("\r\n\r\n100 % é"))
        #expect(try await mailbox.list().messages.allSatisfy { !$0.isSeen })
        for message in listing.messages.prefix(2) { try await mailbox.move(message, to: "déjà & fait") }
        #expect(try server.messages("INBOX.d&AOk-j&AOA- &- fait").count == 2)
        try await mailbox.delete(listing.messages[2])
        #expect(try server.messages() == [])
        let moved = try open(server, "INBOX/déjà & fait", scheme: scheme)
        #expect(try await moved.list().messages.count == 2)
        #expect(
            await code { try await mailbox.fetch(first, into: spool.path, as: "n", limit: 1 << 20) }
                == "TRANSFER-MISSING")
        #expect(!FileManager.default.fileExists(atPath: spool.appending(path: "n").path))
    }

    @Test func `whatever keeps a mailbox from being read has a clear code`() async throws {
        let server = try await MailboxServer()
        try server.deliver("Subject: x\n\n" + String(repeating: "long ", count: 1000))
        #expect(await code { _ = try await open(server, "Nulle part").list() } == "TRANSFER-MISSING")
        #expect(
            await code { _ = try await open(server) { $0.password = "faux" }.list() } == "TRANSFER-LOGIN")
        #expect(
            await code { _ = try await open(server) { $0.authorities = "" }.list() }
                == "TRANSFER-CERTIFICATE")
        let mailbox = try open(server)
        let message = try #require(try await mailbox.list().messages.first)
        let spool = server.peer.folder.appending(path: "spool").path
        #expect(
            await code { try await mailbox.fetch(message, into: spool, as: "m", limit: 1000) }
                == "TRANSFER-TOO-LARGE")
        // A web server waits to be asked, as a mail server never does.
        let web = try await FileServer.web()
        var access = TransferAccess()
        (access.authorities, access.connecting, access.silence) = (
            web.certificate, .seconds(2), .seconds(2)
        )
        let page = Mailbox(try RemoteAddress("imaps://u@127.0.0.1:\(web.peer.port)/"), access)
        #expect(await code { _ = try await page.list() } == "TRANSFER-SILENT")
        try await server.peer.stop()
        #expect(await code { _ = try await open(server).list() } == "TRANSFER-UNREACHABLE")
    }

    @Test func `a mailbox that the server cannot open now is worth another try`() async throws {
        let server = try await MailboxServer()
        try server.deliver("Subject: x\n\ny")
        let mailbox = try open(server)
        #expect(try await mailbox.list().messages.count == 1)
        // Dovecot says NO [SERVERBUG] of such a mailbox, which libcurl calls a login denied.
        let folders = ["mail/new", "mail/cur"].map { server.peer.folder.appending(path: $0).path }
        func setAccess(_ mode: Int) throws {
            for path in folders {
                try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            }
        }
        try setAccess(0)
        defer { try? setAccess(0o777) }
        let error = await #expect(throws: TransferError.self) { _ = try await mailbox.list() }
        #expect(error?.has(.busy) == true && error?.diagnostic.retry == .after(.seconds(300)))
        #expect(error?.diagnostic.facts["detail"] == "SERVERBUG")
    }

    @Test func `a server's reason says what a refusal means`() {
        let meanings: [(String, TransferError.Code?)] = [
            ("A003 NO [UNAVAILABLE] Try later\r\n", .busy), ("b12 no [inuse] locked", .busy),
            ("A003 NO [SERVERBUG] See log [2026-11-28 12:26:01]", .busy), ("A003 NO [LIMIT]", .busy),
            ("A003 NO [NONEXISTENT] Nulle part", .missing), ("A003 NO [NOPERM] x", .forbidden),
            ("A003 NO [AUTHENTICATIONFAILED] x", .login), ("A003 NO [AUTHORIZATIONFAILED] x", .login),
            ("A003 NO [BADCHARSET (UTF-8)] x", nil), ("A003 NO no [UNAVAILABLE] in front", nil),
            ("A003 BAD what?", nil), ("A003 NO", nil), ("A003 NO [UNAVAILABLE", nil),
        ]
        for (line, meaning) in meanings {
            let reply = MailboxReply(line)
            #expect(reply?.isDone == false && reply?.meaning == meaning, "\(line)")
        }
        #expect(MailboxReply("A003 OK [READ-WRITE] done")?.isDone == true)
        for line in ["* NO [ALERT] x", "+ go on", "", "A003 NOTE x", "Subject: A1 NO [LIMIT]"] {
            #expect(MailboxReply(line) == nil, "\(line)")
        }
    }

    @Test func `what failed counts, not the farewell behind it, and not what another command made good`() {
        var replies = MailboxReplies()
        replies.take("* BYE Logging out")
        replies.take("A004 OK Logout completed")
        replies.take("A005 NO [SERVERBUG] x")
        replies.take("* BYE Logging out")
        replies.take("A006 OK Logout completed")
        #expect(replies.refusal?.code == "SERVERBUG")
        replies.take("A007 OK done")
        #expect(replies.refusal == nil)
    }
}

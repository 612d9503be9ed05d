// SPDX-License-Identifier: Apache-2.0
// Files that come with messages: what is delivered, where messages go, what is remembered.

import ConnectorKit
import Diagnostics
import FileSources
import FileTransfer
import Foundation
import RelaisTesting
import Testing

@Suite struct MailboxFilesTests {
    private func settings(_ server: MailboxServer, _ more: [String: [String]] = [:]) -> Settings {
        var settings = Settings(["from": [server.address()], "authorities": [server.certificate]])
        settings.values.merge(more) { $1 }
        settings.secrets["password"] = Secret(name: "mail", value: MailboxServer.password)
        return settings
    }

    private func message(_ files: [String: String], encoding: String = "7bit") -> String {
        let parts = files.sorted { $0.key < $1.key }.map { name, text in
            "--b\nContent-Disposition: attachment; filename=\"\(name)\"\nContent-Transfer-Encoding: "
                + "\(encoding)\n\n\(text)\n"
        }
        return "Content-Type: multipart/mixed; boundary=b\n\n\(parts.joined())--b--\n"
    }

    @Test func `attachments of messages that stay are read once`() async throws {
        let server = try await MailboxServer()
        try server.deliver(message(["a.csv": "1", "b.csv": "2", "lettre.pdf": "3"]))
        try server.deliver("Subject: sans rien\n\nBonjour")
        let settings = settings(server, ["pattern": ["*.csv"]])
        let sample = try await FileSources.open(settings).items(limit: 1)
        guard case .artifact("a.csv", _) = sample.first else { throw CocoaError(.fileNoSuchFile) }
        let first = try await Delivered.read(settings)
        #expect(first.files == ["a.csv=1", "b.csv=2"] && first.problems == [])
        let second = try await Delivered.read(settings, after: first.cursor)
        #expect(second.files == [] && second.cursor == first.cursor)
        try server.deliver(message(["a.csv": "1 bis"]))
        #expect(try await Delivered.read(settings, after: second.cursor).files == ["a.csv=1 bis"])
        #expect(try server.messages().allSatisfy { !$0.hasSuffix("S") })
    }

    @Test func `nothing of a message is left in the spool when the next is read`() async throws {
        let server = try await MailboxServer()
        try server.deliver(message(["abîmé.csv": "a", "b.csv": "MQ=="], encoding: "base64"))
        for name in ["c.csv", "d.csv"] { try server.deliver(message([name: "1"])) }
        var left: [Int] = []
        try await FileSources.open(settings(server)).read(after: nil) { item in
            guard case .artifact(_, let path) = item else { return .accepted }
            let spool = URL(filePath: path).deletingLastPathComponent().deletingLastPathComponent()
            left += [try FileManager.default.subpathsOfDirectory(atPath: spool.path).count]
            return .accepted
        }
        // The folder of the first message with both of its attachments, then folders with one.
        #expect(left == [3, 2, 2])
    }

    @Test func `a mailbox wants a name and a password, and no key`() {
        var settings = Settings(["from": ["imaps://mail.exemple.fr/INBOX"]])
        settings.secrets["private_key"] = Secret(name: "k")
        #expect(FileSources.check(settings).map(\.code) == ["SETTING-VALUE", "SETTING-MISSING"])
        settings = Settings(["from": ["imaps://a%40b.fr@mail.exemple.fr/INBOX"]])
        settings.secrets["password"] = Secret(name: "p")
        #expect(FileSources.check(settings) == [])
    }

    @Test func `a message of nothing is told, and those behind it are read`() async throws {
        let server = try await MailboxServer()
        try server.deliver("")
        try server.deliver(message(["a.csv": "1"]))
        let all = try await Delivered.read(settings(server))
        #expect(all.files == ["a.csv=1"] && all.problems.count == 1, "\(all.problems)")
    }

    @Test func `a message that this machine cannot take stays where it is, and comes again`() async throws {
        let server = try await MailboxServer()
        for name in ["a.csv", "b.csv"] { try server.deliver(message([name: "1"])) }
        let settings = settings(server, ["after": ["move"]])
        for code in ["ARCHIVE-NO-SPACE", "PDF-TOOL-MISSING"] {
            let error = await #expect(throws: TransferError.self) {
                _ = try await Delivered.read(settings, refusing: ["a.csv"], as: code)
            }
            #expect(error?.diagnostic.code == code && error?.diagnostic.retry == .after(.seconds(300)))
        }
        #expect(try server.messages().count == 2)
        #expect(try await Delivered.read(settings).files == ["a.csv=1", "b.csv=1"])
        #expect(try server.messages("INBOX.done").count == 2)
    }

    @Test func `messages go where their attachments let them, once these are delivered`() async throws {
        let server = try await MailboxServer()
        try server.deliver(message(["bon.csv": "1"]))
        try server.deliver(message(["mauvais.csv": "2"]))
        try server.deliver(message(["abîmé.csv": "a"], encoding: "base64"))
        try server.deliver("Subject: à lire\n\nBonjour")
        let settings = settings(server, ["after": ["move"]])
        struct Failure: Error {}
        await #expect(throws: Failure.self) {
            try await FileSources.open(settings).read(after: nil) { _ in throw Failure() }
        }
        #expect(try server.messages().count == 4)
        let moved = try await Delivered.read(settings, refusing: ["mauvais.csv"])
        #expect(moved.files == ["bon.csv=1", "mauvais.csv=2"] && moved.problems == ["MAIL-DAMAGED"])
        #expect(try server.messages().count == 1)
        #expect(try server.messages("INBOX.done").count == 1)
        #expect(try server.messages("INBOX.quarantine").count == 2)
        try server.deliver(message(["autre.csv": "3"]))
        let deleting = self.settings(server, ["after": ["delete"]])
        #expect(try await Delivered.read(deleting, after: moved.cursor).files == ["autre.csv=3"])
        #expect(try server.messages().count == 1)
    }
}

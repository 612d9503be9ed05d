// SPDX-License-Identifier: Apache-2.0
// Files that come with messages of a mailbox.

internal import ConnectorKit
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Mail

/// The attachments of a mailbox's messages, message by message.
///
/// A message is moved or deleted once all of its attachments were delivered; one that has none that is meant stays where
/// it is. One that this machine could not take ends the reading and comes again. The cursor is the number of the last
/// message: numbers only grow.
struct MailboxFiles: FileSource {
    let mailbox: Mailbox
    let names: FileNames
    let afterwards: Afterwards

    /// Bytes of one message, attachments as text.
    private static let limit = 1 << 30

    /// How far the mailbox was read.
    private struct Position: Codable {
        var validity: Int
        var number: Int

        init(_ cursor: Cursor?) {
            let known = cursor.flatMap { try? JSONDecoder().decode(Self.self, from: Data($0.text.utf8)) }
            self = known ?? Position(validity: 0, number: 0)
        }

        init(validity: Int, number: Int) {
            self.validity = validity
            self.number = number
        }

        var cursor: Cursor { Cursor(#"{"number":\#(number),"validity":\#(validity)}"#) }
    }

    func items(limit: Int) async throws -> [ConnectorItem] {
        // A sample's files must outlive this call; the system's temporary folder is cleaned by the system.
        let spool = try SpoolFolder.make()
        var items: [ConnectorItem] = []
        let listing = try await mailbox.list()
        for message in listing.messages.prefix(limit) where items.count < limit {
            items += try await self.items(of: message, listing.validity, in: spool) ?? []
        }
        return Array(items.prefix(limit))
    }

    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws {
        var position = Position(cursor)
        let listing = try await mailbox.list(after: position.number, validity: position.validity)
        position.validity = listing.validity
        let spool = try SpoolFolder.make()
        defer { try? FileManager.default.removeItem(atPath: spool) }
        for message in listing.messages {
            try await hand(message, listing.validity, spool, deliver)
            position.number = message.number
            _ = try await deliver(.cursor(position.cursor))
        }
    }

    private func hand(
        _ message: Mailbox.Message, _ validity: Int, _ spool: String,
        _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        // What comes with a message is gone with it, also what is damaged and so nobody's.
        let folder = "\(spool)/\(message.number)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard let items = try await items(of: message, validity, in: folder), !items.isEmpty else { return }
        var isGood = true
        for item in items {
            let delivery = try await deliver(item)
            if let trouble = delivery.trouble { throw TransferError(trouble) }
            if case .problem = item { isGood = false }
            if case .refused = delivery { isGood = false }
        }
        do {
            switch afterwards {
            case .keep: break
            case .delete where isGood: try await mailbox.delete(message)
            case .move, .delete: try await mailbox.move(message, to: isGood ? "done" : "quarantine")
            }
        } catch {
            // What was delivered stays so; a later attempt would find the bytes known.
            guard error.diagnostic.retry == .never, !error.has(.cancelled) else { throw error }
            _ = try await deliver(.problem(error.inFile(place(message).file ?? "").diagnostic))
        }
    }

    private func place(_ message: Mailbox.Message) -> Place {
        Place(file: "\(mailbox.shown);UID=\(message.number)")
    }

    /// The attachments of a message that are meant, and what is wrong with it; nil when it is gone.
    ///
    /// - Parameter spool: a folder, made where it does not exist.
    private func items(
        of message: Mailbox.Message, _ validity: Int, in spool: String
    ) async throws -> [ConnectorItem]? {
        let name = UUID().uuidString
        let place = place(message)
        do throws(TransferError) {
            try await mailbox.fetch(message, into: spool, as: name, limit: Self.limit)
        } catch {
            if error.has(.missing) {
                guard try await mailbox.has(message, validity: validity) else { return nil }
                throw TransferError(
                    .answer, ["detail": "FETCH"], at: place, retry: .after(.seconds(300)))
            }
            guard error.has(.tooLarge) else { throw error }
            return [.problem(error.inFile(place.file ?? "").diagnostic)]
        }
        defer { try? FileManager.default.removeItem(atPath: "\(spool)/\(name)") }
        do {
            let attachments = try MailAttachments.read("\(spool)/\(name)", into: spool, at: place) {
                names.isMeant($0)
            }
            return attachments.map { attachment in
                if let problem = attachment.problem { return .problem(problem) }
                return ConnectorItem(
                    path: attachment.path, name: attachment.name,
                    from: "\(place.file ?? "")/\(attachment.name)")
            }
        } catch let error as MailError {
            return [.problem(error.diagnostic)]
        } catch let error as FileError where !error.has(.unwritable) {
            // An empty message, for one.
            return [.problem(error.inFile(place.file ?? "").diagnostic)]
        } catch let error as FileError {
            // This machine's trouble says nothing of the message.
            throw TransferError(
                .spool, error.diagnostic.facts, at: error.diagnostic.place, retry: .after(.seconds(300)))
        }
    }
}

/// A folder that only we can look into.
enum SpoolFolder {
    static func make() throws -> String {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        return folder.path
    }
}

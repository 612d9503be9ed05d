// SPDX-License-Identifier: Apache-2.0
// A mailbox of an IMAP server.

internal import Diagnostics
internal import Foundation

/// One mailbox, whose messages keep their numbers as long as the server says so.
///
/// - Source: RFC 3501; RFC 4315 (deleting one message alone), RFC 5530 (reasons of refusals), RFC 6851 (moving).
package struct Mailbox: Sendable {
    /// A message of the mailbox.
    package struct Message: Sendable, Hashable {
        /// Its number, which grows with each new message.
        package let number: Int
        /// Whether somebody has read it.
        package let isSeen: Bool
    }

    /// What is there.
    package struct Listing: Sendable, Hashable {
        /// Numbers mean something else once this has changed (UIDVALIDITY).
        package let validity: Int
        /// Messages by number, without those that somebody has deleted.
        package var messages: [Message] = []
    }

    /// How messages name it: never with a name or a password.
    package var shown: String { address.shown }
    private let address: RemoteAddress
    private let session: CurlSession
    /// Its name, level by level; the inbox when there is none.
    private let levels: [String]

    /// The mailbox at `imaps://USER@HOST/FOLDER/…`.
    package init(_ address: RemoteAddress, _ access: TransferAccess) {
        var access = access
        if !address.user.isEmpty { access.user = address.user }
        self.address = address
        session = CurlSession(access, address: address.shown)
        let levels = address.path.split(separator: "/").map(String.init)
        self.levels = levels.isEmpty ? ["INBOX"] : levels
    }

    // MARK: - Looking

    /// What is there now.
    ///
    /// - Parameter number: only messages behind this one, where the mailbox has the validity beside it.
    /// - Throws: `TRANSFER-MISSING` where there is no such mailbox, `TRANSFER-BUSY` where the server cannot open it now, and
    ///   what connections say.
    package func list(after number: Int = 0, validity: Int? = nil) async throws(TransferError) -> Listing {
        let name = try await name(levels)
        var status = request(address.root, "STATUS \(Self.quoted(name)) (UIDVALIDITY UIDNEXT)")
        status.isAlone = true
        let answer: String
        do {
            answer = text(try await session.perform(status))
        } catch  where error.has(.refused) {
            throw TransferError(.missing, at: Place(file: shown))
        }
        // The name, which anybody chose, stands in front of the last parenthesis.
        let facts = answer[(answer.lastIndex(of: "(") ?? answer.startIndex)...]
        guard let found = facts.firstMatch(of: /UIDVALIDITY (\d+)/).flatMap({ Int($0.1) }),
            let next = facts.firstMatch(of: /UIDNEXT (\d+)/).flatMap({ Int($0.1) })
        else { throw TransferError(.answer, ["detail": "STATUS"], at: Place(file: shown)) }
        let first = (found == validity ? number : 0) + 1
        var listing = Listing(validity: found)
        if first < next { listing.messages = try await messages(from: first, in: name) }
        return listing
    }

    private func messages(from first: Int, in name: String) async throws(TransferError) -> [Message] {
        var request = request(url(name), "UID FETCH \(first):* (UID FLAGS)")
        // A connection that has looked before may not know of new messages yet.
        request.isAlone = true
        request.sink = .memory(limit: 64 << 20)
        var messages: [Message] = []
        for line in text(try await session.perform(request)).split(whereSeparator: \.isNewline) {
            guard let number = line.firstMatch(of: /[( ]UID (\d+)/).flatMap({ Int($0.1) }), number >= first,
                let flags = line.firstMatch(of: /FLAGS \(([^)]*)\)/)?.1.lowercased(),
                !flags.contains("\\deleted")
            else { continue }
            messages.append(Message(number: number, isSeen: flags.contains("\\seen")))
        }
        return messages.sorted { $0.number < $1.number }
    }

    /// Writes a message as it was sent to `folder/name` of this machine, which has all of it or does not exist. Whether
    /// somebody has read it stays as it was.
    ///
    /// - Throws: `TRANSFER-MISSING` when it is gone.
    package func fetch(
        _ message: Message, into folder: String, as file: String, limit: Int
    ) async throws(TransferError) {
        let name = try await name(levels)
        var request = request("\(url(name))/;UID=\(message.number)")
        request.sink = .file(folder: folder, name: file, limit: limit)
        do {
            _ = try await session.perform(request)
        } catch {
            await takeBackMark(message, in: name)
            throw error
        }
        await takeBackMark(message, in: name)
    }

    /// Reading marks a message as read, also where it fails; a mailbox that nobody may write into has no marks.
    private func takeBackMark(_ message: Message, in name: String) async {
        guard !message.isSeen else { return }
        _ = try? await store(#"-FLAGS.SILENT (\Seen)"#, message, in: name)
    }

    /// Whether a message is there: a server that cannot give it now is taken by libcurl for one that has none.
    package func has(_ message: Message, validity: Int) async throws(TransferError) -> Bool {
        let listing = try await list(after: message.number - 1, validity: validity)
        return listing.validity == validity && listing.messages.contains { $0.number == message.number }
    }

    // MARK: - Putting away

    /// Moves a message into a mailbox below this one, which is made where it does not exist.
    ///
    /// - Throws: `TRANSFER-REFUSED` when the server does not want that.
    package func move(_ message: Message, to folder: String) async throws(TransferError) {
        let (name, target) = (try await name(levels), try await name(levels + [folder]))
        let move = "UID MOVE \(message.number) \(Self.quoted(target))"
        if try await isDone(move, in: name) { return }
        _ = try await isDone("CREATE \(Self.quoted(target))", in: name)
        if try await isDone(move, in: name) { return }
        // A server that cannot move.
        _ = try await session.perform(
            request(url(name), "UID COPY \(message.number) \(Self.quoted(target))"))
        try await delete(message)
    }

    /// Deletes a message, and none that others have marked.
    package func delete(_ message: Message) async throws(TransferError) {
        let name = try await name(levels)
        try await store(#"+FLAGS.SILENT (\Deleted)"#, message, in: name)
        // Where the server cannot, it stays marked, which is what people's programs do too.
        _ = try await isDone("UID EXPUNGE \(message.number)", in: name)
    }

    private func store(_ change: String, _ message: Message, in name: String) async throws(TransferError) {
        _ = try await session.perform(request(url(name), "UID STORE \(message.number) \(change)"))
    }

    private func isDone(_ command: String, in name: String) async throws(TransferError) -> Bool {
        do {
            _ = try await session.perform(request(url(name), command))
            return true
        } catch  where [TransferError.Code.refused, .missing, .forbidden].contains(where: error.has) {
            return false
        }
    }

    // MARK: - Names

    /// A mailbox's name as the server writes it: levels with the server's own separator between them.
    private func name(_ levels: [String]) async throws(TransferError) -> String {
        let names = levels.map { Self.encoded($0) }
        guard names.count > 1 else { return names.joined() }
        let answer = text(try await session.perform(request(address.root, #"LIST "" """#)))
        let separator = answer.firstMatch(of: /\* LIST \([^)]*\) "\\?(.)"/).map { String($0.1) }
        return names.joined(separator: separator ?? "/")
    }

    private func url(_ name: String) -> String {
        let plain = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._")
        return address.root + (name.addingPercentEncoding(withAllowedCharacters: plain) ?? name)
    }

    private static func quoted(_ name: String) -> String {
        "\"\(name.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
    }

    /// A name in ASCII.
    ///
    /// - Source: RFC 3501, section 5.1.3.
    private static func encoded(_ name: String) -> String {
        var result = ""
        var other: [UInt8] = []
        func flush() {
            guard !other.isEmpty else { return }
            let digits = Data(other).base64EncodedString().prefix { $0 != "=" }.replacing("/", with: ",")
            result += "&\(digits)-"
            other = []
        }
        for scalar in name.unicodeScalars {
            guard (0x20...0x7E).contains(scalar.value) else {
                for unit in String(scalar).utf16 { other += [UInt8(unit >> 8), UInt8(unit & 0xFF)] }
                continue
            }
            flush()
            result += scalar == "&" ? "&-" : String(scalar)
        }
        flush()
        return result
    }

    private func request(_ url: String, _ command: String? = nil) -> CurlRequest {
        var request = CurlRequest(url: url, scheme: address.scheme.protocolName)
        request.needsTLS = true
        // Its STATUS comes before anything that is done inside a mailbox.
        request.isAdmitted = url != address.root
        // libcurl takes the command for a part of an address.
        request.method = command?.replacing("%", with: "%25")
        return request
    }

    private func text(_ answer: CurlAnswer) -> String { String(decoding: answer.bytes, as: UTF8.self) }
}

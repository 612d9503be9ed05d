// SPDX-License-Identifier: Apache-2.0
// The company's mail server, which takes messages.

internal import Diagnostics
package import FileTransfer
internal import Foundation

/// Where messages are handed in (RFC 5321).
package struct MailServer: Sendable {
    private let url: String
    private let scheme: String
    private let user: String
    private let sender: String
    private let authorities: String
    private let needsTLS: Bool

    /// A server by its address: `smtps://[USER@]HOST[:PORT]`, or `smtp://…`, which asks for TLS before anything else
    /// unless the server is on this machine.
    ///
    /// - Parameters:
    ///   - sender: the address that messages come from.
    ///   - authorities: PEM file of those who vouch for it; the system's when empty.
    /// - Throws: `TRANSFER-ADDRESS`.
    package init(_ address: String, sender: String, authorities: String = "") throws(TransferError) {
        guard let parts = URLComponents(string: address), let scheme = parts.scheme,
            ["smtp", "smtps"].contains(scheme), let host = parts.host, !host.isEmpty, parts.password == nil,
            MailMessage.isAddress(sender)
        else {
            throw TransferError(.address, ["known": "smtp://, smtps://"], at: Place(field: "RELAIS_SMTP"))
        }
        url = "\(scheme)://\(host)\(parts.port.map { ":\($0)" } ?? "")"
        self.scheme = scheme
        self.sender = sender
        self.authorities = authorities
        user = parts.user ?? ""
        needsTLS = scheme == "smtp" && !["127.0.0.1", "::1", "[::1]", "localhost"].contains(host)
    }

    /// Whether it knows us by a name, and so by a password.
    package var needsPassword: Bool { !user.isEmpty }

    /// Hands a message in.
    ///
    /// - Throws: every `TRANSFER-…` of a connection; `TRANSFER-REFUSED` when the server takes no such message.
    package func send(_ message: MailMessage, password: String) async throws(TransferError) {
        var access = TransferAccess()
        access.user = user
        access.password = password
        access.authorities = authorities
        var request = CurlRequest(url: url, scheme: scheme)
        request.needsTLS = needsTLS
        request.mail = (sender, message.recipients)
        request.upload = .bytes(message.bytes(from: sender))
        _ = try await CurlSession(access, address: url).perform(request)
    }
}

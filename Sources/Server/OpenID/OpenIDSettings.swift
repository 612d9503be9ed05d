// SPDX-License-Identifier: Apache-2.0
// Who else vouches for people, and the address that browsers know us by.

internal import Foundation

/// Scheme, host and port by which browsers reach this server: `https://relais.exemple.fr`.
package struct WebOrigin: Sendable, Hashable {
    /// Without a slash at its end.
    package let text: String

    /// Reads an address without a path; nil for anything else.
    package init?(_ text: String) {
        guard let parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme),
            let host = parts.host, !host.isEmpty, parts.user == nil, parts.password == nil,
            parts.path.isEmpty || parts.path == "/", parts.query == nil, parts.fragment == nil
        else { return nil }
        self.text = parts.path.isEmpty ? text : String(text.dropLast())
    }
}

/// A provider of OpenID Connect that signs people in.
package struct OpenIDSettings: Sendable {
    /// Its name, which is the beginning of its addresses too.
    package let issuer: String
    /// Who we are to it.
    package let client: String
    /// Name of the secret that proves it; nil where PKCE alone does.
    package let secret: String?
    /// What the button says; nil = the usual words.
    package let label: String?
    /// Where people are sent back to: what a request says of its host is anybody's to choose.
    package let publicURL: WebOrigin

    /// A provider that is configured.
    package init(issuer: String, client: String, secret: String?, label: String?, publicURL: WebOrigin) {
        (self.issuer, self.client, self.secret) = (issuer, client, secret)
        (self.label, self.publicURL) = (label, publicURL)
    }

    /// Where the provider sends people back to, exactly as it is registered there.
    var redirect: String { publicURL.text + OpenIDSettings.returnPath }

    /// Whether nobody on the way can read or change what goes to an address: TLS, or it does not leave this machine.
    package static func isTrusted(_ address: String) -> Bool {
        guard let parts = URLComponents(string: address), let host = parts.host, !host.isEmpty,
            parts.user == nil, parts.password == nil, parts.fragment == nil,
            address.unicodeScalars.allSatisfy({ $0.value > 32 })
        else { return false }
        return parts.scheme == "https"
            || parts.scheme == "http" && ["127.0.0.1", "localhost", "::1", "[::1]"].contains(host)
    }

    static let startPath = "/sign-in/openid"
    static let returnPath = "/sign-in/openid/return"
}

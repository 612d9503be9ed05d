// SPDX-License-Identifier: Apache-2.0
// A sign-in that has begun in a browser, and what binds its end to it.

internal import CRM
internal import Crypto
internal import Foundation
internal import Hummingbird

/// A sign-in on its way to the provider and back. Only the browser keeps it: everything that the provider is told of it
/// is derived from a secret of its cookie, so that another browser can end nothing.
struct OpenIDAttempt: Sendable {
    /// Seconds that people have to prove who they are.
    static let lifetime = 600
    private static let name = "relais_openid"

    private let token: SecretToken
    /// Seconds since 1970.
    private let begun: Int
    /// The page that is wanted; nil for the first one.
    let next: String?

    /// One that begins now.
    init(next: String?, now: Int) {
        (token, begun) = (SecretToken(), now)
        self.next = Link.local(next).flatMap { $0.utf8.count <= 1000 ? $0 : nil }
    }

    // MARK: - What the provider is told

    /// Comes back with the answer.
    var state: String { token.derived(for: stateUse) }
    /// Comes back inside of what the provider signs.
    var nonce: String { token.derived(for: "openid nonce") }
    /// Proves that who fetches the answer is who asked.
    var verifier: String { token.derived(for: "openid verifier") }
    /// What the provider compares the verifier with.
    ///
    /// - Source: RFC 7636, section 4.2, S256.
    var challenge: String { Base64URL.encode(SHA256.hash(data: Array(verifier.utf8))) }

    /// The moment and the page belong to the secret: another cookie's are of no use.
    private var stateUse: String { "openid state \(begun) \(next ?? "")" }

    /// Whether a browser comes back with the answer to this, in time.
    func isAnswered(by state: String?, now: Int) -> Bool {
        guard let state, token.isDerived(state, for: stateUse) else { return false }
        return (begun...begun + Self.lifetime).contains(now)
    }

    // MARK: - Cookie

    /// What the browser keeps.
    var text: String { "\(token.text).\(begun).\(Base64URL.encode(Array((next ?? "").utf8)))" }

    /// The cookie that it lives in.
    func cookie(isSecure: Bool) -> Cookie { Self.cookie(text, Self.lifetime, isSecure) }

    static func gone(isSecure: Bool) -> Cookie { cookie("", 0, isSecure) }

    private static func cookie(_ value: String, _ age: Int, _ isSecure: Bool) -> Cookie {
        // Lax: the provider sends the browser back from its own site.
        Cookie(
            name: name, value: value, maxAge: age, path: OpenIDSettings.startPath, secure: isSecure,
            httpOnly: true, sameSite: .lax)
    }

    /// The one that a browser has begun; nil where it has none.
    init?(_ request: Request) {
        guard let cookie = request.cookies[Self.name]?.value else { return nil }
        self.init(cookie: cookie)
    }

    init?(cookie: String) {
        let parts = cookie.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let token = SecretToken(String(parts[0])), let begun = Int(parts[1]),
            0..<1 << 40 ~= begun, let next = Base64URL.decode(String(parts[2]))
        else { return nil }
        (self.token, self.begun) = (token, begun)
        self.next = Link.local(String(decoding: next, as: UTF8.self))
    }
}

/// Bytes as texts of addresses and tokens (RFC 4648, section 5, without padding).
enum Base64URL {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    static func decode(_ text: String) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.count % 4) % 4))
    }
}

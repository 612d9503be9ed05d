// SPDX-License-Identifier: Apache-2.0
// The provider: what it publishes about itself, and what it answers to a code.

internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import PostgreSQL

/// Asks the provider; what it publishes is kept for an hour.
actor OpenIDProvider {
    /// Where everything is.
    ///
    /// - Source: OpenID Connect Discovery 1.0, section 3.
    struct Discovery: Decodable, Sendable {
        let issuer: String
        let authorization: String
        let token: String
        let keys: String
        let person: String?
        let tokenMethods: [String]?
        let namesItself: Bool?

        private enum CodingKeys: String, CodingKey {
            case issuer
            case authorization = "authorization_endpoint"
            case token = "token_endpoint"
            case keys = "jwks_uri"
            case person = "userinfo_endpoint"
            case tokenMethods = "token_endpoint_auth_methods_supported"
            case namesItself = "authorization_response_iss_parameter_supported"
        }
    }

    private struct Tokens: Decodable {
        let idToken: String
        let accessToken: String?

        private enum CodingKeys: String, CodingKey {
            case idToken = "id_token"
            case accessToken = "access_token"
        }
    }

    private struct Kept<Value: Sendable>: Sendable {
        let value: Value
        let at: ContinuousClock.Instant

        func isFresh(for duration: Duration) -> Bool { at.duration(to: .now) < duration }
    }

    private static let freshness = Duration.seconds(3600)
    /// Tokens with unknown keys make us ask for the keys at most this often.
    private static let keyPause = Duration.seconds(30)
    /// Questions that may be under way: each holds a thread for seconds where the provider is slow.
    private static let limit = 16

    private let settings: OpenIDSettings
    private var discovered: Kept<Discovery>?
    private var keys: Kept<OpenIDKeys>?
    /// When an unknown key made us ask for the keys.
    private var soughtKeys: ContinuousClock.Instant?
    private var underWay = 0

    /// The provider of these settings, which is asked nothing yet.
    init(_ settings: OpenIDSettings) {
        self.settings = settings
    }

    // MARK: - The way there

    /// Where a browser begins: the provider's own page.
    func beginning(of attempt: OpenIDAttempt) async throws -> String {
        let endpoint = try await discovery().authorization
        let query = Link.to(
            "",
            [
                "response_type": "code", "client_id": settings.client, "redirect_uri": settings.redirect,
                "scope": "openid email", "state": attempt.state, "nonce": attempt.nonce,
                "code_challenge": attempt.challenge, "code_challenge_method": "S256",
            ])
        return endpoint + (endpoint.contains("?") ? "&" + query.dropFirst() : query)
    }

    // MARK: - The way back

    /// Who comes back with a code.
    ///
    /// - Parameters:
    ///   - issuer: who the answer says it comes from (RFC 9207); nil where it does not.
    ///   - secret: proves who we are; nil where PKCE alone does.
    ///   - now: seconds since 1970.
    func identity(
        _ code: String, from issuer: String?, _ attempt: OpenIDAttempt, secret: String?, now: Int
    ) async throws -> OpenIDIdentity {
        let discovery = try await discovery()
        // An answer of another provider must not be taken to this one.
        guard issuer == nil ? discovery.namesItself != true : issuer == settings.issuer else {
            throw OpenIDError(.token, because: "mixed-up")
        }
        let tokens = try await tokens(code, attempt, secret, discovery)
        do {
            let token = try IDToken(tokens.idToken)
            let keys = try await keys(for: token, discovery)
            let claims = try await token.claims(keys)
            try claims.check(
                .init(issuer: settings.issuer, client: settings.client, nonce: attempt.nonce), now: now)
            return OpenIDIdentity(
                issuer: claims.issuer, subject: claims.subject,
                email: try await email(claims, tokens.accessToken, discovery))
        } catch let refusal as IDTokenRefusal {
            throw OpenIDError(.token, because: refusal.rawValue)
        }
    }

    private func tokens(
        _ code: String, _ attempt: OpenIDAttempt, _ secret: String?, _ discovery: Discovery
    ) async throws -> Tokens {
        var headers: [String] = []
        var proof: [(name: String, value: String)] = []
        let methods = discovery.tokenMethods ?? ["client_secret_basic"]
        if let secret, methods.contains("client_secret_basic") || !methods.contains("client_secret_post") {
            let pair = "\(WebCall.encoded(settings.client)):\(WebCall.encoded(secret))"
            headers = ["Authorization: Basic \(Data(pair.utf8).base64EncodedString())"]
        } else {
            proof = [("client_id", settings.client)] + (secret.map { [("client_secret", $0)] } ?? [])
        }
        let fields =
            [
                ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", settings.redirect),
                ("code_verifier", attempt.verifier),
            ] + proof
        let (token, known) = (discovery.token, headers)
        let bytes = try await asking { () throws(TransferError) in
            try await WebCall.post(fields, to: token, headers: known)
        }
        return try Self.read(Tokens.self, bytes)
    }

    /// The address that the provider has verified: some say it only where they are asked for the person.
    private func email(
        _ claims: IDTokenClaims, _ accessToken: String?, _ discovery: Discovery
    ) async throws -> String? {
        if claims.contact.email != nil { return claims.contact.verifiedEmail }
        guard let url = discovery.person, let accessToken, accessToken.utf8.allSatisfy({ 33..<127 ~= $0 })
        else { return nil }
        let bytes = try await asking { () throws(TransferError) in
            try await WebCall.get(url, headers: ["Authorization: Bearer \(accessToken)"])
        }
        let contact = try Self.read(OpenIDContact.self, bytes)
        guard contact.subject == claims.subject else { throw OpenIDError(.token, because: "subject") }
        return contact.verifiedEmail
    }

    // MARK: - What it publishes

    private func discovery() async throws -> Discovery {
        if let discovered, discovered.isFresh(for: Self.freshness) { return discovered.value }
        let base = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
        let bytes = try await asking { () throws(TransferError) in
            try await WebCall.get(base + "/.well-known/openid-configuration")
        }
        let value = try Self.read(Discovery.self, bytes)
        guard value.issuer == settings.issuer else { throw OpenIDError(.setup, because: "issuer") }
        for address in [value.authorization, value.token, value.keys, value.person].compactMap(\.self) {
            guard OpenIDSettings.isTrusted(address) else { throw OpenIDError(.provider, because: "address") }
        }
        discovered = Kept(value: value, at: .now)
        return value
    }

    /// The keys; read again, though not often, when a token is signed with one that is new.
    private func keys(for token: IDToken, _ discovery: Discovery) async throws -> OpenIDKeys {
        if let keys, keys.isFresh(for: Self.freshness) {
            if token.isKnown(to: keys.value) { return keys.value }
            if let soughtKeys, soughtKeys.duration(to: .now) < Self.keyPause { return keys.value }
            soughtKeys = .now
        }
        let bytes = try await asking { () throws(TransferError) in try await WebCall.get(discovery.keys) }
        let value = try Self.read(OpenIDKeys.self, bytes)
        keys = Kept(value: value, at: .now)
        return value
    }

    // MARK: - Asking

    private func asking(
        _ question: () async throws(TransferError) -> [UInt8]
    ) async throws -> [UInt8] {
        guard underWay < Self.limit else { throw PeopleError(.busy, retry: .after(.seconds(5))) }
        underWay += 1
        defer { underWay -= 1 }
        do throws(TransferError) {
            return try await question()
        } catch {
            switch (error.diagnostic.code, error.diagnostic.facts["detail"]) {
            // Used before, too old, or never given out.
            case (TransferError.Code.answer.rawValue, "400"): throw OpenIDError(.state, because: "code")
            case (TransferError.Code.login.rawValue, _): throw OpenIDError(.setup, because: "client")
            default: throw OpenIDError(.provider, because: error.diagnostic.code)
            }
        }
    }

    private static func read<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            throw OpenIDError(.provider, because: "answer")
        }
    }
}

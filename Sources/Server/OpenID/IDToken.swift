// SPDX-License-Identifier: Apache-2.0
// What a provider signs of somebody, and whether it holds.

internal import Foundation
internal import JWTKit

/// Why a token is refused.
enum IDTokenRefusal: String, Error {
    case form, algorithm, key, signature, issuer, audience, party, ended, early, nonce, subject
}

/// What a token says.
///
/// - Source: OpenID Connect Core 1.0, section 2.
struct IDTokenClaims: Decodable, Sendable {
    let issuer: String
    let subject: String
    let audience: [String]
    /// Whom it was made for, where several may read it.
    let party: String?
    /// Seconds since 1970.
    let ends: Double
    let made: Double
    let nonce: String?
    let contact: OpenIDContact

    enum Key: String, CodingKey {
        case issuer = "iss"
        case subject = "sub"
        case audience = "aud"
        case party = "azp"
        case ends = "exp"
        case made = "iat"
        case nonce
    }

    init(from decoder: any Decoder) throws {
        let claims = try decoder.container(keyedBy: Key.self)
        issuer = try claims.decode(String.self, forKey: .issuer)
        subject = try claims.decode(String.self, forKey: .subject)
        if let one = try? claims.decode(String.self, forKey: .audience) {
            audience = [one]
        } else {
            audience = try claims.decode([String].self, forKey: .audience)
        }
        party = try claims.decodeIfPresent(String.self, forKey: .party)
        ends = try claims.decode(Double.self, forKey: .ends)
        made = try claims.decode(Double.self, forKey: .made)
        nonce = try claims.decodeIfPresent(String.self, forKey: .nonce)
        contact = try OpenIDContact(from: decoder)
    }

    /// What it must say.
    struct Expected: Sendable {
        let issuer: String
        let client: String
        let nonce: String
    }

    /// Seconds that clocks may differ by.
    private static let leeway = 60.0

    /// Whether it says so, at `now` (seconds since 1970).
    ///
    /// - Source: OpenID Connect Core 1.0, section 3.1.3.7.
    func check(_ expected: Expected, now: Int) throws(IDTokenRefusal) {
        let now = Double(now)
        guard issuer == expected.issuer else { throw .issuer }
        guard audience.contains(expected.client) else { throw .audience }
        guard party == nil ? audience.count == 1 : party == expected.client else { throw .party }
        guard ends + Self.leeway > now else { throw .ended }
        guard made - Self.leeway <= now else { throw .early }
        guard nonce == expected.nonce else { throw .nonce }
        guard 1...255 ~= subject.utf8.count, subject.utf8.allSatisfy({ 32..<127 ~= $0 }) else {
            throw .subject
        }
    }
}

extension IDTokenClaims: JWTPayload {
    func encode(to encoder: any Encoder) throws {
        throw IDTokenRefusal.form
    }

    /// Checked by ``check(_:now:)``, which knows what is expected.
    func verify(using algorithm: some JWTAlgorithm) async throws {}
}

/// How somebody can be reached, as a token or the page about him says.
struct OpenIDContact: Decodable, Sendable {
    let subject: String?
    let email: String?
    let isVerified: Bool

    private enum Key: String, CodingKey {
        case subject = "sub"
        case email
        case isVerified = "email_verified"
    }

    init(from decoder: any Decoder) throws {
        let claims = try decoder.container(keyedBy: Key.self)
        subject = try? claims.decodeIfPresent(String.self, forKey: .subject)
        email = try? claims.decodeIfPresent(String.self, forKey: .email)
        // Some write it as a text.
        let isTrue = (try? claims.decodeIfPresent(Bool.self, forKey: .isVerified)) ?? false
        let text = (try? claims.decodeIfPresent(String.self, forKey: .isVerified)) ?? ""
        isVerified = isTrue || text == "true"
    }

    /// The address that can be relied on.
    var verifiedEmail: String? { isVerified ? email : nil }
}

/// The keys that a provider signs with.
///
/// - Source: RFC 7517. Members that are not understood are left out: they are for somebody else.
struct OpenIDKeys: Decodable, Sendable {
    /// One key.
    struct Key: Decodable, Sendable {
        let kty: String
        let kid: String?
        let use: String?
        let alg: String?
        let crv: String?
        let n: String?
        let e: String?
        let x: String?
        let y: String?
    }

    private struct Lenient: Decodable {
        let key: Key?

        init(from decoder: any Decoder) throws { key = try? Key(from: decoder) }
    }

    private enum CodingKeys: String, CodingKey { case keys }

    let keys: [Key]

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        keys = try members.decode([Lenient].self, forKey: .keys).prefix(100).compactMap(\.key)
    }

    /// The key for a token; nil where none or more than one would fit.
    func key(for header: IDTokenHeader, _ algorithm: IDTokenAlgorithm) -> Key? {
        let fitting = keys.filter { key in
            key.kty == algorithm.keyType && key.crv == algorithm.curve && (key.use ?? "sig") == "sig"
                && (key.alg ?? algorithm.rawValue) == algorithm.rawValue
                && (header.kid == nil || key.kid == header.kid)
        }
        return fitting.count == 1 ? fitting.first : nil
    }
}

/// The algorithms that are accepted: those with a public key, which whoever knows it cannot sign with.
///
/// - Source: RFC 7518, section 3; RFC 8725, section 3.1.
enum IDTokenAlgorithm: String, Sendable {
    case rs256 = "RS256"
    case ps256 = "PS256"
    case es256 = "ES256"

    var keyType: String { self == .es256 ? "EC" : "RSA" }
    var curve: String? { self == .es256 ? "P-256" : nil }

    /// A key of the right kind, bound to this algorithm whatever a token says of itself.
    func key(_ key: OpenIDKeys.Key) -> JWK {
        let algorithm = JWK.Algorithm(rawValue: rawValue)
        return switch self {
        case .rs256, .ps256:
            JWK.rsa(algorithm, identifier: "key", modulus: key.n, exponent: key.e)
        case .es256:
            JWK.ecdsa(algorithm, identifier: "key", x: key.x, y: key.y, curve: .p256)
        }
    }
}

/// The first part of a token: nothing of it is believed, it only says which key to try.
struct IDTokenHeader: Decodable, Sendable {
    let alg: String
    let kid: String?
    /// Extensions that must be understood; we understand none.
    let crit: [String]?
}

/// A token as it came.
struct IDToken: Sendable {
    private let text: String
    private let header: IDTokenHeader
    private let algorithm: IDTokenAlgorithm

    /// Reads how a token says that it is signed.
    init(_ text: String) throws(IDTokenRefusal) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let head = Base64URL.decode(String(parts[0])),
            let header = try? JSONDecoder().decode(IDTokenHeader.self, from: head)
        else { throw .form }
        guard let algorithm = IDTokenAlgorithm(rawValue: header.alg), header.crit == nil else {
            throw .algorithm
        }
        (self.text, self.header, self.algorithm) = (text, header, algorithm)
    }

    /// Whether these keys hold one that may have signed it.
    func isKnown(to keys: OpenIDKeys) -> Bool { keys.key(for: header, algorithm) != nil }

    /// What it says, once its signature is known to be one of these keys'.
    func claims(_ keys: OpenIDKeys) async throws(IDTokenRefusal) -> IDTokenClaims {
        guard let key = keys.key(for: header, algorithm) else { throw .key }
        let collection = JWTKeyCollection()
        do {
            try await collection.add(jwk: algorithm.key(key))
        } catch {
            throw .key
        }
        do {
            return try await collection.verify(text, as: IDTokenClaims.self)
        } catch let error as JWTError where error.errorType == .signatureVerificationFailed {
            throw .signature
        } catch {
            throw .form
        }
    }
}

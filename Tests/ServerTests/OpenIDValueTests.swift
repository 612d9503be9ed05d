// SPDX-License-Identifier: Apache-2.0
// What binds a sign-in to its browser, and what is believed of a token, without a network.

import Foundation
import Testing

@testable import Server

@Suite struct OpenIDValueTests {
    private let now = 1_795_000_000

    @Test func `an attempt is answered by its own state, for ten minutes`() throws {
        let attempt = OpenIDAttempt(next: "/users?a=b", now: now)
        let kept = try #require(OpenIDAttempt(cookie: attempt.text))
        #expect(kept.next == "/users?a=b" && kept.nonce == attempt.nonce)
        #expect(kept.isAnswered(by: attempt.state, now: now + 600))
        #expect(!kept.isAnswered(by: attempt.state, now: now + 601))
        #expect(!kept.isAnswered(by: attempt.state, now: now - 1))
        #expect(!kept.isAnswered(by: nil, now: now))
        #expect(!kept.isAnswered(by: OpenIDAttempt(next: "/users?a=b", now: now).state, now: now))
        #expect(Set([attempt.state, attempt.nonce, attempt.verifier, attempt.challenge]).count == 4)
    }

    @Test func `a cookie that was changed answers to nothing`() throws {
        let attempt = OpenIDAttempt(next: "/users", now: now)
        let parts = attempt.text.split(separator: ".").map(String.init)
        // Later, and led elsewhere.
        for changed in [[parts[0], "\(now + 900)", parts[2]], [parts[0], parts[1], "L3J1bnM"]] {
            let attempt = try #require(OpenIDAttempt(cookie: changed.joined(separator: ".")))
            #expect(!attempt.isAnswered(by: OpenIDAttempt(next: "/users", now: now).state, now: now + 900))
        }
        for wrong in ["", "..", "a.b.c", "\(parts[0]).-1.", "\(parts[0]).\(now)", "\(parts[0]).\(now).=."] {
            #expect(OpenIDAttempt(cookie: wrong) == nil, "\(wrong)")
        }
        #expect(OpenIDAttempt(next: "//evil.example", now: now).next == nil)
        #expect(OpenIDAttempt(next: "/" + String(repeating: "a", count: 2000), now: now).next == nil)
    }

    private func claims(_ changes: [String: Any?] = [:]) throws -> IDTokenClaims {
        var object: [String: Any] = [
            "iss": "https://c.fr", "sub": "42", "aud": "relais", "exp": now + 300, "iat": now, "nonce": "n",
            "email": "ines@exemple.fr", "email_verified": true,
        ]
        for (name, value) in changes { object[name] = value }
        return try JSONDecoder().decode(
            IDTokenClaims.self, from: try JSONSerialization.data(withJSONObject: object))
    }

    private func refusal(_ changes: [String: Any?]) throws -> IDTokenRefusal? {
        let claims = try claims(changes)
        do throws(IDTokenRefusal) {
            try claims.check(.init(issuer: "https://c.fr", client: "relais", nonce: "n"), now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `a token must be from whom, for whom, for now and for this attempt`() throws {
        #expect(try refusal([:]) == nil)
        #expect(try refusal(["aud": ["relais"]]) == nil)
        #expect(try refusal(["aud": ["relais", "other"], "azp": "relais"]) == nil)
        #expect(try refusal(["exp": now - 59]) == nil && refusal(["iat": now + 60]) == nil)
        #expect(try refusal(["iss": "https://c.fr/"]) == .issuer)
        #expect(try refusal(["aud": "other"]) == .audience && refusal(["aud": [String]()]) == .audience)
        #expect(try refusal(["aud": ["relais", "other"]]) == .party)
        #expect(try refusal(["azp": "other"]) == .party)
        #expect(try refusal(["exp": now - 60]) == .ended)
        #expect(try refusal(["iat": now + 61]) == .early)
        #expect(try refusal(["nonce": "m"]) == .nonce && refusal(["nonce": nil]) == .nonce)
        #expect(try refusal(["sub": ""]) == .subject)
        #expect(try refusal(["sub": String(repeating: "s", count: 256)]) == .subject)
        for missing in ["iss", "sub", "aud", "exp", "iat"] {
            #expect(throws: (any Error).self, "\(missing)") { try claims([missing: nil]) }
        }
    }

    @Test func `an address counts only where the provider says that it is verified`() throws {
        #expect(try claims().contact.verifiedEmail == "ines@exemple.fr")
        #expect(try claims(["email_verified": "true"]).contact.verifiedEmail == "ines@exemple.fr")
        for said in [false, "false", 1, nil] as [Any?] {
            #expect(try claims(["email_verified": said]).contact.verifiedEmail == nil, "\(said ?? "nil")")
        }
    }

    @Test func `a key is used for what it was made for, and only where it is the only one`() throws {
        let text = """
            {"keys": [
              {"kty": "oct", "k": "AAAA", "kid": "a"}, {"kty": "OKP", "crv": "Ed25519", "x": "AA", "kid": "a"}, 7,
              {"kty": "RSA", "n": "AA", "e": "AQAB", "kid": "a"},
              {"kty": "RSA", "n": "AA", "e": "AQAB", "kid": "b", "use": "enc"},
              {"kty": "RSA", "n": "AA", "e": "AQAB", "kid": "c", "alg": "PS256"},
              {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "d"},
              {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "e"}
            ]}
            """
        let keys = try JSONDecoder().decode(OpenIDKeys.self, from: Data(text.utf8))
        func key(_ algorithm: IDTokenAlgorithm, _ kid: String?) -> String? {
            keys.key(for: IDTokenHeader(alg: algorithm.rawValue, kid: kid, crit: nil), algorithm)?.kid
        }
        #expect(key(.rs256, "a") == "a" && key(.ps256, "c") == "c" && key(.es256, "e") == "e")
        #expect(key(.rs256, "b") == nil && key(.rs256, "c") == nil && key(.es256, "d") == nil)
        #expect(key(.es256, "a") == nil && key(.rs256, "z") == nil)
        // Without a name, where one alone would do.
        #expect(key(.rs256, nil) == "a" && key(.es256, nil) == "e" && key(.ps256, nil) == nil)
    }

    @Test func `tokens say how they are signed in ways that we accept, or are none`() {
        func read(_ header: String) -> IDTokenRefusal? {
            do throws(IDTokenRefusal) {
                _ = try IDToken(Base64URL.encode(Array(header.utf8)) + ".e30.AA")
                return nil
            } catch {
                return error
            }
        }
        for algorithm in ["RS256", "PS256", "ES256"] {
            #expect(read(#"{"alg": "\#(algorithm)"}"#) == nil)
        }
        for algorithm in ["none", "None", "", "HS256", "HS512", "RS1", "RS256 ", "rs256", "EdDSA"] {
            #expect(read(#"{"alg": "\#(algorithm)"}"#) == .algorithm, "\(algorithm)")
        }
        #expect(read(#"{"alg": "RS256", "crit": ["exp"]}"#) == .algorithm)
        #expect(read("{}") == .form && read("x") == .form)
    }

    @Test func `addresses are trusted with TLS, or on this machine`() {
        for good in [
            "https://c.fr", "https://c.fr:8443/a?b=c", "http://127.0.0.1:1", "http://localhost",
            "http://[::1]:8",
        ] {
            #expect(OpenIDSettings.isTrusted(good), "\(good)")
        }
        for wrong in [
            "http://c.fr", "ftp://c.fr", "https://", "https://u:p@c.fr", "https://c.fr#a", "https://c.fr/ a",
            "http://127.0.0.1.c.fr", "",
        ] {
            #expect(!OpenIDSettings.isTrusted(wrong), "\(wrong)")
        }
        #expect(WebOrigin("https://relais.exemple.fr/")?.text == "https://relais.exemple.fr")
        for wrong in [
            "relais.exemple.fr", "https://a.fr/b", "https://a.fr?b", "https://u@a.fr", "file:///etc",
        ] {
            #expect(WebOrigin(wrong) == nil, "\(wrong)")
        }
    }
}

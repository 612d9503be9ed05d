// SPDX-License-Identifier: Apache-2.0
// A provider of OpenID Connect (oidc-provider-mock, built on Authlib), which can be told to cheat.

internal import Foundation
internal import FoundationNetworking

/// A provider that lets everybody in who names himself.
package struct OpenIDServer: Sendable {
    /// What is wrong with the next tokens.
    package enum Cheat: String, Sendable, CaseIterable {
        case none, unsigned, otherKey, publicKeyAsSecret, ended, early, issuer, audience, party, nonce,
            subject
        /// The address is told only where the person is asked for.
        case noEmail
        /// That is somebody else's.
        case otherPerson
        /// A new key, which is published.
        case newKey
    }

    private let peer: Peer
    /// What proves that a client is `relais`.
    package static let secret = "gr0s s3cr3t+:/"

    /// Starts the provider; `make bootstrap` puts it into the virtual environment.
    package init() async throws {
        let program = #"""
            import base64, hashlib, json, os, sys, time, warnings
            warnings.simplefilter("ignore")
            os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
            import flask, werkzeug.serving, oidc_provider_mock
            from authlib import jose
            port, secret = int(sys.argv[1]), sys.argv[2]
            app = oidc_provider_mock.app(require_nonce=True)
            state = {"cheat": "none", "challenges": {}, "keys": 0}
            def refuse(error, status=400):
                return flask.make_response(flask.jsonify({"error": error}), status)
            def b64(data):
                return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
            # What the provider itself leaves out: PKCE (RFC 7636) and the client's password.
            @app.before_request
            def check():
                request = flask.request
                if request.path == "/oauth2/authorize" and request.args.get("code_challenge_method") != "S256":
                    return refuse("invalid_request")
                if request.path == "/oauth2/token":
                    from urllib.parse import unquote
                    who = request.authorization
                    if not who or unquote(who.username) != "relais" or unquote(who.password) != secret:
                        return refuse("invalid_client", 401)
                    known = state["challenges"].get(request.form.get("code"))
                    digest = hashlib.sha256(request.form.get("code_verifier", "").encode()).digest()
                    if known != b64(digest):
                        return refuse("invalid_grant")
            @app.post("/cheat/<cheat>")
            def cheat(cheat):
                state["cheat"] = cheat
                if cheat == "newKey":
                    flask.g.oidc_provider_mock_storage.jwk = jose.RSAKey.generate_key(is_private=True)
                return ""
            def forged(token):
                cheat, key = state["cheat"], flask.g.oidc_provider_mock_storage.jwk
                head, body, _ = token.split(".")
                read = lambda part: json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
                header, claims = read(head), read(body)
                now = int(time.time())
                header["kid"] = key.thumbprint()
                changes = {
                    "ended": {"exp": now - 120}, "early": {"iat": now + 600}, "issuer": {"iss": "https://evil.example"},
                    "audience": {"aud": ["other"]}, "party": {"aud": ["relais", "other"]}, "nonce": {"nonce": "x" * 43},
                    "subject": {"sub": ""},
                }
                claims.update(changes.get(cheat, {}))
                if cheat in ("noEmail", "otherPerson"):
                    claims.pop("email", None); claims.pop("email_verified", None)
                if cheat == "unsigned":
                    return b64(json.dumps({"alg": "none"}).encode()) + "." + b64(json.dumps(claims).encode()) + "."
                if cheat == "publicKeyAsSecret":
                    import hmac
                    text = b64(json.dumps({**header, "alg": "HS256"}).encode()) + "." + b64(json.dumps(claims).encode())
                    return text + "." + b64(hmac.new(key.as_pem(is_private=False), text.encode(), "sha256").digest())
                if cheat == "otherKey":
                    key = jose.RSAKey.generate_key(is_private=True)
                return jose.jwt.encode(header, claims, key).decode()
            @app.after_request
            def change(response):
                request = flask.request
                location = response.headers.get("Location", "")
                if request.path == "/oauth2/authorize" and "code=" in location:
                    from urllib.parse import urlparse, parse_qs
                    code = parse_qs(urlparse(location).query)["code"][0]
                    state["challenges"][code] = request.args.get("code_challenge")
                # RFC 6749, section 4.1.2.1: a refusal has the state too.
                if request.path == "/oauth2/authorize" and "error=" in location and "state=" not in location:
                    response.headers["Location"] = location + "&state=" + request.args["state"]
                if request.path == "/oauth2/token" and response.status_code == 200:
                    answer = response.get_json()
                    answer["id_token"] = forged(answer["id_token"])
                    response.set_data(json.dumps(answer))
                if request.path == "/userinfo" and state["cheat"] == "otherPerson":
                    response.set_data(json.dumps({**response.get_json(), "sub": "somebody"}))
                return response
            werkzeug.serving.make_server("127.0.0.1", port, app, threaded=True).serve_forever()
            """#
        let python = Repository.root.appending(path: ".venv/bin/python").path
        peer = try await Peer(python) { port, _ in ["-c", program, String(port), Self.secret] }
    }

    /// Its name.
    package var issuer: String { "http://127.0.0.1:\(peer.port)" }

    /// Cheats from now on.
    package func cheat(_ cheat: Cheat) async throws {
        _ = try await ask("POST", "/cheat/\(cheat.rawValue)")
    }

    /// Knows somebody, or what is new about him.
    package func know(_ subject: String, email: String, isVerified: Bool = true) async throws {
        let claims = "{\"email\": \"\(email)\", \"email_verified\": \(isVerified)}"
        _ = try await ask("PUT", "/users/\(subject)", Data(claims.utf8))
    }

    /// Kills it.
    package func stop() async throws { try await peer.stop() }

    private func ask(_ method: String, _ path: String, _ body: Data? = nil) async throws -> Data {
        guard let url = URL(string: issuer + path) else { throw CocoaError(.fileReadUnknown) }
        var request = URLRequest(url: url)
        request.httpMethod = method
        request.httpBody = body
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        let (data, response) = try await URLSession(configuration: .ephemeral).data(for: request)
        guard let http = response as? HTTPURLResponse, http.statusCode < 300 else {
            throw CocoaError(.fileReadUnknown, userInfo: ["log": peer.log])
        }
        return data
    }
}

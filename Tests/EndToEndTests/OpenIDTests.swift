// SPDX-License-Identifier: Apache-2.0
// Signing in by a provider of OpenID Connect, and everything that must not let anybody in.

import Foundation
import FoundationNetworking
import RelaisTesting
import Testing

@Suite(.serialized) struct OpenIDTests {
    /// A browser: keeps cookies of each host, follows no redirect by itself.
    private final class Visitor {
        struct Answer {
            let status: Int
            let text: String
            let location: String?
            let cookies: [String]
        }

        private(set) var cookies: [String: String] = [:]

        func ask(_ url: String, _ method: String = "GET", _ form: String? = nil) async throws -> Answer {
            var request = URLRequest(url: try #require(URL(string: url), "\(url)"))
            request.httpMethod = method
            request.httpBody = form.map { Data($0.utf8) }
            request.setValue("text/html", forHTTPHeaderField: "Accept")
            request.setValue("fr", forHTTPHeaderField: "Accept-Language")
            if form != nil {
                request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
            }
            let shown = cookies.map { "\($0)=\($1)" }.joined(separator: "; ")
            if !shown.isEmpty { request.setValue(shown, forHTTPHeaderField: "Cookie") }
            let configuration = URLSessionConfiguration.ephemeral
            configuration.httpShouldSetCookies = false
            configuration.httpCookieAcceptPolicy = .never
            let session = URLSession(configuration: configuration, delegate: Plain(), delegateQueue: nil)
            defer { session.finishTasksAndInvalidate() }
            let (data, response) = try await session.data(for: request)
            let http = try #require(response as? HTTPURLResponse)
            let fields = http.allHeaderFields.map { ("\($0.key)".lowercased(), "\($0.value)") }
            let set = fields.filter { $0.0 == "set-cookie" }.flatMap { Self.cookies($0.1) }
            for cookie in set {
                let pair = cookie.split(separator: ";")[0].split(
                    separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                cookies[String(pair[0])] = pair[1].isEmpty ? nil : String(pair[1])
            }
            return Answer(
                status: http.statusCode, text: String(decoding: data, as: UTF8.self),
                location: fields.first { $0.0 == "location" }?.1, cookies: set)
        }

        /// Foundation joins several fields with commas; none of ours has a date.
        private static func cookies(_ field: String) -> [String] {
            field.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        }

        func forget(_ name: String) { cookies[name] = nil }

        func keep(_ name: String, _ value: String) { cookies[name] = value }
    }

    /// Follows no redirect.
    private final class Plain: NSObject, URLSessionTaskDelegate {
        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
            newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
        ) {
            completionHandler(nil)
        }
    }

    /// A daemon that people sign in to by a provider, which knows Inès.
    private struct Place {
        let provider: OpenIDServer
        let address: String
        let data: String
        let daemon: Daemon

        /// The address that the provider sends a browser back to, which has not gone there yet.
        func answer(
            _ visitor: Visitor, as subject: String = "42", next: String? = nil, form: String? = nil
        ) async throws -> String {
            let query = next.map { "?next=" + $0 } ?? ""
            let begun = try await visitor.ask(address + "/sign-in/openid" + query)
            #expect(begun.status == 303, "\(begun.text)")
            let page = try #require(begun.location)
            #expect(page.hasPrefix(provider.issuer + "/oauth2/authorize?"))
            let agreed = try await Visitor().ask(page, "POST", form ?? "sub=\(subject)")
            let back = try #require(agreed.location, "\(agreed.text)")
            #expect(back.hasPrefix(address + "/sign-in/openid/return?"))
            return back
        }

        /// The whole way.
        func enter(_ visitor: Visitor, as subject: String = "42", next: String? = nil) async throws
            -> Visitor.Answer
        {
            try await visitor.ask(try await answer(visitor, as: subject, next: next))
        }

        func isSignedIn(_ visitor: Visitor) async throws -> Bool {
            try await visitor.ask(address + "/me").status == 200
        }

        func query(_ sql: String) async throws -> String {
            let result = try await RelaisCommand.run(["db", "psql", "--data", data, "--", "-Atc", sql])
            return result.output.trimmingCharacters(in: .whitespacesAndNewlines)
        }

        /// Why the log says that nobody was signed in, the last time.
        var reason: String {
            daemon.events.last { $0["message"] == "nobody signed in by the provider" }?["reason"] ?? ""
        }

        func relais(_ arguments: [String]) async throws -> CommandResult {
            try await RelaisCommand.run(arguments + ["--data", data])
        }
    }

    private func withPlace(
        setsSecret: Bool = true, _ body: (_ place: Place) async throws -> Void
    ) async throws {
        let provider = try await OpenIDServer()
        try await provider.know("42", email: "Ines@exemple.fr")
        try await withDataFolder { data, folder in
            let port = try Peer.freePort()
            let secret = folder.appending(path: "secret")
            try Data(OpenIDServer.secret.utf8).write(to: secret)
            for command in [
                ["users", "add", "ines@exemple.fr", "--role", "it", "--admin"],
                ["users", "add", "hugo", "--role", "rep"],
            ] + (setsSecret ? [["secrets", "set", "oidc", "--file", secret.path]] : []) {
                let result = try await RelaisCommand.run(command + ["--data", data])
                try #require(result.status == 0, "\(result.errors)")
            }
            let daemon = try Daemon(
                data, folder, ["--listen", "127.0.0.1:\(port)", "--roles", "web"],
                environment: [
                    "RELAIS_OIDC_ISSUER": provider.issuer, "RELAIS_OIDC_CLIENT": "relais",
                    "RELAIS_OIDC_SECRET": "oidc", "RELAIS_OIDC_LABEL": "Compte Exemple & Cie",
                    "RELAIS_PUBLIC_URL": "http://127.0.0.1:\(port)/",
                ])
            do {
                let address = try await daemon.address()
                try await body(Place(provider: provider, address: address, data: data, daemon: daemon))
            } catch {
                _ = try await daemon.stop()
                throw error
            }
            #expect(try await daemon.stop() == 0)
        }
    }

    @Test func `a user whom the provider vouches for is signed in, and led where he wanted to go`()
        async throws
    {
        try await withPlace { place in
            let visitor = Visitor()
            let door = try await visitor.ask(place.address + "/sign-in?next=/users")
            #expect(
                door.text.contains(
                    #"<a class="btn" href="/sign-in/openid?next=%2Fusers">Compte Exemple &amp; Cie</a>"#),
                "\(door.text)")
            let entered = try await place.enter(visitor, next: "%2Fusers")
            #expect(entered.status == 303 && entered.location == "/users", "\(entered) \(place.reason)")
            let session = try #require(entered.cookies.first { $0.hasPrefix("relais_session=") })
            #expect(session.contains("HttpOnly") && session.contains("SameSite=Lax"))
            #expect(visitor.cookies["relais_openid"] == nil, "it has come to its end")
            #expect(try await place.isSignedIn(visitor))
            #expect(
                try await place.query("select action from audit where user_id is not null order by id")
                    == "user.linked\nsign-in.openid")
            // A session each time; by the provider's name for him from now on, whatever his address is.
            try await place.provider.know("42", email: "autre@exemple.fr", isVerified: false)
            let first = visitor.cookies["relais_session"]
            visitor.forget("relais_session")
            #expect(try await place.enter(visitor).location == "/")
            #expect(try await place.isSignedIn(visitor) && visitor.cookies["relais_session"] != first)
        }
    }

    @Test func `a token that does not hold lets nobody in`() async throws {
        try await withPlace { place in
            let cases: [(OpenIDServer.Cheat, String)] = [
                (.unsigned, "algorithm"), (.publicKeyAsSecret, "algorithm"), (.otherKey, "signature"),
                (.ended, "ended"), (.early, "early"), (.issuer, "issuer"), (.audience, "audience"),
                (.party, "party"), (.nonce, "nonce"), (.subject, "subject"), (.otherPerson, "subject"),
            ]
            for (cheat, reason) in cases {
                try await place.provider.cheat(cheat)
                let visitor = Visitor()
                let answer = try await place.enter(visitor)
                #expect(answer.status == 403 && answer.text.contains("OPENID-TOKEN"), "\(cheat): \(answer)")
                #expect(place.reason == reason, "\(cheat)")
                #expect(try await !place.isSignedIn(visitor), "\(cheat)")
            }
            #expect(try await place.query("select count(*) from session") == "0")
            // And the same person with a good one; also where the address is told elsewhere.
            for cheat in [OpenIDServer.Cheat.none, .noEmail] {
                try await place.provider.cheat(cheat)
                let visitor = Visitor()
                #expect(try await place.enter(visitor).status == 303, "\(cheat)")
                #expect(try await place.isSignedIn(visitor))
                _ = try await place.query("delete from openid_link")
            }
            // A new key is found at once; a second one so soon after it is not looked for.
            try await place.provider.cheat(.newKey)
            #expect(try await place.enter(Visitor()).status == 303)
            try await place.provider.cheat(.newKey)
            #expect(try await place.enter(Visitor()).status == 403)
        }
    }

    @Test func `who is not known, not verified, disabled or another's is told so, and not let in`()
        async throws
    {
        try await withPlace { place in
            func refusal(_ subject: String) async throws -> String {
                let visitor = Visitor()
                let answer = try await place.enter(visitor, as: subject)
                #expect(answer.status == 403, "\(answer)")
                #expect(try await !place.isSignedIn(visitor))
                return answer.text
            }
            try await place.provider.know("7", email: "zoe@exemple.fr")
            let unknown = try await refusal("7")
            #expect(unknown.contains("Votre compte n’existe pas encore dans Relais"))
            #expect(unknown.contains("La connexion n’a pas abouti"))
            #expect(unknown.contains("zoe@exemple.fr") && unknown.contains("SIGN-IN-NO-ACCOUNT"))
            #expect(try await place.query("select count(*) from app_user") == "2")
            try await place.provider.know("8", email: "ines@exemple.fr", isVerified: false)
            #expect(try await refusal("8").contains("SIGN-IN-EMAIL"))
            // The Kelvin sign is a `k` in lower case.
            try await place.provider.know("9", email: "ine\u{017F}@exemple.fr")
            #expect(try await refusal("9").contains("SIGN-IN-EMAIL"))
            #expect(try await place.enter(Visitor()).status == 303)
            try await place.provider.know("10", email: "ines@exemple.fr")
            #expect(try await refusal("10").contains("SIGN-IN-LINKED"))
            let unlinked = try await place.relais(["users", "openid", "ines@exemple.fr", "--unlink"])
            #expect(unlinked.status == 0, "\(unlinked.errors)")
            #expect(try await place.enter(Visitor(), as: "10").status == 303)
            // Whose login is no address.
            try await place.provider.know("11", email: "hugo@exemple.fr")
            #expect(try await refusal("11").contains("SIGN-IN-NO-ACCOUNT"))
            let taught = try await place.relais(["users", "openid", "hugo", "--email", "Hugo@exemple.fr"])
            #expect(taught.status == 0, "\(taught.errors)")
            let visitor = Visitor()
            #expect(try await place.enter(visitor, as: "11").status == 303)
            let wrong = try await place.relais(["users", "openid", "hugo", "--email", "hugo"])
            #expect(wrong.status == 1 && wrong.errors.contains("USER-EMAIL"))
            _ = try await place.relais(["users", "disable", "hugo"])
            #expect(try await !place.isSignedIn(visitor))
            #expect(try await refusal("11").contains("SIGN-IN-DISABLED"))
        }
    }

    @Test func `an answer belongs to the browser that asked, once`() async throws {
        try await withPlace { place in
            let (victim, thief) = (Visitor(), Visitor())
            let stolen = try await place.answer(thief)
            // The answer of one browser in another: with no cookie, and with one of its own.
            for _ in 0..<2 {
                let answer = try await victim.ask(stolen)
                #expect(answer.status == 400 && answer.text.contains("OPENID-STATE"), "\(answer)")
                #expect(try await !place.isSignedIn(victim))
                _ = try await victim.ask(place.address + "/sign-in/openid")
            }
            // Replayed, with everything that belonged to it.
            let used = Visitor()
            let back = try await place.answer(used)
            let kept = try #require(used.cookies["relais_openid"])
            #expect(try await used.ask(back).status == 303)
            let again = Visitor()
            again.keep("relais_openid", kept)
            let replayed = try await again.ask(back)
            #expect(
                replayed.status == 400 && replayed.text.contains("OPENID-STATE") && place.reason == "code")
            #expect(try await !place.isSignedIn(again))
            // Another code under the state of this browser.
            let mixed = Visitor()
            let own = try await place.answer(mixed)
            let code = try #require(back.firstMatch(of: #/code=[^&]+/#)).output
            let changed = own.replacing(#/code=[^&]+/#, with: code)
            #expect(try await mixed.ask(changed).status == 400)
            // No.
            let refused = Visitor()
            let denied = try await refused.ask(try await place.answer(refused, form: "action=deny"))
            #expect(denied.status == 403 && denied.text.contains("OPENID-DENIED"), "\(denied)")
            // Elsewhere is nowhere to be led to.
            for next in [
                "https:%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "%09%2F%2Fevil",
            ] {
                let answer = try await place.enter(Visitor(), next: next)
                #expect(answer.location == "/", "\(next)")
            }
        }
    }

    @Test func `a provider that is gone or not set up well is said to be, without names of secrets`()
        async throws
    {
        try await withPlace(setsSecret: false) { place in
            let visitor = Visitor()
            let unset = try await place.enter(visitor)
            #expect(unset.status == 500 && unset.text.contains("OPENID-SETUP"), "\(unset)")
            #expect(place.reason == "SECRET-UNKNOWN" && !unset.text.contains("oidc"))
        }
        try await withPlace { place in
            let visitor = Visitor()
            try await place.provider.stop()
            let begun = try await visitor.ask(place.address + "/sign-in/openid")
            #expect(begun.status == 502 && begun.text.contains("OPENID-PROVIDER"), "\(begun)")
            #expect(place.reason == "TRANSFER-UNREACHABLE")
            // The form still works.
            #expect(try await visitor.ask(place.address + "/sign-in").status == 200)
        }
        let settings = [
            "RELAIS_OIDC_CLIENT": "relais", "RELAIS_PUBLIC_URL": "https://relais.exemple.fr",
        ]
        for (changes, code, part) in [
            (["RELAIS_OIDC_ISSUER": "http://connexion.exemple.fr"], "CONFIG-VALUE", "https://"),
            (["RELAIS_OIDC_ISSUER": "https://c.fr", "RELAIS_PUBLIC_URL": ""], "CONFIG-NEEDS", "public_url"),
            (
                ["RELAIS_OIDC_ISSUER": "https://c.fr", "RELAIS_OIDC_CLIENT": ""], "CONFIG-NEEDS",
                "oidc_client"
            ),
            (
                ["RELAIS_OIDC_ISSUER": "https://c.fr", "RELAIS_PUBLIC_URL": "http://relais.exemple.fr"],
                "CONFIG-VALUE", "public_url"
            ),
            (["RELAIS_OIDC_SECRET": "oidc"], "CONFIG-NEEDS", "oidc_issuer"),
        ] {
            let result = try await RelaisCommand.run(
                ["config", "--data", "/nowhere"], environment: settings.merging(changes) { $1 })
            #expect(result.status == 1 && result.errors.contains(code), "\(changes): \(result.errors)")
            #expect(result.errors.contains(part), "\(changes): \(result.errors)")
        }
    }
}

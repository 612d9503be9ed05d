// SPDX-License-Identifier: Apache-2.0
// Whoever should not get in, over every route that the router has: strangers, reps, other sites, guessers.

import Foundation
import FoundationNetworking
import PostgreSQL
import RelaisTesting
import Testing

@Suite(.serialized) struct IntrusionTests {
    private static let password = "quatre mots bien choisis"

    private struct Answer {
        let status: Int
        let text: String
        let fields: [String: String]
        let bytes: Int
    }

    /// Follows no redirect and keeps no cookie.
    private final class Plain: NSObject, URLSessionTaskDelegate {
        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
            newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
        ) {
            completionHandler(nil)
        }
    }

    private func ask(
        _ url: String, _ method: String = "GET", _ body: String? = nil, cookie: String? = nil,
        _ headers: [String: String] = [:]
    ) async throws -> Answer {
        var request = URLRequest(url: try #require(URL(string: url)))
        request.httpMethod = method
        request.httpBody = body.map { Data($0.utf8) }
        request.setValue("text/html", forHTTPHeaderField: "Accept")
        if body != nil {
            request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
        }
        if let cookie { request.setValue("relais_session=\(cookie)", forHTTPHeaderField: "Cookie") }
        for (name, value) in headers { request.setValue(value, forHTTPHeaderField: name) }
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        let session = URLSession(configuration: configuration, delegate: Plain(), delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let (data, response) = try await session.data(for: request)
        let http = try #require(response as? HTTPURLResponse)
        let fields = http.allHeaderFields.map { ("\($0.key)".lowercased(), "\($0.value)") }
        return Answer(
            status: http.statusCode, text: String(decoding: data, as: UTF8.self),
            fields: Dictionary(fields) { $1 }, bytes: data.count)
    }

    private func signIn(_ address: String, as login: String) async throws -> String {
        let form = "login=\(login)&password=\(Self.password.replacing(" ", with: "+"))"
        let answer = try await ask(address + "/sign-in", "POST", form)
        #expect(answer.status == 303, "\(answer.text)")
        let cookie = try #require(answer.fields["set-cookie"])
        #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"))
        let value = try #require(cookie.split(separator: ";").first?.split(separator: "=").last)
        return String(value)
    }

    /// A daemon with an account that nobody owns and one that `hugo` owns, and its routes as the router tells them.
    private func withServer(
        _ body: (_ address: String, _ routes: [(method: String, path: String)]) async throws -> Void
    )
        async throws
    {
        try await withDataFolder { data, folder in
            let file = folder.appending(path: "comptes.csv")
            let rows =
                "id,name,siren,siret,tva,street,postcode,city,phone\nC1,Zircon secret,404833048,,,,29000,Quimper,\nC2,Opale,,,,,,,\n"
            try Data(rows.utf8).write(to: file)
            let invoice = folder.appending(path: "factures.csv")
            let sold =
                "NumFacture;DateFacture;DateEcheance;CodeClient;RaisonSociale;SIREN;NumTVA;MontantHT;MontantTVA;MontantTTC;Devise;Statut\nZircon-1;01/02/2026;31/12/2999;C1;Zircon secret;404833048;;100;20;120;EUR;\n"
            try Data(sold.utf8).write(to: invoice)
            _ = try await RelaisCommand.run(["import", file.path, invoice.path, "--data", data])
            for (login, rights) in [
                ("ines", ["--role", "it", "--admin", "--sees-clients"]), ("hugo", ["--role", "rep"]),
            ] {
                let result = try await RelaisCommand.run(
                    ["users", "add", login, "--password-stdin", "--data", data] + rights, input: Self.password
                )
                try #require(result.status == 0, "\(result.errors)")
            }
            let owns =
                "update party set owner_id = (select id from app_user where login = 'hugo') where name = 'Opale'"
            let result = try await RelaisCommand.run(["db", "psql", "--data", data, "--", "-c", owns])
            try #require(result.status == 0, "\(result.errors)")
            let routes = try await RelaisCommand.run(["serve", "--routes", "--data", data])
            try #require(routes.status == 0, "\(routes.errors)")
            let list = routes.output.split(separator: "\n").compactMap {
                line -> (method: String, path: String)? in
                let parts = line.split(separator: " ").map(String.init)
                // Agendas are asked for by curl (DAVTests): Foundation's client never comes back from their 401.
                return parts.count == 2 && !parts[1].hasPrefix("/dav") ? (parts[0], parts[1]) : nil
            }
            #expect(list.count > 30)
            let daemon = try Daemon(data, folder)
            do {
                try await body(try await daemon.address(), list)
            } catch {
                _ = try await daemon.stop()
                throw error
            }
            #expect(try await daemon.stop() == 0)
        }
    }

    /// A path with something in the place of its parameters.
    private func filled(_ path: String, id: String = "1") -> String {
        path.split(separator: "/").map { part in
            part.hasPrefix(":") || part.hasPrefix("{") || part == "**" ? id : String(part)
        }.reduce("") { $0 + "/" + $1 }
    }

    /// What answers without a session, and has its own reasons to.
    private static let open = ["/", "/sign-in", "/healthz", "/readyz", "/metrics"]
    private static let openPrefixes = [
        "/assets/", "/welcome/", "/api/flows/", "/api/v1/openapi.json", "/.well-known/",
    ]

    @Test func `no route answers a stranger`() async throws {
        try await withServer { address, routes in
            for (method, path) in routes where !Self.open.contains(path) {
                guard !Self.openPrefixes.contains(where: path.hasPrefix) else { continue }
                for cookie in [nil, "x", String(repeating: "A", count: 43)] {
                    let body = method == "POST" ? "form=x&name=y" : nil
                    let answer = try await ask(address + filled(path), method, body, cookie: cookie)
                    let isSent =
                        answer.status == 303 && answer.fields["location"]?.hasPrefix("/sign-in") == true
                    let isRefused = [401, 403, 405, 415, 422].contains(answer.status)
                    #expect(isSent || isRefused, "\(method) \(path): \(answer.status)")
                    #expect(!answer.text.contains("Zircon") && !answer.text.contains("Opale"), "\(path)")
                }
            }
        }
    }

    @Test func `no route shows a rep what is not his, nor tells that it is there`() async throws {
        try await withServer { address, routes in
            let cookie = try await signIn(address, as: "hugo")
            let queries = [
                "", "?q=Zircon", "?q=404833048", "?q=C1", "?after=a&id=0", "?status=client", "?only=inserted",
            ]
            for (method, path) in routes where method == "GET" && !path.hasPrefix("/assets/") {
                for id in ["1", "2", "999999"] {
                    for query in queries {
                        let answer = try await ask(address + filled(path, id: id) + query, cookie: cookie)
                        // A search form, and links with its filter, show what was asked for.
                        let text = answer.text.replacing(
                            #/(value="|\/accounts(\.csv)?\?q=)(Zircon|404833048|C1)"/#, with: "")
                        #expect(!text.contains("Zircon") && !text.contains("404833048"), "\(path)\(query)")
                        #expect(answer.status < 500, "\(path)\(query): \(answer.status)")
                    }
                }
            }
            // What is not his answers like what does not exist.
            let (hidden, missing) = (
                try await ask(address + "/accounts/1", cookie: cookie),
                try await ask(address + "/accounts/999999", cookie: cookie)
            )
            #expect(hidden.status == 404 && missing.status == 404)
            for id in ["1", "999999"] {
                #expect(try await ask(address + "/sales-documents/\(id)", cookie: cookie).status == 404)
            }
            // It is there, for whoever may see it.
            let ines = try await signIn(address, as: "ines")
            #expect(try await ask(address + "/sales-documents/1", cookie: ines).text.contains("Zircon-1"))
            #expect(try await ask(address + "/accounts", cookie: cookie).text.contains("Opale"))
        }
    }

    @Test func `no form of a rep's own changes what is not his, nor tells that it is there`() async throws {
        try await withServer { address, routes in
            let hugo = try await signIn(address, as: "hugo")
            let page = try await ask(address + "/me", cookie: hugo).text
            let match = try #require(page.firstMatch(of: #/name="form" value="([^"]+)"/#))
            let body =
                "form=\(match.output.1)&name=Zircon+secret&siren=404833048&first_name=x&last_name=x&field=city&value=x&channel=note&subject=x"
            let own = ["/accounts/filters", "/accounts/columns"]
            for (method, path) in routes where method == "POST" && path.hasPrefix("/accounts/") {
                guard !own.contains(path) else { continue }
                // Account 1 is not his, filter 1 nobody's, person 1 and run 1 neither.
                let answer = try await ask(address + filled(path), "POST", body, cookie: hugo)
                #expect(answer.status == 404, "\(path): \(answer.status)")
                #expect(!answer.text.contains("Quimper"), "\(path)")
            }
            // A number that is taken says no more than that.
            let made = try await ask(address + "/accounts", "POST", body, cookie: hugo)
            #expect(made.status == 422 && !made.text.contains("/accounts/1\""))
        }
    }

    @Test func `a run's file is handed to whoever mends what comes in, whole and as a file`() async throws {
        try await withServer { address, _ in
            let ines = try await signIn(address, as: "ines")
            let file = try await ask(address + "/runs/1/files/1", cookie: ines)
            #expect(
                file.status == 200 && file.text.hasPrefix("id,name,siren")
                    && file.text.hasSuffix("C2,Opale,,,,,,,\n"))
            #expect(
                file.fields["content-disposition"]
                    == "attachment; filename=\"comptes.csv\"; filename*=UTF-8''comptes.csv")
            #expect(file.fields["content-type"] == "application/octet-stream")
            #expect(file.fields["content-length"] == String(file.bytes))
            for path in ["/runs/1/files/9", "/runs/2/files/1", "/runs/1/files/1?part=2"] {
                #expect(try await ask(address + path, cookie: ines).status == 404, "\(path)")
            }
            let hugo = try await signIn(address, as: "hugo")
            #expect(try await ask(address + "/runs/1/files/1", cookie: hugo).status == 403)
            let audit = try await ask(address + "/audit", cookie: ines).text
            #expect(audit.contains("downloaded a run’s file"))
        }
    }

    @Test func `no form of another site, of another session or without a token does anything`() async throws {
        try await withServer { address, routes in
            let ines = try await signIn(address, as: "ines")
            let hugo = try await signIn(address, as: "hugo")
            let page = try await ask(address + "/me", cookie: hugo).text
            let match = try #require(page.firstMatch(of: #/name="form" value="([^"]+)"/#))
            let foreign = String(match.output.1)
            for (method, path) in routes where method == "POST" && !path.hasPrefix("/api/") {
                guard !["/sign-in", "/imports"].contains(path), !path.hasPrefix("/welcome/"),
                    // It only tells where agendas are.
                    !path.hasPrefix("/.well-known/")
                else { continue }
                for body in ["name=x", "form=&name=x", "form=\(foreign)&name=x"] {
                    let answer = try await ask(address + filled(path), "POST", body, cookie: ines)
                    #expect(answer.status == 403, "\(path): \(answer.status)")
                }
            }
            for headers in [["Sec-Fetch-Site": "cross-site"], ["Origin": "https://evil.example"]] {
                for path in ["/sign-in", "/sign-out", "/me"] {
                    let answer = try await ask(
                        address + path, "POST", "login=ines&password=x&form=x", cookie: ines, headers)
                    #expect(answer.status == 403, "\(path)")
                }
            }
            // The session is still there.
            #expect(try await ask(address + "/me", cookie: ines).status == 200)
        }
    }

    @Test func `every answer forbids what a page of ours never needs`() async throws {
        try await withServer { address, routes in
            let cookie = try await signIn(address, as: "ines")
            for (method, path) in routes where method == "GET" {
                let answer = try await ask(address + filled(path), cookie: cookie)
                let policy = answer.fields["content-security-policy"] ?? ""
                #expect(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "\(path)")
                #expect(answer.fields["x-content-type-options"] == "nosniff", "\(path)")
                #expect(!answer.text.contains(" style=\""), "\(path)")
            }
        }
    }

    @Test func `strange queries, numbers and paths are answered and never break anything`() async throws {
        try await withServer { address, _ in
            let cookie = try await signIn(address, as: "ines")
            let odd = [
                "'", "%27%20or%201=1--", "%00", "%5C", "%25", "_", "%F0%9F%98%80",
                String(repeating: "a", count: 4000),
                "%3Cscript%3Ealert(1)%3C/script%3E", "%22%CC%81%20onmouseover=x",
            ]
            for value in odd {
                for path in [
                    "/accounts?q=", "/accounts?status=", "/accounts?whose=", "/accounts.csv?q=",
                    "/sales-documents/", "/sales-documents/1?after=", "/accounts/1/people/",
                    "/accounts?id=1&after=", "/search?q=",
                    "/search.json?q=",
                    "/runs?flow=", "/runs?state=", "/runs?before=", "/quarantine?flow=", "/quarantine?open=",
                    "/audit?before=", "/accounts/1?before=1&entry=", "/sign-in?next=", "/accounts/", "/runs/",
                    "/previews/", "/mappings/", "/mappings/fec?sample=", "/mappings/fec?compare=",
                    "/quarantine/lines?code=",
                ] {
                    let answer = try await ask(address + path + value, cookie: cookie)
                    #expect(answer.status < 500, "\(path)\(value.prefix(40)): \(answer.status)")
                    #expect(!answer.text.contains("<script>alert"), "\(path)\(value.prefix(40))")
                }
            }
            for path in [
                "/assets/x/../../../../etc/passwd", "/assets/x/%2e%2e/%2e%2e/etc/passwd", "/assets/x/",
            ] {
                let answer = try await ask(address + path)
                #expect(answer.status == 404 && !answer.text.contains("root:"), "\(path)")
            }
            #expect(try await ask(address + "/runs/99999999999999999999", cookie: cookie).status == 404)
        }
    }

    @Test func `whoever guesses passwords is kept waiting, and a session begun before is worth nothing`()
        async throws
    {
        try await withServer { address, _ in
            let prepared = String(repeating: "B", count: 43)
            var last = 0
            for _ in 0..<7 {
                last = try await ask(
                    address + "/sign-in", "POST", "login=hugo&password=faux", cookie: prepared
                ).status
            }
            #expect(last == 429)
            let session = try await signIn(address, as: "ines")
            #expect(session != prepared)
            #expect(try await ask(address + "/me", cookie: prepared).status == 303)
        }
    }
}

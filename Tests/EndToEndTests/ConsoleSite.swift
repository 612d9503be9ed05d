// SPDX-License-Identifier: Apache-2.0
// The console over HTTP, without a browser: people who sign in, open pages and send forms.

import Foundation
import FoundationNetworking
import RelaisTesting

/// A daemon with two users, `ines` of IT who administers, and the rep `hugo`.
struct ConsoleSite: Sendable {
    /// What was answered; no redirect is followed.
    struct Answer: Sendable {
        /// The HTTP status.
        let status: Int
        /// The body.
        let text: String
        /// The headers, by names in lower case.
        let fields: [String: String]
    }

    /// Somebody who is signed in.
    struct Person: Sendable {
        private let address: String
        private let session: String
        private let token: String

        fileprivate init(_ address: String, session: String) async throws {
            (self.address, self.session) = (address, session)
            let page = try await ConsoleSite.ask(address + "/me", session: session)
            token =
                page.text.firstMatch(of: #/name="form" value="([^"]+)"/#).map { String($0.output.1) } ?? ""
        }

        /// Opens a page.
        func get(_ path: String) async throws -> Answer {
            try await ConsoleSite.ask(address + path, session: session)
        }

        /// Sends a form of this session.
        func post(_ path: String, _ fields: [String: String] = [:]) async throws -> Answer {
            try await ConsoleSite.ask(
                address + path, session: session, form: fields.merging(["form": token]) { $1 })
        }
    }

    static let password = "quatre mots bien choisis"

    /// Where its data are.
    let data: String
    /// A folder for the test's own files.
    let folder: URL
    /// `http://127.0.0.1:PORT`.
    let address: String

    /// Runs a test against a console.
    ///
    /// - Parameter prepare: what is done to the data folder before the daemon begins.
    static func with(
        _ prepare: (_ data: String, _ folder: URL) async throws -> Void = { _, _ in },
        arguments: [String] = [], environment: [String: String] = [:],
        body: (ConsoleSite) async throws -> Void
    ) async throws {
        try await withDataFolder { data, folder in
            for (login, name, rights) in [
                ("ines", "Inès Vauquelin", ["--role", "it", "--admin", "--sees-clients"]),
                ("hugo", "Hugo Tessandier", ["--role", "rep"]),
            ] {
                let added = try await RelaisCommand.run(
                    ["users", "add", login, "--name", name, "--password-stdin", "--data", data] + rights,
                    input: password)
                guard added.status == 0 else { throw Refusal(text: added.errors) }
            }
            try await prepare(data, folder)
            let daemon = try Daemon(data, folder, arguments, environment: environment)
            do {
                try await body(
                    ConsoleSite(data: data, folder: folder, address: try await daemon.address()))
            } catch {
                // A daemon that is left keeps its data folder busy for ever.
                _ = try await daemon.stop()
                throw error
            }
            let status = try await daemon.stop()
            guard status == 0 else { throw Refusal(text: "the daemon ended with \(status)") }
        }
    }

    /// Signs somebody in.
    func signIn(_ login: String) async throws -> Person {
        let answer = try await Self.ask(
            address + "/sign-in", form: ["login": login, "password": Self.password])
        let cookie = answer.fields["set-cookie"]?.split(separator: ";").first?.split(separator: "=").last
        guard let cookie else { throw Refusal(text: "\(login): \(answer.status)") }
        return try await Person(address, session: String(cookie))
    }

    /// Why the console cannot be used.
    private struct Refusal: Error {
        let text: String
    }

    private final class Plain: NSObject, URLSessionTaskDelegate {
        func urlSession(
            _ session: URLSession, task: URLSessionTask, willPerformHTTPRedirection response: HTTPURLResponse,
            newRequest request: URLRequest, completionHandler: @escaping @Sendable (URLRequest?) -> Void
        ) {
            completionHandler(nil)
        }
    }

    private static func ask(
        _ url: String, session: String? = nil, form: [String: String]? = nil
    ) async throws -> Answer {
        guard let url = URL(string: url) else { throw Refusal(text: url) }
        var request = URLRequest(url: url)
        request.setValue("text/html", forHTTPHeaderField: "Accept")
        request.setValue("fr", forHTTPHeaderField: "Accept-Language")
        if let session { request.setValue("relais_session=\(session)", forHTTPHeaderField: "Cookie") }
        if let form {
            request.httpMethod = "POST"
            request.setValue("application/x-www-form-urlencoded", forHTTPHeaderField: "Content-Type")
            let pairs = form.map { name, value in
                "\(name)=\(value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")"
            }
            request.httpBody = Data(pairs.joined(separator: "&").utf8)
        }
        let configuration = URLSessionConfiguration.ephemeral
        configuration.httpShouldSetCookies = false
        configuration.httpCookieAcceptPolicy = .never
        let session = URLSession(configuration: configuration, delegate: Plain(), delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let (data, response) = try await session.data(for: request)
        let http = response as? HTTPURLResponse
        let fields = (http?.allHeaderFields ?? [:]).map { ("\($0.key)".lowercased(), "\($0.value)") }
        return Answer(
            status: http?.statusCode ?? 0, text: String(decoding: data, as: UTF8.self),
            fields: Dictionary(fields) { $1 })
    }
}

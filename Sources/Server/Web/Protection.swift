// SPDX-License-Identifier: Apache-2.0
// What every answer and every request must satisfy: headers against other sites, sessions, forms of our own.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL

/// Tells browsers what pages may load and who may show them.
struct ProtectAnswers: RouterMiddleware {
    typealias Context = WebContext

    static let policy = [
        "default-src 'none'", "style-src 'self'", "script-src 'self'", "img-src 'self' data: blob:",
        "connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'",
    ].joined(separator: "; ")

    /// Whether browsers reach this server by TLS only.
    let isSecure: Bool

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = Self.policy
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers.set("Referrer-Policy", "same-origin")
        response.headers.set("Cross-Origin-Opener-Policy", "same-origin")
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if isSecure { response.headers[.strictTransportSecurity] = "max-age=63072000" }
        return response
    }
}

extension HTTPFields {
    /// The value of a field that the library has no name for.
    func value(_ name: String) -> String? { HTTPField.Name(name).flatMap { self[$0] } }

    /// Sets a field that the library has no name for.
    mutating func set(_ name: String, _ value: String) {
        guard let name = HTTPField.Name(name) else { return }
        self[name] = value
    }
}

/// Finds out who sends a request, and refuses what another site made a browser send.
struct AdmitVisitors: RouterMiddleware {
    typealias Context = WebContext

    let pool: Pool

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let cookie = request.cookies[SessionCookie.name]?.value, let token = SecretToken(cookie) else {
            return try await next(request, context)
        }
        // Requests for files and health need nobody's name.
        if ["/assets/", "/healthz", "/readyz", "/metrics"].contains(where: { request.uri.path.hasPrefix($0) })
        {
            return try await next(request, context)
        }
        if ![.get, .head].contains(request.method) { try Self.refuseOthers(request) }
        var context = context
        if let user = try await pool.withConnection({ try await SignIn.user(token, on: $0) }) {
            context.visitor = Visitor(user: user, session: token)
        }
        return try await next(request, context)
    }

    /// Browsers say where a request comes from; whatever comes from elsewhere does nothing here.
    static func refuseOthers(_ request: Request) throws {
        if let site = request.headers.value("Sec-Fetch-Site") {
            guard site == "same-origin" || site == "none" else { throw ServerError(.form) }
        } else if let origin = request.headers[.origin] {
            let host = origin.split(separator: "/").last.map(String.init)
            guard host == request.head.authority else { throw ServerError(.form) }
        }
    }
}

/// The cookie that a session lives in.
enum SessionCookie {
    static let name = "relais_session"

    static func make(_ token: SecretToken, isSecure: Bool) -> Cookie {
        Cookie(
            name: name, value: token.text, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax)
    }

    static func gone(isSecure: Bool) -> Cookie {
        Cookie(
            name: name, value: "", maxAge: 0, path: "/", secure: isSecure, httpOnly: true, sameSite: .lax)
    }
}

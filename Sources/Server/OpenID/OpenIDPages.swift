// SPDX-License-Identifier: Apache-2.0
// `/sign-in/openid`: to the provider and back.

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Logging
internal import Model
internal import PostgreSQL

/// The button beside the form.
struct OpenIDButton: Sendable {
    let label: String
    let url: String
}

/// Signs in whom a provider vouches for.
struct OpenIDPages: Sendable {
    let site: Site
    let settings: OpenIDSettings
    let provider: OpenIDProvider
    let secrets: Secrets
    let logger: Logger

    init(site: Site, settings: OpenIDSettings, secrets: Secrets, logger: Logger) {
        (self.site, self.settings, self.secrets, self.logger) = (site, settings, secrets, logger)
        provider = OpenIDProvider(settings)
    }

    func add(to router: Router<WebContext>) {
        router.get(RouterPath(OpenIDSettings.startPath)) { request, context in
            if let user = context.visitor?.user { return Response.redirect(to: Navigation.home(of: user)) }
            return try await telling(request, context) {
                let attempt = OpenIDAttempt(next: request.query("next"), now: now)
                var response = Response.redirect(to: try await provider.beginning(of: attempt))
                response.setCookie(attempt.cookie(isSecure: site.isSecure))
                return response
            }
        }
        router.get(RouterPath(OpenIDSettings.returnPath)) { request, context in
            // Whatever comes of it, it has come to its end.
            var response = try await telling(request, context) { try await enter(request) }
            response.setCookie(OpenIDAttempt.gone(isSecure: site.isSecure))
            return response
        }
    }

    private var now: Int { Int(site.now().microsecondsSince1970 / 1_000_000) }

    private func enter(_ request: Request) async throws -> Response {
        guard let attempt = OpenIDAttempt(request), attempt.isAnswered(by: request.query("state"), now: now)
        else { throw OpenIDError(.state, because: "state") }
        if let refusal = request.query("error") {
            throw refusal == "access_denied"
                ? OpenIDError(.denied, because: "denied") : OpenIDError(.provider, because: "refused")
        }
        guard let code = request.query("code") else { throw OpenIDError(.state, because: "code") }
        let identity = try await provider.identity(
            code, from: request.query("iss"), attempt, secret: try await secret(), now: now)
        let token = try await SignIn.enter(identity, in: site.pool)
        var response = Response.redirect(to: attempt.next ?? "/")
        response.setCookie(SessionCookie.make(token, isSecure: site.isSecure))
        return response
    }

    private func secret() async throws -> String? {
        guard let name = settings.secret else { return nil }
        do {
            return try await site.pool.withConnection { try await secrets.value(of: name, on: $0) }
        } catch let error as SecretError {
            // Its names and places are nothing for strangers.
            throw OpenIDError(.setup, because: error.diagnostic.code)
        }
    }

    /// Answers what goes wrong as a page, and tells the log why.
    private func telling(
        _ request: Request, _ context: WebContext, _ body: () async throws -> Response
    ) async throws -> Response {
        do {
            return try await body()
        } catch let error as any ReportableError {
            let diagnostic = error.diagnostic
            logger.warning(
                "nobody signed in by the provider",
                metadata: [
                    "code": .string(diagnostic.code), "reason": .string(diagnostic.facts["reason"] ?? ""),
                    "request": .string(String(context.id.suffix(6))),
                ])
            return try await site.fault(
                diagnostic, request, context, TellErrors.status(of: diagnostic),
                title: "page.openID.failed")
        }
    }
}

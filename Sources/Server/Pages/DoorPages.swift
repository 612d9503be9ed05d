// SPDX-License-Identifier: Apache-2.0
// Coming in and going out: sign-in, one-time links, sign-out.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// What went wrong with a form, above it.
struct Problem: Sendable {
    let message: String
    let hint: String?

    init(_ diagnostic: Diagnostic, _ words: Words) {
        message = words.message(diagnostic)
        hint = words.hint(diagnostic)
    }
}

/// `/sign-in`.
struct SignInPage: Page {
    static let template = "sign-in"
    static let entry = ""
    let title: String
    let login: String
    let next: String
    let openID: OpenIDButton?
    let problem: Problem?
}

/// `/welcome/…`: somebody's first password.
struct WelcomePage: Page {
    static let template = "welcome"
    static let entry = ""
    let title: String
    let lead: String
    let action: String
    /// Whether nobody administers Relais yet.
    let isFirst: Bool
    let login: String
    let name: String
    let problem: Problem?
}

/// The pages before a session.
struct DoorPages: Sendable {
    let site: Site
    let signIn: SignIn
    /// Who else signs people in.
    let openID: OpenIDSettings?

    func add(to router: Router<WebContext>) {
        router.get("/") { request, context in
            guard let user = context.visitor?.user else { return Response.redirect(to: "/sign-in") }
            return Response.redirect(to: Navigation.home(of: user))
        }
        router.get("sign-in") { request, context in
            if let user = context.visitor?.user { return Response.redirect(to: Navigation.home(of: user)) }
            return try await page(request, context, login: "", next: request.query("next"))
        }
        router.post("sign-in") { request, context in try await enter(request, context) }
        router.form("sign-out") { _, _, context in
            if let session = context.visitor?.session {
                try await site.pool.withConnection { try await SignIn.leave(session, on: $0) }
            }
            var response = Response.redirect(to: "/sign-in")
            response.setCookie(SessionCookie.gone(isSecure: site.isSecure))
            return response
        }
        router.get("welcome/:token") { request, context in
            let user = try await site.pool.withConnection { try await SignIn.open(token(context), on: $0) }
            return try await welcome(user, request, context)
        }
        router.post("welcome/:token") { request, context in try await use(request, context) }
    }

    // MARK: - Sign-in

    private func enter(_ request: Request, _ context: WebContext) async throws -> Response {
        try AdmitVisitors.refuseOthers(request)
        let form = try await Form(unproven: request)
        let login = form.text("login")
        do {
            let token = try await signIn.enter(
                login, form["password"] ?? "", from: site.origin(of: request, context), in: site.pool)
            var response = Response.redirect(to: Link.local(form["next"]) ?? "/")
            response.setCookie(SessionCookie.make(token, isSecure: site.isSecure))
            return response
        } catch let error as PeopleError {
            var response = try await page(request, context, login: login, next: form["next"], error)
            if case .after(let pause) = error.diagnostic.retry {
                response.headers[.retryAfter] = String(pause.components.seconds)
            }
            return response
        }
    }

    private func page(
        _ request: Request, _ context: WebContext, login: String, next: String?, _ error: PeopleError? = nil
    ) async throws -> Response {
        let saying = try site.saying(request, context)
        let title = saying.words("page.signIn.title")
        let page = SignInPage(
            title: error == nil ? title : saying.words("page.form.wrong", ["title": title]), login: login,
            next: Link.local(next) ?? "",
            openID: openID.map { settings in
                OpenIDButton(
                    label: settings.label ?? saying.words("page.openID.enter"),
                    url: Link.to(OpenIDSettings.startPath, ["next": Link.local(next)]))
            }, problem: error.map { Problem($0.diagnostic, saying.words) })
        let isBlocked = error?.has(.signInBlocked) == true
        return try await site.answer(
            page, to: request, context,
            status: error == nil
                ? .ok
                : error?.has(.busy) == true
                    ? .serviceUnavailable : isBlocked ? .tooManyRequests : .unprocessableContent)
    }

    // MARK: - Links

    private func token(_ context: WebContext) -> SecretToken? {
        context.parameters.get("token").flatMap { SecretToken($0) }
    }

    private func use(_ request: Request, _ context: WebContext) async throws -> Response {
        try AdmitVisitors.refuseOthers(request)
        let form = try await Form(unproven: request)
        let link = token(context)
        do {
            let token = try await signIn.use(
                link, login: form.text("login"), name: form.text("name"),
                password: form["password"] ?? "", in: site.pool)
            var response = Response.redirect(to: "/")
            response.setCookie(SessionCookie.make(token, isSecure: site.isSecure))
            return response
        } catch let error as PeopleError where !error.has(.link) {
            let user = try await site.pool.withConnection { try await SignIn.open(link, on: $0) }
            return try await welcome(user, request, context, form, error)
        }
    }

    private func welcome(
        _ user: AppUser?, _ request: Request, _ context: WebContext, _ form: Form? = nil,
        _ error: PeopleError? = nil
    ) async throws -> Response {
        let saying = try site.saying(request, context)
        let words = saying.words
        let title = words("page.welcome.title")
        let page = WelcomePage(
            title: error == nil ? title : words("page.form.wrong", ["title": title]),
            lead: user.map { words("page.welcome.lead", ["name": $0.name]) } ?? words("page.welcome.first"),
            action: request.uri.path, isFirst: user == nil, login: user?.login ?? form?.text("login") ?? "",
            name: form?.text("name") ?? "", problem: error.map { Problem($0.diagnostic, words) })
        return try await site.answer(
            page, to: request, context, status: error == nil ? .ok : .unprocessableContent)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Answers what went wrong as JSON, in the caller's language.

internal import Diagnostics
internal import Hummingbird
internal import Logging
internal import Words

/// Turns errors into answers; programs read the code, people the message and the hint.
struct TellErrors: RouterMiddleware {
    typealias Context = WebContext

    let site: Site
    let logger: Logger

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any ReportableError {
            return try await answer(error.diagnostic, to: request, context)
        } catch let error as any HTTPResponseError {
            let facts = ["status": String(error.status.code)]
            let code = error.status == .notFound ? ServerError.Code.notFound : .request
            return try await answer(ServerError(code, facts).diagnostic, to: request, context, error.status)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            logger.error("request failed", metadata: ["code": .string("\(type(of: error))")])
            return try await answer(ServerError(.unexpected).diagnostic, to: request, context)
        }
    }

    private func answer(
        _ diagnostic: Diagnostic, to request: Request, _ context: WebContext,
        _ given: HTTPResponse.Status? = nil
    ) async throws -> Response {
        let status = given ?? Self.status(of: diagnostic)
        if status.code >= 500 {
            logger.warning(
                "request could not be answered", metadata: ["code": .string(diagnostic.code)])
        }
        var headers: HTTPFields = [:]
        if case .after(let pause) = diagnostic.retry {
            headers[.retryAfter] = String(max(1, pause.components.seconds))
        }
        if request.isFromBrowser { return try await page(diagnostic, request, context, status, headers) }
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer realm=\"relais\"" }
        let words = site.words(for: request, context)
        let told = Self.told(diagnostic)
        if request.uri.path.hasPrefix("/api/v1/") {
            return try APIProblem(told, status: status.code, words).response(headers: headers)
        }
        var error = ["code": diagnostic.code, "message": words?.message(told) ?? diagnostic.code]
        error["hint"] = words?.hint(told)
        return try .json(["error": error], status: status, headers: headers)
    }

    /// The same for people; whoever is not signed in is asked to.
    private func page(
        _ diagnostic: Diagnostic, _ request: Request, _ context: WebContext, _ status: HTTPResponse.Status,
        _ headers: HTTPFields
    ) async throws -> Response {
        if diagnostic.code == ServerError.Code.signInNeeded.rawValue {
            let path = request.method == .get ? request.uri.string : nil
            return .redirect(to: Link.to("/sign-in", ["next": path]))
        }
        var response = try await site.fault(diagnostic, request, context, status)
        for field in headers { response.headers.append(field) }
        return response
    }

    /// What is said of it: what the database says names sockets and machines, which is for the log.
    static func told(_ diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.code.hasPrefix("PG-") ? ServerError(.database).diagnostic : diagnostic
    }

    /// The status that says of what kind an error is.
    static func status(of diagnostic: Diagnostic) -> HTTPResponse.Status {
        switch diagnostic.code {
        case "UPLOAD-REFUSED", "SIGN-IN-NEEDED", "API-TOKEN": .unauthorized
        case "HTTP-FORBIDDEN", "HTTP-FORM", "API-SCOPE": .forbidden
        case "HTTP-NOT-FOUND", "RUN-UNKNOWN", "FLOW-UNKNOWN", "SOURCE-UNKNOWN", "SIGN-IN-LINK": .notFound
        case "HTTP-REQUEST", "HTTP-DATE", "HTTP-INCOMPLETE", "TOKEN-LABEL", "API-BODY", "API-KEY",
            "OPENID-STATE":
            .badRequest
        case "API-MEMBER", "API-TEXT", "API-KEY-REUSED", "API-FAULTS", "MAP-MAPPING-UNKNOWN",
            "SOURCE-PEOPLE":
            .unprocessableContent
        case "API-TAKEN", "API-CONFLICT": .conflict
        case "BLOB-GONE": .gone
        case "HTTP-SLOW": .requestTimeout
        case "HTTP-ENCODING": .unsupportedMediaType
        case "API-STALE": .preconditionFailed
        case let code where code.hasPrefix("JSON-"): .badRequest
        case "OPENID-DENIED", "OPENID-TOKEN", "SIGN-IN-NO-ACCOUNT", "SIGN-IN-EMAIL", "SIGN-IN-LINKED",
            "SIGN-IN-DISABLED":
            .forbidden
        case "OPENID-PROVIDER": .badGateway
        case let code where code.hasPrefix("RUN-"): .conflict
        case "UPLOAD-NAME", "FILE-EMPTY", "HTTP-FILE-NAME": .badRequest
        case "FILE-TOO-LARGE", "UPLOAD-TOO-LARGE": .contentTooLarge
        case "FILE-UNWRITABLE", "BLOB-UNWRITABLE": .init(code: 507, reasonPhrase: "Insufficient Storage")
        case "UPLOAD-UNAVAILABLE", "SIGN-IN-BUSY", "HTTP-BUSY": .serviceUnavailable
        case let code where code.hasPrefix("PG-"): .serviceUnavailable
        default: .internalServerError
        }
    }
}

/// What went wrong, as a page.
struct FaultPage: Page {
    static let template = "fault"
    static let entry = ""
    let title: String
    let message: String
    let hint: String?
    let back: String
    let reference: String
}

extension Site {
    /// What went wrong, with a reference that the log has too.
    ///
    /// - Parameter title: key of the text above it; nil = that of its kind.
    func fault(
        _ diagnostic: Diagnostic, _ request: Request, _ context: WebContext, _ status: HTTPResponse.Status,
        title: String? = nil
    ) async throws -> Response {
        let saying = try saying(request, context)
        let page = FaultPage(
            title: saying.words(title ?? "page.fault.title_\(status.code < 500 ? "client" : "server")"),
            message: saying.words.message(TellErrors.told(diagnostic)),
            hint: saying.words.hint(TellErrors.told(diagnostic)),
            back: context.visitor.map { Navigation.home(of: $0.user) } ?? "/sign-in",
            reference: saying.words(
                "page.fault.reference", ["code": diagnostic.code, "id": String(context.id.suffix(6))]))
        return try await answer(page, to: request, context, status: status)
    }
}

extension Request {
    /// Whether a person reads the answer.
    var isFromBrowser: Bool {
        !uri.path.hasPrefix("/api/") && headers[.accept]?.contains("text/html") == true
    }
}

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
        } catch let error as HTTPError {
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
            let problem = APIProblem(
                title: words?.message(told) ?? diagnostic.code, status: status.code,
                detail: words?.hint(told), code: diagnostic.code)
            var response = try Response.json(problem, status: status, headers: headers)
            response.headers[.contentType] = "application/problem+json"
            return response
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
        let saying = try site.saying(request, context)
        let page = FaultPage(
            title: saying.words("page.fault.title_\(status.code < 500 ? "client" : "server")"),
            message: saying.words.message(Self.told(diagnostic)),
            hint: saying.words.hint(Self.told(diagnostic)),
            back: context.visitor.map { Navigation.home(of: $0.user) } ?? "/sign-in",
            reference: saying.words(
                "page.fault.reference", ["code": diagnostic.code, "id": String(context.id.suffix(6))]))
        var response = try await site.answer(page, to: request, context, status: status)
        for field in headers { response.headers.append(field) }
        return response
    }

    /// What is said of it: what the database says names sockets and machines, which is for the log.
    private static func told(_ diagnostic: Diagnostic) -> Diagnostic {
        diagnostic.code.hasPrefix("PG-") ? ServerError(.database).diagnostic : diagnostic
    }

    private static func status(of diagnostic: Diagnostic) -> HTTPResponse.Status {
        switch diagnostic.code {
        case "UPLOAD-REFUSED", "SIGN-IN-NEEDED", "API-TOKEN": .unauthorized
        case "HTTP-FORBIDDEN", "HTTP-FORM", "API-SCOPE": .forbidden
        case "HTTP-NOT-FOUND", "RUN-UNKNOWN", "FLOW-UNKNOWN", "SIGN-IN-LINK": .notFound
        case "HTTP-REQUEST", "HTTP-DATE", "TOKEN-LABEL": .badRequest
        case let code where code.hasPrefix("RUN-"): .conflict
        case "UPLOAD-NAME", "FILE-EMPTY": .badRequest
        case "FILE-TOO-LARGE": .contentTooLarge
        case "FILE-UNWRITABLE", "BLOB-UNWRITABLE": .init(code: 507, reasonPhrase: "Insufficient Storage")
        case "UPLOAD-UNAVAILABLE", "SIGN-IN-BUSY": .serviceUnavailable
        case let code where code.hasPrefix("PG-"): .serviceUnavailable
        default: .internalServerError
        }
    }
}

/// What went wrong, for programs.
///
/// - Source: RFC 9457.
private struct APIProblem: Encodable {
    var type = "about:blank"
    let title: String
    let status: Int
    let detail: String?
    let code: String
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

extension Request {
    /// Whether a person reads the answer.
    var isFromBrowser: Bool {
        !uri.path.hasPrefix("/api/") && headers[.accept]?.contains("text/html") == true
    }
}

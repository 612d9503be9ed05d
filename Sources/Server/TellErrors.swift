// SPDX-License-Identifier: Apache-2.0
// Answers what went wrong as JSON, in the caller's language.

internal import Diagnostics
internal import Hummingbird
internal import Logging
internal import Words

/// Turns errors into answers; programs read the code, people the message and the hint.
struct TellErrors: RouterMiddleware {
    typealias Context = BasicRequestContext

    let words: [Language: Words]
    let logger: Logger

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as any ReportableError {
            return try answer(error.diagnostic, to: request)
        } catch let error as HTTPError {
            let facts = ["status": String(error.status.code)]
            let code = error.status == .notFound ? ServerError.Code.notFound : .request
            return try answer(ServerError(code, facts).diagnostic, to: request, error.status)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            return try answer(ServerError(.unexpected).diagnostic, to: request)
        }
    }

    private func answer(
        _ diagnostic: Diagnostic, to request: Request, _ given: HTTPResponse.Status? = nil
    ) throws -> Response {
        let status = given ?? Self.status(of: diagnostic)
        if status.code >= 500 {
            logger.warning(
                "request could not be answered", metadata: ["code": .string(diagnostic.code)])
        }
        var headers: HTTPFields = [:]
        if status == .unauthorized { headers[.wwwAuthenticate] = "Bearer realm=\"relais\"" }
        if case .after(let pause) = diagnostic.retry {
            headers[.retryAfter] = String(max(1, pause.components.seconds))
        }
        let words = words[language(of: request)]
        var error = ["code": diagnostic.code, "message": words?.message(diagnostic) ?? diagnostic.code]
        error["hint"] = words?.hint(diagnostic)
        return try .json(["error": error], status: status, headers: headers)
    }

    private func language(of request: Request) -> Language {
        Language(locale: request.headers[.acceptLanguage])
    }

    private static func status(of diagnostic: Diagnostic) -> HTTPResponse.Status {
        switch diagnostic.code {
        case "UPLOAD-REFUSED": .unauthorized
        case "UPLOAD-NAME", "FILE-EMPTY": .badRequest
        case "FILE-TOO-LARGE": .contentTooLarge
        case "FILE-UNWRITABLE", "BLOB-UNWRITABLE": .init(code: 507, reasonPhrase: "Insufficient Storage")
        case "UPLOAD-UNAVAILABLE": .serviceUnavailable
        case let code where code.hasPrefix("PG-"): .serviceUnavailable
        default: .internalServerError
        }
    }
}

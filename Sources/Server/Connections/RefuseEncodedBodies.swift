// SPDX-License-Identifier: Apache-2.0
// Bodies are read as they come: one that is packed could be a thousand times what it seems.

internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird

/// Refuses bodies in any coding.
struct RefuseEncodedBodies: RouterMiddleware {
    typealias Context = WebContext

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard isPlain(request.headers[.contentEncoding], "identity"),
            isPlain(request.headers[.transferEncoding], "chunked")
        else { throw ServerError(.encoding) }
        return try await next(request, context)
    }

    private func isPlain(_ value: String?, _ plain: String) -> Bool {
        value.map { $0.trimmingBlanks.lowercased() == plain } ?? true
    }
}

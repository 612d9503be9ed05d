// SPDX-License-Identifier: Apache-2.0
// How pages and forms are routed: no form is read before it is known to be ours.

internal import Hummingbird

extension Router<WebContext> {
    /// A form's action, for somebody who is signed in.
    func form(
        _ path: RouterPath,
        use action: @Sendable @escaping (Form, Request, WebContext) async throws -> Response
    ) {
        post(path) { request, context in
            try await action(try await Form(of: request, context), request, context)
        }
    }
}

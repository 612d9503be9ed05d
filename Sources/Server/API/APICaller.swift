// SPDX-License-Identifier: Apache-2.0
// Programs that call the API: known by a token, allowed what its scopes say, seeing what its user sees.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL

/// What a token of the API may do.
package enum APIScope: String, Sendable, CaseIterable {
    /// Read accounts and their commercial documents, and search.
    case accounts = "accounts:read"
    /// Make and change accounts.
    case accountsWrite = "accounts:write"
    /// Hand files over that are imported.
    case importsWrite = "imports:write"
    /// Read runs.
    case runs = "runs:read"
    /// Follow changes: ids of everything, whoever it belongs to.
    case changes = "changes:read"
}

/// A program that calls.
struct APICaller: Sendable {
    let user: AppUser
    let scopes: Set<APIScope>
}

extension WebContext {
    /// Who calls, where his token allows it.
    ///
    /// - Throws: `API-TOKEN` without a token that is known, `API-SCOPE` for one that does not allow it.
    func caller(_ scope: APIScope) throws -> AppUser {
        guard let caller else { throw ServerError(.token) }
        guard caller.scopes.contains(scope) else { throw ServerError(.scope, ["scope": scope.rawValue]) }
        return caller.user
    }
}

/// Finds out which program calls.
struct AdmitPrograms: RouterMiddleware {
    typealias Context = WebContext

    let pool: Pool

    func handle(
        _ request: Request, context: Context, next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard request.uri.path.hasPrefix("/api/v1/"),
            let token = request.bearerToken.flatMap(SecretToken.init)
        else {
            return try await next(request, context)
        }
        var context = context
        if let found = try await pool.withConnection({ try await AccessTokens.find(token, .api, on: $0) }) {
            context.caller = APICaller(
                user: found.user, scopes: Set(found.scopes.compactMap(APIScope.init(rawValue:))))
        }
        return try await next(request, context)
    }
}

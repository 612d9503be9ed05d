// SPDX-License-Identifier: Apache-2.0
// `/api/v1`: what programs read and write; described by `openapi.json`, which a test holds against these routes.

internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Hummingbird
internal import Mapping
internal import Model
internal import PostgreSQL

/// The routes of the API.
struct APIRoutes: Sendable {
    let pool: Pool
    let site: Site
    let files: FileImports
    let mappings: MappingShelf
    /// Where files wait while they are received.
    let spool: Spool
    private let description: Data

    /// Rows of a page, unless the caller wants fewer.
    private static let pageSize = 100

    init(site: Site, files: FileImports, mappings: MappingShelf, spool: Spool) throws {
        (pool, self.site, self.files) = (site.pool, site, files)
        (self.mappings, self.spool) = (mappings, spool)
        description = try Data(contentsOf: Bundle.module.bundleURL.appending(path: "Assets/openapi.json"))
    }

    func add(to router: Router<WebContext>) {
        router.get("api/v1/openapi.json") { [description] _, _ in
            Response(
                status: .ok, headers: [.contentType: "application/json; charset=utf-8"],
                body: .init(byteBuffer: .init(bytes: description)))
        }
        router.get("api/v1/accounts") { request, context in try await accounts(request, context) }
        router.get("api/v1/accounts/:id") { _, context in try await account(context) }
        addWriting(to: router)
        addImports(to: router)
        router.get("api/v1/sales-documents/:id") { request, context in
            let user = try context.caller(.accounts)
            let id = try context.number()
            let after = max(0, request.number("after") ?? 0)
            let view = try await pool.withConnection { connection in
                try await SalesDocuments.view(id, for: user, after: after, on: connection)
            }
            guard let view else { throw ServerError(.notFound) }
            return try Response.json(SalesDocumentAnswer(view))
        }
        router.get("api/v1/search") { request, context in
            let user = try context.caller(.accounts)
            let text = String((request.query("q") ?? "").prefix(100))
            let hits =
                text.isEmpty || user.scope < 0
                ? []
                : try await pool.withConnection {
                    try await GlobalSearch.find(text, scope: user.scope, on: $0)
                }
            return try Response.json(Rows(data: hits.map(Hit.init), next: nil))
        }
        router.get("api/v1/runs") { request, context in
            _ = try context.caller(.runs)
            let (limit, filter) = (Self.limit(request), RunFilter(before: request.number("before")))
            let runs = try await pool.withConnection { try await Runs.list(filter, limit: limit + 1, on: $0) }
            let shown = runs.prefix(limit)
            return try Response.json(
                Rows(
                    data: shown.map(RunRow.init),
                    next: runs.count > limit ? shown.last.map { "before=\($0.id)" } : nil))
        }
        router.get("api/v1/changes") { request, context in try await changes(request, context) }
    }

    private static func limit(_ request: Request) -> Int {
        min(pageSize, max(1, request.number("limit") ?? pageSize))
    }

    // MARK: - Accounts

    private func accounts(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.caller(.accounts)
        let limit = Self.limit(request)
        let cursor = request.query("after_name").flatMap { name in
            request.number("after_id").map { AccountCursor(nameNorm: name, id: $0) }
        }
        let rows = try await pool.withConnection { connection in
            try await Accounts.page(
                scope: user.scope,
                AccountFilter(prefix: request.query("q") ?? "", status: request.query("status")),
                after: cursor, limit: limit + 1, on: connection)
        }
        let shown = rows.prefix(limit)
        let next = shown.last.map {
            Link.to("", ["after_name": $0.nameNorm, "after_id": String($0.id)]).dropFirst()
        }
        return try .json(
            Rows(data: shown.map(AccountItem.init), next: rows.count > limit ? next.map(String.init) : nil))
    }

    private func account(_ context: WebContext) async throws -> Response {
        let user = try context.caller(.accounts)
        let id = try context.number()
        let (view, fields) = try await pool.withConnection {
            (
                try await Accounts.view(id, for: user, on: $0),
                try await AccountEdits.fields(of: id, for: user, on: $0)
            )
        }
        guard let view, let fields else { throw ServerError(.notFound) }
        return try .json(AccountWhole(view), headers: [.eTag: Self.tag(of: fields)])
    }

    // MARK: - Changes

    private func changes(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.caller(.changes)
        // Ids of everything say more than a rep may know.
        guard user.scope == 0 else { throw ServerError(.forbidden) }
        let limit = Self.limit(request)
        let place = ChangeLog.Position(
            transaction: max(0, request.number("xid") ?? 0), sequence: max(0, request.number("seq") ?? 0))
        let found = try await pool.withConnection {
            try await ChangeLog.read(after: place, limit: limit, on: $0)
        }
        let last = found.last.map { "xid=\($0.position.transaction)&seq=\($0.position.sequence)" }
        // The place behind the last row is where the caller goes on, also when nothing is there yet.
        return try .json(
            Rows(
                data: found.map(ChangeRow.init),
                next: last ?? "xid=\(place.transaction)&seq=\(place.sequence)"))
    }
}

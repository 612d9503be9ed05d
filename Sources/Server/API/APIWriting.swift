// SPDX-License-Identifier: Apache-2.0
// Accounts written by programs: the same edits as by hand, in the name of the token's user.

internal import Bytes
internal import CRM
internal import Crypto
internal import Diagnostics
internal import Foundation
internal import Hummingbird
internal import PostgreSQL
internal import Words

extension APIRoutes {
    private static let members = AccountField.allCases.map(\.rawValue)

    func addWriting(to router: Router<WebContext>) {
        router.post("api/v1/accounts") { request, context in try await create(request, context) }
        router.patch("api/v1/accounts/:id") { request, context in try await change(request, context) }
    }

    /// What an account is known by: it changes with every field that may be written.
    static func tag(of fields: [AccountField: String]) -> String {
        var hasher = SHA256()
        for field in AccountField.allCases { hasher.update(data: Array((fields[field] ?? "").utf8) + [0]) }
        return "\"\(Array(hasher.finalize().prefix(12)).hexadecimal)\""
    }

    private func create(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.caller(.accountsWrite)
        guard user.scope >= 0 else { throw ServerError(.forbidden) }
        let body = try await APIBody(of: request, known: Self.members)
        var fields: [AccountField: String] = [:]
        for field in AccountField.allCases {
            fields[field] = field.normalised(try body.text(field.rawValue) ?? "")
        }
        if let refusal = try refusal(of: fields, request, context) { return refusal }
        return try await once(request, by: user, body: body.bytes) { [fields] connection in
            switch try await AccountEdits.create(fields, by: user, on: connection) {
            case .made(let account, _):
                return try await answer(account, for: user, status: 201, on: connection)
            case .taken(let field): throw ServerError(.numberTaken, at: Place(field: field.rawValue))
            case .unmade: throw ServerError(.unexpected)
            }
        }
    }

    private func change(_ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.caller(.accountsWrite)
        let id = try context.number()
        let body = try await APIBody(of: request, known: Self.members)
        var fields: [AccountField: String] = [:]
        for field in AccountField.allCases {
            guard let text = try body.text(field.rawValue) else { continue }
            fields[field] = field.normalised(text)
        }
        let known = try await pool.withConnection {
            try await AccountEdits.fields(of: id, for: user, on: $0)
        }
        guard let known else { throw ServerError(.notFound) }
        let changed = fields.filter { $0.value != $0.key.normalised(known[$0.key] ?? "") }
        if let refusal = try refusal(of: changed, request, context) { return refusal }
        let wanted = request.headers[.ifMatch]
        return try await once(request, by: user, body: body.bytes) { [fields] connection in
            // What is written is compared with what the program has seen, where it says so.
            guard let known = try await AccountEdits.fields(of: id, for: user, on: connection) else {
                throw ServerError(.notFound)
            }
            if let wanted, wanted != "*", wanted != Self.tag(of: known) { throw ServerError(.stale) }
            switch try await AccountEdits.save(fields, was: known, of: id, by: user, on: connection) {
            case .saved: return try await answer(id, for: user, status: 200, on: connection)
            case .conflicts(let conflicts):
                throw ServerError(.conflict, at: Place(field: conflicts.first?.field?.rawValue))
            case .taken(let field): throw ServerError(.numberTaken, at: Place(field: field.rawValue))
            case .unseen: throw ServerError(.notFound)
            }
        }
    }

    /// Every field that is wrong, in one answer; nil where none is.
    private func refusal(
        of fields: [AccountField: String], _ request: Request, _ context: WebContext
    ) throws -> Response? {
        let words = site.words(for: request, context)
        let faults = fields.sorted { $0.key.rawValue < $1.key.rawValue }.compactMap {
            field, text -> APIProblem.Fault? in
            guard let code = field.fault(in: text) else { return nil }
            return .init(
                field: field.rawValue, code: code, message: words?("page.edit.fault.\(code)") ?? code)
        }
        guard !faults.isEmpty else { return nil }
        let count = ServerError(.faults, ["count": String(faults.count)])
        var problem = APIProblem(count.diagnostic, status: 422, words)
        problem.errors = faults
        return try problem.response()
    }

    private func answer(
        _ account: Int, for user: AppUser, status: Int, on connection: Connection
    ) async throws -> RememberedAnswer {
        guard let view = try await Accounts.view(account, for: user, on: connection) else {
            throw ServerError(.notFound)
        }
        return RememberedAnswer(
            status: status, location: status == 201 ? "/api/v1/accounts/\(account)" : nil,
            body: try JSONAnswer.text(AccountWhole(view)))
    }
}

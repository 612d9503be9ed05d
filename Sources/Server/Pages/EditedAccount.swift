// SPDX-License-Identifier: Apache-2.0
// What the forms for people and sites of an account have in common.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// The account whose people or sites are edited.
struct EditedAccount: Sendable {
    let id: Int
    let name: String

    var url: String { "/accounts/\(id)" }
}

extension Site {
    /// The account in the path, where the user sees it.
    func editedAccount(_ context: WebContext) async throws -> EditedAccount {
        let user = try context.user()
        let id = try context.number()
        let fields = try await pool.withConnection {
            try await AccountEdits.fields(of: id, for: user, on: $0)
        }
        guard let fields else { throw ServerError(.notFound) }
        return EditedAccount(id: id, name: fields[.name] ?? "")
    }

    /// What was done to an account, which can be taken back.
    func toldOfEdit(
        _ key: String, _ run: Int, _ account: EditedAccount, _ request: Request, _ context: WebContext
    ) throws -> Told {
        Told(text: try saying(request, context).words(key), undo: "\(account.url)/undo/\(run)")
    }
}

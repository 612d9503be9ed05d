// SPDX-License-Identifier: Apache-2.0
// `/secrets`: with what key? They can be set and deleted, and are never shown.

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// The secrets as their template sees them: names, ages and users, no values.
struct SecretsPage: Page {
    /// A secret.
    struct Row: Sendable {
        let name: String
        let set: String
        let flows: String
        let isUsed: Bool
    }

    static let template = "secrets"
    static let entry = "/secrets"
    let title: String
    let sub: String
    let rows: [Row]
    let isEmpty: Bool
    let name: String
    let problem: Problem?
}

/// The page of secrets.
struct SecretPages: Sendable {
    let site: Site
    let secrets: Secrets

    func add(to router: Router<WebContext>) {
        router.get("secrets") { request, context in
            _ = try context.administering()
            return try await site.answer(try await page(request, context), to: request, context)
        }
        router.form("secrets") { form, request, context in
            try await change(form.text("name"), request, context, "page.secrets.kept", "secret.set") {
                user, connection in
                // Browsers write line ends of their own; keys have theirs.
                let value = (form["value"] ?? "").replacing("\r\n", with: "\n")
                try await secrets.set(form.text("name"), to: value, by: user.name, on: connection)
            }
        }
        router.form("secrets/:name/delete") { _, request, context in
            let name = context.parameters.get("name") ?? ""
            return try await change(name, request, context, "page.secrets.gone", "secret.deleted") {
                _, connection in
                try await secrets.delete(name, on: connection)
            }
        }
    }

    private func change(
        _ name: String, _ request: Request, _ context: WebContext, _ text: String, _ action: String,
        _ body: @Sendable (AppUser, Connection) async throws -> Void
    ) async throws -> Response {
        let user = try context.administering()
        do {
            try await site.pool.withConnection { connection in
                try await body(user, connection)
                try await Audit.write(action, by: user.id, facts: ["name": name], on: connection)
            }
        } catch let error as any ReportableError where !(error is PostgreSQLError) {
            let page = try await page(request, context, name: name, error.diagnostic)
            return try await site.answer(page, to: request, context, status: .unprocessableContent)
        }
        let saying = try site.saying(request, context)
        return site.see("/secrets", Told(text: saying.words(text, ["name": name])))
    }

    private func page(
        _ request: Request, _ context: WebContext, name: String = "", _ fault: Diagnostic? = nil
    ) async throws -> SecretsPage {
        let saying = try site.saying(request, context)
        let words = saying.words
        let all = try await site.pool.withConnection { try await secrets.list(on: $0) }
        let title = words("page.secrets.title")
        return SecretsPage(
            title: fault == nil ? title : words("page.form.wrong", ["title": title]),
            sub: words("page.secrets.sub"),
            rows: all.map { secret in
                SecretsPage.Row(
                    name: secret.name,
                    set: words(
                        "page.secrets.set", ["at": saying.moment(secret.setAt), "by": secret.setBy ?? ""]),
                    flows: secret.flows.joined(separator: ", "), isUsed: !secret.flows.isEmpty)
            }, isEmpty: all.isEmpty, name: name, problem: fault.map { Problem($0, words) })
    }
}

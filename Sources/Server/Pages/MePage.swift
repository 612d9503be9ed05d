// SPDX-License-Identifier: Apache-2.0
// `/me`: how do I want to see Relais, and what signs in for me?

internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hummingbird
internal import PostgreSQL
internal import Words

/// A user's own settings as their template sees them.
struct MePage: Page {
    /// Something that signs in for the user.
    struct Token: Sendable {
        let number: String
        let label: String
        let note: String
    }

    static let template = "me"
    static let entry = ""
    let title: String
    let name: String
    let role: String
    let themes: [Choice]
    let languages: [Choice]
    let hasSingleKeys: Bool
    let tokens: [Token]
    let hasTokens: Bool
    /// A new token, shown once.
    let made: String?
}

extension Site {
    /// The settings' routes.
    func addMe(to router: Router<WebContext>) {
        router.get("me") { request, context in
            try await answer(try await me(request, context), to: request, context)
        }
        router.form("me") { form, request, context in
            let user = try context.user()
            let theme = ["light", "dark"].first { $0 == form.text("theme") } ?? "auto"
            let language = Language(rawValue: form.text("language"))
            try await pool.withConnection { connection in
                try await AppUsers.setPreferences(
                    theme: theme, language: language?.rawValue, hasSingleKeys: form.isOn("keys"), of: user.id,
                    on: connection)
            }
            // The language that was chosen just now tells that it was kept.
            let chosen = try language.flatMap { self.words[$0] } ?? saying(request, context).words
            return see("/me", Told(text: chosen("page.me.kept")))
        }
        router.form("me/theme") { _, request, context in
            let user = try context.user()
            let themes = ["auto": "light", "light": "dark", "dark": "auto"]
            try await pool.withConnection { connection in
                try await AppUsers.setPreferences(
                    theme: themes[user.theme] ?? "auto", language: user.language,
                    hasSingleKeys: user.hasSingleKeys, of: user.id, on: connection)
            }
            // Back to where the button was.
            let back = request.headers.value("Referer").flatMap { URLComponents(string: $0) }
            let path = back.map { $0.percentEncodedPath + ($0.percentEncodedQuery.map { "?" + $0 } ?? "") }
            return see(Link.local(path) ?? "/me")
        }
        router.form("me/tokens") { form, request, context in
            let user = try context.user()
            let token = try await pool.withConnection { connection in
                try await Audit.write("token.made", by: user.id, on: connection)
                return try await AccessTokens.make(
                    .appPassword, label: form.text("label"), for: user.id, on: connection)
            }
            let page = try await me(request, context, made: token.text)
            return try await answer(page, to: request, context)
        }
        router.form("me/tokens/revoke") { form, request, context in
            let user = try context.user()
            let id = Int(form.text("id")) ?? 0
            let saying = try saying(request, context)
            let isGone = try await pool.withConnection { connection in
                try await Audit.write("token.revoked", by: user.id, on: connection)
                return try await AccessTokens.revoke(id, of: user.id, on: connection)
            }
            guard isGone else { throw ServerError(.notFound) }
            return see("/me", Told(text: saying.words("page.me.revoked")))
        }
    }

    private func me(_ request: Request, _ context: WebContext, made: String? = nil) async throws -> MePage {
        let user = try context.user()
        let saying = try saying(request, context)
        let words = saying.words
        let tokens = try await pool.withConnection { try await AccessTokens.list(of: user.id, on: $0) }
        return MePage(
            title: words("page.me.title"), name: user.name,
            role: [words("page.role.\(user.role.rawValue)"), user.team].compactMap(\.self).joined(
                separator: ", "),
            themes: ["auto", "light", "dark"].map {
                Choice(value: $0, text: words("page.me.theme_\($0)"), isChosen: $0 == user.theme)
            },
            languages: [nil, "fr", "en"].map { language in
                Choice(
                    value: language ?? "", text: words("page.me.language_\(language ?? "auto")"),
                    isChosen: language == user.language)
            }, hasSingleKeys: user.hasSingleKeys,
            tokens: tokens.map { token in
                MePage.Token(
                    number: String(token.id), label: token.label,
                    note: token.usedAt.map { words("page.me.used", ["at": saying.ago($0)]) }
                        ?? words("page.me.unused", ["at": saying.moment(token.madeAt)]))
            }, hasTokens: !tokens.isEmpty, made: made)
    }
}

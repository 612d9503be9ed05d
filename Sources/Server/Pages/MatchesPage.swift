// SPDX-License-Identifier: Apache-2.0
// `/matches`: whom does this description mean? Decided once, for all records that have it.

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import JSON
internal import Mapping
internal import PostgreSQL
internal import Words

/// The open questions as their template sees them.
struct MatchesPage: Page {
    /// An account that comes into question.
    struct Candidate: Sendable {
        let id: String
        let name: String
        let note: String
        let proofs: [String]
    }

    /// A description.
    struct Case: Sendable {
        let id: String
        let name: String
        let facts: String
        let records: String
        let reason: String
        let candidates: [Candidate]
        let hasCandidates: Bool
        let problem: Problem?
    }

    static let template = "matches"
    static let entry = "/matches"
    let title: String
    let sub: String
    let cases: [Case]
    let isEmpty: Bool
}

extension Site {
    /// The routes of open questions.
    func addMatches(to router: Router<WebContext>, _ tools: ImportTools) {
        router.get("matches") { request, context in
            _ = try context.handling()
            return try await answer(try await matches(request, context), to: request, context)
        }
        router.form("matches/:id") { form, request, context in
            let user = try context.handling()
            let id = try context.number()
            let saying = try saying(request, context)
            let chosen = form.text("account")
            let found = try await account(chosen, or: form.text("other"), user)
            guard let account = found else {
                let fault = Diagnostic(code: "MATCH-ACCOUNT", facts: ["text": form.text("other")])
                let page = try await matches(request, context, (id, fault))
                return try await answer(page, to: request, context, status: .unprocessableContent)
            }
            let isNever = form.text("do") == "never"
            let (freed, records) = try await pool.withConnection { connection in
                let freed =
                    isNever
                    ? try await MatchCases.never(id, account: account, on: connection)
                    : try await MatchCases.decide(id, account: account, on: connection)
                try await Audit.write(
                    isNever ? "match.never" : "match.decided", by: user.id, of: "party", account,
                    on: connection)
                return (freed, try await Quarantine.ids(ofCase: id, on: connection))
            }
            guard freed != nil else { throw ServerError(.notFound) }
            guard !isNever, !records.isEmpty else {
                return see("/matches", Told(text: saying.words("page.matches.never")))
            }
            let report = try await ReplayEngine(
                pool: pool, library: try tools.mappings.library(), tools.settings
            ).run(QuarantineFilter(ids: records))
            await waiting.forget()
            return see("/matches", told(report, saying))
        }
    }

    /// The account that was chosen, or that a text finds as the only one: its code, SIREN, name.
    private func account(_ chosen: String, or text: String, _ user: AppUser) async throws -> Int? {
        return try await pool.withConnection { connection in
            if let id = Int(chosen), id > 0 {
                return try await Accounts.sees(id, scope: user.scope, on: connection) ? id : nil
            }
            guard !text.isEmpty else { return nil }
            let hits = try await GlobalSearch.find(text, scope: user.scope, on: connection)
            let accounts = Set(hits.filter { $0.kind == .account }.compactMap(\.account))
            return accounts.count == 1 ? accounts.first : nil
        }
    }

    private func matches(
        _ request: Request, _ context: WebContext, _ fault: (id: Int, what: Diagnostic)? = nil
    ) async throws -> MatchesPage {
        let saying = try saying(request, context)
        let words = saying.words
        let cases = try await pool.withConnection { try await MatchCases.list(limit: 50, on: $0) }
        let title = words("page.matches.title")
        return MatchesPage(
            title: fault == nil ? title : words("page.form.wrong", ["title": title]),
            sub: words("page.matches.sub", count: cases.count),
            cases: cases.map { found in
                view(found, fault?.id == found.id ? fault?.what : nil, saying)
            }, isEmpty: cases.isEmpty)
    }

    private func view(_ found: MatchCase, _ fault: Diagnostic?, _ saying: Saying) -> MatchesPage.Case {
        let words = saying.words
        let reference = JSONTexts.object(found.reference)
        let facts = reference.filter { $0.key != "name" }.sorted { $0.key < $1.key }.map { key, value in
            "\(words.known("page.field.\(key)") ?? key) \(value)"
        }
        let candidates = JSONTexts.list(found.candidates).map { node in
            let note = [node["siren"]?.text.map { "SIREN \(words.siren($0))" }, node["city"]?.text]
            return MatchesPage.Candidate(
                id: node["id"]?.text ?? "", name: node["name"]?.text ?? "",
                note: note.compactMap(\.self).joined(separator: ", "),
                proofs: (node["shares"]?.items ?? []).compactMap(\.text).map {
                    words.known("page.field.\($0)") ?? $0
                })
        }
        return MatchesPage.Case(
            id: String(found.id), name: reference["name"] ?? reference["code"] ?? "–",
            facts: facts.joined(separator: ", "),
            records: words("page.matches.records", count: found.records),
            reason: words.cause(found.reason), candidates: candidates, hasCandidates: !candidates.isEmpty,
            problem: fault.map { Problem($0, words) })
    }
}

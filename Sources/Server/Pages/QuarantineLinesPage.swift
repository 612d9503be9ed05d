// SPDX-License-Identifier: Apache-2.0
// `/quarantine/lines`: the records of one cause, one by one.

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import Model
internal import PostgreSQL
internal import Words

/// The records of a cause as their template sees them.
struct QuarantineLinesPage: Page {
    /// A record.
    struct Row: Sendable {
        let id: String
        let place: String
        let since: String
        let message: String
        let raw: MarkedText?
        let now: String
        let label: String
        let problem: Problem?
    }

    static let template = "quarantine-lines"
    static let entry = "/quarantine"
    let title: String
    let sub: String
    let code: String
    let field: String?
    let flow: String?
    let run: String?
    let after: String
    let canCorrect: Bool
    let rows: [Row]
    let isEmpty: Bool
    let pager: PagerView?
    let backURL: String
}

extension Site {
    private static let linesPerPage = 50

    /// The routes of single records in quarantine.
    func addQuarantineLines(to router: Router<WebContext>, _ tools: ImportTools) {
        router.get("quarantine/lines") { request, context in
            _ = try context.handling()
            // Lines are those of a cause; the causes are on the page before.
            guard let code = request.query("code") else { return see("/quarantine") }
            let asked = CauseQuery(
                code: code, field: request.query("field"), flow: request.query("flow"),
                run: request.number("run"), after: request.number("after") ?? 0)
            let page = try await lines(asked, try saying(request, context))
            return try await answer(page, to: request, context)
        }
        router.form("quarantine/lines") { form, request, context in
            let user = try context.handling()
            let field = form.text("field")
            let asked = CauseQuery(
                code: form.text("code"), field: field.isEmpty ? nil : field,
                flow: form.text("flow").isEmpty ? nil : form.text("flow"), run: Int(form.text("run")),
                after: Int(form.text("after")) ?? 0)
            let saying = try saying(request, context)
            let new = form.text("now")
            guard let id = Int(form.text("id")), id > 0 else { throw ServerError(.request) }
            do {
                let report = try await mendOne(id, asked, new, user, tools)
                await waiting.forget()
                return see(asked.path, told(report, saying))
            } catch let error as any ReportableError where !(error is PostgreSQLError) {
                let page = try await lines(asked, saying, Faulty(id: id, typed: new, fault: error.diagnostic))
                return try await answer(page, to: request, context, status: .unprocessableContent)
            }
        }
    }

    /// Which records a page is about.
    private struct CauseQuery: Sendable {
        let code: String
        let field: String?
        let flow: String?
        let run: Int?
        let after: Int

        var scope: CauseScope { CauseScope(flow: flow, run: run) }

        var path: String { path(after: after) }

        func path(after: Int) -> String {
            Link.to(
                "/quarantine/lines",
                [
                    "code": code, "field": field, "flow": flow, "run": run.map(String.init),
                    "after": after > 0 ? String(after) : nil,
                ])
        }
    }

    /// A record whose new value was refused.
    private struct Faulty: Sendable {
        let id: Int
        let typed: String
        let fault: Diagnostic
    }

    /// Gives one record's field a value, where one was typed, and replays it.
    private func mendOne(
        _ id: Int, _ asked: CauseQuery, _ new: String, _ user: AppUser, _ tools: ImportTools
    ) async throws -> ReplayReport {
        let library = try tools.mappings.library()
        let filter = QuarantineFilter(ids: [id])
        try await pool.withConnection { connection in
            let found = try await Quarantine.list(filter, limit: 1, on: connection).first
            // Somebody else was quicker, or the form is of another cause.
            guard let found, found.code == asked.code, found.field == asked.field else {
                throw ServerError(.gone)
            }
            if let field = asked.field, !new.isEmpty {
                _ = try await Quarantine.correct(filter, [field: new], library, on: connection)
            }
        }
        let report = try await ReplayEngine(pool: pool, library: library, tools.settings).run(filter)
        try await pool.withConnection { connection in
            try await Audit.write(
                "quarantine.replayed", by: user.id, of: "run", report.run,
                facts: ["code": asked.code, "count": "1"], on: connection)
        }
        return report
    }

    private func lines(
        _ asked: CauseQuery, _ saying: Saying, _ faulty: Faulty? = nil
    ) async throws -> QuarantineLinesPage {
        let words = saying.words
        let found = try await pool.withConnection { connection in
            try await Quarantine.lines(
                of: asked.code, asked.field, asked.scope, after: asked.after, limit: Self.linesPerPage + 1,
                on: connection)
        }
        let shown = found.prefix(Self.linesPerPage)
        let canCorrect = asked.field != nil && !asked.code.hasPrefix("MATCH-")
        let title = words("page.lines.title", ["cause": words.cause(asked.code)])
        return QuarantineLinesPage(
            title: faulty == nil ? title : words("page.form.wrong", ["title": title]),
            sub: words("page.quarantine.records", count: shown.count), code: asked.code, field: asked.field,
            flow: asked.flow, run: asked.run.map(String.init), after: String(asked.after),
            canCorrect: canCorrect,
            rows: shown.map { row($0, asked, faulty?.id == $0.id ? faulty : nil, saying) },
            isEmpty: shown.isEmpty,
            pager: PagerView(
                text: words("page.quarantine.records", count: shown.count),
                first: asked.after > 0 ? asked.path(after: 0) : nil,
                next: found.count > Self.linesPerPage ? shown.last.map { asked.path(after: $0.id) } : nil),
            backURL: Link.to(
                "/quarantine",
                [
                    "flow": asked.flow, "run": asked.run.map(String.init),
                    "open": "\(asked.code):\(asked.field ?? "")",
                ]))
    }

    private func row(
        _ line: QuarantinedLine, _ asked: CauseQuery, _ faulty: Faulty?, _ saying: Saying
    ) -> QuarantineLinesPage.Row {
        let words = saying.words
        let number = line.line.map { words("page.quarantine.line", ["line": saying.number($0)]) }
        let place = [line.file, number].compactMap(\.self).joined(separator: ", ")
        let diagnostic = Diagnostic(
            code: asked.code, facts: JSONTexts.object(line.facts),
            place: Place(file: line.file, line: line.line, field: asked.field, value: line.value))
        return QuarantineLinesPage.Row(
            id: String(line.id), place: place, since: saying.momentShort(line.since),
            message: words.sentence(diagnostic),
            raw: line.raw.map { MarkedText(String(decoding: $0, as: UTF8.self), marking: line.value) },
            now: faulty?.typed ?? line.given ?? "",
            label: words(
                "page.lines.becomes",
                [
                    "field": asked.field ?? "", "value": line.value ?? words("page.quarantine.noValue"),
                    "place": place,
                ]),
            problem: faulty.map { Problem($0.fault, words) })
    }
}

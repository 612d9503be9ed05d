// SPDX-License-Identifier: Apache-2.0
// `/flows/NAME/edit`: the text of a flow, checked before it becomes a version; what somebody else wrote is not lost.

internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import Mapping
internal import PostgreSQL
internal import Words

/// The text of a flow as its template sees it.
struct EditFlowPage: Page {
    /// Something wrong with the text.
    struct Fault: Sendable {
        /// `line:column`; nil where it has no place.
        let position: String?
        let sentence: String
        let hint: String?
    }

    static let template = "edit-flow"
    static let entry = "/flows"
    let title: String
    let name: String
    let text: String
    let base: String
    var faults: [Fault] = []
    var faultsTitle = ""
    var hasFaults = false
    /// What the check says of a text without faults.
    var checked: String?
    var rule: String?
    var next: [String] = []
    var hasNext = false
    /// What somebody else wrote meanwhile.
    var theirs: String?
    var conflict: String?
}

extension FlowPages {
    /// Whoever edits flows decides which programs run and which files are read: that is administering.
    func addEditing(to router: Router<WebContext>) {
        router.get("flows/:name/edit") { request, context in
            _ = try context.administering()
            let name = context.parameters.get("name") ?? ""
            let flow = try await site.pool.withConnection { try await Flows.show(name, on: $0) }
            let saying = try site.saying(request, context)
            let page = page(name, flow.text, flow.version, saying)
            return try await site.answer(page, to: request, context)
        }
        router.form("flows/:name/edit") { form, request, context in
            let user = try context.administering()
            let name = context.parameters.get("name") ?? ""
            let saying = try site.saying(request, context)
            // Browsers write line ends of their own.
            let text = (form["text"] ?? "").replacing("\r\n", with: "\n")
            let base = Int(form.text("base")) ?? 0
            do {
                let flow = try await checked(text, name)
                guard form.text("do") == "save" else {
                    let page = page(name, text, base, flow, saying)
                    return try await site.answer(page, to: request, context)
                }
                let edit = try await save(flow, of: name, from: base, by: user, saying)
                switch edit {
                case .saved(let version, let isNew):
                    return site.see("/flows/\(name)", told(name, version, isNew ? base : nil, saying))
                case .conflict(let current):
                    let page = page(name, text, against: current, saying)
                    return try await site.answer(page, to: request, context, status: .conflict)
                }
            } catch let error as FlowFaults {
                return try await refuse(error.faults, name, text, base, saying, request, context)
            } catch let error as any ReportableError where !(error is PostgreSQLError) {
                return try await refuse([error.diagnostic], name, text, base, saying, request, context)
            }
        }
        router.form("flows/:name/revert") { _, request, context in
            let user = try context.administering()
            let name = context.parameters.get("name") ?? ""
            let saying = try site.saying(request, context)
            guard let from = request.number("from"), let version = request.number("to") else {
                throw ServerError(.request)
            }
            let text = try await site.pool.withConnection {
                try await Flows.text(name, version: version, on: $0)
            }
            do {
                let flow = try FlowDefinition.parse(
                    text, file: name, connectors: connectors, mappings: try tools.mappings.library())
                switch try await save(flow, of: name, from: from, by: user, saying) {
                case .saved(let made, _):
                    let facts = ["name": name, "version": String(version), "made": String(made)]
                    return site.see("/flows/\(name)", Told(text: saying.words("page.flow.reverted", facts)))
                case .conflict(let current):
                    let page = page(name, text, against: current, saying)
                    return try await site.answer(page, to: request, context, status: .conflict)
                }
            } catch let error as FlowFaults {
                return try await refuse(error.faults, name, text, from, saying, request, context)
            }
        }
    }

    /// The definition of a text, whose tests have been read as far as their files are named by their whole path.
    ///
    /// - Throws: ``FlowFaults``, `FLOW-RENAMED`.
    private func checked(_ text: String, _ name: String) async throws -> FlowDefinition {
        let library = try tools.mappings.library()
        let flow = try FlowDefinition.parse(text, file: name, connectors: connectors, mappings: library)
        guard flow.name == name else { throw FlowError(.renamed, ["name": name, "other": flow.name]) }
        var tested = flow
        tested.tests.removeAll { !$0.file.hasPrefix("/") }
        try await FlowTesting.check(tested, in: "/", mappings: library)
        return flow
    }

    private func save(
        _ flow: FlowDefinition, of name: String, from base: Int, by user: AppUser, _ saying: Saying
    ) async throws -> Flows.Edit {
        try await site.pool.withConnection { connection in
            let edit = try await Flows.edit(
                name, flow, from: base, by: user.name, now: saying.now, on: connection)
            if case .saved(_, true) = edit {
                let found = try await Flows.show(name, on: connection)
                try await Audit.write("flow.edited", by: user.id, of: "flow", found.id, on: connection)
            }
            return edit
        }
    }

    private func told(_ name: String, _ version: Int, _ base: Int?, _ saying: Saying) -> Told {
        guard let base else { return Told(text: saying.words("page.edit.same")) }
        return Told(
            text: saying.words("page.flow.saved", ["name": name, "version": String(version)]),
            undo: Link.to("/flows/\(name)/revert", ["from": String(version), "to": String(base)]))
    }

    // MARK: - Pages

    private func page(_ name: String, _ text: String, _ base: Int, _ saying: Saying) -> EditFlowPage {
        EditFlowPage(
            title: saying.words("page.edit.title", ["name": name]), name: name, text: text,
            base: String(base))
    }

    /// A text that is right.
    private func page(
        _ name: String, _ text: String, _ base: Int, _ flow: FlowDefinition, _ saying: Saying
    ) -> EditFlowPage {
        let texts = ScheduleTexts(words: saying.words)
        var page = page(name, text, base, saying)
        let left = flow.tests.count { !$0.file.hasPrefix("/") }
        page.checked =
            left == 0
            ? saying.words("page.flow.checked") : saying.words("page.flow.checkedWithout", count: left)
        page.rule = texts.rule(of: flow)
        page.next = flow.schedule.map { texts.next($0, after: saying.now) } ?? []
        page.hasNext = !page.next.isEmpty
        return page
    }

    /// A text beside what somebody else has saved; saving it again is a decision.
    private func page(
        _ name: String, _ text: String, against current: FlowSummary, _ saying: Saying
    ) -> EditFlowPage {
        let title = saying.words("page.edit.title", ["name": name])
        var page = EditFlowPage(
            title: saying.words("page.form.wrong", ["title": title]), name: name, text: text,
            base: String(current.version))
        page.theirs = current.text
        page.conflict = saying.words(
            "page.flow.conflict",
            ["version": String(current.version), "at": saying.moment(current.appliedAt)])
        return page
    }

    private func refuse(
        _ faults: [Diagnostic], _ name: String, _ text: String, _ base: Int, _ saying: Saying,
        _ request: Request, _ context: WebContext
    ) async throws -> Response {
        let words = saying.words
        let title = words("page.edit.title", ["name": name])
        var page = EditFlowPage(
            title: words("page.form.wrong", ["title": title]), name: name, text: text, base: String(base))
        page.faults = faults.map { fault in
            EditFlowPage.Fault(
                position: fault.place.line.map { "\($0):\(fault.place.column ?? 1)" },
                sentence: words.sentence(fault), hint: words.hint(fault))
        }
        (page.faultsTitle, page.hasFaults) = (words("page.flow.faults", count: faults.count), true)
        return try await site.answer(page, to: request, context, status: .unprocessableContent)
    }
}

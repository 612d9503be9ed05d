// SPDX-License-Identifier: Apache-2.0
// `/settings`: how does this node work, who says so, and does it have what it needs?

package import BlobStore
internal import CRM
internal import Diagnostics
package import Hub
internal import Hummingbird
package import Mail
internal import PostgreSQL
internal import Words

/// How a node works, for whoever looks at it from outside.
package struct NodeFacts: Sendable {
    /// A setting as it is in force.
    package struct Setting: Sendable {
        /// What the configuration calls it.
        package let key: String
        /// Its value, never one that is secret; nil where it is not set.
        package let value: String?
        /// Who said it.
        package let origin: Origin

        /// A setting.
        package init(key: String, value: String?, origin: Origin) {
            (self.key, self.value, self.origin) = (key, value, origin)
        }
    }

    /// Where a setting was said.
    package enum Origin: Sendable, Hashable {
        /// `relais.yaml:3:1`.
        case file(String)
        /// Name of a variable.
        case environment(String)
        /// An option of the command.
        case option(String)
        /// Nowhere.
        case standard
    }

    /// All settings, in the order of their declaration.
    package let settings: [Setting]
    /// The data folder.
    package let folder: String
    /// Where files are kept.
    package let blobs: BlobStore
    /// The company's mail server; nil where none is set up.
    package let mail: MailServer?
    /// What sends messages.
    package let alerts: Alerts

    /// The facts of a node.
    package init(
        settings: [Setting], folder: String, blobs: BlobStore, mail: MailServer?, alerts: Alerts
    ) {
        (self.settings, self.folder, self.blobs) = (settings, folder, blobs)
        (self.mail, self.alerts) = (mail, alerts)
    }
}

/// The settings as their template sees them.
struct SettingsPage: Page {
    /// A setting.
    struct Row: Sendable {
        let key: String
        let meaning: String
        let value: String
        let origin: String
    }

    /// Something that can be checked.
    struct Check: Sendable {
        let subject: String
        let name: String
        let badge: BadgeView?
        let detail: String?
        let problem: Problem?
    }

    static let template = "settings"
    static let entry = "/settings"
    let title: String
    let rows: [Row]
    let checks: [Check]
    /// Whether mail can be sent.
    let hasMail: Bool
    let address: String
    let problem: Problem?
}

/// The page of this node.
struct SettingsPages: Sendable {
    let site: Site
    let tools: ImportTools
    let secrets: Secrets
    let node: NodeFacts

    func add(to router: Router<WebContext>) {
        router.get("settings") { request, context in
            _ = try context.maintaining()
            return try await site.answer(try await page(request, context), to: request, context)
        }
        router.form("settings/checks") { form, request, context in
            let user = try context.maintaining()
            let subjects = NodeCheck.Subject.allCases.filter {
                form.text("do") == "all" || form.text("do") == $0.rawValue
            }
            guard !subjects.isEmpty else { throw ServerError(.request) }
            var checks: [NodeCheck] = []
            for subject in subjects { checks.append(await check(subject)) }
            try await audit("settings.checked", user)
            let page = try await page(request, context, checks: checks)
            return try await site.answer(page, to: request, context)
        }
        router.form("settings/mail") { form, request, context in
            let user = try context.maintaining()
            let saying = try site.saying(request, context)
            let address = form.text("address")
            do {
                guard let server = node.mail else { throw FlowError(.mailServer) }
                guard MailMessage.isAddress(address) else {
                    throw ServerError(.address, at: Place(field: "address", value: address))
                }
                try await node.alerts.test(
                    server, to: address, subject: saying.words("alerts.test.subject"),
                    text: saying.words("alerts.test.text"), now: saying.now)
            } catch let error as any ReportableError where !(error is PostgreSQLError) {
                let page = try await page(request, context, address: address, error.diagnostic)
                return try await site.answer(page, to: request, context, status: .unprocessableContent)
            }
            try await audit("settings.mailed", user)
            return site.see(
                "/settings", Told(text: saying.words("page.settings.mailed", ["address": address])))
        }
    }

    private func audit(_ action: String, _ user: AppUser) async throws {
        try await site.pool.withConnection { try await Audit.write(action, by: user.id, on: $0) }
    }

    private func check(_ subject: NodeCheck.Subject) async -> NodeCheck {
        switch subject {
        case .postgresql: await NodeCheck.installation()
        case .mappings: await NodeCheck.mappings(tools.mappings)
        case .disk: await NodeCheck.disk(node.folder)
        case .database: await NodeCheck.database(site.pool)
        case .blobs: await NodeCheck.blobs(node.blobs, site.pool)
        case .key: await NodeCheck.key(secrets)
        }
    }

    private func page(
        _ request: Request, _ context: WebContext, checks: [NodeCheck] = [], address: String = "",
        _ fault: Diagnostic? = nil
    ) async throws -> SettingsPage {
        let words = try site.saying(request, context).words
        let done = Dictionary(checks.map { ($0.subject, $0) }) { $1 }
        let title = words("page.settings.title")
        return SettingsPage(
            title: fault == nil ? title : words("page.form.wrong", ["title": title]),
            rows: node.settings.map { setting in
                SettingsPage.Row(
                    key: setting.key, meaning: words("page.settings.key_\(setting.key)"),
                    value: setting.value ?? words("page.settings.unset"),
                    origin: setting.origin.text(words))
            },
            checks: NodeCheck.Subject.allCases.map { subject in
                let check = done[subject]
                let problem = check?.told(words).map { Problem($0, words) }
                return SettingsPage.Check(
                    subject: subject.rawValue, name: words("doctor.\(subject.rawValue)"),
                    badge: check.map { check in
                        check.fault == nil
                            ? BadgeView("ok", words("page.settings.well"))
                            : BadgeView("bad", words("page.settings.fault"))
                    }, detail: check?.detail?.text(words), problem: problem)
            }, hasMail: node.mail != nil, address: address, problem: fault.map { Problem($0, words) })
    }
}

extension NodeFacts.Origin {
    fileprivate func text(_ words: Words) -> String {
        switch self {
        case .file(let place): place
        case .environment(let name): words("page.settings.environment", ["name": name])
        case .option(let name): words("page.settings.option", ["name": name])
        case .standard: words("page.settings.default")
        }
    }
}

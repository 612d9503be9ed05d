// SPDX-License-Identifier: Apache-2.0
// What pages have at hand: the database, the texts, the templates, the clock.

internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Hummingbird
internal import Model
internal import Mustache
internal import PostgreSQL
internal import Words

/// What a template sees; everything in it is formatted already.
protocol Page: Sendable {
    /// Name of its template.
    static var template: String { get }
    /// What the window's title and the history say.
    var title: String { get }
    /// The entry of the navigation that it belongs to, by its address.
    static var entry: String { get }
}

/// The pages of one node.
struct Site: Sendable {
    let pool: Pool
    let words: [Language: Words]
    let library: MustacheLibrary
    let assets: Assets
    /// Whether browsers reach this server by TLS only.
    let isSecure: Bool
    /// Whether they reach it through a proxy only.
    let isBehindProxy: Bool
    let zone: String
    /// The same for calendars; UTC where the name is not known.
    var timeZone: TimeZone { TimeZone(identifier: zone) ?? .gmt }
    let now: @Sendable () -> Timestamp
    let waiting: WaitingCount
    /// Lists that are sent whole.
    let exports = Slots(total: 16, each: 4)
    /// Pages that follow something as it changes.
    let followers = Slots(total: 200, each: 20)

    init(
        pool: Pool, words: [Language: Words], isSecure: Bool, isBehindProxy: Bool, zone: String,
        now: @escaping @Sendable () -> Timestamp
    ) throws {
        (self.pool, self.words, self.isSecure) = (pool, words, isSecure)
        (self.isBehindProxy, self.zone, self.now) = (isBehindProxy, zone, now)
        library = try Templates.load()
        assets = try Assets()
        waiting = WaitingCount(pool: pool)
    }

    /// The texts for whoever sends a request: as the user chose, or as the browser asks.
    func words(for request: Request, _ context: WebContext) -> Words? {
        let chosen = context.visitor?.user.language.flatMap(Language.init(rawValue:))
        return words[chosen ?? Language(locale: request.headers[.acceptLanguage])]
    }

    /// Where a request comes from: behind a proxy, as that says; nil where it does not.
    func origin(of request: Request, _ context: WebContext) -> String? {
        guard isBehindProxy else { return context.address }
        let hops = request.headers.value("X-Forwarded-For")?.split(separator: ",") ?? []
        // The last one was written by the proxy itself, the others by whoever asked.
        return hops.last.map { String($0).trimmingBlanks }
    }

    /// Formats values for whoever sends a request.
    func saying(_ request: Request, _ context: WebContext) throws -> Saying {
        guard let words = words(for: request, context) else { throw ServerError(.unexpected) }
        return Saying(words: words, now: now(), zone: zone)
    }

    /// A page as an answer.
    func answer<Content: Page>(
        _ page: Content, to request: Request, _ context: WebContext,
        status: HTTPResponse.Status = .ok
    ) async throws -> Response {
        let saying = try saying(request, context)
        let told = Told.read(request)
        let shell = try await shell(page, saying, told, context)
        let root = Root(words: WordTree(saying.words), shell: shell, page: page)
        guard let text = library.render(root, withTemplate: Content.template) else {
            throw ServerError(.unexpected)
        }
        var response = Self.html(text, status: status)
        if told != nil { response.setCookie(Told.gone(isSecure: isSecure)) }
        return response
    }

    /// A part of a page, for modules that replace it.
    ///
    /// - Parameter visitor: whose forms it holds; nil where it holds none.
    func part(
        _ template: String, _ page: some Sendable, _ saying: Saying, for visitor: Visitor? = nil
    ) throws -> String {
        let shell = visitor.map { PartShell(formToken: $0.formToken) }
        let root = Root(words: WordTree(saying.words), shell: shell, page: page)
        guard let text = library.render(root, withTemplate: template) else { throw ServerError(.unexpected) }
        return text
    }

    static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: .init(string: text)))
    }

    /// Sends the browser to another page, which tells what was done.
    func see(_ path: String, _ told: Told? = nil) -> Response {
        var response = Response.redirect(to: path)
        if let cookie = told?.cookie(isSecure: isSecure) { response.setCookie(cookie) }
        return response
    }

    private func shell<Content: Page>(
        _ page: Content, _ saying: Saying, _ told: Told?, _ context: WebContext
    ) async throws -> Shell {
        let user = context.visitor?.user
        let waiting = user?.mayOperate == true ? try await self.waiting.now() : 0
        return Shell(
            title: page.title, language: saying.words.language.rawValue,
            theme: user.map(\.theme).flatMap { $0 == "auto" ? nil : $0 },
            themeLabel: saying.words(
                "page.shell.theme", ["now": saying.words("page.me.theme_\(user?.theme ?? "auto")")]),
            assets: assets.root,
            formToken: context.visitor?.formToken, userName: user?.name,
            initials: user.map { Self.initials($0.name) },
            navigation: user.map { user in
                Navigation(
                    user, current: Content.entry, waiting: waiting, { saying.words($0) },
                    number: { saying.words.number($0) })
            },
            told: told, hasSingleKeys: user?.hasSingleKeys ?? true,
            home: user.map(Navigation.home(of:)) ?? "/sign-in")
    }

    private static func initials(_ name: String) -> String {
        String(name.split(separator: " ").prefix(2).compactMap(\.first)).uppercased()
    }
}

/// What stands around every page.
struct Shell: Sendable {
    let title: String
    let language: String
    /// `light` or `dark`; nil follows the device.
    let theme: String?
    /// What the theme is and that it changes.
    let themeLabel: String
    let assets: String
    let formToken: String?
    let userName: String?
    let initials: String?
    let navigation: Navigation?
    let told: Told?
    let hasSingleKeys: Bool
    let home: String
}

/// What stands around a part that is sent alone.
struct PartShell: Sendable {
    let formToken: String
}

/// What the outermost template sees.
struct Root: MustacheParent {
    private let words: WordTree
    private let shell: Any?
    private let page: Any?

    init(words: WordTree, shell: (any Sendable)?, page: any Sendable) {
        self.words = words
        self.shell = shell.flatMap { Seen.value($0) }
        self.page = Seen.value(page)
    }

    func child(named name: String) -> Any? {
        switch name {
        case "t": words
        case "shell": shell
        case "page": page
        default: nil
        }
    }
}

/// Reads the templates, each under the name of its file.
enum Templates {
    static func load() throws -> MustacheLibrary {
        MustacheContentTypes.register(ByteEscaping(), named: ByteEscaping.name)
        var library = MustacheLibrary()
        for (name, text) in try texts() {
            try library.register("{{% CONTENT_TYPE: \(ByteEscaping.name)}}\n" + text, named: name)
        }
        return library
    }

    /// Every template's name and text.
    static func texts() throws -> [(name: String, text: String)] {
        let folder = Bundle.module.bundleURL.appending(path: "Templates")
        return try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
            .filter { $0.hasSuffix(".mustache") }
            .map { path in
                let file = folder.appending(path: path)
                return (
                    file.deletingPathExtension().lastPathComponent,
                    try String(contentsOf: file, encoding: .utf8)
                )
            }
    }
}

/// How many records wait in quarantine, asked at most every two seconds.
actor WaitingCount {
    private let pool: Pool
    private var last: (count: Int, at: ContinuousClock.Instant)?

    init(pool: Pool) {
        self.pool = pool
    }

    func now() async throws -> Int {
        if let last, last.at.duration(to: .now) < .seconds(2) { return last.count }
        let count = try await pool.withConnection { try await Quarantine.waiting(on: $0) }
        last = (count, .now)
        return count
    }

    /// Something was mended: the next page counts again.
    func forget() { last = nil }
}

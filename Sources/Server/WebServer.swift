// SPDX-License-Identifier: Apache-2.0
// The HTTP server: pages, health, measures and uploads.

package import CRM
internal import Diagnostics
internal import Glibc
package import Hub
internal import Hummingbird
package import Logging
package import Model
internal import NIOCore
package import PostgreSQL
package import Words

/// Answers HTTP requests until it is told to end.
package struct WebServer: Sendable {
    /// Where it listens.
    package struct Address: Sendable, Hashable, CustomStringConvertible {
        /// Name or address of this machine; IPv6 without brackets.
        package let host: String
        /// 0 = a free one.
        package let port: Int

        /// `HOST:PORT` or `[IPv6]:PORT`; nil for anything else.
        package init?(_ text: String) {
            guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
                0...65535 ~= port
            else { return nil }
            var host = String(text[..<colon])
            if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
            guard !host.isEmpty, text.hasPrefix("[") || !host.contains(":") else { return nil }
            (self.host, self.port) = (host, port)
        }

        package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
    }

    /// What it answers with.
    package struct Parts: Sendable {
        /// The database.
        package let pool: Pool
        /// What becomes of files handed over; nil on a node that only tells its health.
        package let uploads: Uploads?
        /// Where files wait while they are received.
        package let spool: String
        /// The measures of this process.
        package let measures: @Sendable () -> [Measure]
        /// The texts of each language.
        package let words: [Language: Words]
        /// The pages; nil on a node that only tells its health.
        package let pages: Pages?
        /// The moment.
        package let now: @Sendable () -> Timestamp

        /// The parts of a server.
        package init(
            pool: Pool, uploads: Uploads?, spool: String, words: [Language: Words], pages: Pages?,
            now: @escaping @Sendable () -> Timestamp, measures: @escaping @Sendable () -> [Measure]
        ) {
            (self.pool, self.uploads, self.spool, self.pages) = (pool, uploads, spool, pages)
            (self.words, self.measures, self.now) = (words, measures, now)
        }
    }

    /// What the pages need.
    package struct Pages: Sendable {
        /// What imports and replays are done with.
        package let tools: ImportTools
        /// What flows read by.
        package let connectors: ConnectorRegistry
        /// Passwords and keys of other machines.
        package let secrets: Secrets
        /// How this node works.
        package let node: NodeFacts
        /// How expensive passwords are.
        package let passwords: Passwords
        /// IANA name of the company's zone.
        package let zone: String
        /// Whether browsers reach this server by TLS only, through a proxy.
        package let isSecure: Bool

        /// The pages' needs.
        package init(
            tools: ImportTools, connectors: ConnectorRegistry, secrets: Secrets, node: NodeFacts,
            passwords: Passwords, zone: String, isSecure: Bool
        ) {
            (self.tools, self.connectors, self.passwords) = (tools, connectors, passwords)
            (self.secrets, self.node) = (secrets, node)
            (self.zone, self.isSecure) = (zone, isSecure)
        }
    }

    private let address: Address
    private let parts: Parts
    private let logger: Logger

    /// A server that listens once it runs.
    package init(_ address: Address, _ parts: Parts, logger: Logger) {
        (self.address, self.parts, self.logger) = (address, parts, logger)
    }

    /// Listens until the group of services it runs in is shut down; requests that are being answered end first.
    ///
    /// - Parameter onListening: gets the port, once it answers.
    /// - Throws: `LISTEN-TAKEN`, `LISTEN-REFUSED` when it cannot listen there.
    package func run(onListening: @escaping @Sendable (Int) async -> Void) async throws {
        let counts = RequestCounts()
        let router = try makeRouter(counts)
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let application = Application(
            router: router,
            server: .http1(configuration: .init(idleTimeout: .seconds(60))),
            configuration: .init(address: .hostname(address.host, port: address.port), serverName: "relais"),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            throw ServerError(
                error.errnoCode == EADDRINUSE ? .taken : .refused,
                ["address": address.description, "errno": String(error.errnoCode)])
        }
    }

    /// Every route, as `GET /accounts/:id`.
    ///
    /// - Throws: what reading the templates throws.
    package func routes() throws -> [String] { try makeRouter(RequestCounts()).routes.map(\.description) }

    private func makeRouter(_ counts: RequestCounts) throws -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        let isSecure = parts.pages?.isSecure ?? false
        let site = try Site(
            pool: parts.pool, words: parts.words, isSecure: isSecure,
            zone: parts.pages?.zone ?? "Europe/Paris",
            now: parts.now)
        router.add(middleware: CountRequests(counts: counts, logger: logger))
        router.add(middleware: ProtectAnswers(isSecure: isSecure))
        // Around finding out who asks, for what goes wrong there; and inside, where it is known who reads the answer.
        router.add(middleware: TellErrors(site: site, logger: logger))
        router.add(middleware: AdmitVisitors(pool: parts.pool))
        router.add(middleware: AdmitPrograms(pool: parts.pool))
        router.add(middleware: TellErrors(site: site, logger: logger))
        HealthRoutes(pool: parts.pool).add(to: router)
        MetricsRoute(pool: parts.pool) { [parts] in parts.measures() + counts.measures }.add(to: router)
        if let uploads = parts.uploads {
            UploadRoute(uploads: uploads, spool: parts.spool).add(to: router)
        }
        if let pages = parts.pages {
            site.assets.add(to: router)
            try APIRoutes(pool: parts.pool).add(to: router)
            DoorPages(site: site, signIn: SignIn(passwords: pages.passwords)).add(to: router)
            site.addOverview(to: router)
            site.addRuns(to: router)
            site.addRun(to: router)
            site.addQuarantine(to: router, pages.tools)
            ImportPages(
                site: site, tools: pages.tools, files: FileImports(pool: parts.pool, tools: pages.tools),
                spool: parts.spool
            ).add(to: router)
            site.addMatches(to: router, pages.tools)
            SecretPages(site: site, secrets: pages.secrets).add(to: router)
            FlowPages(
                site: site, tools: pages.tools, connectors: pages.connectors, secrets: pages.secrets
            ).add(to: router)
            site.addAccounts(to: router)
            site.addAccount(to: router)
            site.addSearch(to: router)
            site.addUsers(to: router)
            site.addAudit(to: router)
            site.addSources(to: router)
            SettingsPages(site: site, tools: pages.tools, secrets: pages.secrets, node: pages.node).add(
                to: router)
            site.addMe(to: router)
        }
        return router
    }
}

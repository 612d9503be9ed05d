// SPDX-License-Identifier: Apache-2.0
// The HTTP server: pages, health, measures and uploads.

package import CRM
internal import Diagnostics
internal import Foundation
internal import Glibc
package import Hub
internal import Hummingbird
internal import HummingbirdCore
internal import HummingbirdTLS
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
        /// How much of this machine those who connect may use.
        package let limits: Limits
        /// The moment.
        package let now: @Sendable () -> Timestamp

        /// The parts of a server.
        package init(
            pool: Pool, uploads: Uploads?, spool: String, words: [Language: Words], pages: Pages?,
            limits: Limits, now: @escaping @Sendable () -> Timestamp,
            measures: @escaping @Sendable () -> [Measure]
        ) {
            (self.pool, self.uploads, self.spool, self.pages) = (pool, uploads, spool, pages)
            self.limits = limits
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
        /// Whether browsers reach this server through a proxy only, which speaks TLS with them.
        package let isBehindProxy: Bool
        /// Who else signs people in.
        package let openID: OpenIDSettings?
        /// Whether WebDAV has collections of plain files too, for tests of the protocol.
        package let hasPlainCollections: Bool

        /// The pages' needs.
        package init(
            tools: ImportTools, connectors: ConnectorRegistry, secrets: Secrets, node: NodeFacts,
            passwords: Passwords, zone: String, isBehindProxy: Bool, openID: OpenIDSettings?,
            hasPlainCollections: Bool
        ) {
            (self.tools, self.connectors, self.passwords) = (tools, connectors, passwords)
            (self.secrets, self.node) = (secrets, node)
            (self.zone, self.isBehindProxy, self.openID) = (zone, isBehindProxy, openID)
            self.hasPlainCollections = hasPlainCollections
        }
    }

    private let address: Address
    private let parts: Parts
    private let certificate: Certificate?
    private let logger: Logger

    /// A server that listens once it runs: with TLS where it has a certificate.
    package init(_ address: Address, _ parts: Parts, certificate: Certificate? = nil, logger: Logger) {
        (self.address, self.parts, self.certificate, self.logger) = (address, parts, certificate, logger)
    }

    /// Listens until the group of services it runs in is shut down; requests that are being answered end first.
    ///
    /// - Parameter onListening: gets the port, once it answers.
    /// - Throws: `LISTEN-TAKEN`, `LISTEN-REFUSED` when it cannot listen there.
    package func run(onListening: @escaping @Sendable (Int) async -> Void) async throws {
        let (counts, connections) = (RequestCounts(), OpenConnections(parts.limits))
        let router = try makeRouter(counts, connections)
        let patience = parts.limits.patience
        var quiet = logger
        quiet.logLevel = max(.warning, logger.logLevel)
        let channel = HTTP1Channel.Configuration(
            additionalChannelHandlers: [ConnectionGuard(connections, patience: patience)],
            idleTimeout: .nanoseconds(Int64(patience * 3 / .nanoseconds(1))),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Limits.headerField, maxHeaderListSize: Limits.headers,
                maxHeaderFieldCount: Limits.headerCount))
        let application = Application(
            router: router,
            server: try certificate.map {
                try .tls(.http1(configuration: channel), tlsConfiguration: $0.configuration)
            } ?? .http1(configuration: channel),
            configuration: .init(
                address: .hostname(address.host, port: address.port), serverName: "relais", backlog: 1024),
            onServerRunning: { channel in await onListening(channel.localAddress?.port ?? 0) },
            logger: quiet)
        do {
            try await withThrowingTaskGroup { group in
                if let certificate {
                    group.addTask { [logger, parts] in
                        await certificate.follow(logger) {
                            Int(parts.now().microsecondsSince1970 / 1_000_000)
                        }
                    }
                }
                try await application.run()
                group.cancelAll()
            }
        } catch let error as IOError {
            throw ServerError(
                error.errnoCode == EADDRINUSE ? .taken : .refused,
                ["address": address.description, "errno": String(error.errnoCode)])
        }
    }

    /// Every route, as `GET /accounts/:id`.
    ///
    /// - Throws: what reading the templates throws.
    package func routes() throws -> [String] {
        try makeRouter(RequestCounts(), OpenConnections(parts.limits)).routes.map(\.description)
    }

    private func makeRouter(
        _ counts: RequestCounts, _ connections: OpenConnections
    ) throws -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        let isBehindProxy = parts.pages?.isBehindProxy ?? false
        let isSecure = isBehindProxy || certificate != nil
        let site = try Site(
            pool: parts.pool, words: parts.words, isSecure: isSecure, isBehindProxy: isBehindProxy,
            zone: parts.pages?.zone ?? "Europe/Paris",
            now: parts.now)
        router.add(middleware: CountRequests(counts: counts, logger: logger))
        router.add(middleware: ProtectAnswers(isSecure: isSecure))
        // Around finding out who asks, for what goes wrong there; and inside, where it is known who reads the answer.
        router.add(middleware: TellErrors(site: site, logger: logger))
        router.add(middleware: AdmitVisitors(pool: parts.pool))
        router.add(middleware: AdmitPrograms(pool: parts.pool))
        router.add(middleware: TellErrors(site: site, logger: logger))
        router.add(middleware: RefuseEncodedBodies())
        HealthRoutes(pool: parts.pool).add(to: router)
        MetricsRoute(pool: parts.pool) { [parts, certificate] in
            parts.measures() + counts.measures + connections.measures + (certificate?.measures ?? [])
        }.add(to: router)
        let spool = Spool(folder: parts.spool, limit: parts.limits.upload)
        if let uploads = parts.uploads {
            UploadRoute(uploads: uploads, spool: spool).add(to: router)
        }
        if let pages = parts.pages {
            site.assets.add(to: router)
            let files = FileImports(pool: parts.pool, tools: pages.tools)
            try APIRoutes(site: site, files: files, mappings: pages.tools.mappings, spool: spool)
                .add(to: router)
            DAVRoutes(
                pool: parts.pool, zone: TimeZone(identifier: pages.zone) ?? .gmt, now: parts.now,
                hasFiles: pages.hasPlainCollections
            ).add(to: router)
            DoorPages(site: site, signIn: SignIn(passwords: pages.passwords), openID: pages.openID)
                .add(to: router)
            if let settings = pages.openID {
                OpenIDPages(site: site, settings: settings, secrets: pages.secrets, logger: logger)
                    .add(to: router)
            }
            site.addOverview(to: router)
            site.addRuns(to: router)
            site.addQuarantine(to: router, pages.tools)
            site.addQuarantineLines(to: router, pages.tools)
            ImportPages(site: site, tools: pages.tools, files: files, spool: spool).add(to: router)
            let trusts = TrustChanges(pool: parts.pool)
            site.addRun(to: router, files, trusts)
            RunActions(site: site, files: files, trusts: trusts, blobs: pages.tools.settings.blobs).add(
                to: router)
            site.addMatches(to: router, pages.tools)
            SecretPages(site: site, secrets: pages.secrets).add(to: router)
            MappingPages(site: site, tools: pages.tools, connectors: pages.connectors).add(to: router)
            FlowPages(
                site: site, tools: pages.tools, connectors: pages.connectors, secrets: pages.secrets
            ).add(to: router)
            site.addAccounts(to: router)
            site.addAccount(to: router)
            site.addAgenda(to: router)
            site.addSalesDocument(to: router)
            site.addSearch(to: router)
            site.addUsers(to: router)
            site.addAudit(to: router)
            site.addSources(to: router, trusts)
            SettingsPages(site: site, tools: pages.tools, secrets: pages.secrets, node: pages.node).add(
                to: router)
            site.addMe(to: router)
        }
        return router
    }
}

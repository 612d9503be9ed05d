// SPDX-License-Identifier: Apache-2.0
// `relais serve`: the daemon, whose parts may run together or on several machines.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Hub
internal import Jobs
internal import Logging
internal import Mapping
internal import PostgreSQL
internal import Server
internal import ServiceLifecycle
internal import UnixSignals
internal import Words

/// Runs the web server, the scheduler and the workers until it is told to end.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: words("command.serve"), discussion: words("command.serve.discussion"))

    @OptionGroup var database: DatabaseOptions
    @Option(help: ArgumentHelp(words("option.listen"), valueName: "HOST:PORT"))
    var listen: String?
    @Option(help: ArgumentHelp(words("option.roles"), valueName: "ROLES"))
    var roles: String?
    @Option(
        name: .customLong("stop-within"), help: ArgumentHelp(words("option.stopWithin"), valueName: "SECONDS")
    )
    var stopWithin: String?
    @Option(
        name: .customLong("log-format"), help: ArgumentHelp(words("option.logFormat"), valueName: "text|json")
    )
    var logFormat: String?
    @Option(
        name: .customLong("tls-certificate"),
        help: ArgumentHelp(words("option.tlsCertificate"), valueName: "FILE"))
    var tlsCertificate: String?
    @Option(name: .customLong("tls-key"), help: ArgumentHelp(words("option.tlsKey"), valueName: "FILE"))
    var tlsKey: String?
    @Flag(help: ArgumentHelp(words("option.routes"), visibility: .hidden))
    var routes = false

    func run() async throws {
        let options: [Configuration.Key: String?] = [
            .listen: listen, .roles: roles, .stopWithin: stopWithin, .logFormat: logFormat,
            .tlsCertificate: tlsCertificate, .tlsKey: tlsKey,
        ]
        let configuration = try database.configuration(options.compactMapValues { $0 })
        LoggingSystem.bootstrap { _ in LineLogHandler(format: configuration.logFormat) }
        let logger = Logger(label: "relais")
        let pool = Pool(try await database.connectionString(), limits: Pool.Limits(connections: 12))
        let applied = try await pool.withConnection { connection in
            try await Migrator(try Schema.migrations()).migrate(connection)
        }
        logger.info("database ready", metadata: ["migrations": .stringConvertible(applied.count)])
        let shelf = database.mappings { faults in
            for fault in faults {
                logger.error(
                    "a mapping cannot be used, those of before stay in use",
                    metadata: ["code": .string(fault.code), "place": .string(fault.place.position)])
            }
        }
        let node = Node(
            database: database, configuration: configuration, pool: pool, logger: logger,
            shelf: shelf, remarks: ConnectorCounts(logger: logger))
        guard !routes else {
            for route in try node.routes() { Console.print(route) }
            return await pool.close()
        }
        // Faults of mappings are told at the start.
        _ = try node.shelf.library()
        var group = ServiceGroupConfiguration(
            services: try node.services().map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "relais.services") { _ in SwiftLogNoOpLogHandler() })
        group.maximumGracefulShutdownDuration = .seconds(configuration.stopWithin + 5)
        try await ServiceGroup(configuration: group).run()
        await pool.close()
        logger.info("stopped")
    }
}

/// The parts of one daemon, as its roles ask for them.
private struct Node {
    let database: DatabaseOptions
    let configuration: Configuration
    let pool: Pool
    let logger: Logger
    /// One for all parts, so that a change is read once.
    let shelf: MappingShelf
    /// What connectors say.
    let remarks: ConnectorCounts
    private let counts = JobCounts()
    private let listening = AsyncStream<Void>.makeStream()

    func services() throws -> [any Service] {
        var services: [any Service] = []
        if let cluster = try database.cluster() {
            services.append(ClusterKeeper(cluster: cluster, logger: logger))
        }
        if configuration.roles.contains(.scheduler) { services.append(scheduler) }
        if configuration.roles.contains(.worker) {
            services.append(try worker())
            // Whoever can read a folder can watch it.
            let watcher = FolderWatcher(pool: pool, connectors: connectors, mappings: shelf)
            if let watcher { services.append(WatcherService(watcher: watcher)) }
        }
        services.append(TailerService(pool: pool, logger: logger))
        let web = try web()
        if let web { services.append(web) }
        services.append(ReadyService(logger: logger, listening: web == nil ? nil : listening.stream))
        return services
    }

    /// Every route that this node answers.
    func routes() throws -> [String] { try web()?.server.routes() ?? [] }

    /// The web server; a node without that role answers health and measures, where it is told to listen.
    private func web() throws -> WebService? {
        let isWeb = configuration.roles.contains(.web)
        guard let address = configuration.listen, isWeb || configuration.sources[.listen] != nil else {
            return nil
        }
        let spool = database.folder.appending(path: "spool").path
        IncomingFile.sweep(spool, now: Date())
        let uploads =
            isWeb
            ? Uploads(
                pool: pool, connectors: connectors, mappings: shelf, blobs: database.blobs,
                secrets: try database.secrets) : nil
        let texts = try Language.allCases.map { ($0, try Words($0)) }
        let pages =
            isWeb
            ? WebServer.Pages(
                tools: ImportTools(mappings: shelf, settings: try database.importSettings),
                connectors: connectors, secrets: try database.secrets,
                node: NodeFacts(
                    settings: configuration.facts, folder: database.folder.path, blobs: database.blobs,
                    mail: configuration.mailServer, alerts: try AlertTexts.sender(pool, database, shelf)),
                passwords: Passwords(),
                zone: configuration.zone, isBehindProxy: configuration.isBehindProxy,
                openID: configuration.openID, hasPlainCollections: Surroundings.hasPlainCollections) : nil
        let parts = WebServer.Parts(
            pool: pool, uploads: uploads, spool: spool, words: Dictionary(uniqueKeysWithValues: texts),
            pages: pages, limits: configuration.limits.within(files: OpenFiles.raise()),
            now: { Surroundings.now },
            measures: { [counts, remarks] in counts.measures + remarks.measures })
        let certificate = try configuration.certificate.map { try Certificate($0) }
        let server = WebServer(address, parts, certificate: certificate, logger: logger)
        return WebService(server: server, logger: logger) {
            [listening] port in
            if isWeb { await welcome(address.host, port) }
            listening.continuation.yield()
        }
    }

    /// Where nobody administers Relais yet: the link by which somebody does, once.
    private func welcome(_ host: String, _ port: Int) async {
        do {
            let found = try await pool.withConnection { try await SignIn.firstLink(on: $0) }
            guard let link = found else { return }
            let name = host.contains(":") ? "[\(host)]" : host
            let scheme = configuration.certificate == nil ? "http" : "https"
            let origin = configuration.publicURL?.text ?? "\(scheme)://\(name):\(port)"
            Console.print(words("serve.welcome", ["url": "\(origin)/welcome/\(link.text)"]))
        } catch {
            let code = (error as? any ReportableError)?.diagnostic.code ?? "UNEXPECTED"
            logger.warning("no link for the first administrator", metadata: ["code": .string(code)])
        }
    }

    private var scheduler: SchedulerService {
        SchedulerService(
            scheduler: FlowScheduler(pool: pool) { [logger] trouble in
                logger.warning("schedules could not be read", metadata: ["code": .string(trouble.code)])
            })
    }

    private func worker() throws -> WorkerService {
        let runner = FlowRunner(
            pool: pool, connectors: connectors, mappings: shelf,
            settings: try database.importSettings, secrets: try database.secrets
        ) { [remarks] flow, remark in remarks.add(remark, of: flow) }
        var timing = Worker.Timing()
        timing.grace = .seconds(max(0, configuration.stopWithin - 5))
        let name =
            "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier):"
            + UUID().uuidString.prefix(8)
        let retention = Retention(pool: pool, blobs: database.blobs, days: configuration.retention)
        let handlers = runner.handlers.merging(try AlertTexts.sender(pool, database, shelf).handlers) { $1 }
            .merging(retention.handlers) { $1 }
            .merging(
                FileImports(
                    pool: pool,
                    tools: ImportTools(mappings: shelf, settings: try database.importSettings)
                ).handlers
            ) { $1 }
            .merging(TrustChanges(pool: pool).handlers) { $1 }
        return WorkerService(
            worker: Worker(
                pool: pool, name: name, slots: [.interactive: 2, .scheduled: 4, .bulk: 1], timing: timing,
                handlers: handlers
            ) { [counts, logger] event in
                counts.add(event)
                JobLog.write(event, to: logger)
            })
    }
}

/// Tells the log what became of jobs: ids, kinds and codes, never values.
private enum JobLog {
    static func write(_ event: Worker.Event, to logger: Logger) {
        switch event {
        case .done(let job): logger.info("job done", metadata: metadata(job))
        case .postponed(let job, let error):
            logger.warning("job failed and runs again", metadata: metadata(job, error))
        case .ended(let job, let error): logger.error("job given up", metadata: metadata(job, error))
        case .refused(let job):
            logger.warning("job was another's already, nothing written", metadata: metadata(job))
        case .reaped(let count):
            logger.warning("leases had ended", metadata: ["count": .stringConvertible(count)])
        case .trouble(let error):
            logger.warning("queue not reachable", metadata: ["code": .string(error.code)])
        }
    }

    private static func metadata(_ job: Job, _ error: Diagnostic? = nil) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "job": .stringConvertible(job.id), "kind": .string(job.kind), "group": .string(job.group),
            "attempt": .stringConvertible(job.attempt),
        ]
        if let error { metadata["code"] = .string(error.code) }
        return metadata
    }
}

// SPDX-License-Identifier: Apache-2.0
// `relais serve`: the daemon, whose parts may run together or on several machines.

internal import ArgumentParser
internal import CRM
internal import Diagnostics
internal import Foundation
internal import Hub
internal import Jobs
internal import Logging
internal import Mapping
internal import PostgreSQL
internal import ServiceLifecycle
internal import UnixSignals
internal import Words

/// Runs the scheduler and the workers until it is told to end.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: words("command.serve"), discussion: words("command.serve.discussion"))

    @OptionGroup var database: DatabaseOptions
    @Option(help: ArgumentHelp(words("option.roles"), valueName: "ROLES"))
    var roles = "scheduler,worker"
    @Option(
        name: .customLong("stop-within"), help: ArgumentHelp(words("option.stopWithin"), valueName: "SECONDS")
    )
    var stopWithin = 30
    @Option(
        name: .customLong("log-format"), help: ArgumentHelp(words("option.logFormat"), valueName: "text|json")
    )
    var logFormat = LogFormat.text

    func run() async throws {
        let roles = try parsedRoles()
        LoggingSystem.bootstrap { _ in LineLogHandler(format: logFormat) }
        let logger = Logger(label: "relais")
        let pool = Pool(try await database.connectionString(), limits: Pool.Limits(connections: 12))
        let applied = try await pool.withConnection { connection in
            try await Migrator(try Schema.migrations()).migrate(connection)
        }
        logger.info("database ready", metadata: ["migrations": .stringConvertible(applied.count)])
        var services: [any Service] = []
        if let cluster = try database.cluster() {
            services.append(ClusterKeeper(cluster: cluster, logger: logger))
        }
        if roles.contains(.scheduler) { services.append(schedulerService(pool, logger)) }
        if roles.contains(.worker) { services.append(try workerService(pool, logger)) }
        services.append(TailerService(pool: pool, logger: logger))
        services.append(ReadyService(logger: logger))
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) }, gracefulShutdownSignals: [.sigterm, .sigint],
            logger: Logger(label: "relais.services") { _ in SwiftLogNoOpLogHandler() })
        configuration.maximumGracefulShutdownDuration = .seconds(stopWithin + 5)
        try await ServiceGroup(configuration: configuration).run()
        await pool.close()
        logger.info("stopped")
    }

    /// The parts of a daemon.
    enum Role: String, CaseIterable {
        case scheduler, worker
    }

    private func parsedRoles() throws -> Set<Role> {
        let names = roles.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        for name in names where Role(rawValue: name) == nil {
            throw Diagnostic(
                code: "OPTION-VALUE",
                facts: [
                    "option": "--roles", "expected": Role.allCases.map(\.rawValue).joined(separator: ", "),
                ],
                place: Place(value: name))
        }
        return Set(names.compactMap(Role.init))
    }

    private func schedulerService(_ pool: Pool, _ logger: Logger) -> SchedulerService {
        SchedulerService(
            scheduler: FlowScheduler(pool: pool) { trouble in
                logger.warning("schedules could not be read", metadata: ["code": .string(trouble.code)])
            })
    }

    private func workerService(_ pool: Pool, _ logger: Logger) throws -> WorkerService {
        let runner = FlowRunner(
            pool: pool, connectors: connectors, mappings: try MappingLibrary.shipped(),
            settings: database.importSettings, secrets: database.secrets)
        var timing = Worker.Timing()
        timing.grace = .seconds(max(0, stopWithin - 5))
        let name =
            "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier):"
            + UUID().uuidString.prefix(8)
        return WorkerService(
            worker: Worker(
                pool: pool, name: name, slots: [.interactive: 2, .scheduled: 4, .bulk: 1], timing: timing,
                handlers: runner.handlers.merging(try AlertTexts.sender(pool, database).handlers) { $1 }
            ) { JobLog.write($0, to: logger) })
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

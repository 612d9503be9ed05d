// SPDX-License-Identifier: Apache-2.0
// The long-lived parts of the daemon.

internal import Diagnostics
internal import Foundation
internal import Glibc
internal import Hub
internal import Jobs
internal import Logging
internal import PostgreSQL
internal import Server
internal import ServiceLifecycle

/// Makes jobs of flows whose time has come.
struct SchedulerService: Service {
    let scheduler: FlowScheduler

    func run() async {
        await cancelWhenGracefulShutdown { await scheduler.run() }
    }
}

/// Lets flows run when files arrive in their folders.
struct WatcherService: Service {
    let watcher: FolderWatcher

    func run() async {
        await cancelWhenGracefulShutdown { await watcher.run() }
    }
}

/// Does jobs; told to end, it finishes them or gives them back.
struct WorkerService: Service {
    let worker: Worker

    func run() async {
        await withGracefulShutdownHandler {
            await worker.run()
        } onGracefulShutdown: {
            worker.drain()
        }
    }
}

/// Follows the change log for whoever listens.
struct TailerService: Service {
    let pool: Pool
    let logger: Logger

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await ChangeTailer(pool: pool).run()
                } catch {
                    if Task.isCancelled { return }
                    let code = (error as? any ReportableError)?.diagnostic.code ?? "UNEXPECTED"
                    logger.warning("change log not reachable", metadata: ["code": .string(code)])
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }
}

/// Starts the private PostgreSQL again when it has died.
struct ClusterKeeper: Service {
    let cluster: PrivateCluster
    let logger: Logger

    func run() async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: .seconds(2))
                guard await !cluster.answers(), !Task.isCancelled else { continue }
                logger.warning("PostgreSQL is gone and is started again")
                do {
                    try await cluster.start()
                } catch {
                    let code = (error as? any ReportableError)?.diagnostic.code ?? "UNEXPECTED"
                    logger.error("PostgreSQL does not start", metadata: ["code": .string(code)])
                }
            }
        }
    }
}

/// Answers HTTP requests.
struct WebService: Service {
    let server: WebServer
    let logger: Logger
    let onListening: @Sendable (_ port: Int) async -> Void

    func run() async throws {
        try await server.run { [logger, onListening] port in
            logger.info("listening", metadata: ["port": .stringConvertible(port)])
            await onListening(port)
        }
    }
}

/// Tells the log and systemd that the daemon is ready, and that it ends.
struct ReadyService: Service {
    let logger: Logger
    /// Yields once the web server listens; nil where there is none.
    let listening: AsyncStream<Void>?

    func run() async throws {
        if let listening { _ = await cancelWhenGracefulShutdown { await listening.first { true } } }
        logger.info("ready")
        ServiceNotification.send("READY=1")
        try? await gracefulShutdown()
        logger.info("stopping")
        ServiceNotification.send("STOPPING=1")
    }
}

/// Messages to the service manager.
///
/// - Source: sd_notify(3): a datagram to the socket that `NOTIFY_SOCKET` names, `@` for an abstract one.
enum ServiceNotification {
    static func send(_ text: String) {
        guard let path = Surroundings.notifySocket else { return }
        var bytes = Array(path.utf8)
        if bytes.first == UInt8(ascii: "@") { bytes[0] = 0 }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = unsafe sendto(descriptor, text, text.utf8.count, Int32(MSG_NOSIGNAL), address, length)
            }
        }
    }
}

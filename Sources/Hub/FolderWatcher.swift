// SPDX-License-Identifier: Apache-2.0
// Lets flows run as soon as a file has arrived in their folder, besides by the clock.

internal import ConnectorKit
internal import FileSources
internal import FileTransfer
internal import Foundation
internal import Jobs
package import Mapping
internal import Model
package import PostgreSQL

/// Watches the folders of this machine that flows read from.
package struct FolderWatcher: Sendable {
    private let pool: Pool
    private let connectors: ConnectorRegistry
    private let mappings: MappingShelf
    private let watch: FolderWatch

    /// Nil where the machine cannot tell of files.
    package init?(pool: Pool, connectors: ConnectorRegistry, mappings: MappingShelf) {
        guard let watch = FolderWatch() else { return nil }
        self.watch = watch
        self.pool = pool
        self.connectors = connectors
        self.mappings = mappings
    }

    /// A flow that reads from a folder of this machine.
    private struct Watched {
        let flow: Int
        let definition: FlowDefinition
        /// How long a file must lie still before it is read.
        let stillness: Int
    }

    /// What a version of a flow says; nil where it reads from no folder of this machine.
    private struct Known {
        let version: Int
        let folder: String?
        let watched: Watched?
    }

    /// Watches until the task is cancelled; looks every few seconds for flows that are new.
    package func run() async {
        var flows: [String: [Watched]] = [:]
        var known: [Int: Known] = [:]
        var waiting: Set<String> = []
        var read = ContinuousClock.now - .seconds(60)
        while !Task.isCancelled {
            if read.duration(to: .now) > .seconds(5), let found = try? await folders(&known) {
                // What lay there before anybody listened is told once.
                waiting.formUnion(Set(found.keys).subtracting(flows.keys))
                flows = found
                await watch.watch(Set(flows.keys))
                read = .now
            }
            waiting.formUnion(await watch.changed(within: 1))
            for folder in waiting {
                let isTold = try? await tell(flows[folder] ?? [])
                if isTold == true { waiting.remove(folder) }
            }
        }
    }

    /// The flows by the folders they read from; a version is read once.
    private func folders(_ known: inout [Int: Known]) async throws -> [String: [Watched]] {
        let summaries = try await pool.withConnection { try await Flows.list(on: $0) }
        var found: [String: [Watched]] = [:]
        for summary in summaries where summary.pausedAt == nil {
            if known[summary.id]?.version != summary.version { known[summary.id] = try read(summary) }
            guard let folder = known[summary.id]?.folder, let watched = known[summary.id]?.watched else {
                continue
            }
            found[folder, default: []].append(watched)
        }
        return found
    }

    private func read(_ summary: FlowSummary) throws -> Known {
        let library = try mappings.library()
        guard
            let flow = try? FlowDefinition.parse(
                summary.text, file: summary.name, connectors: connectors, mappings: library),
            flow.runsOnArrival, let from = flow.settings[FileSettings.from.name].first
        else { return Known(version: summary.version, folder: nil, watched: nil) }
        let stillness = flow.settings[FileSettings.stillness.name].first.flatMap { Int($0) } ?? 5
        let watched = Watched(flow: summary.id, definition: flow, stillness: stillness)
        return Known(version: summary.version, folder: from, watched: watched)
    }

    /// Makes the flows' jobs, once the files that have arrived lie still.
    ///
    /// - Returns: whether all were made: a job of before that has not ended may have looked too early.
    private func tell(_ flows: [Watched]) async throws -> Bool {
        try await pool.withConnection { connection in
            var areMade = true
            for watched in flows {
                var job = FlowJob.make(watched.definition, flow: watched.flow, nominal: nil)
                job.unique = "watch:\(watched.definition.name)"
                let now = try await connection.run(Now()).first ?? Timestamp(microsecondsSince1970: 0)
                job.runAt = Timestamp(
                    microsecondsSince1970: now.microsecondsSince1970
                        + Int64(watched.stillness + 1) * 1_000_000)
                if try await JobQueue.enqueue([job], on: connection).isEmpty { areMade = false }
            }
            return areMade
        }
    }
}

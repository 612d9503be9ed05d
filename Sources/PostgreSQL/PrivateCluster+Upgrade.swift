// SPDX-License-Identifier: Apache-2.0
// Moving the private cluster to another major version of PostgreSQL, by dump and restore.

package import Foundation
package import Model
internal import Diagnostics

extension PrivateCluster {
    /// What an upgrade did.
    package struct Upgrade: Sendable {
        /// Major version before.
        package let from: Int
        /// Major version now.
        package let to: Int
        /// Where the old cluster's files are kept until the operator removes them.
        package let oldFiles: URL
        /// The dump that went from one to the other.
        package let manifest: BackupManifest
    }

    /// Dumps the database with the new programs, restores it into a fresh cluster of the newest installed
    /// version, and puts that in place of the old one, whose files are kept.
    ///
    /// Other commands wait meanwhile: the start lock is held, and the old server answers on a socket of its own,
    /// so that nothing is written behind the dump. Until the last renames the old files are untouched. The major
    /// version may be the same: a rebuilt cluster has new files and no bloat.
    package func upgrade(at now: Timestamp) async throws -> Upgrade {
        try await start()
        let result = try await FileLock.hold(lockFile, deadline: .now + .seconds(90)) {
            try await stop()
            let secluded = PrivateCluster(like: self, socket: folder.appending(path: "upgrade-run"))
            do {
                try await secluded.startLocked()
                let result = try await replace(secluded, at: now)
                return result
            } catch {
                _ = try? await secluded.stop()
                throw error
            }
        }
        try await start()
        return result
    }

    private func replace(_ old: PrivateCluster, at now: Timestamp) async throws -> Upgrade {
        let from = major ?? newest.major
        let stamp = now.description.replacing(":", with: "")
        let staging = PrivateCluster(like: self, folder: folder.appending(path: "upgrade"))
        let dump = folder.appending(path: "upgrade-\(stamp).tar")
        defer { try? FileManager.default.removeItem(at: dump) }
        let manifest = try await Backup(old.connectionString(), installation: newest).write(to: dump, at: now)
        try? FileManager.default.removeItem(at: staging.folder)
        do {
            try await staging.start()
            _ = try await Backup(staging.connectionString(), installation: newest)
                .restore(from: dump, replacing: false)
            try await staging.stop()
        } catch {
            _ = try? await staging.stop()
            try? FileManager.default.removeItem(at: staging.folder)
            throw error
        }
        try await old.stop()
        let oldFiles = folder.appending(path: "postgres-\(from)-\(stamp)")
        try FileManager.default.moveItem(at: serverFolder, to: oldFiles)
        try FileManager.default.moveItem(at: staging.serverFolder, to: serverFolder)
        try? FileManager.default.removeItem(at: staging.folder)
        return Upgrade(from: from, to: newest.major, oldFiles: oldFiles, manifest: manifest)
    }
}

// SPDX-License-Identifier: Apache-2.0
// A disk that is soon full.

package import Foundation
internal import PostgreSQL

/// A small file system in memory, which only root can make.
package struct SmallDisk: Sendable {
    /// Where it is.
    package let folder: URL

    /// Gives `body` a disk of some MiB, which is gone behind it.
    package static func with<Value>(
        mebibytes: Int, _ body: (SmallDisk) async throws -> Value
    ) async throws -> Value {
        // A short path: sockets are made in it.
        let folder = URL(filePath: "/tmp/relais-disk-\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let options = "size=\(mebibytes)m,mode=755"
        try await system.run("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder.path])
        let value: Value
        do {
            value = try await body(SmallDisk(folder: folder))
        } catch {
            _ = try? await system.run("umount", ["-l", folder.path])
            throw error
        }
        try await system.run("umount", [folder.path])
        try FileManager.default.removeItem(at: folder)
        return value
    }

    /// Makes it larger.
    package func grow(mebibytes: Int) async throws {
        try await Self.system.run("mount", ["-o", "remount,size=\(mebibytes)m", folder.path])
    }

    private static let system = Installation(major: 0, programs: URL(filePath: "/usr/bin"))
}

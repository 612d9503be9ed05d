// SPDX-License-Identifier: Apache-2.0
// A file that is either there whole, whatever fails, or not at all.

internal import Diagnostics
internal import Foundation
internal import Glibc

/// A new file, written under a name of its own and given its real one when all of it is on the disk.
package struct DurableFile: ~Copyable {
    private let descriptor: Int32
    private let temporaryPath: String
    private let folder: String
    private var isFinished = false

    /// What names of unfinished files begin with.
    package static let temporaryPrefix = ".part-"

    /// A file in a folder, which is made where it does not exist.
    ///
    /// - Parameter isShared: whether others of this machine may read it.
    /// - Throws: `FILE-UNWRITABLE`.
    package init(in folder: String, isShared: Bool = false) throws(FileError) {
        let temporaryPath = "\(folder)/\(Self.temporaryPrefix)\(UUID().uuidString)"
        let isNew = !FileManager.default.fileExists(atPath: folder)
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            // Whatever the process' umask takes away.
            if isNew, isShared {
                try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder)
            }
        } catch {
            throw FileError(.unwritable, SystemFault.facts(error), at: Place(file: folder))
        }
        let descriptor = unsafe open(
            temporaryPath, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw Self.failure(temporaryPath) }
        if isShared { fchmod(descriptor, 0o644) }
        self.folder = folder
        self.temporaryPath = temporaryPath
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
        if !isFinished { unsafe unlink(temporaryPath) }
    }

    /// Appends bytes.
    ///
    /// - Throws: `FILE-UNWRITABLE`, for instance when the disk is full.
    package func write(_ bytes: [UInt8]) throws(FileError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(
                    descriptor, buffer.baseAddress.map { unsafe $0 + done }, buffer.count - done)
            }
            guard written >= 0 else {
                if errno == EINTR { continue }
                throw Self.failure(temporaryPath)
            }
            done += written
        }
    }

    /// Gives the file its name in its folder, in the place of another of that name.
    ///
    /// The bytes are on the disk before the name is, and the name before this returns.
    package mutating func finish(as name: String) throws(FileError) {
        guard fsync(descriptor) == 0 else { throw Self.failure(temporaryPath) }
        let path = "\(folder)/\(name)"
        guard unsafe rename(temporaryPath, path) == 0 else { throw Self.failure(path) }
        isFinished = true
        let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Self.failure(folder) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw Self.failure(folder) }
    }

    private static func failure(_ path: String) -> FileError {
        FileError(.unwritable, SystemFault.facts(), at: Place(file: path))
    }
}

// SPDX-License-Identifier: Apache-2.0
// Takes the bytes of a file that somebody sends, as they come, off the threads that everybody shares.

internal import Blocking
internal import Crypto
internal import Diagnostics
package import Foundation

/// A file that is being received. It is under a name of its own in the spool folder until it is dropped.
package actor IncomingFile {
    private let executor = SerialQueueExecutor(label: "relais.incoming")
    private let folder: String
    private let limit: Int
    private var target: DurableFile?
    private var hasher = SHA256()
    private var size = 0

    /// What a file turned out to be.
    package struct Received: Sendable, Hashable {
        /// Where it is.
        package let path: String
        /// Its hash.
        package let sha256: [UInt8]
        /// Its size in bytes.
        package let size: Int
    }

    /// Its own queue: writing waits for the disk.
    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// A file of at most `limit` bytes, in a folder that is made where it is missing.
    package init(in folder: String, limit: Int = 2 << 30) {
        self.folder = folder
        self.limit = limit
    }

    /// Appends bytes.
    ///
    /// - Throws: `FILE-TOO-LARGE`, `FILE-UNWRITABLE`.
    package func append(_ bytes: [UInt8]) throws(FileError) {
        size += bytes.count
        guard size <= limit else {
            throw FileError(.tooLarge, ["limitBytes": String(limit), "size": String(size)])
        }
        if target == nil { target = try DurableFile(in: folder) }
        hasher.update(data: bytes)
        try target?.write(bytes)
    }

    /// The file, once all of it has come.
    ///
    /// - Throws: `FILE-EMPTY`, `FILE-UNWRITABLE`.
    package func finish() throws(FileError) -> Received {
        guard size > 0 else { throw FileError(.empty) }
        let name = UUID().uuidString
        try target?.finish(as: name)
        return Received(path: "\(folder)/\(name)", sha256: Array(hasher.finalize()), size: size)
    }

    /// Takes a received file away.
    package func drop(_ file: Received) {
        try? FileManager.default.removeItem(atPath: file.path)
    }

    /// Takes away what processes that died have left in a spool folder: files older than `age` seconds.
    package static func sweep(_ folder: String, olderThan age: TimeInterval = 86_400, now: Date) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names {
            let path = "\(folder)/\(name)"
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            guard let changed = attributes?[.modificationDate] as? Date, now.timeIntervalSince(changed) > age
            else { continue }
            try? FileManager.default.removeItem(atPath: path)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Opens a file named by a person without being led elsewhere or held up.

internal import Diagnostics
internal import Glibc

/// An open regular file, read from front to back, as often as wanted.
package struct LocalFile: ~Copyable {
    private let descriptor: Int32
    /// The path as given.
    package let path: String
    /// Its size when it was opened, in bytes.
    package let size: Int

    /// Opens a regular file; never follows a link in the last place of the path, never waits for a FIFO.
    ///
    /// - Throws: `FILE-MISSING`, `FILE-FORBIDDEN`, `FILE-FOLDER`, `FILE-LINK`, `FILE-SPECIAL`, `FILE-EMPTY`,
    ///   `FILE-TOO-LARGE`, `FILE-UNREADABLE`.
    package init(_ path: String, limit: Int = 2 << 30) throws(FileError) {
        let place = Place(file: path)
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure(errno, at: place) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw FileError(.unreadable, SystemFault.facts(), at: place)
        }
        if let refusal = Self.refusal(status, limit: limit) {
            close(descriptor)
            throw FileError(
                refusal, ["limitBytes": String(limit), "size": String(status.st_size)], at: place)
        }
        self.descriptor = descriptor
        self.path = path
        size = Int(status.st_size)
    }

    deinit {
        close(descriptor)
    }

    private static func refusal(_ status: stat, limit: Int) -> FileError.Code? {
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: return .folder
        default: return .special
        }
        return status.st_size == 0 ? .empty : status.st_size > limit ? .tooLarge : nil
    }

    private static func failure(_ number: Int32, at place: Place) -> FileError {
        switch number {
        case ENOENT, ENOTDIR: FileError(.missing, at: place)
        case EACCES, EPERM: FileError(.forbidden, at: place)
        case ELOOP: FileError(.link, at: place)
        case ENXIO, ENODEV: FileError(.special, at: place)
        default: FileError(.unreadable, SystemFault.facts(number), at: place)
        }
    }

    /// Goes back to the first byte.
    package func rewind() {
        lseek(descriptor, 0, SEEK_SET)
    }

    /// The bytes of a range, as far as the file has them.
    package func read(at range: Range<Int>) throws(FileError) -> [UInt8] {
        lseek(descriptor, range.lowerBound, SEEK_SET)
        var bytes: [UInt8] = []
        while bytes.count < range.count {
            let part = try read(upTo: range.count - bytes.count)
            if part.isEmpty { break }
            bytes += part
        }
        return bytes
    }

    /// The next bytes in place of others, 256 KiB at most; none at the end. Who reads a whole file keeps one buffer.
    package func read(into bytes: inout [UInt8]) throws(FileError) {
        if bytes.count < 256 << 10 { bytes = [UInt8](repeating: 0, count: 256 << 10) }
        let got = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe Glibc.read(descriptor, buffer.baseAddress, buffer.count)
        }
        guard got >= 0 else {
            throw FileError(.unreadable, SystemFault.facts(), at: Place(file: path))
        }
        if got < bytes.count { bytes.removeLast(bytes.count - got) }
    }

    /// The next bytes, at most `count`; empty at the end.
    package func read(upTo count: Int) throws(FileError) -> [UInt8] {
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            let got = unsafe Glibc.read(descriptor, buffer.baseAddress, count)
            failed = got < 0
            filled = max(0, got)
        }
        guard !failed else {
            throw FileError(.unreadable, SystemFault.facts(), at: Place(file: path))
        }
        return bytes
    }
}

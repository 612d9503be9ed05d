// SPDX-License-Identifier: Apache-2.0
// A folder that others put files into: which of them are ready, who has them, where they go when they are done.

package import Diagnostics
package import Foundation
internal import Glibc

/// A folder on this machine that files arrive in.
///
/// Others write into it while it is read, so nothing in it is trusted: links, pipes and devices are reported and left
/// alone, and a file counts as ready when it has lain still for a while.
package struct HotFolder: Sendable {
    /// What tells a file from its later self.
    package struct Fingerprint: Sendable, Hashable, Codable {
        /// Name in the folder.
        package let name: String
        /// Bytes.
        package let size: Int
        /// Time of its last change, in nanoseconds since 1970.
        package let changed: Int
    }

    /// What was found.
    package struct Listing: Sendable {
        /// Files that are ready, by name.
        package var ready: [Fingerprint] = []
        /// Files that lie still and yet end as if there were more to come: wait for longer.
        package var unfinished: [Fingerprint] = []
        /// What is in the folder and cannot be read, and why.
        package var problems: [Diagnostic] = []
    }

    /// The folder.
    package let path: String
    private let names: FileNames
    private let stillness: Duration
    let mark: ReadyMark?
    let now: @Sendable () -> Date

    /// A folder.
    ///
    /// - Parameters:
    ///   - pattern: names that are meant, with `*`, `?` and `[…]`; all when empty.
    ///   - stillness: a file that has not changed for so long, by its own time and by two looks, is ready.
    ///   - mark: what says that a file is ready; then nothing else does.
    package init(
        _ path: String, pattern: String = "", stillness: Duration = .seconds(5), mark: ReadyMark? = nil,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.path = path
        names = FileNames(pattern: pattern)
        self.stillness = stillness
        self.mark = mark
        self.now = now
    }

    // MARK: - Looking

    /// What is ready now; takes as long as a file must lie still where there is any that is meant.
    ///
    /// - Throws: `FILE-MISSING`, `FILE-FORBIDDEN`, `FOLDER-EXPECTED`, `FOLDER-OPEN` for a folder that everybody may
    ///   write into.
    package func list() async throws -> Listing {
        let first = try look()
        guard !first.ready.isEmpty, mark == nil else { return first }
        try await Task.sleep(for: stillness)
        var second = try look()
        let before = Set(first.ready)
        let still = second.ready.filter {
            before.contains($0) && age($0) >= Double(stillness.components.seconds) && !isLocked($0.name)
        }
        second.unfinished = still.filter {
            age($0) < Self.patience && !FileEnding.isWhole("\(path)/\($0.name)")
        }
        second.ready = still.filter { !second.unfinished.contains($0) }
        return second
    }

    /// A file that ends as if there were more to come is read all the same when nothing has come for so many seconds.
    private static let patience = 60.0

    /// Waits until files that look unfinished have lain still for a minute.
    ///
    /// - Returns: those of them that nobody has touched meanwhile.
    package func wait(for unfinished: [Fingerprint]) async throws -> [Fingerprint] {
        guard let youngest = unfinished.map(age).min() else { return [] }
        try await Task.sleep(for: .seconds(max(0, Self.patience - youngest)))
        let there = Set(try look().ready)
        return unfinished.filter { there.contains($0) && !isLocked($0.name) }
    }

    /// Seconds since the last change.
    private func age(_ file: Fingerprint) -> Double {
        now().timeIntervalSince1970 - Double(file.changed) / 1e9
    }

    private func look() throws(FileError) -> Listing {
        let folder = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard folder >= 0 else { throw Self.failure(errno, path) }
        var status = stat()
        let known = unsafe fstat(folder, &status) == 0
        guard known, status.st_mode & S_IWOTH == 0, let stream = unsafe fdopendir(folder) else {
            close(folder)
            throw FileError(.openFolder, at: Place(file: path))
        }
        // Closes the descriptor too.
        defer { unsafe closedir(stream) }
        var listing = Listing()
        var all: Set<String> = []
        while let entry = unsafe readdir(stream) {
            let bytes = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { buffer in
                unsafe Array(buffer.prefix { $0 != 0 })
            }
            judge(bytes, in: folder, &listing)
            if mark != nil, let name = FileNames.name(bytes) { all.insert(name) }
        }
        if let mark { listing.ready.removeAll { !mark.isSet(for: $0.name, among: all) } }
        listing.ready.sort { $0.name < $1.name }
        listing.problems.sort { ($0.place.file ?? "") < ($1.place.file ?? "") }
        return listing
    }

    /// Takes a name of the folder for ready, for a problem, or for nothing of ours.
    private func judge(_ bytes: [UInt8], in folder: Int32, _ listing: inout Listing) {
        guard let name = FileNames.name(bytes) else {
            let place = Place(file: "\(path)/\(FileNames.shown(bytes))")
            return listing.problems.append(FileError(.name, at: place).diagnostic)
        }
        guard names.isMeant(name) else { return }
        var status = stat()
        guard unsafe fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return }
        let place = Place(file: "\(path)/\(name)")
        switch status.st_mode & S_IFMT {
        case S_IFDIR: return
        case S_IFREG where status.st_nlink > 1:
            listing.problems.append(FileError(.link, at: place).diagnostic)
        case S_IFREG where unsafe faccessat(folder, name, R_OK, 0) != 0:
            listing.problems.append(FileError(.forbidden, at: place).diagnostic)
        case S_IFREG:
            let time = status.st_mtim
            listing.ready.append(
                Fingerprint(
                    name: name, size: Int(status.st_size), changed: time.tv_sec * 1_000_000_000 + time.tv_nsec
                ))
        case S_IFLNK: listing.problems.append(FileError(.link, at: place).diagnostic)
        default: listing.problems.append(FileError(.special, at: place).diagnostic)
        }
    }

    /// Whether somebody holds a lock on the file.
    private func isLocked(_ name: String) -> Bool {
        let file = unsafe open("\(path)/\(name)", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return true }
        defer { close(file) }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else { return errno == EWOULDBLOCK }
        return false
    }

    private static func failure(_ number: Int32, _ path: String) -> FileError {
        let place = Place(file: path)
        return switch number {
        case ENOENT: FileError(.missing, at: place)
        case EACCES, EPERM: FileError(.forbidden, at: place)
        case ENOTDIR, ELOOP: FileError(.folderExpected, at: place)
        default: FileError(.unreadable, SystemFault.facts(number), at: place)
        }
    }
}

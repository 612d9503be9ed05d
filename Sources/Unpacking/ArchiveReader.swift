// SPDX-License-Identifier: Apache-2.0
// ZIP and gzip through libarchive, as a stream, with limits on everything that grows.

internal import CLibArchive
internal import Diagnostics
internal import Foundation
internal import Glibc

/// Reads the files of one archive.
struct ArchiveReader {
    private let limits: UnpackingLimits

    init(_ limits: UnpackingLimits) {
        self.limits = limits
    }

    /// Writes each file of an archive under a generated name.
    func unpack(
        _ file: UnpackedFile, isGzip: Bool, into folder: WorkFolder
    ) throws(UnpackingError) -> [UnpackedFile] {
        let place = Place(file: file.name)
        // libarchive converts names by the thread's locale, and has none for letters with accents in "C".
        let locale = unsafe newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)
        let before = unsafe uselocale(locale)
        defer {
            unsafe uselocale(before)
            unsafe freelocale(locale)
        }
        let archive = unsafe archive_read_new()
        defer { unsafe archive_read_free(archive) }
        if isGzip {
            unsafe archive_read_support_filter_gzip(archive)
            unsafe archive_read_support_format_raw(archive)
        } else {
            unsafe archive_read_support_format_zip(archive)
        }
        guard unsafe archive_read_open_filename(archive, file.path, 65_536) == ARCHIVE_OK else {
            throw unsafe UnpackingError(.damaged, ["detail": Self.words(archive)], at: place)
        }
        let packed = (try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? Int) ?? 0
        var budget = min(limits.total, max(packed, 1) * limits.ratio)
        var files: [UnpackedFile] = []
        var entry: OpaquePointer?
        while true {
            let status = unsafe archive_read_next_header(archive, &entry)
            if status == ARCHIVE_EOF { return files }
            guard status == ARCHIVE_OK || status == ARCHIVE_WARN else {
                throw unsafe UnpackingError(.damaged, ["detail": Self.words(archive)], at: place)
            }
            guard unsafe !isGzip || archive_filter_code(archive, 0) == ARCHIVE_FILTER_GZIP else {
                throw UnpackingError(.damaged, at: place)
            }
            guard files.count < limits.entries else {
                throw UnpackingError(.entries, ["limit": String(limits.entries)], at: place)
            }
            guard unsafe archive_entry_is_encrypted(entry) == 0 else {
                throw UnpackingError(.encrypted, at: place)
            }
            // Only files: links and folders have nothing to read.
            guard unsafe isGzip || archive_entry_filetype(entry) == 0o100_000 else { continue }
            // What says itself that it is too large is not even begun; what lies is found while it is read.
            let declared = unsafe isGzip ? Self.gzipSize(of: file.path) : Int(archive_entry_size(entry))
            guard declared <= budget else { throw bomb(at: place) }
            let inner = unsafe isGzip ? Self.innerName(of: file.name) : Self.name(of: entry)
            let path = folder.newPath()
            try unsafe write(archive, to: path, &budget, place)
            files.append(UnpackedFile(name: "\(file.name)/\(inner)", path: path))
        }
    }

    private func write(
        _ archive: OpaquePointer?, to path: String, _ budget: inout Int, _ place: Place
    ) throws(UnpackingError) {
        guard
            FileManager.default.createFile(
                atPath: path, contents: nil, attributes: [.posixPermissions: 0o600]),
            let output = FileHandle(forWritingAtPath: path)
        else { throw UnpackingError(.noSpace, at: place) }
        defer { try? output.close() }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe archive_read_data(archive, &buffer, buffer.count)
            if count == 0 { return }
            guard count > 0 else {
                throw unsafe UnpackingError(.damaged, ["detail": Self.words(archive)], at: place)
            }
            budget -= count
            guard budget >= 0 else { throw bomb(at: place) }
            do {
                try output.write(contentsOf: buffer[..<count])
            } catch {
                throw UnpackingError(.noSpace, SystemFault.facts(error), at: place)
            }
        }
    }

    private func bomb(at place: Place) -> UnpackingError {
        UnpackingError(
            .bomb, ["ratio": String(limits.ratio), "total": String(limits.total >> 20)], at: place)
    }

    /// The size that the end of a gzip file names, of its last member (RFC 1952, ISIZE); 0 where it cannot be read.
    private static func gzipSize(of path: String) -> Int {
        guard let file = FileHandle(forReadingAtPath: path) else { return 0 }
        defer { try? file.close() }
        guard let end = try? file.seekToEnd(), end >= 18, (try? file.seek(toOffset: end - 4)) != nil,
            let bytes = try? file.readToEnd(), bytes.count == 4
        else { return 0 }
        return bytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    /// The last part of an entry's name, without control characters; only ever shown.
    private static func name(of entry: OpaquePointer?) -> String {
        let raw =
            unsafe archive_entry_pathname_utf8(entry).map { unsafe String(cString: $0) }
            ?? archive_entry_pathname(entry).map { unsafe String(cString: $0) } ?? "?"
        let last = raw.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? "?"
        return String(
            last.unicodeScalars.filter { !$0.properties.isDefaultIgnorableCodePoint && $0.value >= 32 }
                .prefix(200).map(Character.init))
    }

    private static func innerName(of name: String) -> String {
        let last = String(name.split(separator: "/").last ?? "?")
        return last.lowercased().hasSuffix(".gz") ? String(last.dropLast(3)) : last
    }

    private static func words(_ archive: OpaquePointer?) -> String {
        unsafe archive_error_string(archive).map { unsafe String(cString: $0) } ?? ""
    }
}

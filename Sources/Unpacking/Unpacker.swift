// SPDX-License-Identifier: Apache-2.0
// Files that hold other files: ZIP and gzip, one level, and PDFs with XML attached.

internal import Diagnostics
internal import FileTransfer
internal import Foundation
internal import Glibc

/// What a file and what it holds may cost at most.
package struct UnpackingLimits: Sendable, Hashable {
    /// Bytes taken out of one file, all together.
    package var total = 2 << 30
    /// Unpacked bytes for each packed one.
    package var ratio = 100
    /// Files in an archive.
    package var entries = 10_000
    /// Attachments of a PDF.
    package var attachments = 32
    /// Bytes of one attachment.
    package var attachment = 64 << 20

    /// The usual limits.
    package init() {}
}

/// A file to be read: one that was given, or one that was taken out of it.
package struct UnpackedFile: Sendable, Hashable {
    /// The given path, with the inner name behind it (`lot.zip/facture.xml`).
    package let name: String
    /// Where its bytes are.
    package let path: String

    /// A file shown under a name.
    package init(name: String, path: String) {
        self.name = name
        self.path = path
    }
}

/// Takes files out of files.
package struct Unpacker: Sendable {
    private let limits: UnpackingLimits

    /// An unpacker with these limits.
    package init(limits: UnpackingLimits = UnpackingLimits()) {
        self.limits = limits
    }

    /// What a file starts like.
    enum Kind {
        case plain, zip, gzip, pdf

        init(_ head: [UInt8]) {
            if head.starts(with: [0x50, 0x4B, 0x03, 0x04]) || head.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
                self = .zip
            } else if head.starts(with: [0x1F, 0x8B]) {
                self = .gzip
            } else if head.starts(with: Array("%PDF-".utf8)) {
                self = .pdf
            } else {
                self = .plain
            }
        }
    }

    /// Hands over the files to be read: the file itself, or what is in it. They are gone when `body` returns.
    ///
    /// Names inside archives are only shown, never used as paths.
    /// - Throws: ``FileError`` for the file itself, ``UnpackingError`` for what is in it, and what `body` throws.
    package func withFiles<Value>(
        of path: String, _ body: ([UnpackedFile]) async throws -> Value
    ) async throws -> Value {
        let kind = try Self.kind(of: path)
        guard kind != .plain else { return try await body([UnpackedFile(name: path, path: path)]) }
        let folder = try WorkFolder()
        var files = try await unpack(UnpackedFile(name: path, path: path), kind, into: folder)
        var index = 0
        while index < files.count {
            // A PDF in an archive is opened, an archive in an archive is not.
            let inner = try Self.kind(of: files[index].path)
            switch inner {
            case .plain: index += 1
            case .pdf where kind != .pdf:
                let attached = try await unpack(files[index], .pdf, into: folder)
                files.replaceSubrange(index...index, with: attached)
                index += attached.count
            default: throw UnpackingError(.nested, ["name": files[index].name], at: Place(file: path))
            }
        }
        guard !files.isEmpty else { throw UnpackingError(.empty, at: Place(file: path)) }
        defer { withExtendedLifetime(folder) {} }
        return try await body(files)
    }

    private static func kind(of path: String) throws(FileError) -> Kind {
        let file = try LocalFile(path, limit: .max)
        return Kind(try file.read(upTo: 8))
    }

    private func unpack(
        _ file: UnpackedFile, _ kind: Kind, into folder: WorkFolder
    ) async throws -> [UnpackedFile] {
        switch kind {
        case .zip, .gzip: try ArchiveReader(limits).unpack(file, isGzip: kind == .gzip, into: folder)
        case .pdf: try await PDFAttachments(limits).detach(from: file, into: folder)
        case .plain: [file]
        }
    }
}

/// A folder of generated names that goes when nobody holds it any more.
final class WorkFolder: Sendable {
    let url: URL

    init() throws(UnpackingError) {
        Self.removeAbandoned()
        url = FileManager.default.temporaryDirectory.appending(
            path: "\(Self.prefix)\(getpid())-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
        } catch {
            throw UnpackingError(.noSpace, SystemFault.facts(error))
        }
    }

    deinit {
        try? FileManager.default.removeItem(at: url)
    }

    private static let prefix = "relais-unpack-"

    /// Removes the folders of processes that were killed: their number is in the name.
    private static func removeAbandoned() {
        let folder = FileManager.default.temporaryDirectory
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [] {
            guard name.hasPrefix(prefix),
                let process = name.dropFirst(prefix.count).split(separator: "-").first.flatMap({ pid_t($0) }),
                process > 0, kill(process, 0) == -1, errno == ESRCH
            else { continue }
            try? FileManager.default.removeItem(at: folder.appending(path: name))
        }
    }

    /// A path that nothing is at yet.
    func newPath() -> String { url.appending(path: UUID().uuidString).path }
}

// SPDX-License-Identifier: Apache-2.0
// Mappings as people change them: a file of one's own, every version of it kept, nobody's work overwritten.

internal import CRM
internal import Crypto
internal import Diagnostics
internal import FileTransfer
package import Foundation
package import Mapping
package import PostgreSQL

/// A mapping as it is used now.
package struct StoredMapping: Sendable {
    /// The mapping, as it was last understood.
    package let mapping: MappingFile
    /// The text of its file: perhaps somebody broke it since.
    package let text: String
    /// The file.
    package let file: URL
    /// Whether it is one's own rather than shipped with Relais.
    package let isOwn: Bool

    /// What a form says that it began from.
    package var digest: String { StoredMapping.digest(of: text) }

    static func digest(of text: String) -> String {
        SHA256.hash(data: Data(text.utf8)).prefix(16).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

/// A text that was kept.
package struct SavedMapping: Sendable {
    /// Its version.
    package let version: Int
    /// Number of the version that it took the place of, by which that is brought back.
    package let former: Int
    /// Whether Relais works with it already; it does not while another file has a fault.
    package let isInUse: Bool
}

/// Keeps mappings in the folder of one's own.
package struct MappingStore: Sendable {
    /// How a mapping may be saved.
    package enum Outcome: Sendable {
        /// It was.
        case saved(SavedMapping)
        /// Nothing differs but the version.
        case unchanged
        /// Somebody else saved meanwhile; nothing was written.
        case overtaken(by: StoredMapping)
    }

    /// Bytes of a mapping, at most.
    package static let limit = 256 << 10

    private let pool: Pool
    private let shelf: MappingShelf

    /// A store beside the mappings that Relais works with.
    package init(pool: Pool, shelf: MappingShelf) {
        (self.pool, self.shelf) = (pool, shelf)
    }

    /// Whether anything can be saved on this machine.
    package var canSave: Bool { shelf.folder != nil }

    /// A mapping by its name; nil where there is none.
    package func show(_ name: String) throws -> StoredMapping? {
        let library = try shelf.library()
        guard let mapping = library.find(name), let file = library.files[name] else { return nil }
        let data = try LocalFile(file.path, limit: 1 << 20)
        let text = String(decoding: try data.read(upTo: 1 << 20), as: UTF8.self)
        return StoredMapping(mapping: mapping, text: text, file: file, isOwn: shelf.isOwn(file))
    }

    /// The version that the next text of a mapping gets.
    package func nextVersion(of name: String) async throws -> Int {
        let known = try shelf.library().find(name)?.version ?? 0
        let kept = try await pool.withConnection { try await $0.run(LastMappingVersion(name: name)).first }
        return max(known, (kept ?? nil) ?? 0) + 1
    }

    /// Keeps a text as the next version of a mapping, and works with it from then on.
    ///
    /// - Parameters:
    ///   - digest: of the text that the person began from.
    ///   - user: number of the person.
    /// - Throws: ``MappingFaults`` with what is wrong with the text; `MAP-SAVE-…`, `FILE-…` where it cannot be
    ///   written. Nothing is changed then.
    package func save(
        _ text: String, as name: String, from digest: String, by user: Int
    ) async throws -> Outcome {
        guard text.utf8.count <= Self.limit else {
            throw MappingError(.saveLength, ["limit": String(Self.limit >> 10)])
        }
        let draft = MappingText(text.hasSuffix("\n") ? text : text + "\n")
        let parsed = try MappingFile.parse(draft.text, file: name + ".yaml")
        guard parsed.name == name else {
            throw MappingFaults(faults: [
                MappingError(.saveName, ["name": name, "found": parsed.name]).diagnostic
            ])
        }
        let outcome = try await pool.transaction { [draft] connection in
            var draft = draft
            _ = try await connection.run(LockMapping(name: name))
            guard let current = try show(name) else { throw MappingError(.mappingUnknown, ["name": name]) }
            guard current.digest == digest else { return Outcome.overtaken(by: current) }
            let kept = try await connection.run(LastMappingVersion(name: name)).first
            let version = max(current.mapping.version, (kept ?? nil) ?? 0) + 1
            if Self.isSame(draft, as: current) { return .unchanged }
            try draft.setVersion(version)
            let former = try await connection.run(
                MappingVersionID(name: name, version: current.mapping.version, text: current.text)
            ).first
            let made = try await connection.run(
                MappingVersionID(name: name, version: version, text: draft.text)
            ).first
            try await Audit.write("mapping.saved", by: user, of: "mapping", made, on: connection)
            // Last, so that nothing is written where the database refuses; the version then stands in its text.
            try write(draft.text, to: try place(of: current))
            return .saved(SavedMapping(version: version, former: former ?? 0, isInUse: true))
        }
        guard case .saved(let saved) = outcome else { return outcome }
        let isInUse = (try? shelf.library().find(name)?.version) == saved.version
        return .saved(SavedMapping(version: saved.version, former: saved.former, isInUse: isInUse))
    }

    /// Whether a text differs from the current one in its version only.
    private static func isSame(_ draft: MappingText, as current: StoredMapping) -> Bool {
        var (left, right) = (draft, MappingText(current.text))
        do {
            try left.setVersion(0)
            try right.setVersion(0)
        } catch {
            return false
        }
        return left == right
    }

    /// The file that is written: the mapping's own one, or a new one that takes the shipped one's place.
    private func place(of current: StoredMapping) throws(MappingError) -> URL {
        guard let folder = shelf.folder else { throw MappingError(.saveFolder) }
        if current.isOwn { return current.file }
        let file = folder.appending(path: current.mapping.name + ".yaml")
        guard !FileManager.default.fileExists(atPath: file.path) else {
            throw MappingError(.saveTaken, ["file": file.lastPathComponent])
        }
        return file
    }

    private func write(_ text: String, to file: URL) throws {
        let folder = file.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw FileError(.unwritable, at: Place(file: folder.path))
        }
        var target = try DurableFile(in: folder.path)
        try target.write(Array(text.utf8))
        try target.finish(as: file.lastPathComponent)
    }
}

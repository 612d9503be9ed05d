// SPDX-License-Identifier: Apache-2.0
// Files that arrive in a folder.

internal import ConnectorKit
internal import FileTransfer
internal import Foundation

/// The files of a folder that are ready.
///
/// A file that will be moved or deleted is taken out of the sight of others first; what a run that died had taken comes
/// first in the next. Of files that are kept, the cursor remembers which have been read.
struct ArrivingFiles: FileSource {
    /// What becomes of a file that was applied.
    enum Afterwards: String, Sendable {
        case move, delete, keep
    }

    let folder: HotFolder
    let afterwards: Afterwards

    func items() async throws -> [ConnectorItem] {
        let listing = try await folder.list()
        return folder.leftovers().map { ConnectorItem(path: $0.path, name: $0.name) }
            + listing.ready.map { item($0) } + listing.problems.map { .problem($0) }
    }

    private func item(_ file: HotFolder.Fingerprint) -> ConnectorItem {
        ConnectorItem(path: "\(folder.path)/\(file.name)")
    }

    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws {
        if afterwards != .keep {
            for claim in folder.leftovers() { try await hand(claim, to: deliver) }
        }
        let listing = try await folder.list()
        if afterwards == .keep {
            try await readKept(listing.ready, after: cursor, deliver)
        } else {
            for file in listing.ready {
                guard let claim = try folder.claim(file) else { continue }
                try await hand(claim, to: deliver)
            }
        }
        for problem in listing.problems { _ = try await deliver(.problem(problem)) }
    }

    private func hand(
        _ claim: HotFolder.Claim, to deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        let item = ConnectorItem(path: claim.path, name: claim.name)
        let delivery = try await deliver(item)
        if case .problem(let reason) = item { return try folder.refuse(claim, reason) }
        switch delivery {
        case .refused(let reason): try folder.refuse(claim, reason)
        case .accepted: try afterwards == .delete ? folder.delete(claim) : folder.keep(claim)
        }
    }

    private func readKept(
        _ files: [HotFolder.Fingerprint], after cursor: Cursor?,
        _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        let decoder = JSONDecoder()
        var read =
            cursor.flatMap { try? decoder.decode(Set<HotFolder.Fingerprint>.self, from: Data($0.text.utf8)) }
            ?? []
        // What is gone need not be remembered.
        read.formIntersection(files)
        for file in files where !read.contains(file) {
            _ = try await deliver(item(file))
            read.insert(file)
            let encoder = JSONEncoder()
            encoder.outputFormatting = .sortedKeys
            let text = String(decoding: try encoder.encode(read.sorted { $0.name < $1.name }), as: UTF8.self)
            _ = try await deliver(.cursor(Cursor(text)))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
// Files that arrive in a folder of this machine.

internal import ConnectorKit
internal import FileTransfer

/// The files of a folder that are ready.
///
/// A file that will be moved or deleted is taken out of the sight of others first; what a run that died had taken comes
/// first in the next. Of files that are kept, the cursor remembers which have been read.
struct ArrivingFiles: FileSource {
    let folder: HotFolder
    let afterwards: Afterwards

    func items(limit: Int) async throws -> [ConnectorItem] {
        let listing = try await folder.list()
        let items =
            folder.leftovers().map { item($0) }
            + listing.ready.map { item($0) } + listing.problems.map { .problem($0) }
        return Array(items.prefix(limit))
    }

    private func item(_ file: HotFolder.Fingerprint) -> ConnectorItem {
        ConnectorItem(path: "\(folder.path)/\(file.name)")
    }

    private func item(_ claim: HotFolder.Claim) -> ConnectorItem {
        ConnectorItem(path: claim.path, name: claim.name, from: "\(folder.path)/\(claim.name)")
    }

    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws {
        var memory = SourceMemory<HotFolder.Fingerprint>(cursor)
        if afterwards != .keep {
            for claim in folder.leftovers() { try await hand(claim, to: deliver) }
        }
        let listing = try await folder.list()
        // What is gone need not be remembered.
        memory.read.formIntersection(listing.ready + listing.unfinished)
        try await hand(listing.ready, &memory, deliver)
        let late = listing.unfinished.filter { !memory.read.contains($0) }
        try await hand(try await folder.wait(for: late), &memory, deliver)
        try await memory.tell(listing.problems, deliver)
    }

    private func hand(
        _ files: [HotFolder.Fingerprint], _ memory: inout SourceMemory<HotFolder.Fingerprint>,
        _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        for file in files where !memory.read.contains(file) {
            if afterwards == .keep {
                let item = item(file)
                let delivery = try await deliver(item)
                if case .artifact = item, let trouble = delivery.trouble { throw FileError(trouble) }
                memory.read.insert(file)
                _ = try await deliver(.cursor(memory.cursor()))
            } else if let claim = try folder.claim(file) {
                try await hand(claim, to: deliver)
            }
        }
    }

    private func hand(
        _ claim: HotFolder.Claim, to deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        let item = item(claim)
        let delivery = try await deliver(item)
        if case .problem(let reason) = item { return try folder.refuse(claim, reason) }
        // It stays aside, and comes first in the next run.
        if let trouble = delivery.trouble { throw FileError(trouble) }
        switch delivery {
        case .refused(let reason): try folder.refuse(claim, reason)
        case .accepted: try afterwards == .delete ? folder.delete(claim) : folder.keep(claim)
        }
    }
}

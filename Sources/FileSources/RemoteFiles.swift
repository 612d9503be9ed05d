// SPDX-License-Identifier: Apache-2.0
// Files in a folder of another machine.

internal import ConnectorKit
internal import Diagnostics
internal import FileTransfer
internal import Foundation

/// The files of a remote folder that are ready: of the same size and time at two looks.
///
/// Each is fetched into a folder of its own, delivered, and only then moved or deleted there. Of files that stay, the
/// cursor remembers which have been read.
struct RemoteFiles: FileSource {
    let folder: any RemoteFolder
    let afterwards: Afterwards
    let stillness: Duration

    /// The most that one file may have, in bytes: what the hub reads.
    private static let limit = 2 << 30

    /// Whether a finding is about one file and may be over at the next look: it is told of, left alone and tried again.
    ///
    /// An answer that is not worth a try soon is of this kind: a web server says 423 of a file that is being edited.
    private static func mayPass(_ problem: Diagnostic) -> Bool {
        switch problem.code {
        case "TRANSFER-LENGTH", "TRANSFER-MISSING", "TRANSFER-FORBIDDEN", "TRANSFER-PAGE": true
        case "TRANSFER-ANSWER": problem.retry == .never
        default: false
        }
    }

    func items(limit: Int) async throws -> [ConnectorItem] {
        let listing = try await folder.list()
        var items: [ConnectorItem] = []
        // A sample's files must outlive this call; the system's temporary folder is cleaned by the system.
        let spool = try SpoolFolder.make()
        for file in listing.files.prefix(limit) {
            items.append(await item(file, in: spool))
        }
        return items + listing.problems.prefix(limit - items.count).map { .problem($0) }
    }

    func read(after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery) async throws {
        var memory = SourceMemory<RemoteFile>(cursor)
        var listing = try await folder.list()
        // A file without a stamp never counts as read.
        memory.read = memory.read.intersection(listing.files).filter { !$0.stamp.isEmpty }
        var fresh = listing.files.filter { !memory.read.contains($0) }
        if !fresh.isEmpty, folder.isWritable, stillness > .zero {
            try await Task.sleep(for: stillness)
            listing = try await folder.list()
            fresh = fresh.filter(Set(listing.files).contains)
        }
        let spool = try SpoolFolder.make()
        defer { try? FileManager.default.removeItem(atPath: spool) }
        var problems = listing.problems
        for file in fresh {
            if let trouble = try await hand(file, spool, deliver, &memory) { problems.append(trouble) }
        }
        try await memory.tell(problems, deliver)
    }

    /// - Returns: why a file that was read could not be put away; it counts as read all the same.
    private func hand(
        _ file: RemoteFile, _ spool: String, _ deliver: (ConnectorItem) async throws -> Delivery,
        _ memory: inout SourceMemory<RemoteFile>
    ) async throws -> Diagnostic? {
        let item = try await fetched(file, in: spool)
        if case .problem(let problem) = item, Self.mayPass(problem) { return problem }
        defer { if case .artifact(_, let path) = item { try? FileManager.default.removeItem(atPath: path) } }
        let delivery = try await deliver(item)
        if let trouble = delivery.trouble { throw TransferError(trouble) }
        do {
            if try await putAway(file, delivery, item) { return nil }
        } catch {
            // The next attempt finds the bytes known, writes nothing, and puts the file away.
            guard error.diagnostic.retry == .never, !error.has(.cancelled) else { throw error }
            memory.read.insert(file)
            _ = try await deliver(.cursor(memory.cursor()))
            return error.inFile(folder.shown + file.name).diagnostic
        }
        memory.read.insert(file)
        _ = try await deliver(.cursor(memory.cursor()))
        return nil
    }

    /// What is wrong with one file is told of this file; what is wrong with a machine, also ours, ends the reading, and
    /// the file is neither put away nor counted as read.
    private func fetched(_ file: RemoteFile, in spool: String) async throws -> ConnectorItem {
        let item = await item(file, in: spool)
        guard case .problem(let problem) = item else { return item }
        let isOfFile =
            problem.code.hasPrefix("FILE-") || problem.code == "TRANSFER-TOO-LARGE"
            || Self.mayPass(problem)
        guard isOfFile else { throw TransferError(problem) }
        return item
    }

    private func item(_ file: RemoteFile, in spool: String) async -> ConnectorItem {
        let name = UUID().uuidString
        do {
            try await folder.fetch(file, into: spool, as: name, limit: Self.limit)
            return ConnectorItem(
                path: "\(spool)/\(name)", name: file.name, from: folder.shown + file.name)
        } catch {
            return .problem(error.diagnostic)
        }
    }

    /// - Returns: whether the file is no longer where it was.
    private func putAway(
        _ file: RemoteFile, _ delivery: Delivery, _ item: ConnectorItem
    ) async throws(TransferError) -> Bool {
        guard afterwards != .keep, folder.isWritable else { return false }
        if case .problem = item {
            try await folder.move(file, to: "quarantine")
        } else if case .refused = delivery {
            try await folder.move(file, to: "quarantine")
        } else if afterwards == .delete {
            try await folder.delete(file)
        } else {
            try await folder.move(file, to: "done")
        }
        return true
    }
}

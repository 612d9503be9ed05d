// SPDX-License-Identifier: Apache-2.0
// The connector of files that programs hand over by HTTP: the hub's own, since what it reads is in the hub's keeping.

internal import BlobStore
package import ConnectorKit
package import Diagnostics
internal import FileTransfer
internal import Foundation
internal import PostgreSQL

/// Reads what ``Uploads`` has kept for a flow. The cursor is the number of the last upload read.
package struct UploadedFiles: Connector {
    /// Whoever hands files over shows it as `Authorization: Bearer …`.
    static let token = SettingDescription(
        "token", .text, required: true, secret: true,
        fr: "Jeton que le programme qui dépose montre (Authorization: Bearer), par le nom de son secret.",
        en:
            "Token that the program handing files over shows (Authorization: Bearer), by the name of its secret."
    )

    package static let description = ConnectorDescription(
        id: "upload", version: 1, settings: [token], mappings: [])

    /// Where the files of a flow are.
    struct Inbox {
        let flow: Int
        let pool: Pool
        let blobs: BlobStore
    }

    private let inbox: Inbox?

    /// A connector that belongs to no flow yet: it has nothing to read.
    package init(_ settings: Settings) { inbox = nil }

    init(_ inbox: Inbox) { self.inbox = inbox }

    package static func check(_ settings: Settings) -> [Diagnostic] { settings.findings(for: description) }

    package func discover() -> [StreamDescription] { [StreamDescription(name: "files")] }

    package func sample(_ stream: String, limit: Int) -> [ConnectorItem] { [] }

    package func read(
        _ stream: String, after cursor: Cursor?, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        guard let inbox else { return }
        var last = cursor.flatMap { Int($0.text) } ?? 0
        while true {
            let after = last
            let waiting = try await inbox.pool.withConnection {
                try await $0.run(WaitingUploads(flow: inbox.flow, after: after))
            }
            guard !waiting.isEmpty else { return }
            for upload in waiting {
                try await hand(upload, inbox, deliver)
                last = upload.id
                _ = try await deliver(.cursor(Cursor(String(last))))
            }
        }
    }

    private func hand(
        _ upload: WaitingUploads.Row, _ inbox: Inbox, _ deliver: (ConnectorItem) async throws -> Delivery
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "relais-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        do {
            try await inbox.pool.withConnection { connection in
                try await inbox.blobs.copy(
                    0..<upload.size, of: upload.sha256, to: folder.path, as: "file", on: connection)
            }
        } catch let error as BlobError where error.has(.gone) {
            // One lost file must not keep those behind it for ever.
            _ = try await deliver(.problem(error.inFile(upload.name).diagnostic))
            return
        }
        _ = try await deliver(.artifact(name: upload.name, path: folder.appending(path: "file").path))
    }
}

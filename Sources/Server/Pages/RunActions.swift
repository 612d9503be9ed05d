// SPDX-License-Identifier: Apache-2.0
// What people do with a run and its files: stop it, go on with it, take back the bytes that were handed over.

internal import BlobStore
internal import CRM
internal import Diagnostics
internal import Hub
internal import Hummingbird
internal import NIOCore
internal import PostgreSQL
internal import Words

/// The actions of runs.
struct RunActions: Sendable {
    let site: Site
    let files: FileImports
    let trusts: TrustChanges
    let blobs: BlobStore

    func add(to router: Router<WebContext>) {
        router.form("runs/:id/stop") { _, request, context in
            let user = try context.operating()
            let id = try context.number()
            let saying = try site.saying(request, context)
            let isAsked = try await site.pool.withConnection { connection in
                guard try await Runs.show(id, on: connection) != nil else { throw ServerError(.notFound) }
                let isAsked = try await RunStop.ask(id, by: user.id, on: connection)
                if isAsked {
                    try await Audit.write("run.stopped", by: user.id, of: "run", id, on: connection)
                }
                return isAsked
            }
            let facts = ["run": String(id)]
            return site.see(
                "/runs/\(id)",
                Told(
                    text: isAsked
                        ? saying.words("page.run.stopping", facts)
                        : saying.words("page.run.stopTooLate", facts)))
        }
        router.form("runs/:id/resume") { _, request, context in
            let id = try context.number()
            let kind = try await site.pool.withConnection { try await Runs.show(id, on: $0) }?.kind
            guard kind != "trust" else { return try await decideOn(id, request, context) }
            let user = try context.handling()
            // Pressed twice: the run says what became of it.
            guard let file = try await files.resume(id, by: user.id) else { return site.see("/runs/\(id)") }
            try await site.pool.withConnection { connection in
                try await Audit.write("run.resumed", by: user.id, of: "run", id, on: connection)
            }
            let saying = try site.saying(request, context)
            let run = try await files.begun(file)
            return site.see(
                run.map { "/runs/\($0)" } ?? "/previews/\(file)", Told(text: saying.words("page.run.resumed"))
            )
        }
        router.get("runs/:id/files/:file") { request, context in
            // A file shows clients whoever they belong to.
            let user = try context.handling()
            _ = try context.operating()
            let (run, id) = (try context.number(), try context.number("file"))
            let file = try await site.pool.withConnection { connection in
                try await Runs.artifact(id, of: run, on: connection)
            }
            guard let file else { throw ServerError(.notFound) }
            let part = try KeptPart(file, isSecond: request.query("part") == "2")
            let answer = try await download(part)
            try await site.pool.withConnection { connection in
                try await Audit.write("run.file", by: user.id, of: "run", run, on: connection)
            }
            return answer
        }
    }

    /// Goes on with a run that decides kept values again.
    private func decideOn(_ id: Int, _ request: Request, _ context: WebContext) async throws -> Response {
        let user = try context.administering()
        // Pressed twice: the run says what became of it.
        guard try await trusts.resume(id) else { return site.see("/runs/\(id)") }
        try await site.pool.withConnection { connection in
            try await Audit.write("run.resumed", by: user.id, of: "run", id, on: connection)
        }
        let saying = try site.saying(request, context)
        return site.see("/runs/\(id)", Told(text: saying.words("page.run.resumed")))
    }

    /// The kept bytes, a piece at a time; nobody's connection waits for a slow browser.
    ///
    /// - Throws: `BLOB-GONE` when the first of them are no longer there.
    private func download(_ part: KeptPart) async throws -> Response {
        let first = try await bytes(part, from: part.range.lowerBound)
        let body = ResponseBody(contentLength: part.range.count) { writer in
            var start = part.range.lowerBound
            var piece = first
            while !piece.isEmpty {
                try await writer.write(ByteBuffer(bytes: piece))
                start += piece.count
                piece = start < part.range.upperBound ? try await bytes(part, from: start) : []
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/octet-stream", .cacheControl: "no-store",
                .contentDisposition: ContentDisposition.attachment(part.name),
            ], body: body)
    }

    private func bytes(_ part: KeptPart, from start: Int) async throws -> [UInt8] {
        let range = start..<min(start + BlobStore.pieceSize, part.range.upperBound)
        let bytes = try await site.pool.withConnection { connection in
            try await blobs.bytes(range, of: part.sha256, on: connection)
        }
        guard bytes.count == range.count else { throw BlobError(.gone).inFile(part.name) }
        return bytes
    }
}

/// A file of a run in the blob that keeps it; two files that were read together are one blob.
struct KeptPart: Sendable {
    let name: String
    let sha256: [UInt8]
    let range: Range<Int>

    /// - Throws: `HTTP-NOT-FOUND` for the second of one.
    init(_ file: RunArtifact, isSecond: Bool) throws {
        let last = String(file.name.split(separator: "/").last ?? Substring(file.name))
        sha256 = file.sha256
        guard isSecond else {
            name = last
            range = 0..<(file.firstSize ?? file.size)
            return
        }
        guard let firstSize = file.firstSize else { throw ServerError(.notFound) }
        name = "2-" + last
        range = firstSize..<file.size
    }
}

// SPDX-License-Identifier: Apache-2.0
// `POST /api/flows/{flow}/files?name=…`: a file for a flow, idempotent by its bytes.

internal import Bytes
internal import Diagnostics
internal import FileTransfer
internal import Hub
internal import Hummingbird

/// Takes files from programs that show the flow's token.
struct UploadRoute: Sendable {
    let uploads: Uploads
    /// Where files wait while they are received.
    let spool: Spool

    private struct Answer: Encodable {
        let sha256: String
        let size: Int
        /// `accepted`, or `known` when the same bytes came before.
        let state: String
        let upload: Int
        let job: Int?
    }

    func add(to router: Router<WebContext>) {
        router.post("api/flows/:flow/files") { request, context in
            let flow = try context.parameters.require("flow")
            let target = try await uploads.admit(
                request.uri.queryParameters["name"].map(String.init), for: flow, token: request.bearerToken)
            return try await spool.receive(request, from: flow) { file in
                for try await buffer in request.body {
                    try await file.append(Array(buffer.readableBytesView))
                }
                let received = try await file.finish()
                do {
                    let receipt = try await uploads.keep(received, for: target)
                    await file.drop(received)
                    return try Self.answer(received, receipt)
                } catch {
                    await file.drop(received)
                    throw error
                }
            }
        }
    }

    private static func answer(
        _ file: IncomingFile.Received, _ receipt: Uploads.Receipt
    ) throws -> Response {
        let answer = Answer(
            sha256: file.sha256.hexadecimal, size: file.size,
            state: receipt.isKnown ? "known" : "accepted", upload: receipt.upload, job: receipt.job)
        return try .json(answer, status: receipt.isKnown ? .ok : .accepted)
    }
}

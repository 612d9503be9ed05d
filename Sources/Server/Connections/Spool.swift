// SPDX-License-Identifier: Apache-2.0
// Where files wait while they are received, and how many and how large they may be.

internal import Diagnostics
internal import FileTransfer
internal import HTTPTypes
internal import Hummingbird

/// The folder that files are received in. What it may take of the disk is bounded: so many files at once, of so many
/// bytes.
struct Spool: Sendable {
    let folder: String
    /// Bytes of a file.
    let limit: Int
    private let slots = Slots(total: 16, each: 4)

    /// Bytes that a form may have around its file.
    private static let around = 64 << 10

    init(folder: String, limit: Int) {
        (self.folder, self.limit) = (folder, limit)
    }

    /// Takes in one file, unless its sender says that it is too large; nothing of it was read yet.
    ///
    /// - Parameter asker: who sends it.
    /// - Throws: `UPLOAD-TOO-LARGE`, `HTTP-BUSY`, and whatever `body` throws.
    func receive<Value>(
        _ request: Request, from asker: String, _ body: (IncomingFile) async throws -> Value
    ) async throws -> Value {
        if let size = request.headers[.contentLength].flatMap({ Int($0) }), size > limit + Self.around {
            throw ServerError(.tooLarge, ["sizeBytes": String(size), "limitBytes": String(limit)])
        }
        let slot = try slots.take(for: asker)
        defer { slot.hold() }
        return try await body(IncomingFile(in: folder, limit: limit))
    }

    /// Counts what a body brings, of which the file is a part.
    ///
    /// - Throws: `FILE-TOO-LARGE` for more than the largest file can have around it.
    func count(_ more: Int, in sum: inout Int) throws(FileError) {
        sum += more
        guard sum > limit + Self.around else { return }
        throw FileError(.tooLarge, ["limitBytes": String(limit), "size": String(sum)])
    }
}

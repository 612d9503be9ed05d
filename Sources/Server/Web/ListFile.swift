// SPDX-License-Identifier: Apache-2.0
// A list as a file for spreadsheets, sent as it is read.

internal import CRM
internal import Diagnostics
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import PostgreSQL

extension Site {
    /// A list as a CSV file with semicolons, a piece at a time; no connection to the database waits for a slow browser.
    ///
    /// What goes wrong before the first piece is answered like anything else. Later it ends the connection in the middle
    /// of the file, which is how a browser learns that it has not all of it.
    /// - Parameters:
    ///   - action: what the audit says of it.
    ///   - header: the names of the columns.
    ///   - piece: the rows behind a place, and where they end; nil behind the last.
    /// - Throws: `HTTP-BUSY`, and whatever the first piece throws.
    func file<Place: Sendable>(
        _ name: String, _ action: String, header: [String], for user: AppUser, _ context: WebContext,
        piece: @escaping @Sendable (Place?, Connection) async throws -> (bytes: [UInt8], last: Place)?
    ) async throws -> Response {
        let slot = try exports.take(for: String(user.id))
        let first = try await pool.withConnection { connection in
            try await Audit.write(action, by: user.id, on: connection)
            return try await piece(nil, connection)
        }
        let body = ResponseBody { writer in
            defer { slot.hold() }
            try await writer.write(ByteBuffer(string: header.joined(separator: ";") + "\n"))
            var next = first
            while let (bytes, last) = next {
                try await writer.write(ByteBuffer(bytes: bytes))
                do {
                    next = try await pool.withConnection { try await piece(last, $0) }
                } catch let error as any ReportableError {
                    context.logger.warning(
                        "list was cut off", metadata: ["code": .string(error.diagnostic.code)])
                    throw error
                }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8", .cacheControl: "no-store",
                .contentDisposition: ContentDisposition.attachment(name),
            ], body: body)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Answers about many things at once, written page by page as they are read.

internal import CRM
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore
internal import XML

/// Writes answers.
enum DAVAnswer {
    static let declaration = #"<?xml version="1.0" encoding="utf-8"?>"# + "\n"
    static let contentType = "application/xml; charset=utf-8"

    private static let begin = declaration + "<D:multistatus\(DAVNamespace.declarations)>"
    private static let end = "</D:multistatus>"

    /// A part of an answer, and where the next one begins.
    struct Part<Place: Sendable>: Sendable {
        var writer = DAVWriter()
        /// nil behind the last part.
        var next: Place?
    }

    /// An answer in one part.
    static func multistatus(_ write: (inout DAVWriter) throws -> Void) rethrows -> Response {
        var writer = DAVWriter()
        writer.raw(begin)
        try write(&writer)
        writer.raw(end)
        return xml(writer, status: .multiStatus)
    }

    /// An answer in parts: sent whole where there is only one, else as they are made, so that memory holds one.
    ///
    /// - Parameter part: makes the part that begins at a place.
    static func multistatus<Place: Sendable>(
        from start: Place, _ part: @escaping @Sendable (Place) async throws -> Part<Place>
    ) async throws -> Response {
        let first = try await part(start)
        guard let next = first.next else { return multistatus { $0.append(first.writer) } }
        return Response(
            status: .multiStatus, headers: [.contentType: contentType],
            body: .init { writer in
                try await writer.write(ByteBuffer(bytes: Array(begin.utf8) + first.writer.bytes))
                var place: Place? = next
                while let begin = place {
                    let more = try await part(begin)
                    try await writer.write(ByteBuffer(bytes: more.writer.bytes))
                    place = more.next
                }
                try await writer.write(ByteBuffer(string: end))
                try await writer.finish(nil)
            })
    }

    static func xml(_ writer: DAVWriter, status: HTTPResponse.Status) -> Response {
        Response(
            status: status, headers: [.contentType: contentType],
            body: .init(byteBuffer: .init(bytes: writer.bytes)))
    }

    static func empty(_ status: HTTPResponse.Status, _ headers: HTTPFields = [:]) -> Response {
        Response(status: status, headers: headers, body: .init(byteBuffer: .init()))
    }
}

extension DAVWriter {
    /// Writes that something is not there, or is refused.
    mutating func response(_ href: String, _ status: HTTPResponse.Status, error: String? = nil) {
        element("D:response") { writer in
            writer.href(href)
            writer.element("D:status", text: status.line)
            if let error { writer.raw("<D:error>\(error)</D:error>") }
        }
    }

    /// Writes what became of properties, by status.
    mutating func propstat(_ status: HTTPResponse.Status, error: String = "", _ properties: DAVWriter) {
        element("D:propstat") { writer in
            writer.element("D:prop") { $0.append(properties) }
            writer.element("D:status", text: status.line)
            if !error.isEmpty { writer.raw("<D:error>\(error)</D:error>") }
        }
    }
}

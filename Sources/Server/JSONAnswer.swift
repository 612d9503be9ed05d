// SPDX-License-Identifier: Apache-2.0
// Answers in JSON: keys in order, one line.

internal import Foundation
internal import Hummingbird

/// Writes what programs read.
enum JSONAnswer {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}

extension Response {
    /// An answer that programs read.
    static func json(
        _ value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws -> Response {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        let text = try JSONAnswer.text(value)
        return Response(status: status, headers: headers, body: .init(byteBuffer: .init(string: text)))
    }
}

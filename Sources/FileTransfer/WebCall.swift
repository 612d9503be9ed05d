// SPDX-License-Identifier: Apache-2.0
// Asks a program of another house for a short answer over HTTP.

internal import Diagnostics
internal import Foundation

/// One question and its answer, within seconds. No redirect is followed: what is asked is meant for one address.
package enum WebCall {
    /// The most that an answer may have, in bytes.
    package static let limit = 256 << 10
    /// How long a question may take as a whole.
    private static let deadline = Duration.seconds(10)

    /// Reads an address.
    ///
    /// - Throws: `TRANSFER-…`; `TRANSFER-ANSWER` with the status in `detail`.
    package static func get(_ url: String, headers: [String] = []) async throws(TransferError) -> [UInt8] {
        var request = try request(url)
        request.method = "GET"
        request.headers = ["Accept: application/json"] + headers
        return try await perform(request)
    }

    /// Posts a form.
    ///
    /// - Throws: like ``get(_:headers:)``.
    package static func post(
        _ fields: [(name: String, value: String)], to url: String, headers: [String] = []
    ) async throws(TransferError) -> [UInt8] {
        var request = try request(url)
        request.method = "POST"
        let form = fields.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&")
        request.body = Array(form.utf8)
        request.headers =
            ["Accept: application/json", "Content-Type: application/x-www-form-urlencoded", "Expect:"]
            + headers
        return try await perform(request)
    }

    /// A value as forms send it.
    ///
    /// - Source: RFC 6749, appendix B; blanks are escaped as well, which every reader understands.
    package static func encoded(_ text: String) -> String {
        let plain = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    private static func request(_ url: String) throws(TransferError) -> CurlRequest {
        let address = try RemoteAddress(url)
        guard ["http", "https"].contains(address.scheme.protocolName) else {
            throw TransferError(
                .address, ["known": "https://, http://"], at: Place(value: address.shown))
        }
        // As it was written: an escaped character may mean something to whoever chose the address.
        var request = CurlRequest(url: url, scheme: address.scheme.protocolName)
        request.sink = .memory(limit: limit)
        request.deadline = deadline
        return request
    }

    private static func perform(_ request: CurlRequest) async throws(TransferError) -> [UInt8] {
        var access = TransferAccess()
        access.connecting = .seconds(5)
        let shown = try RemoteAddress(request.url).shown
        return try await CurlSession(access, address: shown).perform(request).bytes
    }
}

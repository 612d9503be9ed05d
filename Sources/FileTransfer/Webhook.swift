// SPDX-License-Identifier: Apache-2.0
// Tells another program something, so that it can know who said it and whether it has heard it before.

internal import Bytes
internal import Crypto
internal import Foundation

/// Posts JSON.
package enum Webhook {
    /// Posts a body; done when the program answers with a status of 200 to 299.
    ///
    /// - Parameters:
    ///   - key: signs the body: `X-Relais-Signature: sha256=` and its HMAC in hexadecimal; nil = not signed.
    ///   - idempotencyKey: the same for the same news.
    /// - Throws: `TRANSFER-…`.
    package static func post(
        _ body: [UInt8], to url: String, key: String?, idempotencyKey: String
    ) async throws(TransferError) {
        let address = try RemoteAddress(url)
        var request = CurlRequest(url: address.url, scheme: address.scheme.protocolName)
        request.method = "POST"
        request.body = body
        request.headers = ["Content-Type: application/json", "Idempotency-Key: \(idempotencyKey)", "Expect:"]
        if let key {
            let code = HMAC<SHA256>.authenticationCode(
                for: Data(body), using: SymmetricKey(data: Data(key.utf8)))
            request.headers.append("X-Relais-Signature: sha256=\(code.hexadecimal)")
        }
        _ = try await CurlSession(TransferAccess(), address: address.shown).perform(request)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Signs requests to S3 stores: libcurl 7.88 leaves the port out of the host it signs, and servers refuse that.

internal import Bytes
internal import Crypto
internal import Foundation

/// Signs requests with a secret key.
///
/// - Source: AWS Signature Version 4, "Authenticating Requests (Authorization header)" of the S3 API reference.
struct BucketSignature: Sendable {
    let keyID: String
    let secret: String
    let region: String

    /// What stands for the hash of a body: it is protected by TLS, and read only once.
    static let unsigned = "UNSIGNED-PAYLOAD"

    /// The headers that a request gets.
    ///
    /// - Parameters:
    ///   - url: with an encoded path, and parameters in the order of their names.
    ///   - headers: `x-amz-…` headers that the request has besides, in lower case.
    ///   - payload: SHA-256 of the body in hexadecimal, or ``unsigned``.
    func headers(
        _ method: String, _ url: String, _ headers: [String: String] = [:], payload: String = Self.unsigned,
        at date: Date
    ) -> [String] {
        let (host, path, query) = Self.parts(of: url)
        let time = Self.format("yyyyMMdd'T'HHmmss'Z'", date)
        var signed = headers
        signed["host"] = host
        signed["x-amz-content-sha256"] = payload
        signed["x-amz-date"] = time
        let names = signed.keys.sorted()
        let lines = names.map { "\($0):\(signed[$0] ?? "")\n" }.joined()
        let list = names.joined(separator: ";")
        let request = [method, path, query, lines, list, payload].joined(separator: "\n")
        let scope = "\(time.prefix(8))/\(region)/s3/aws4_request"
        let text = ["AWS4-HMAC-SHA256", time, scope, SHA256.hash(data: Data(request.utf8)).hexadecimal]
            .joined(separator: "\n")
        var key = SymmetricKey(data: Data("AWS4\(secret)".utf8))
        for part in [String(time.prefix(8)), region, "s3", "aws4_request"] {
            key = SymmetricKey(data: Self.code(part, key))
        }
        let credential = "Credential=\(keyID)/\(scope), SignedHeaders=\(list)"
        return names.filter { $0 != "host" }.map { "\($0): \(signed[$0] ?? "")" } + [
            "Authorization: AWS4-HMAC-SHA256 \(credential), Signature=\(Self.code(text, key).hexadecimal)"
        ]
    }

    private static func code(_ text: String, _ key: SymmetricKey) -> Data {
        Data(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key))
    }

    private static func parts(of url: String) -> (host: String, path: String, query: String) {
        let rest = url.drop { $0 != ":" }.dropFirst(3)
        let host = rest.prefix { $0 != "/" }
        let whole = rest.dropFirst(host.count)
        let path = whole.prefix { $0 != "?" }
        return (String(host), path.isEmpty ? "/" : String(path), String(whole.dropFirst(path.count + 1)))
    }

    private static func format(_ pattern: String, _ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = pattern
        return formatter.string(from: date)
    }
}

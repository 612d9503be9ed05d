// SPDX-License-Identifier: Apache-2.0
// Random texts that prove who somebody is; only their hashes are kept.

internal import Crypto
internal import Foundation
internal import PostgreSQL

/// 256 random bits as a text for cookies, links and headers.
package struct SecretToken: Sendable {
    /// 43 letters, digits, `-` and `_` (base64url).
    package let text: String

    /// A new one.
    package init() {
        let bytes = (0..<32).map { _ in UInt8.random(in: .min ... .max) }
        text = Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// The one that somebody shows; nil where no token looks so.
    package init?(_ text: String) {
        guard text.utf8.count == 43,
            text.utf8.allSatisfy({
                $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    || Character(UnicodeScalar($0)).isASCIIAlphanumeric
            })
        else { return nil }
        self.text = text
    }

    /// What is kept of it: 32 bytes.
    var hash: Bytes { Bytes(Array(SHA256.hash(data: Array(text.utf8)))) }

    /// A text that only whoever has this token can know, for another use.
    package func derived(for use: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: Array(use.utf8), using: SymmetricKey(data: Array(text.utf8)))
        return Data(code).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
            .replacing("=", with: "")
    }

    /// Whether a text is the derived one, in a time that tells nothing.
    package func isDerived(_ shown: String, for use: String) -> Bool {
        SHA256.hash(data: Array(shown.utf8)) == SHA256.hash(data: Array(derived(for: use).utf8))
    }
}

extension Character {
    fileprivate var isASCIIAlphanumeric: Bool { isASCII && (isLetter || isNumber) }
}

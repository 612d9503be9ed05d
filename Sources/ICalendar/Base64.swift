// SPDX-License-Identifier: Apache-2.0
// Base64 as programs write it: with blanks in it, and without its padding.

internal import Foundation

/// Bytes written in base64.
enum Base64 {
    /// The bytes; nil where the text is no base64.
    static func decode(_ text: String) -> [UInt8]? {
        let digits = text.utf8.count { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
        let hasPadding = text.utf8.contains(UInt8(ascii: "="))
        let padding = hasPadding ? "" : String(repeating: "=", count: (4 - digits % 4) % 4)
        return Data(base64Encoded: text + padding, options: .ignoreUnknownCharacters).map(Array.init)
    }
}

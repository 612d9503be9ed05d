// SPDX-License-Identifier: Apache-2.0
// Texts of a message's header that hold more than ASCII.

internal import Foundation

/// Reads such texts.
enum MailText {
    /// Bytes that nothing is said of: UTF-8, or else what Western programs write.
    static func decode(_ bytes: some Collection<UInt8>) -> String {
        String(validating: bytes, as: UTF8.self)
            ?? String(bytes: bytes, encoding: .windowsCP1252) ?? String(decoding: bytes, as: UTF8.self)
    }

    /// Bytes in a character set by its name; as if nothing were said where the name is not known.
    static func decode(_ bytes: [UInt8], _ charset: some StringProtocol) -> String {
        let encoding: String.Encoding? =
            switch charset.lowercased() {
            case "iso-8859-1", "latin1", "windows-1252", "us-ascii": .windowsCP1252
            // `kCFStringEncodingISOLatin9` and `kCFStringEncodingMacRoman`, as Foundation numbers them.
            case "iso-8859-15": String.Encoding(rawValue: 0x8000_020F)
            case "macintosh": .macOSRoman
            case "iso-8859-2": .isoLatin2
            case "windows-1250": .windowsCP1250
            case "utf-16": .utf16
            default: nil
            }
        return encoding.flatMap { String(bytes: bytes, encoding: $0) } ?? decode(bytes)
    }

    /// A text with words such as `=?utf-8?Q?Facture_n=C2=B0?=` in it; blanks between two of them mean nothing.
    ///
    /// - Source: RFC 2047, sections 2, 4 and 6.2.
    static func decodeWords(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let match = rest.firstMatch(of: #/=\?([^?*\s]+)(?:\*[^?\s]*)?\?([BbQq])\?([^?\s]*)\?=/#) {
            let before = rest[..<match.range.lowerBound]
            if !before.allSatisfy(\.isWhitespace) || rest.startIndex == text.startIndex { result += before }
            let bytes = match.2.lowercased() == "b" ? base64(match.3) : quoted(match.3)
            result += decode(bytes, match.1)
            rest = rest[match.range.upperBound...]
        }
        return result + rest
    }

    private static func base64(_ text: Substring) -> [UInt8] {
        var decoder = TransferDecoder(.base64)
        var bytes: [UInt8] = []
        decoder.decode(Array(text.utf8), into: &bytes)
        return bytes
    }

    private static func quoted(_ text: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        TransferDecoder.decodeQuoted(Array(text.utf8), into: &bytes)
        return bytes.map { $0 == UInt8(ascii: "_") ? 0x20 : $0 }
    }

    /// The pieces of a parameter that is cut or names its character set: `utf-8''Facture%20n%C2%B0`.
    ///
    /// - Source: RFC 2231, section 4.1.
    static func decodeExtended(_ pieces: [(text: String, isEscaped: Bool)]) -> String {
        var charset = "utf-8"
        var bytes: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            var text = piece.text[...]
            if index == 0, piece.isEscaped {
                let parts = text.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
                if parts.count == 3 { (charset, text) = (String(parts[0]), parts[2]) }
            }
            guard piece.isEscaped else {
                bytes += text.utf8
                continue
            }
            TransferDecoder.decodeEscaped(Array(text.utf8), escape: UInt8(ascii: "%"), into: &bytes)
        }
        return decode(bytes, charset)
    }
}

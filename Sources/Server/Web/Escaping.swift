// SPDX-License-Identifier: Apache-2.0
// Text as HTML, byte by byte.

internal import Mustache

/// Escapes what templates show.
///
/// The library's own escaping goes by `Character`: a quote or `<` with a combining mark behind it is another one, and
/// would pass. These characters are single bytes in UTF-8, whatever follows.
struct ByteEscaping: MustacheContentType {
    /// What templates call it.
    static let name = "RELAIS"

    func escapeText(_ text: String) -> String { Self.escape(text) }

    static func escape(_ text: String) -> String {
        guard text.utf8.contains(where: { Self.entity(of: $0) != nil }) else { return text }
        var output: [UInt8] = []
        output.reserveCapacity(text.utf8.count + 16)
        for byte in text.utf8 {
            if let entity = entity(of: byte) { output += Array(entity.utf8) } else { output.append(byte) }
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func entity(of byte: UInt8) -> StaticText? {
        switch byte {
        case UInt8(ascii: "<"): "&lt;"
        case UInt8(ascii: ">"): "&gt;"
        case UInt8(ascii: "&"): "&amp;"
        case UInt8(ascii: "\""): "&quot;"
        case UInt8(ascii: "'"): "&#39;"
        default: nil
        }
    }

    private typealias StaticText = String
}

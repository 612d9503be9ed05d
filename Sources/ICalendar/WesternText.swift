// SPDX-License-Identifier: Apache-2.0
// Bytes that are no UTF-8, as old programs write them.

/// Windows-1252, the superset of Latin-1 that programs mean by it.
enum WesternText {
    /// The characters of the bytes 0x80...0x9F; those that the encoding leaves open stay control characters.
    ///
    /// - Source: WHATWG Encoding Standard, index windows-1252.
    private static let upper: [Unicode.Scalar] = Array(
        "\u{20AC}\u{81}\u{201A}\u{192}\u{201E}\u{2026}\u{2020}\u{2021}\u{2C6}\u{2030}\u{160}\u{2039}\u{152}\u{8D}\u{17D}\u{8F}\u{90}\u{2018}\u{2019}\u{201C}\u{201D}\u{2022}\u{2013}\u{2014}\u{2DC}\u{2122}\u{161}\u{203A}\u{153}\u{9D}\u{17E}\u{178}"
            .unicodeScalars)

    /// The text of bytes in Windows-1252.
    static func decode(_ bytes: [UInt8]) -> String {
        var scalars = String.UnicodeScalarView()
        for byte in bytes {
            scalars.append((0x80...0x9F).contains(byte) ? upper[Int(byte) - 0x80] : Unicode.Scalar(byte))
        }
        return String(scalars)
    }

    /// The text of bytes in UTF-8, or else in Windows-1252, and whether it was the former.
    static func decodeAny(_ bytes: [UInt8]) -> (text: String, isUTF8: Bool) {
        if let text = String(validating: bytes, as: UTF8.self) { return (text, true) }
        return (decode(bytes), false)
    }
}

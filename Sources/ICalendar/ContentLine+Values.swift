// SPDX-License-Identifier: Apache-2.0
// What the value of a content line means: texts, lists, structures, bytes.

extension ContentLine {
    /// The value as text, without its escapes.
    ///
    /// - Source: RFC 5545, 3.3.11; RFC 6350, 3.4; quoted-printable of vCard 2.1 by RFC 2045, 6.7.
    package var text: String { Self.unescaped(plainValue[...]) }

    /// The texts of a list, which commas separate.
    package var list: [String] { Self.split(plainValue, at: ",").map(Self.unescaped) }

    /// The parts of a structured value, which semicolons separate, each a list of texts.
    ///
    /// - Source: RFC 6350, 6.2.2 (N) and 6.3.1 (ADR).
    package var structure: [[String]] {
        Self.split(plainValue, at: ";").map { part in Self.split(String(part), at: ",").map(Self.unescaped) }
    }

    /// The bytes of a value written in base64; nil where it is none.
    package var binary: [UInt8]? {
        guard isBase64 else { return nil }
        return Base64.decode(value)
    }

    /// Whether the value is written in base64: `BASE64` in iCalendar and vCard 2.1, `b` in vCard 3.0.
    package var isBase64: Bool { ["BASE64", "B"].contains(self["ENCODING"]?.uppercased()) }

    /// Whether the value is written in quoted-printable, as only vCard 2.1 (and vCalendar 1.0) does.
    var isQuotedPrintable: Bool { self["ENCODING"]?.uppercased() == "QUOTED-PRINTABLE" }

    /// The text written as a value: backslashes, commas, semicolons and line ends escaped.
    package static func escaped(_ text: String) -> String {
        var value = ""
        value.reserveCapacity(text.utf8.count)
        for character in text {
            switch character {
            case "\\": value += "\\\\"
            case ",": value += "\\,"
            case ";": value += "\\;"
            case "\n", "\r\n", "\r": value += "\\n"
            default: value.append(character)
            }
        }
        return value
    }

    private var plainValue: String {
        guard isQuotedPrintable else { return value }
        let bytes = Self.quotedPrintable(value)
        let isLatin = self["CHARSET"].map { !["UTF-8", "UTF8"].contains($0.uppercased()) } ?? false
        let decoded = isLatin ? WesternText.decode(bytes) : WesternText.decodeAny(bytes).text
        // A line end stands for itself there; written as `\n`, it survives the splitting.
        return decoded.replacing("\r\n", with: "\\n").replacing("\n", with: "\\n")
    }

    /// `=C3=A9` as bytes; what is no escape stands for itself.
    private static func quotedPrintable(_ value: String) -> [UInt8] {
        let source = Array(value.utf8)
        var bytes: [UInt8] = []
        var index = 0
        while index < source.count {
            if source[index] == UInt8(ascii: "="), index + 2 < source.count,
                let byte = UInt8(String(decoding: source[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                if byte != 0 { bytes.append(byte) }
                index += 3
            } else {
                bytes.append(source[index])
                index += 1
            }
        }
        return bytes
    }

    /// Parts of a value, at most; what follows stays in the last one.
    private static let partLimit = 20_000

    /// The parts of a value between separators that no backslash escapes.
    static func split(_ value: String, at separator: Character) -> [Substring] {
        let bytes = value.utf8
        let mark = separator.asciiValue ?? 0
        var parts: [Substring] = []
        var start = value.startIndex
        var index = start
        while index < bytes.endIndex {
            let byte = bytes[index]
            let next = bytes.index(after: index)
            if byte == UInt8(ascii: "\\"), next < bytes.endIndex {
                index = bytes.index(after: next)
                continue
            }
            if byte == mark, parts.count < partLimit {
                parts.append(value[start..<index])
                start = next
            }
            index = next
        }
        return parts + [value[start...]]
    }

    /// Escapes resolved; a backslash before anything that needs none (`C:\Users`) stands for itself, except
    /// before a colon or a quote, which old address books escape.
    static func unescaped(_ value: Substring) -> String {
        guard value.utf8.contains(UInt8(ascii: "\\")) else { return String(value) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in value.utf8 {
            if isEscaped {
                isEscaped = false
                switch byte {
                case UInt8(ascii: "n"), UInt8(ascii: "N"): bytes.append(10)
                case UInt8(ascii: "\\"), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"),
                    UInt8(ascii: "\""):
                    bytes.append(byte)
                default: bytes += [UInt8(ascii: "\\"), byte]
                }
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        if isEscaped { bytes.append(UInt8(ascii: "\\")) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

// SPDX-License-Identifier: Apache-2.0
// Content lines as bytes: quotes, carets, folds.

extension ContentLine {
    /// The lines as bytes.
    ///
    /// - Parameters:
    ///   - lineEnd: what ends each line and each fold.
    ///   - folds: whether lines are folded; vCard 2.1 reads folds in its own way.
    /// - Source: RFC 5545, 3.1; RFC 6868, 2.
    package static func write(
        _ lines: [ContentLine], lineEnd: [UInt8] = [13, 10], folds: Bool = true
    ) -> [UInt8] {
        lines.flatMap { fold($0.unfolded, lineEnd: lineEnd, width: folds ? 75 : .max) }
    }

    /// The line without folds and line end.
    private var unfolded: String {
        var text = group.map { $0 + "." } ?? ""
        text += name
        for parameter in parameters {
            text += ";" + parameter.name + "=" + parameter.values.map(Self.quoted).joined(separator: ",")
        }
        return text + ":" + Self.onOneLine(value)
    }

    private static func quoted(_ value: String) -> String {
        var text = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "^": text += "^^"
            case "\"": text += "^'"
            case "\n": text += "^n"
            case "\0", "\r": break
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text.utf8.contains { [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":")].contains($0) }
            ? "\"\(text)\"" : text
    }

    /// A value that holds a line end would write lines of its own.
    private static func onOneLine(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 10 || $0 == 13 || $0 == 0 }) else { return value }
        return value.replacing("\r\n", with: "\\n").replacing("\n", with: "\\n").replacing("\r", with: "\\n")
            .replacing("\0", with: "")
    }

    /// Lines of at most `width` bytes without their ends; no character is cut.
    private static func fold(_ text: String, lineEnd: [UInt8], width: Int) -> [UInt8] {
        let source = Array(text.utf8)
        var bytes: [UInt8] = []
        var start = 0
        var room = width
        while source.count - start > room {
            var end = start + room
            while end > start + 1, source[end] & 0xC0 == 0x80 { end -= 1 }
            bytes += source[start..<end]
            bytes += lineEnd
            bytes.append(32)
            start = end
            room = width - 1
        }
        return bytes + source[start...] + lineEnd
    }
}

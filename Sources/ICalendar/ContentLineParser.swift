// SPDX-License-Identifier: Apache-2.0
// Takes a logical line apart: group, name, parameters, value.

/// A parser of one line.
///
/// - Source: RFC 5545, 3.1 (`contentline`), RFC 6350, 3.3 (groups), RFC 6868 (`^` in parameters).
struct ContentLineParser {
    private let bytes: [UInt8]
    private var index = 0

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The line, and whether it was UTF-8; nil where it is no content line.
    static func parse(
        _ source: ContentLineScanner.Line, allowsGroup: Bool
    ) -> (line: ContentLine, isUTF8: Bool)? {
        var parser = ContentLineParser(source.bytes)
        guard let (group, name) = parser.name(allowsGroup: allowsGroup),
            let parameters = parser.parameters()
        else { return nil }
        let value = WesternText.decodeAny(Array(source.bytes[parser.index...]))
        let line = ContentLine(
            group: group, name: name, parameters: parameters.all, value: value.text, place: source.place,
            number: source.number)
        return (line, value.isUTF8 && parameters.areUTF8)
    }

    private mutating func name(allowsGroup: Bool) -> (group: String?, name: String)? {
        let start = index
        while index < bytes.count, Self.isNameByte(bytes[index]) { index += 1 }
        var name = bytes[start..<index]
        // A blank before the colon is not rare, and no name has one.
        while index < bytes.count, bytes[index] == 32 { index += 1 }
        guard !name.isEmpty, index < bytes.count, bytes[index] == UInt8(ascii: ":") || isAtParameter else {
            return nil
        }
        var group: String?
        if allowsGroup, let dot = name.firstIndex(of: UInt8(ascii: ".")) {
            group = String(decoding: name[..<dot], as: UTF8.self)
            name = name[(dot + 1)...]
        }
        return name.isEmpty ? nil : (group, String(decoding: name, as: UTF8.self).uppercased())
    }

    private var isAtParameter: Bool { index < bytes.count && bytes[index] == UInt8(ascii: ";") }

    /// All parameters; behind the colon at the end.
    private mutating func parameters() -> (all: [ContentLine.Parameter], areUTF8: Bool)? {
        var all: [ContentLine.Parameter] = []
        var areUTF8 = true
        while isAtParameter {
            index += 1
            let start = index
            while index < bytes.count, !Self.endsName(bytes[index]) { index += 1 }
            let name = WesternText.decodeAny(Array(bytes[start..<index])).text.uppercased()
                .trimmingBlanks
            guard index < bytes.count, index < ContentLimits.head else { return nil }
            guard bytes[index] == UInt8(ascii: "=") else {
                if !name.isEmpty { all.append(Self.nameless(name)) }
                continue
            }
            var values: [String] = []
            repeat {
                index += 1
                let value = WesternText.decodeAny(parameterValue())
                areUTF8 = areUTF8 && value.isUTF8
                values.append(Self.withoutCarets(value.text))
            } while index < bytes.count && bytes[index] == UInt8(ascii: ",")
            all.append(ContentLine.Parameter(name, values))
        }
        guard index < bytes.count, index < ContentLimits.head, bytes[index] == UInt8(ascii: ":") else {
            return nil
        }
        index += 1
        return (all, areUTF8)
    }

    /// A value up to a comma, semicolon or colon that no quotes hold; quotes are left out.
    private mutating func parameterValue() -> [UInt8] {
        var value: [UInt8] = []
        while index < bytes.count, index < ContentLimits.head {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\""),
                let end = bytes[(index + 1)...].prefix(ContentLimits.head).firstIndex(of: byte)
            {
                value += bytes[(index + 1)..<end]
                index = end + 1
            } else if [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":")].contains(byte) {
                break
            } else {
                value.append(byte)
                index += 1
            }
        }
        return value
    }

    /// What vCard 2.1 writes without a name.
    private static func nameless(_ value: String) -> ContentLine.Parameter {
        switch value {
        case "QUOTED-PRINTABLE", "BASE64", "7BIT", "8BIT": ContentLine.Parameter("ENCODING", [value])
        case "INLINE", "URL", "CID", "CONTENT-ID": ContentLine.Parameter("VALUE", [value])
        default: ContentLine.Parameter("TYPE", [value])
        }
    }

    /// RFC 6868: `^n` is a line end, `^'` a quote, `^^` a caret; any other caret stands for itself.
    private static func withoutCarets(_ value: String) -> String {
        guard value.utf8.contains(UInt8(ascii: "^")) else { return value }
        var text = ""
        var isEscaped = false
        for character in value {
            if isEscaped {
                isEscaped = false
                switch character {
                case "n": text += "\n"
                case "'": text += "\""
                case "^": text += "^"
                default: text += "^" + String(character)
                }
            } else if character == "^" {
                isEscaped = true
            } else {
                text.append(character)
            }
        }
        return isEscaped ? text + "^" : text
    }

    /// More than RFC 5545 allows: underscores, dots and the like come in names of extensions.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte > 32 && byte < 127 && ![":", ";", "=", ",", "\""].contains(Character(Unicode.Scalar(byte)))
    }

    private static func endsName(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "="), UInt8(ascii: ";"), UInt8(ascii: ":")].contains(byte)
    }
}

extension String {
    /// Without blanks at both ends.
    var trimmingBlanks: String {
        let isBlank = { (character: Character) in character == " " || character == "\t" }
        guard let start = firstIndex(where: { !isBlank($0) }), let end = lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[start...end])
    }
}

// SPDX-License-Identifier: Apache-2.0
// Writes well-formed XML piece by piece; what cannot be XML is refused, not escaped into something else.

internal import Diagnostics

/// Builds a UTF-8 document; elements are closed by the scopes that opened them.
package struct XMLWriter {
    /// The document so far.
    package private(set) var bytes: [UInt8] = []
    private var open: [String] = []
    private var isTagOpen = false
    private var hasText = false
    private let indents: Bool
    /// Elements around the whole, which somebody else writes.
    private let outerDepth: Int

    /// - Parameter indents: puts each element on a line of its own, two spaces a level.
    package init(indents: Bool = false) {
        self.indents = indents
        outerDepth = 0
        append(#"<?xml version="1.0" encoding="UTF-8"?>"#)
        if indents { append("\n") }
    }

    /// A writer of a part of a document, without declaration.
    ///
    /// - Parameter fragmentDepth: the number of elements around it.
    package init(indents: Bool, fragmentDepth: Int) {
        self.indents = indents
        outerDepth = fragmentDepth
    }

    /// A text as it stands in an attribute; characters that XML cannot hold are left out.
    package static func escaped(_ text: String) -> String {
        var writer = XMLWriter(indents: false, fragmentDepth: 0)
        for character in text { try? writer.appendEscaped(String(character), inAttribute: true) }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// Writes an element with what `content` writes inside it.
    ///
    /// - Parameter attributes: names with prefix and values, in the order written; namespaces are declared the
    ///   same way (`xmlns:cbc`).
    /// - Throws: `XML-INVALID-CHARACTER` for a character that XML 1.0 cannot hold, and what `content` throws.
    package mutating func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:],
        _ content: (inout XMLWriter) throws -> Void = { _ in }
    ) throws {
        try element(name, attributes: Array(attributes), content)
    }

    /// Same as ``element(_:_:_:)``, with attributes that are known at run time only.
    package mutating func element(
        _ name: String, attributes: [(key: String, value: String)],
        _ content: (inout XMLWriter) throws -> Void = { _ in }
    ) throws {
        closeTag()
        if indents, open.count + outerDepth > 0, !hasText { breakLine() }
        append("<\(name)")
        for (key, value) in attributes {
            append(" \(key)=\"")
            try appendEscaped(value, inAttribute: true)
            append("\"")
        }
        open.append(name)
        isTagOpen = true
        hasText = false
        let start = bytes.count
        try content(&self)
        open.removeLast()
        if bytes.count == start {
            append("/>")
        } else {
            if indents, !hasText { breakLine() }
            append("</\(name)>")
        }
        isTagOpen = false
        hasText = false
    }

    /// Writes an element that holds text.
    package mutating func element(
        _ name: String, _ attributes: KeyValuePairs<String, String> = [:], text: String
    ) throws {
        try element(name, attributes) { try $0.text(text) }
    }

    /// Writes text inside the current element.
    package mutating func text(_ text: String) throws {
        closeTag()
        hasText = true
        try appendEscaped(text, inAttribute: false)
    }

    private mutating func closeTag() {
        guard isTagOpen else { return }
        append(">")
        isTagOpen = false
    }

    private mutating func breakLine() {
        append("\n" + String(repeating: "  ", count: open.count + outerDepth))
    }

    private mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    /// Source: XML 1.0, 2.2 (characters), 2.4 (escapes), 3.3.3 (line ends and tabs of attributes).
    private mutating func appendEscaped(_ text: String, inAttribute: Bool) throws(XMLError) {
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": append("&amp;")
            case "<": append("&lt;")
            case ">": append("&gt;")
            case "\"" where inAttribute: append("&quot;")
            case "\r": append("&#13;")
            case "\n" where inAttribute, "\t" where inAttribute: append("&#\(scalar.value);")
            case "\t", "\n", " "..."\u{D7FF}", "\u{E000}"..."\u{FFFD}", "\u{10000}"...:
                bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
            default:
                throw XMLError(
                    .invalidCharacter, ["scalar": "U+" + String(scalar.value, radix: 16, uppercase: true)])
            }
        }
    }
}

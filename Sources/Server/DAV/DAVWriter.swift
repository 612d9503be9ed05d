// SPDX-License-Identifier: Apache-2.0
// Writes the XML of answers: names are ours, only what they hold is escaped.

internal import XML

/// The bytes of an answer so far.
struct DAVWriter {
    private(set) var bytes: [UInt8] = []

    /// Writes markup of our own.
    mutating func raw(_ markup: String) { bytes.append(contentsOf: markup.utf8) }

    /// Writes a text.
    mutating func text(_ text: String) {
        for byte in text.utf8 { escape(byte) }
    }

    /// Writes an object's bytes as a text; what is no UTF-8 is replaced.
    mutating func text(_ content: [UInt8]) {
        guard String(validating: content, as: UTF8.self) != nil else {
            return text(String(decoding: content, as: UTF8.self))
        }
        bytes.reserveCapacity(bytes.count + content.count + content.count / 8)
        for byte in content { escape(byte) }
    }

    /// Line ends keep their CR, which readers of XML would drop; characters that XML cannot hold are left out.
    ///
    /// - Source: XML 1.0, 2.2 and 2.11.
    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "&"): raw("&amp;")
        case UInt8(ascii: "<"): raw("&lt;")
        case UInt8(ascii: ">"): raw("&gt;")
        case UInt8(ascii: "\""): raw("&quot;")
        case UInt8(ascii: "\r"): raw("&#13;")
        case 0..<9, 11, 12, 14..<32: break
        default: bytes.append(byte)
        }
    }

    /// Writes an element that holds a text.
    mutating func element(_ name: String, text value: String) {
        raw("<\(name)>")
        text(value)
        raw("</\(name)>")
    }

    /// Writes an element with what `content` writes inside it.
    mutating func element(_ name: String, _ content: (inout DAVWriter) throws -> Void) rethrows {
        raw("<\(name)>")
        try content(&self)
        raw("</\(name)>")
    }

    /// Writes an element of any namespace without content.
    mutating func empty(_ name: XMLName) {
        if let known = DAVNamespace.allCases.first(where: { $0.uri == name.namespace }) {
            raw("<\(known.rawValue):\(name.local)/>")
        } else {
            raw("<\(name.local) xmlns=\"")
            text(name.namespace ?? "")
            raw("\"/>")
        }
    }

    /// Writes an element that holds an address.
    mutating func href(_ path: String) { element("D:href", text: path) }

    /// Appends what another has written.
    mutating func append(_ other: DAVWriter) { bytes += other.bytes }

    /// Takes out what is written so far.
    mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }
}

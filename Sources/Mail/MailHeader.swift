// SPDX-License-Identifier: Apache-2.0
// The header of a message or of one of its parts: what it says of the bytes that follow.

internal import Foundation

/// Fields in front of the first empty line; of a field that occurs twice, the first counts.
struct MailHeader {
    private var fields: [String: String] = [:]

    /// Reads lines without their ends; those that begin with a blank go on with the line before.
    ///
    /// - Source: RFC 5322, section 2.2.
    init(_ lines: [[UInt8]]) {
        var unfolded: [[UInt8]] = []
        for line in lines {
            if line.first == 0x20 || line.first == 0x09, !unfolded.isEmpty {
                unfolded[unfolded.count - 1] += line
            } else {
                unfolded.append(line)
            }
        }
        for line in unfolded {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self).trimmingBlanks.lowercased()
            guard fields[name] == nil else { continue }
            fields[name] = MailText.decode(line[line.index(after: colon)...]).trimmingBlanks
        }
    }

    /// Whether there is no field.
    var isEmpty: Bool { fields.isEmpty }

    /// A field's text as it is written; empty where there is none.
    subscript(name: String) -> String { fields[name] ?? "" }

    /// What the bytes are: `text/plain` where nothing is said (RFC 2045, section 5.2).
    var type: MailHeaderValue {
        let value = MailHeaderValue(self["content-type"])
        return value.word.contains("/") ? value : MailHeaderValue("text/plain")
    }

    /// What they are for: `attachment`, `inline` or nothing (RFC 2183).
    var disposition: MailHeaderValue { MailHeaderValue(self["content-disposition"]) }

    /// The name that the sender gave to the part.
    var fileName: String? { disposition["filename"] ?? type["name"] }
}

/// A word with parameters: `multipart/mixed; boundary="x"`.
struct MailHeaderValue {
    /// The word in lower case.
    let word: String
    private var parameters: [String: String] = [:]

    /// Reads a field's text.
    ///
    /// - Source: RFC 2045, section 5.1; RFC 2231, sections 3 and 4.
    init(_ text: String) {
        var scanner = Scanner(text)
        word = scanner.token(until: ";").lowercased()
        var parts: [String: [(number: Int, text: String, isEscaped: Bool)]] = [:]
        while scanner.skip(";") {
            let name = scanner.token(until: ";=").lowercased()
            guard scanner.skip("=") else { continue }
            let value = scanner.value()
            let pieces = name.split(separator: "*", omittingEmptySubsequences: false)
            let isEscaped = pieces.count > 1 && pieces.last == ""
            let number = pieces.count > 1 ? Int(pieces[1]) ?? 0 : -1
            parts[String(pieces[0]), default: []].append((number, value, isEscaped))
        }
        for (name, values) in parts {
            let extended = values.filter { $0.number >= 0 }.sorted { $0.number < $1.number }
            if extended.isEmpty {
                parameters[name] = values.first.map { MailText.decodeWords($0.text) }
            } else {
                parameters[name] = MailText.decodeExtended(extended.map { ($0.text, $0.isEscaped) })
            }
        }
    }

    /// A parameter by its name in lower case.
    subscript(name: String) -> String? { parameters[name] }

    /// Reads a field from left to right.
    private struct Scanner {
        private var rest: Substring

        init(_ text: String) { rest = text[...] }

        mutating func skip(_ character: Character) -> Bool {
            rest = rest.drop { $0 == " " || $0 == "\t" }
            guard rest.first == character else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func token(until ends: String) -> String {
            let text = rest.prefix { !ends.contains($0) }
            rest = rest[text.endIndex...]
            return String(text).trimmingBlanks
        }

        /// A word, or a text in quotes; what stands behind the quotes is passed over.
        mutating func value() -> String {
            guard skip("\"") else { return token(until: ";") }
            var text = ""
            while let character = rest.popFirst(), character != "\"" {
                text.append(character == "\\" ? rest.popFirst() ?? character : character)
            }
            _ = token(until: ";")
            return text
        }
    }
}

extension String {
    /// Without blanks at both ends.
    var trimmingBlanks: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}

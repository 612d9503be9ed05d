// SPDX-License-Identifier: Apache-2.0
// Reads one JSON value from bytes, strictly by RFC 8259.

internal import Diagnostics

/// A parser of one value.
///
/// Foundation's reader makes binary floats of amounts and names no line of a fault, which is why this is our own.
package struct JSONParser {
    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0
    private var line: Int

    /// Objects and arrays inside each other, at most.
    package static let depthLimit = 64

    private init(_ bytes: [UInt8], line: Int) {
        self.bytes = bytes
        self.line = line
    }

    /// The value that the bytes write, and nothing behind it.
    ///
    /// - Parameters:
    ///   - bytes: valid UTF-8.
    ///   - line: the line that they begin in, for faults.
    /// - Throws: `JSON-MALFORMED`, `JSON-DUPLICATE-KEY`, `JSON-TRUNCATED`, `JSON-DEPTH`, with the line.
    package static func parse(_ bytes: [UInt8], line: Int = 1) throws(JSONError) -> JSONNode {
        var parser = JSONParser(bytes, line: line)
        let node = try parser.value()
        parser.skipBlanks()
        guard parser.index == bytes.count else { throw parser.fault() }
        return node
    }

    // MARK: - Values

    private mutating func value() throws(JSONError) -> JSONNode {
        skipBlanks()
        guard index < bytes.count else { throw fault() }
        switch bytes[index] {
        case UInt8(ascii: "{"): return try nested(Self.object)
        case UInt8(ascii: "["): return try nested(Self.array)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .boolean(true))
        case UInt8(ascii: "f"): return try word("false", .boolean(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONError) -> JSONNode
    ) throws(JSONError) -> JSONNode {
        index += 1
        depth += 1
        guard depth <= Self.depthLimit else {
            throw JSONError(.depth, ["limit": String(Self.depthLimit)], at: Place(line: line))
        }
        let node = try body(&self)
        depth -= 1
        return node
    }

    private static func object(_ parser: inout JSONParser) throws(JSONError) -> JSONNode {
        var members: [JSONNode.Member] = []
        var keys: Set<String> = []
        if parser.take(UInt8(ascii: "}")) { return .object([]) }
        repeat {
            parser.skipBlanks()
            guard parser.index < parser.bytes.count, parser.bytes[parser.index] == UInt8(ascii: "\"") else {
                throw parser.fault()
            }
            let key = try parser.string()
            guard keys.insert(key).inserted else {
                throw JSONError(.duplicateKey, at: Place(line: parser.line, field: key))
            }
            guard parser.take(UInt8(ascii: ":")) else { throw parser.fault() }
            members.append(JSONNode.Member(key: key, value: try parser.value()))
        } while parser.take(UInt8(ascii: ","))
        guard parser.take(UInt8(ascii: "}")) else { throw parser.fault() }
        return .object(members)
    }

    private static func array(_ parser: inout JSONParser) throws(JSONError) -> JSONNode {
        var items: [JSONNode] = []
        if parser.take(UInt8(ascii: "]")) { return .array([]) }
        repeat { items.append(try parser.value()) } while parser.take(UInt8(ascii: ","))
        guard parser.take(UInt8(ascii: "]")) else { throw parser.fault() }
        return .array(items)
    }

    private mutating func word(_ word: String, _ node: JSONNode) throws(JSONError) -> JSONNode {
        guard bytes[index...].starts(with: word.utf8) else { throw fault() }
        index += word.utf8.count
        return node
    }

    // MARK: - Numbers

    private mutating func number() throws(JSONError) -> JSONNode {
        let start = index
        if peek(UInt8(ascii: "-")) { index += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[index - whole] != UInt8(ascii: "0") else { throw fault() }
        if peek(UInt8(ascii: ".")) {
            index += 1
            guard digits() > 0 else { throw fault() }
        }
        if peek(UInt8(ascii: "e")) || peek(UInt8(ascii: "E")) {
            index += 1
            if peek(UInt8(ascii: "+")) || peek(UInt8(ascii: "-")) { index += 1 }
            guard digits() > 0 else { throw fault() }
        }
        return .number(String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private mutating func digits() -> Int {
        let start = index
        while index < bytes.count, bytes[index] &- UInt8(ascii: "0") < 10 { index += 1 }
        return index - start
    }

    // MARK: - Strings

    private mutating func string() throws(JSONError) -> String {
        index += 1
        var text: [UInt8] = []
        while index < bytes.count {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(&text)
            case 0..<32: throw fault()
            default:
                text.append(byte)
                index += 1
            }
        }
        throw fault()
    }

    private mutating func escape(_ text: inout [UInt8]) throws(JSONError) {
        guard index + 1 < bytes.count else { throw fault() }
        let byte = bytes[index + 1]
        let plain: UInt8? =
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
            case UInt8(ascii: "b"): 8
            case UInt8(ascii: "f"): 12
            case UInt8(ascii: "n"): 10
            case UInt8(ascii: "r"): 13
            case UInt8(ascii: "t"): 9
            default: nil
            }
        if let plain {
            text.append(plain)
            index += 2
            return
        }
        guard byte == UInt8(ascii: "u"), let unit = unit(at: index + 2) else { throw fault() }
        index += 6
        var units = [unit]
        if UTF16.isLeadSurrogate(unit), peek(UInt8(ascii: "\\")), index + 1 < bytes.count,
            bytes[index + 1] == UInt8(ascii: "u"), let next = self.unit(at: index + 2)
        {
            units.append(next)
            index += 6
        }
        // NUL is no character of a text, for PostgreSQL as for the readers of tables.
        guard unit != 0, let string = String(validating: units, as: UTF16.self) else { throw fault() }
        text.append(contentsOf: string.utf8)
    }

    /// The number that four hexadecimal digits write.
    private func unit(at start: Int) -> UInt16? {
        guard start + 4 <= bytes.count else { return nil }
        let digits = bytes[start..<start + 4]
        guard digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else { return nil }
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    // MARK: - Places

    private func peek(_ byte: UInt8) -> Bool { index < bytes.count && bytes[index] == byte }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipBlanks()
        guard peek(byte) else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while index < bytes.count, [9, 10, 13, 32].contains(bytes[index]) {
            if bytes[index] == 10 { line += 1 }
            index += 1
        }
    }

    /// What stands where something else is expected.
    private func fault() -> JSONError {
        guard index < bytes.count else { return JSONError(.truncated, at: Place(line: line)) }
        let found = String(decoding: bytes[index...].prefix(20), as: UTF8.self)
        let lineStart = bytes[..<index].lastIndex(of: 10).map { $0 + 1 } ?? 0
        return JSONError(.malformed, at: Place(line: line, column: index - lineStart + 1, value: found))
    }
}

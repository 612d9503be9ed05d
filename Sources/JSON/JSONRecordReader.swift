// SPDX-License-Identifier: Apache-2.0
// Finds the objects of a file: one a line (JSON Lines), or the items of one array.

internal import Diagnostics

/// A push reader of objects at the top of a file, in constant memory.
package struct JSONRecordReader: Sendable {
    /// An object's own bytes and where they are.
    package struct Found: Sendable {
        /// The object, not yet parsed.
        package let bytes: [UInt8]
        /// One-based line of its first byte.
        package let line: Int
        /// Its place in the file.
        package let place: Range<Int>
    }

    private var buffer: [UInt8] = []
    private var position = 0
    private var offset = 0
    private var line = 1
    private var startLine = 1
    private var start: Int?
    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    private var isInArray = false
    /// Whether an object, or a comma, came last.
    private var hasObject = false
    private var hasComma = false
    private var hasEnded = false

    /// Bytes of one object, at most.
    private static let limit = 16 << 20

    /// A reader of one file.
    package init() {}

    /// Reads the next bytes and hands over each object that ends in them.
    ///
    /// - Throws: `JSON-MALFORMED` where something else than objects stands at the top, `JSON-DEPTH`, `JSON-RECORD`.
    package mutating func feed(_ bytes: [UInt8], _ body: (Found) throws -> Void) throws {
        let used = start ?? position
        buffer.removeFirst(used)
        offset += used
        position -= used
        if start != nil { start = 0 }
        buffer += bytes
        while position < buffer.count {
            if start == nil { try readBetween() } else { try readInside(body) }
        }
        guard buffer.count <= Self.limit else {
            throw JSONError(.record, ["limit": String(Self.limit)], at: Place(line: startLine))
        }
    }

    /// Says that the file ends here.
    ///
    /// - Throws: `JSON-TRUNCATED` inside an object or the array.
    package func finish() throws(JSONError) {
        guard start == nil, !isInArray else {
            throw JSONError(.truncated, at: Place(line: start == nil ? line : startLine))
        }
    }

    private mutating func readBetween() throws(JSONError) {
        let byte = buffer[position]
        switch byte {
        case UInt8(ascii: "\n"): line += 1
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): break
        case 0xEF where offset + position == 0, 0xBB where offset + position == 1,
            0xBF where offset + position == 2:
            break
        case UInt8(ascii: "["), UInt8(ascii: ","), UInt8(ascii: "]"):
            // Objects and commas take turns in an array, and only an empty one ends without an object.
            let isRight =
                switch byte {
                case UInt8(ascii: "["): !isInArray && !hasObject && !hasEnded
                case UInt8(ascii: ","): isInArray && hasObject
                default: isInArray && (hasObject || !hasComma)
                }
            guard isRight else { throw stray() }
            if byte == UInt8(ascii: "[") { isInArray = true }
            if byte == UInt8(ascii: "]") { (isInArray, hasEnded) = (false, true) }
            hasComma = byte == UInt8(ascii: ",")
            hasObject = false
        case UInt8(ascii: "{") where !hasEnded && !(isInArray && hasObject):
            hasObject = true
            start = position
            startLine = line
            depth = 1
        default: throw stray()
        }
        position += 1
    }

    private mutating func readInside(_ body: (Found) throws -> Void) throws {
        let byte = buffer[position]
        position += 1
        if byte == UInt8(ascii: "\n") { line += 1 }
        if isInString {
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                isInString = false
            }
            return
        }
        switch byte {
        case UInt8(ascii: "\""): isInString = true
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            depth += 1
            guard depth <= JSONParser.depthLimit else {
                throw JSONError(.depth, ["limit": String(JSONParser.depthLimit)], at: Place(line: line))
            }
        case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
        default: break
        }
        guard depth == 0, let first = start else { return }
        start = nil
        try body(
            Found(
                bytes: Array(buffer[first..<position]), line: startLine,
                place: offset + first..<offset + position))
    }

    private func stray() -> JSONError {
        let found = String(decoding: buffer[position...].prefix(20), as: UTF8.self)
        return JSONError(.malformed, at: Place(line: line, value: found))
    }
}

// SPDX-License-Identifier: Apache-2.0
// The parts of a form with a file, piece by piece as they come, whatever the pieces are.

internal import Diagnostics
internal import Foundation

/// Cuts `multipart/form-data` into its parts without ever holding one.
///
/// - Source: RFC 7578 and RFC 2046, section 5.1.1.
struct MultipartReader {
    /// What was found.
    enum Event: Equatable {
        /// A part begins; a file where it has a file's name.
        case part(name: String, file: String?)
        /// The next bytes of the part.
        case bytes([UInt8])
        /// The form is complete.
        case end
    }

    private enum State {
        case preamble, headers, content, end
    }

    /// Bytes of headers that a part may have.
    private static let headerLimit = 8192
    /// Parts of a form; ours have a handful.
    private static let partLimit = 50

    private let mark: [UInt8]
    private var state = State.preamble
    private var buffer: [UInt8]
    private var parts = 0

    /// A reader for a body of this type; nil where the type is another, or names no boundary of 1 to 70 characters.
    init?(contentType: String?) {
        guard let contentType, contentType.lowercased().hasPrefix("multipart/form-data"),
            let start = contentType.range(of: "boundary=")
        else { return nil }
        let rest = contentType[start.upperBound...].prefix { $0 != ";" }
        let boundary = rest.trimmingCharacters(in: CharacterSet(charactersIn: "\" "))
        guard 1...70 ~= boundary.utf8.count else { return nil }
        mark = Array("\r\n--\(boundary)".utf8)
        // The first boundary has no line before it.
        buffer = Array("\r\n".utf8)
    }

    /// Whether the closing boundary was seen.
    var isComplete: Bool { state == .end }

    /// Bytes that wait for what comes next.
    var held: Int { buffer.count }

    /// What the next bytes of the body bring.
    ///
    /// - Throws: `HTTP-REQUEST` for headers without an end, and for too many parts.
    mutating func feed(_ bytes: [UInt8]) throws(ServerError) -> [Event] {
        // What follows the last boundary is none of ours.
        guard state != .end else { return [] }
        buffer += bytes
        var events: [Event] = []
        while true {
            switch state {
            case .preamble:
                guard let found = find(mark) else {
                    keep(mark.count - 1)
                    return events
                }
                guard try passMark(found, &events) else { return events }
            case .headers:
                guard let end = find(Array("\r\n\r\n".utf8)) else {
                    guard buffer.count <= Self.headerLimit else { throw Self.refusal }
                    return events
                }
                parts += 1
                guard end <= Self.headerLimit, parts <= Self.partLimit else { throw Self.refusal }
                events.append(Self.part(String(decoding: buffer[..<end], as: UTF8.self)))
                buffer.removeFirst(end + 4)
                state = .content
            case .content:
                guard let found = find(mark) else {
                    let whole = buffer.count - (mark.count - 1)
                    if whole > 0 {
                        events.append(.bytes(Array(buffer[..<whole])))
                        keep(mark.count - 1)
                    }
                    return events
                }
                // What comes behind the mark may still be on its way.
                guard buffer.count >= found + mark.count + 2 else { return events }
                if found > 0 { events.append(.bytes(Array(buffer[..<found]))) }
                guard try passMark(found, &events) else { return events }
            case .end:
                buffer = []
                return events
            }
        }
    }

    /// Goes behind a boundary; false while it is not known whether it is the last.
    private mutating func passMark(_ found: Int, _ events: inout [Event]) throws(ServerError) -> Bool {
        let next = found + mark.count
        guard buffer.count >= next + 2 else { return false }
        let isLast = buffer[next] == UInt8(ascii: "-") && buffer[next + 1] == UInt8(ascii: "-")
        // Blanks may stand behind a boundary; the headers' own end is looked for from the line's end on.
        buffer.removeFirst(isLast ? next + 2 : next)
        state = isLast ? .end : .headers
        if isLast { events.append(.end) }
        return true
    }

    private static var refusal: ServerError { ServerError(.request, ["status": "400"]) }

    private mutating func keep(_ count: Int) {
        if buffer.count > count { buffer.removeFirst(buffer.count - count) }
    }

    private func find(_ pattern: [UInt8]) -> Int? {
        guard buffer.count >= pattern.count, let first = pattern.first else { return nil }
        let last = buffer.count - pattern.count
        return unsafe buffer.withUnsafeBufferPointer { bytes in
            var index = 0
            while index <= last {
                if unsafe bytes[index] == first {
                    var length = 1
                    while length < pattern.count, unsafe bytes[index + length] == pattern[length] {
                        length += 1
                    }
                    if length == pattern.count { return index }
                }
                index += 1
            }
            return nil
        }
    }

    private static func part(_ headers: String) -> Event {
        let line = headers.split(separator: "\r\n").first {
            $0.lowercased().hasPrefix("content-disposition:")
        }
        return .part(
            name: value("name", in: line ?? "") ?? "", file: value("filename", in: line ?? ""))
    }

    /// A quoted parameter; browsers write a quote inside it as `%22`.
    private static func value(_ name: String, in line: Substring) -> String? {
        guard let start = line.range(of: "; \(name)=\"") else { return nil }
        let text = String(line[start.upperBound...].prefix { $0 != "\"" })
        return text.replacing("%22", with: "\"").replacing("\0", with: "")
    }
}

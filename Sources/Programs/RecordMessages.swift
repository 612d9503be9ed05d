// SPDX-License-Identifier: Apache-2.0
// Cuts a program's messages, one a line, where it says how far it has come.

package import Foundation

/// The messages of one run (RECORD, SCHEMA, STATE…), in parts that end with a STATE where it says any.
///
/// - Source: Singer specification 0.3.0.
package struct RecordMessages {
    /// Messages up to a state, or up to a message that stands for itself.
    package struct Part {
        /// What the artifact is called.
        package let name: String
        /// Its file; nil where there is no record in it.
        package let path: String?
        /// The state behind it, as JSON; nil for what comes behind the last one.
        package let state: String?
        /// The message that stands for itself behind all of that.
        package let message: Data?
    }

    /// A part is not cut before it has this many bytes, and behind a state…
    private let size: Int
    /// …or, where none comes, at the next line behind this many: a file may not be larger than twice that.
    private let most: Int

    private let input: FileHandle
    private let folder: URL
    private let isWhole: Bool
    private let own: [String]
    private let known: Set<String>?
    private var buffer = Data()
    private var isAtEnd = false
    private var number = 0

    /// - Parameters:
    ///   - file: the messages; parts of it are written to files of `folder`.
    ///   - isWhole: whether what comes behind the last state counts: not when the program died.
    ///   - own: types of messages that stand for themselves.
    ///   - known: every type that there is; another, or no message at all, is a ``StrangeMessage``. nil = any may come.
    package init(
        _ file: URL, in folder: URL, isWhole: Bool, own: [String] = [],
        known: Set<String>? = nil, size: Int = 16 << 20, most: Int = 1 << 30
    ) throws {
        self.known = known
        (self.size, self.most, self.own) = (size, most, own)
        input = try FileHandle(forReadingFrom: file)
        self.folder = folder
        self.isWhole = isWhole
    }

    /// The next part; nil behind the last.
    package mutating func next() throws -> Part? {
        number += 1
        let url = folder.appending(path: "part-\(number).jsonl")
        _ = FileManager.default.createFile(atPath: url.path, contents: nil)
        let output = try FileHandle(forWritingTo: url)
        defer { try? output.close() }
        var (written, complete) = (0, 0)
        var hasRecord = false
        var state: String?
        var message: Data?
        var isRecordComplete = false
        var isCut = false
        while let line = try line() {
            // A program that died may have been in the middle of its last line.
            let isCutOff = !isWhole && isAtEnd && buffer.isEmpty
            if let known, !isCutOff, !known.contains(Self.type(line) ?? "") {
                throw StrangeMessage(line: line)
            }
            if own.contains(where: { Self.value(line, ofType: $0, under: nil) != nil }) {
                guard state != nil, written > complete else {
                    (message, isCut) = (line, true)
                    break
                }
                // What stands behind the state belongs to the next part, so that nothing covered by none comes before it.
                buffer = try Data(contentsOf: url).dropFirst(complete) + line + buffer
                try output.truncate(atOffset: UInt64(complete))
                return Part(
                    name: "messages-\(number).jsonl", path: isRecordComplete ? url.path : nil, state: state,
                    message: nil)
            }
            try output.write(contentsOf: line)
            written += line.count
            if !hasRecord { hasRecord = line.range(of: Data("RECORD".utf8)) != nil }
            guard let value = Self.value(line, ofType: "STATE", under: "value") else {
                isCut = written >= most
                if isCut { break }
                continue
            }
            (state, complete, isRecordComplete) = (value, written, hasRecord)
            if written >= size { break }
        }
        if written == 0, message == nil { return nil }
        if !isWhole, !isCut {
            // What the last state does not cover is read again the next time.
            guard state != nil else { return nil }
            try output.truncate(atOffset: UInt64(complete))
        }
        let hasAny = isWhole || isCut ? hasRecord : isRecordComplete
        return Part(
            name: "messages-\(number).jsonl", path: hasAny ? url.path : nil, state: state, message: message)
    }

    /// The next line with its end.
    private mutating func line() throws -> Data? {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                let line = buffer[buffer.startIndex...end]
                buffer = buffer[buffer.index(after: end)...]
                return Data(line)
            }
            if isAtEnd {
                defer { buffer = Data() }
                return buffer.isEmpty ? nil : Data(buffer) + Data([0x0A])
            }
            let more = try input.read(upToCount: 1 << 20) ?? Data()
            if more.isEmpty { isAtEnd = true }
            buffer = Data(buffer) + more
        }
    }

    private static func type(_ line: Data) -> String? {
        (try? JSONSerialization.jsonObject(with: line) as? [String: Any])?["type"] as? String
    }

    /// What stands under a name of a message of one type, as JSON, or the whole message; nil for other messages.
    private static func value(_ line: Data, ofType type: String, under name: String?) -> String? {
        guard line.range(of: Data(type.utf8)) != nil,
            let message = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
            message["type"] as? String == type, let value = name.map({ message[$0] }) ?? message,
            let json = try? JSONSerialization.data(
                withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
        else { return nil }
        return String(decoding: json, as: UTF8.self)
    }
}

/// A line that is no message, or one that nobody knows.
package struct StrangeMessage: Error {
    /// The line with its end.
    package let line: Data
}

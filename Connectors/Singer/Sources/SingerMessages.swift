// SPDX-License-Identifier: Apache-2.0
// Cuts a tap's messages where it says how far it has come.

internal import Foundation

/// The messages of one run, in parts that end with a STATE where it says any.
struct SingerMessages {
    /// Messages up to a state.
    struct Part {
        /// What the artifact is called.
        let name: String
        /// Its file; nil where there is no record in it.
        let path: String?
        /// The state behind it, as JSON; nil for what comes behind the last one.
        let state: String?
    }

    /// A part is not cut before it has this many bytes, and behind a state…
    private let size: Int
    /// …or, where none comes, at the next line behind this many: a file may not be larger than twice that.
    private let most: Int

    private let input: FileHandle
    private let folder: URL
    private let isWhole: Bool
    private var buffer = Data()
    private var isAtEnd = false
    private var number = 0

    /// - Parameter isWhole: whether what comes behind the last state counts: not when the tap died.
    init(_ file: URL, in folder: URL, isWhole: Bool, size: Int = 16 << 20, most: Int = 1 << 30) throws {
        (self.size, self.most) = (size, most)
        input = try FileHandle(forReadingFrom: file)
        self.folder = folder
        self.isWhole = isWhole
    }

    /// The next part; nil behind the last.
    mutating func next() throws -> Part? {
        number += 1
        let url = folder.appending(path: "part-\(number).jsonl")
        _ = FileManager.default.createFile(atPath: url.path, contents: nil)
        let output = try FileHandle(forWritingTo: url)
        defer { try? output.close() }
        var (written, complete) = (0, 0)
        var hasRecord = false
        var state: String?
        var isRecordComplete = false
        var isCut = false
        while let line = try line() {
            try output.write(contentsOf: line)
            written += line.count
            if !hasRecord { hasRecord = line.range(of: Data("RECORD".utf8)) != nil }
            guard let value = Self.state(line) else {
                isCut = written >= most
                if isCut { break }
                continue
            }
            (state, complete, isRecordComplete) = (value, written, hasRecord)
            if written >= size { break }
        }
        if written == 0 { return nil }
        if !isWhole, !isCut {
            // What the last state does not cover is read again the next time.
            guard state != nil else { return nil }
            try output.truncate(atOffset: UInt64(complete))
        }
        let hasAny = isWhole || isCut ? hasRecord : isRecordComplete
        return Part(
            name: "messages-\(number).jsonl", path: hasAny ? url.path : nil, state: state)
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

    /// The value of a STATE message as JSON; nil for other messages.
    private static func state(_ line: Data) -> String? {
        guard line.range(of: Data("STATE".utf8)) != nil,
            let message = try? JSONSerialization.jsonObject(with: line) as? [String: Any],
            message["type"] as? String == "STATE", let value = message["value"],
            let json = try? JSONSerialization.data(
                withJSONObject: value, options: [.sortedKeys, .withoutEscapingSlashes, .fragmentsAllowed])
        else { return nil }
        return String(decoding: json, as: UTF8.self)
    }
}

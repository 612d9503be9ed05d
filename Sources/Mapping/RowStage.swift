// SPDX-License-Identifier: Apache-2.0
// Rows put aside until the file has ended, so that all rows of a key come together, in constant memory.

internal import Diagnostics
internal import Foundation
internal import Glibc

/// Rows by the hash of their key: in memory while they are few, then in a file without a name.
///
/// The file is gone with the process, however that ends. Parts are handed over one after the other; the same rows
/// give the same parts in every process.
final class RowStage {
    /// A row that was put aside.
    struct Row {
        /// Whether it comes from the second file.
        let isDetail: Bool
        /// One-based line in its file.
        let line: Int
        /// Its place in its file.
        let place: Range<Int>
        /// Its bytes.
        let bytes: Range<Int>
    }

    /// Rows that fit are kept in memory, one part of them, in the order of the file.
    private let memory: Int
    private static let parts = 1024
    /// Bytes of a part that are written at once.
    private static let block = 8 << 10
    /// Bytes in front of each row: hash, line, place (first byte and length), length and kind.
    private static let head = 40

    /// Bytes that a part may have: it is read at once, and its rows are brought in order.
    private static let partLimit = 32 << 20

    private var waiting: [[UInt8]] = [[]]
    private var sizes: [Int] = []
    /// Where the written blocks of each part are.
    private var blocks: [[Range<Int>]] = []
    private var descriptor: Int32 = -1
    private var fileSize = 0
    private var nextPart = 0

    init(memory: Int = 8 << 20) {
        self.memory = memory
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Puts a row aside.
    ///
    /// - Throws: `MAP-STAGE-UNWRITABLE` where the folder for temporary files takes no more, `MAP-STAGE-FULL` where
    ///   too many rows have keys of one part, or one key.
    func add(_ row: [UInt8], key: [String], isDetail: Bool, line: Int, place: Range<Int>) throws(MappingError)
    {
        let hash = Self.hash(key)
        let part = descriptor < 0 ? 0 : Int(hash % UInt64(Self.parts))
        for number in [hash, UInt64(line), UInt64(place.lowerBound), UInt64(place.count)] {
            Self.append(number, to: &waiting[part])
        }
        Self.append(UInt64(row.count) << 1 | (isDetail ? 1 : 0), to: &waiting[part])
        waiting[part].append(contentsOf: row)
        if descriptor < 0 {
            if waiting[0].count > memory { try spread() }
        } else if waiting[part].count >= Self.block {
            try write(part)
        }
    }

    /// The rows of the next part, in the order they were added, with the bytes they are places in; nil at the end.
    func next() throws(MappingError) -> (rows: [Row], bytes: [UInt8])? {
        while nextPart < waiting.count {
            var bytes: [UInt8] = []
            for block in descriptor < 0 ? [] : blocks[nextPart] { bytes += try read(block) }
            bytes += waiting[nextPart]
            waiting[nextPart] = []
            nextPart += 1
            if !bytes.isEmpty { return (Self.rows(bytes).map(\.row), bytes) }
        }
        return nil
    }

    // MARK: - The form of rows

    /// FNV-1a, which is the same in every process, as Swift's own hashes are not.
    private static func hash(_ key: [String]) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        let text = key.joined(separator: "\u{0}")
        // Texts that are equal have one hash, whichever way their accents are written.
        let isASCII = text.utf8.allSatisfy { $0 < 0x80 }
        for byte in (isASCII ? text : text.precomposedStringWithCanonicalMapping).utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
        }
        return hash
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }

    private static func rows(_ bytes: [UInt8]) -> [(hash: UInt64, row: Row)] {
        var rows: [(hash: UInt64, row: Row)] = []
        var position = 0
        func number(_ index: Int) -> UInt64 {
            bytes[position + 8 * index..<position + 8 * index + 8].reversed().reduce(0) {
                $0 << 8 | UInt64($1)
            }
        }
        while position + head <= bytes.count {
            let (first, size) = (Int(number(2)), number(4))
            let start = position + head
            rows.append(
                (
                    number(0),
                    Row(
                        isDetail: size & 1 == 1, line: Int(number(1)), place: first..<first + Int(number(3)),
                        bytes: start..<start + Int(size >> 1))
                ))
            position = start + Int(size >> 1)
        }
        return rows
    }

    // MARK: - The file

    /// Divides the rows so far among the parts of a file.
    private func spread() throws(MappingError) {
        var name = Array((NSTemporaryDirectory() + "/relais-rows-XXXXXX").utf8CString)
        descriptor = unsafe mkstemp(&name)
        guard descriptor >= 0 else { throw Self.failure() }
        _ = unsafe unlink(name)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        let all = waiting[0]
        waiting = Array(repeating: [], count: Self.parts)
        blocks = Array(repeating: [], count: Self.parts)
        sizes = Array(repeating: 0, count: Self.parts)
        for (hash, row) in Self.rows(all) {
            let part = Int(hash % UInt64(Self.parts))
            waiting[part] += all[row.bytes.lowerBound - Self.head..<row.bytes.upperBound]
            if waiting[part].count >= Self.block { try write(part) }
        }
    }

    private func write(_ part: Int) throws(MappingError) {
        var rest = waiting[part][...]
        blocks[part].append(fileSize..<fileSize + rest.count)
        sizes[part] += rest.count
        guard sizes[part] <= Self.partLimit else {
            throw MappingError(.stageFull, ["limit": String(Self.partLimit >> 20)])
        }
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes {
                unsafe pwrite(descriptor, $0.baseAddress, $0.count, off_t(fileSize))
            }
            guard written > 0 else { throw Self.failure() }
            rest = rest.dropFirst(written)
            fileSize += written
        }
        waiting[part].removeAll(keepingCapacity: true)
    }

    private func read(_ block: Range<Int>) throws(MappingError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: block.count)
        let got = unsafe bytes.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, $0.count, off_t(block.lowerBound))
        }
        guard got == block.count else { throw Self.failure() }
        return bytes
    }

    private static func failure() -> MappingError {
        MappingError(
            .stageUnwritable, SystemFault.facts().merging(["folder": NSTemporaryDirectory()]) { $1 })
    }
}

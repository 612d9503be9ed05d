// SPDX-License-Identifier: Apache-2.0
// What one pass over a file tells: its identity, its size, the encodings it can be in.

internal import Crypto
package import FileTransfer
package import Tabular

/// The facts of a file, found before anything is parsed.
package struct FileFacts: Sendable {
    /// SHA-256 of all bytes.
    package let sha256: [UInt8]
    /// Number of bytes, those of a second file included.
    package let size: Int
    /// Byte order mark and UTF-8 validity.
    package let probe: EncodingProbe
    /// The same of the second file, for mappings that read two.
    package let detail: EncodingProbe?

    /// Number of bytes of the first file.
    package var firstSize: Int { probe.count }

    /// Reads the whole file once.
    package init(_ file: borrowing LocalFile) throws(FileError) {
        var hasher = SHA256()
        probe = try Self.probe(file, &hasher)
        detail = nil
        sha256 = Array(hasher.finalize())
        size = probe.count
    }

    /// Reads two files that belong together; their bytes count as one behind the other.
    package init(_ file: borrowing LocalFile, _ detail: borrowing LocalFile) throws(FileError) {
        var hasher = SHA256()
        probe = try Self.probe(file, &hasher)
        let second = try Self.probe(detail, &hasher)
        self.detail = second
        sha256 = Array(hasher.finalize())
        size = probe.count + second.count
    }

    /// Facts of kept bytes.
    ///
    /// - Parameters:
    ///   - firstSize: of two files kept as one, the size of the first.
    ///   - next: the next bytes; nil at the end.
    init(sha256: [UInt8], size: Int, firstSize: Int?, next: () async throws -> [UInt8]?) async throws {
        var first = EncodingProbe()
        var second = EncodingProbe()
        var done = 0
        while let bytes = try await next() {
            let split = min(bytes.count, max(0, (firstSize ?? size) - done))
            if split > 0 { first.feed(Array(bytes[..<split])) }
            if split < bytes.count { second.feed(Array(bytes[split...])) }
            done += bytes.count
        }
        first.finish()
        second.finish()
        self.sha256 = sha256
        self.size = size
        probe = first
        detail = firstSize == nil ? nil : second
    }

    private static func probe(
        _ file: borrowing LocalFile, _ hasher: inout SHA256
    ) throws(FileError) -> EncodingProbe {
        var probe = EncodingProbe()
        file.rewind()
        var bytes: [UInt8] = []
        while true {
            try file.read(into: &bytes)
            if bytes.isEmpty { break }
            hasher.update(data: bytes)
            probe.feed(bytes)
        }
        probe.finish()
        return probe
    }
}

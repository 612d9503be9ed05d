// SPDX-License-Identifier: Apache-2.0
// What one pass over a file tells: its identity, its size, the encodings it can be in.

internal import Crypto
package import FileTransfer
package import Tabular

/// The facts of a file, found before anything is parsed.
package struct FileFacts: Sendable {
    /// SHA-256 of all bytes.
    package let sha256: [UInt8]
    /// Number of bytes.
    package let size: Int
    /// Byte order mark and UTF-8 validity.
    package let probe: EncodingProbe

    /// Reads the whole file once.
    package init(_ file: borrowing LocalFile) throws(FileError) {
        var hasher = SHA256()
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
        sha256 = Array(hasher.finalize())
        size = probe.count
        self.probe = probe
    }
}

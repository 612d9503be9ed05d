// SPDX-License-Identifier: Apache-2.0
// Bytes that a C library wants to read from a path, and that must not be on a disk.

internal import CLibCurl
internal import Diagnostics
internal import Glibc

/// A file that is only in memory, for libraries that want a path.
final class MemoryFile: Sendable {
    private let descriptor: Int32

    init(_ text: String) throws(TransferError) {
        descriptor = relais_memory_file()
        let bytes = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
        guard descriptor >= 0, unsafe write(descriptor, bytes, bytes.count) == bytes.count else {
            throw TransferError(.spool, SystemFault.facts())
        }
    }

    deinit {
        close(descriptor)
    }

    /// Where this process, and nobody else, finds it.
    var path: String { "/proc/self/fd/\(descriptor)" }
}

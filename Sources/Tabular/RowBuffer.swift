// SPDX-License-Identifier: Apache-2.0
// The bytes of a text file on their way to becoming rows.

internal import Diagnostics

/// What a broken table may cost at most.
package struct TableLimits: Sendable, Hashable {
    /// Bytes of one field.
    package var field = 1 << 20
    /// Bytes of one row.
    package var record = 16 << 20
    /// Fields of one row.
    package var fields = 16_384

    /// The usual limits.
    package init() {}
}

/// A window of a file: what was read and is not yet part of a finished row.
struct RowBuffer: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Bytes in front of this position belong to finished rows.
    var position = 0
    /// One-based line of ``position``.
    var line = 1
    /// Offset in the file of the buffer's first byte.
    private(set) var offset: Int
    private let encoding: TextEncoding
    private var utf16: UTF16Decoder?
    private var markBytes: Int

    init(_ encoding: TextEncoding, mark: EncodingProbe.Mark) {
        self.encoding = encoding
        markBytes = mark.count
        offset = mark.count
        if encoding == .utf16 { utf16 = UTF16Decoder(bigEndian: mark == .utf16BigEndian) }
    }

    /// Drops the finished rows and adds the next bytes of the file.
    mutating func append(_ next: [UInt8]) throws(TabularError) {
        bytes.removeFirst(position)
        offset += position
        position = 0
        if markBytes == 0, utf16 == nil { return bytes.append(contentsOf: next) }
        let rest = next.dropFirst(markBytes)
        markBytes -= next.count - rest.count
        guard utf16 != nil else { return bytes.append(contentsOf: rest) }
        guard let text = utf16?.decode(rest) else { throw undecodable }
        bytes.append(contentsOf: text)
    }

    /// Says that the file ends here.
    func finish() throws(TabularError) {
        if let utf16, !utf16.isComplete { throw undecodable }
    }

    private var undecodable: TabularError {
        TabularError(.encoding, ["encodings": encoding.rawValue], at: Place(line: line))
    }
}

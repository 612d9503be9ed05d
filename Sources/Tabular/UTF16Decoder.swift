// SPDX-License-Identifier: Apache-2.0
// Turns UTF-16 into UTF-8 piece by piece, whatever the pieces' borders.

/// A stream of UTF-16 with a known byte order.
struct UTF16Decoder {
    private let isBigEndian: Bool
    private var oddByte: UInt8?
    private var highSurrogate: UInt16?

    init(bigEndian: Bool) {
        isBigEndian = bigEndian
    }

    /// The next bytes as UTF-8; nil where they are not UTF-16.
    mutating func decode(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        for byte in bytes {
            guard let first = oddByte else {
                oddByte = byte
                continue
            }
            oddByte = nil
            let unit = isBigEndian ? UInt16(first) << 8 | UInt16(byte) : UInt16(byte) << 8 | UInt16(first)
            guard let scalar = scalar(unit) else { return nil }
            if let scalar, let encoded = UTF8.encode(scalar) { output.append(contentsOf: encoded) }
        }
        return output
    }

    /// Whether the stream may end here.
    var isComplete: Bool { oddByte == nil && highSurrogate == nil }

    /// The scalar that a unit completes: outer nil for a fault, inner nil for the first half of a pair.
    private mutating func scalar(_ unit: UInt16) -> Unicode.Scalar?? {
        if let high = highSurrogate {
            highSurrogate = nil
            guard UTF16.isTrailSurrogate(unit) else { return .none }
            return UTF16.decode(UTF16.EncodedScalar([high, unit]))
        }
        if UTF16.isLeadSurrogate(unit) {
            highSurrogate = unit
            return .some(nil)
        }
        guard unit != 0 else { return .none }
        return Unicode.Scalar(unit).map { .some($0) } ?? .none
    }
}

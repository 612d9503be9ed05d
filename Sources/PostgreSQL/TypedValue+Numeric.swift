// SPDX-License-Identifier: Apache-2.0
// PostgreSQL's numeric in binary: digits of base 10,000 with a weight and a display scale.

internal import Diagnostics
package import Model

extension Decimal: PostgreSQLCodable {
    package static var typeID: TypeID { .numeric }

    /// Source: `numeric_send` in PostgreSQL's `numeric.c`: digit count, weight, sign, scale, digits.
    package func encode(into bytes: inout [UInt8]) {
        // Bring the decimals to a multiple of four, so that the point falls between two digits.
        let fractionDigits = (scale + 3) / 4
        var rest = unscaled.magnitude
        var digits: [Int16] = []
        let padding = fractionDigits * 4 - scale
        if padding > 0 {
            let power = [1, 10, 100, 1000][padding]
            let lowest = [10_000, 1000, 100, 10][padding]
            digits.append(Int16(rest % UInt128(lowest)) * Int16(power))
            rest /= UInt128(lowest)
        }
        while rest > 0 {
            digits.append(Int16(rest % 10_000))
            rest /= 10_000
        }
        let weight = digits.count - fractionDigits - 1
        bytes.append(bigEndian: Int16(digits.count))
        bytes.append(bigEndian: Int16(weight))
        bytes.append(bigEndian: isNegative ? UInt16(0x4000) : 0)
        bytes.append(bigEndian: Int16(scale))
        for digit in digits.reversed() { bytes.append(bigEndian: digit) }
    }

    package static func decode(_ bytes: inout BinaryReader, as type: TypeID) throws(PostgreSQLError)
        -> Decimal
    {
        guard type == .numeric else { return Decimal(try Int.decode(&bytes, as: type)) }
        let count = Int(try bytes.integer(Int16.self))
        let weight = Int(try bytes.integer(Int16.self))
        let sign = try bytes.integer(UInt16.self)
        let scale = Int(try bytes.integer(Int16.self))
        let tooWide = PostgreSQLError(.decoding, ["detail": "numeric outside 38 digits"])
        guard sign == 0 || sign == 0x4000 else {
            throw PostgreSQLError(.decoding, ["detail": "numeric is NaN or infinite"])
        }
        var unscaled: Int128 = 0
        for _ in 0..<count {
            let digit = try bytes.integer(Int16.self)
            let (product, overflow) = unscaled.multipliedReportingOverflow(by: 10_000)
            guard !overflow else { throw tooWide }
            unscaled = product + Int128(digit)
        }
        // The digits end at 10,000^(weight - count + 1); move the point to `scale` decimals.
        var shift = scale + 4 * (weight - count + 1)
        while shift > 0 {
            let (product, overflow) = unscaled.multipliedReportingOverflow(by: 10)
            guard !overflow else { throw tooWide }
            unscaled = product
            shift -= 1
        }
        while shift < 0 {
            unscaled /= 10
            shift += 1
        }
        guard let value = Decimal(unscaled: sign == 0 ? unscaled : -unscaled, scale: scale) else {
            throw tooWide
        }
        return value
    }
}

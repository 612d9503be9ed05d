// SPDX-License-Identifier: Apache-2.0
// A JSON value as it was written: numbers stay texts, keys keep their order.

/// A value of RFC 8259.
package indirect enum JSONNode: Sendable, Hashable {
    /// Members in the order written; no key comes twice.
    case object([Member])
    case array([JSONNode])
    case string(String)
    /// The digits as written: an amount never becomes a binary float.
    case number(String)
    case boolean(Bool)
    case null

    /// A key and its value.
    package struct Member: Sendable, Hashable {
        /// The key.
        package let key: String
        /// Its value.
        package let value: JSONNode
    }

    /// The value of a key; nil where this is no object, or has no such key.
    package subscript(key: String) -> JSONNode? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    /// A string, number or truth value as text, numbers without exponent; nil for anything else.
    package var text: String? {
        switch self {
        case .string(let text): text
        case .number(let digits): Self.withoutExponent(digits)
        case .boolean(let truth): truth ? "true" : "false"
        case .object, .array, .null: nil
        }
    }

    /// `1.25e3` as `1250`, exactly; a number whose exponent is no business number's (beyond 40) stays as it is.
    private static func withoutExponent(_ number: String) -> String {
        let parts = number.split { $0 == "e" || $0 == "E" }
        guard parts.count == 2, let exponent = Int(parts[1]),
            (-40...40).contains(exponent)
        else { return number }
        let sign = parts[0].hasPrefix("-") ? "-" : ""
        let mantissa = parts[0].drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        let behind = mantissa.count > 1 ? mantissa[1] : ""
        var digits = String(mantissa[0] + behind)
        let point = mantissa[0].count + exponent
        if point <= 0 { digits = String(repeating: "0", count: 1 - point) + digits }
        let place = max(point, 1)
        digits += String(repeating: "0", count: max(0, place - digits.count))
        let whole = digits.prefix(place).drop { $0 == "0" }
        return sign + (whole.isEmpty ? "0" : whole)
            + (place < digits.count ? "." + digits.dropFirst(place) : "")
    }
}

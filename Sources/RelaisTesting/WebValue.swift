// SPDX-License-Identifier: Apache-2.0
// JSON as scripts of pages take and return it.

/// One value of a script.
package enum WebValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([WebValue])
    case object([String: WebValue])

    /// The text of a string.
    package var string: String? { if case .string(let text) = self { text } else { nil } }

    /// The value of a number.
    package var number: Double? { if case .number(let number) = self { number } else { nil } }

    /// The truth of a boolean.
    package var bool: Bool? { if case .bool(let truth) = self { truth } else { nil } }

    /// The values of an array; none for anything else.
    package var array: [WebValue] { if case .array(let values) = self { values } else { [] } }

    /// A member of an object; null where there is none.
    package subscript(key: String) -> WebValue {
        if case .object(let members) = self { members[key] ?? .null } else { .null }
    }
}

extension WebValue: Codable {
    /// Reads any JSON.
    package init(from decoder: any Decoder) throws {
        let one = try decoder.singleValueContainer()
        if one.decodeNil() {
            self = .null
        } else if let value = try? one.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? one.decode(Double.self) {
            self = .number(value)
        } else if let value = try? one.decode(String.self) {
            self = .string(value)
        } else if let value = try? one.decode([WebValue].self) {
            self = .array(value)
        } else {
            self = .object(try one.decode([String: WebValue].self))
        }
    }

    /// Writes JSON.
    package func encode(to encoder: any Encoder) throws {
        var one = encoder.singleValueContainer()
        switch self {
        case .null: try one.encodeNil()
        case .bool(let value): try one.encode(value)
        case .number(let value): try one.encode(value)
        case .string(let value): try one.encode(value)
        case .array(let values): try one.encode(values)
        case .object(let members): try one.encode(members)
        }
    }
}

extension WebValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A string.
    package init(stringLiteral value: String) { self = .string(value) }
    /// A number.
    package init(integerLiteral value: Int) { self = .number(Double(value)) }
    /// A truth.
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    /// An array.
    package init(arrayLiteral values: WebValue...) { self = .array(values) }
    /// An object.
    package init(dictionaryLiteral members: (String, WebValue)...) {
        self = .object(Dictionary(members) { $1 })
    }
}

// SPDX-License-Identifier: Apache-2.0
// JSON as programs read it: amounts and dates are texts, so that nothing is rounded on the way.

package import Diagnostics
internal import Foundation
internal import JSON
package import Model

/// A JSON value.
package enum JSONValue: Sendable {

    case null
    case text(String)
    case number(Int)
    case boolean(Bool)
    case list([JSONValue])
    case object([String: JSONValue])

    /// One line, keys in order.
    package var text: String {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the value as JSON. By hand: Foundation's encoder takes longer than reading the record did.
    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .null: bytes.append(contentsOf: "null".utf8)
        case .text(let text): JSONQuoting.append(text, to: &bytes)
        case .number(let number): bytes.append(contentsOf: String(number).utf8)
        case .boolean(let boolean): bytes.append(contentsOf: (boolean ? "true" : "false").utf8)
        case .list(let items):
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                item.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let pairs):
            bytes.append(UInt8(ascii: "{"))
            for (index, pair) in pairs.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONQuoting.append(pair.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                pair.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    /// A text; null where there is none.
    package init(_ text: String?) { self = text.map { .text($0) } ?? .null }
    /// A number; null where there is none.
    package init(_ number: Int?) { self = number.map { .number($0) } ?? .null }
    /// An amount as a text.
    package init(_ decimal: Model.Decimal?) { self.init(decimal?.description) }
    /// A day as a text.
    package init(_ date: CalendarDate?) { self.init(date?.description) }

    /// A value of a record.
    package init(_ value: Model.Value?) {
        switch value {
        case .integer(let integer): self = .number(integer)
        case .boolean(let boolean): self = .boolean(boolean)
        default: self.init(value?.description)
        }
    }

    /// Code and place, with the texts of a language.
    package init(_ diagnostic: Diagnostic, message: String?, hint: String?) {
        self = [
            "code": .text(diagnostic.code), "column": JSONValue(diagnostic.place.column),
            "field": JSONValue(diagnostic.place.field), "file": JSONValue(diagnostic.place.file),
            "hint": JSONValue(hint), "line": JSONValue(diagnostic.place.line),
            "message": JSONValue(message), "severity": .text(diagnostic.severity.rawValue),
            "value": JSONValue(diagnostic.place.value),
        ]
    }

    /// A record's fields as nested objects (`buyer.siren` is `siren` of `buyer`), and its child rows.
    package init(_ record: Record) {
        var root: [String: JSONValue] = [:]
        for (field, value) in zip(record.schema.fields, record.values) {
            Self.set(JSONValue(value), at: field.name.split(separator: ".").map(String.init)[...], in: &root)
        }
        for (collection, rows) in zip(record.schema.collections, record.allRows) {
            root[collection.name] = .list(
                rows.map { row in
                    .object(
                        Dictionary(
                            uniqueKeysWithValues: zip(
                                collection.fields.map(\.name), row.map { JSONValue($0) })))
                })
        }
        self = .object(root)
    }

    private static func set(
        _ value: JSONValue, at path: ArraySlice<String>, in object: inout [String: JSONValue]
    ) {
        guard let first = path.first else { return }
        guard path.count > 1 else {
            object[first] = value
            return
        }
        var inner: [String: JSONValue] = [:]
        if case .object(let known)? = object[first] { inner = known }
        set(value, at: path.dropFirst(), in: &inner)
        object[first] = .object(inner)
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    /// An object.
    package init(dictionaryLiteral pairs: (String, JSONValue)...) {
        self = .object(Dictionary(uniqueKeysWithValues: pairs))
    }
}

extension JSONValue {
    /// A value read from JSON; null for what is not JSON.
    package init(parsing text: String) {
        let object = try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        self.init(foundation: object)
    }

    private init(foundation object: Any?) {
        switch object {
        case let text as String: self = .text(text)
        case let number as NSNumber:
            let isBoolean = number === (true as NSNumber) || number === (false as NSNumber)
            self =
                isBoolean || "\(number)" == "true" || "\(number)" == "false"
                ? .boolean(number.boolValue) : .number(number.intValue)
        case let items as [Any]: self = .list(items.map { JSONValue(foundation: $0) })
        case let pairs as [String: Any]: self = .object(pairs.mapValues { JSONValue(foundation: $0) })
        default: self = .null
        }
    }

    /// The value with a text in it replaced.
    package func replacing(_ old: String, with new: String) -> JSONValue {
        switch self {
        case .text(let text): .text(text.replacing(old, with: new))
        case .list(let items): .list(items.map { $0.replacing(old, with: new) })
        case .object(let pairs): .object(pairs.mapValues { $0.replacing(old, with: new) })
        case .null, .number, .boolean: self
        }
    }

    /// The value without these keys, at any depth.
    package func removing(_ keys: Set<String>) -> JSONValue {
        switch self {
        case .list(let items): .list(items.map { $0.removing(keys) })
        case .object(let pairs):
            .object(pairs.filter { !keys.contains($0.key) }.mapValues { $0.removing(keys) })
        case .null, .text, .number, .boolean: self
        }
    }

    /// Where this value and another one differ, field by field.
    package func differences(from other: JSONValue, at path: String) -> [(
        path: String, old: String, new: String
    )] {
        switch (self, other) {
        case (.object(let left), .object(let right)):
            return Set(left.keys).union(right.keys).sorted().flatMap { key in
                (left[key] ?? .null).differences(from: right[key] ?? .null, at: "\(path).\(key)")
            }
        case (.list(let left), .list(let right)):
            return (0..<max(left.count, right.count)).flatMap { index in
                (index < left.count ? left[index] : .null).differences(
                    from: index < right.count ? right[index] : .null, at: "\(path)[\(index + 1)]")
            }
        default: return text == other.text ? [] : [(path, text, other.text)]
        }
    }
}

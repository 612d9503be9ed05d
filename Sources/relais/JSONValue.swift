// SPDX-License-Identifier: Apache-2.0
// JSON as programs read it: amounts and dates are texts, so that nothing is rounded on the way.

internal import Diagnostics
internal import Foundation
internal import Model
internal import Words

/// A JSON value.
enum JSONValue: Encodable {
    case null
    case text(String)
    case number(Int)
    case boolean(Bool)
    case list([JSONValue])
    case object([String: JSONValue])

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        case .boolean(let boolean): try container.encode(boolean)
        case .list(let items): try container.encode(items)
        case .object(let pairs): try container.encode(pairs)
        }
    }

    /// One line, keys in order.
    var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "null"
    }

    init(_ text: String?) { self = text.map { .text($0) } ?? .null }
    init(_ number: Int?) { self = number.map { .number($0) } ?? .null }
    init(_ decimal: Model.Decimal?) { self.init(decimal?.description) }
    init(_ date: CalendarDate?) { self.init(date?.description) }

    init(_ value: Model.Value?) {
        switch value {
        case .integer(let integer): self = .number(integer)
        case .boolean(let boolean): self = .boolean(boolean)
        default: self.init(value?.description)
        }
    }

    /// Code, message, hint and place.
    init(_ diagnostic: Diagnostic) {
        self = [
            "code": .text(diagnostic.code), "column": JSONValue(diagnostic.place.column),
            "field": JSONValue(diagnostic.place.field), "file": JSONValue(diagnostic.place.file),
            "hint": JSONValue(words.hint(diagnostic)), "line": JSONValue(diagnostic.place.line),
            "message": .text(words.message(diagnostic)), "severity": .text(diagnostic.severity.rawValue),
            "value": JSONValue(diagnostic.place.value),
        ]
    }

    /// A record's fields as nested objects (`buyer.siren` is `siren` of `buyer`), and its child rows.
    init(_ record: Record) {
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
    init(dictionaryLiteral pairs: (String, JSONValue)...) {
        self = .object(Dictionary(uniqueKeysWithValues: pairs))
    }
}

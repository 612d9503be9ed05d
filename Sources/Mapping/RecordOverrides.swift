// SPDX-License-Identifier: Apache-2.0
// Values that a person gives records which could not be applied as they are.

internal import Diagnostics
internal import Model

/// Replaced fields, by the ordinal of their record.
package struct RecordOverrides: Sendable {
    /// One field with its new value; nil takes the value away.
    struct Change: Sendable {
        let slot: Int
        let value: Value?
    }

    private var changes: [Int: [Change]] = [:]

    /// Nothing is replaced.
    package init() {}

    /// Whether nothing is replaced.
    var isEmpty: Bool { changes.isEmpty }

    /// Replaces fields of a record, given as people write them: dates as 2026-01-31 or 31/01/2026, amounts with
    /// a point or a comma; an empty text takes the value away.
    ///
    /// - Throws: `OVERRIDE-FIELD` for a field that the entity does not have, `OVERRIDE-VALUE` for a text that is
    ///   no value of its type.
    package mutating func replace(
        _ fields: [String: String], of ordinal: Int, in definition: MappingDefinition
    ) throws(MappingError) {
        for (name, text) in fields.sorted(by: { $0.key < $1.key }) {
            guard let slot = definition.target.slot(of: name) else {
                var facts = ["entity": definition.target.name]
                let near = Suggestion.nearest(to: name, in: definition.target.fields.map(\.name))
                facts["suggestion"] = near
                throw MappingError(.overrideField, facts, at: Place(field: name, value: text))
            }
            let type = definition.target.fields[slot].type
            let value = text.isEmpty ? nil : try Self.value(text, type, Place(field: name, value: text))
            changes[ordinal, default: []].append(Change(slot: slot, value: value))
        }
    }

    private static func value(
        _ text: String, _ type: ValueType, _ place: Place
    ) throws(MappingError) -> Value {
        let parsed: Value? =
            switch type {
            case .string: .text(text)
            case .currency: text.count == 3 ? .text(text.uppercased()) : nil
            case .decimal:
                (Decimal(text) ?? NumberLocale.fr.decimal(Array(text.utf8).span)).map { .decimal($0) }
            case .int: Int(text).map { .integer($0) }
            case .bool:
                ["true": true, "oui": true, "false": false, "non": false][text.lowercased()].map {
                    .boolean($0)
                }
            case .date:
                [DateFormat.iso, DateFormat("dd/MM/yyyy")].lazy.compactMap { $0?.date(text) }.first.map {
                    .date($0)
                }
            case .datetime: nil
            }
        guard let parsed else { throw MappingError(.overrideValue, ["type": type.rawValue], at: place) }
        return parsed
    }

    /// Puts the values of a record in place; what was found wrong with these fields is forgotten.
    func apply(to item: inout MappedItem) {
        guard let changes = changes[item.record.origin.ordinal] else { return }
        for change in changes {
            let name = item.record.schema.fields[change.slot].name
            item.record[name] = change.value
            item.findings.removeAll { $0.place.field == name }
        }
    }
}

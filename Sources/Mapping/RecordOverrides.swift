// SPDX-License-Identifier: Apache-2.0
// Values that a person gives records which could not be applied as they are.

internal import Diagnostics
package import Model

/// Replaced fields, by the ordinal of their record.
package struct RecordOverrides: Sendable {
    /// One field with its new value; nil takes the value away.
    struct Change: Sendable {
        let slot: Int
        let value: Value?
    }

    private var changes = RecordPlaces<[Change]>()

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
        _ fields: [String: String], of place: RecordPlace, in target: EntitySchema
    ) throws(MappingError) {
        for (name, text) in fields.sorted(by: { $0.key < $1.key }) {
            guard let slot = target.slot(of: name) else {
                var facts = ["entity": target.name]
                let near = Suggestion.nearest(to: name, in: target.fields.map(\.name))
                facts["suggestion"] = near
                throw MappingError(.overrideField, facts, at: Place(field: name, value: text))
            }
            let type = target.fields[slot].type
            let value = text.isEmpty ? nil : try Self.value(text, type, Place(field: name, value: text))
            changes.update(place, default: []) { $0.append(Change(slot: slot, value: value)) }
        }
    }

    private static func value(
        _ text: String, _ type: ValueType, _ place: Place
    ) throws(MappingError) -> Value {
        let parsed: Value? =
            switch type {
            case .string: isWellFormed(text, place.field ?? "") ? .text(text) : nil
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

    /// Whether a text has the shape of what its field is for.
    private static func isWellFormed(_ text: String, _ field: String) -> Bool {
        let isNumber = text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        switch field.split(separator: ".").last {
        case "siren", "company_siren": return isNumber && text.utf8.count == 9
        case "siret": return isNumber && text.utf8.count == 14
        default: return true
        }
    }

    /// Puts the values of a record in place; what was found wrong with these fields is forgotten.
    func apply(to item: inout MappedItem) {
        guard let changes = changes.value(at: item.record.origin) else { return }
        for change in changes {
            let name = item.record.schema.fields[change.slot].name
            item.record[name] = change.value
            item.findings.removeAll { $0.place.field == name }
        }
    }
}

/// Where a record stood in its file when it was read before.
package struct RecordPlace: Sendable, Hashable {
    /// Its number.
    package let ordinal: Int
    /// Its bytes, where they are known.
    package let bytes: Range<Int>?

    /// A place in a file.
    package init(ordinal: Int, bytes: Range<Int>?) {
        self.ordinal = ordinal
        self.bytes = bytes
    }
}

/// Values of records of a file, found again by their bytes: a changed mapping may number them otherwise.
package struct RecordPlaces<Value: Sendable>: Sendable {
    private var byOrdinal: [Int: Value] = [:]
    private var byBytes: [Int: (end: Int, value: Value)] = [:]
    private var starts: [Int] = []

    /// No places yet.
    package init() {}

    /// Whether there are none.
    package var isEmpty: Bool { byOrdinal.isEmpty && byBytes.isEmpty }

    /// Changes the value of a place.
    package mutating func update(_ place: RecordPlace, default value: Value, _ body: (inout Value) -> Void) {
        guard let bytes = place.bytes, !bytes.isEmpty else {
            return body(&byOrdinal[place.ordinal, default: value])
        }
        if byBytes[bytes.lowerBound] == nil {
            byBytes[bytes.lowerBound] = (bytes.upperBound, value)
            // Records mostly come in the order of the file.
            let index =
                starts.last.map { $0 < bytes.lowerBound } == false
                ? insertion(of: bytes.lowerBound) : starts.count
            starts.insert(bytes.lowerBound, at: index)
        }
        if var entry = byBytes[bytes.lowerBound] {
            body(&entry.value)
            byBytes[bytes.lowerBound] = entry
        }
    }

    /// The value of the record that was read at a place.
    package func value(at origin: Origin) -> Value? {
        if !starts.isEmpty, let first = origin.bytes?.lowerBound {
            let index = insertion(of: first + 1) - 1
            if index >= 0, let entry = byBytes[starts[index]], first < entry.end { return entry.value }
        }
        return byOrdinal[origin.ordinal]
    }

    /// Position of the first start that is not before `byte`.
    private func insertion(of byte: Int) -> Int {
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] < byte { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

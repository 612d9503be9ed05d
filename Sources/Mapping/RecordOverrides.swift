// SPDX-License-Identifier: Apache-2.0
// Values that a person gives records which could not be applied as they are.

internal import Diagnostics
package import Model
internal import YAML

/// Replaced fields, by the place of their record.
package struct RecordOverrides: Sendable {
    /// Which cells of a record a change means.
    private enum Target: Sendable {
        case field(Int)
        /// Of one child row, counted from 0; nil = of each row that lacks the value.
        case row(collection: Int, row: Int?, slot: Int)
    }

    /// One field with its new value; nil takes the value away.
    private struct Change: Sendable {
        let target: Target
        let name: String
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
    /// A field of child rows is `lines[2].net`, of the second row, or `lines.net`, of every row that lacks it.
    ///
    /// - Throws: `OVERRIDE-FIELD` for a field that the entity does not have, `OVERRIDE-VALUE` for a text that is
    ///   no value of its type, `OVERRIDE-WORD` for one that is not among the field's words.
    package mutating func replace(
        _ fields: [String: String], of place: RecordPlace, in target: EntitySchema
    ) throws(MappingError) {
        for (name, text) in fields.sorted(by: { $0.key < $1.key }) {
            let place = (record: place, field: Place(field: name, value: text))
            guard let (cells, field) = Self.target(name, in: target) else {
                throw Self.unknown(name, target, place.field)
            }
            let value = text.isEmpty ? nil : try Self.value(text, field, place.field)
            let plain = name.replacing(#/\[\d+\]/#, with: "")
            changes.update(place.record, default: []) {
                $0.append(Change(target: cells, name: plain, value: value))
            }
        }
    }

    private static func target(_ name: String, in schema: EntitySchema) -> (Target, FieldSchema)? {
        if let slot = schema.slot(of: name) { return (.field(slot), schema.fields[slot]) }
        guard let parts = name.wholeMatch(of: #/(\w+)(?:\[(\d{1,6})\])?\.(.+)/#),
            let collection = schema.collection(String(parts.output.1)),
            let slot = schema.collections[collection].slot(of: String(parts.output.3))
        else { return nil }
        let row = parts.output.2.flatMap { Int($0) }
        guard row != 0 else { return nil }
        let target = Target.row(collection: collection, row: row.map { $0 - 1 }, slot: slot)
        return (target, schema.collections[collection].fields[slot])
    }

    private static func unknown(_ name: String, _ schema: EntitySchema, _ place: Place) -> MappingError {
        let rows = schema.collections.flatMap { rows in rows.fields.map { "\(rows.name).\($0.name)" } }
        let near = Suggestion.nearest(to: name, in: schema.fields.map(\.name) + rows)
        return MappingError(
            .overrideField, ["record": schema.name, "suggestion": near ?? ""], at: place)
    }

    private static func value(
        _ text: String, _ field: FieldSchema, _ place: Place
    ) throws(MappingError) -> Value {
        if !field.words.isEmpty {
            if field.words.contains(text) { return .text(text) }
            let near = Suggestion.nearest(to: text, in: field.words) ?? ""
            let facts = ["known": field.words.joined(separator: ", "), "suggestion": near]
            throw MappingError(.overrideWord, facts, at: place)
        }
        let parsed: Value? =
            switch field.type {
            case .string: isWellFormed(text, field.name) ? .text(text) : nil
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
            case .datetime: Instant.read(text).map { .timestamp($0) }
            }
        guard let parsed else {
            throw MappingError(.overrideValue, ["expected": field.type.rawValue], at: place)
        }
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
    ///
    /// - Parameter line: the line of a child row, as findings name it.
    func apply(to item: inout MappedItem, line: (RowPlace) -> Int?) {
        guard let changes = changes.value(at: item.record.origin) else { return }
        for change in changes {
            switch change.target {
            case .field(let slot):
                item.record[item.record.schema.fields[slot].name] = change.value
                item.findings.removeAll { $0.place.field == change.name }
            case .row(let collection, let row, let slot):
                let count = item.record.children[collection].count
                if let row, row >= count {
                    let place = Place(line: item.record.origin.line, field: change.name)
                    let facts = ["count": String(count), "row": String(row + 1)]
                    item.findings.insert(MappingError(.overrideRow, facts, at: place).diagnostic, at: 0)
                    continue
                }
                for place in row.map({ $0..<$0 + 1 }) ?? 0..<count
                where row != nil || !item.record.holdsValue(collection, place, slot) {
                    item.record.replace(collection, place, slot, with: change.value)
                }
                Self.forget(change.name, collection, slot, &item, line)
            }
        }
    }

    /// A finding about a field of rows is settled when every row at its line has the value.
    private static func forget(
        _ name: String, _ collection: Int, _ slot: Int, _ item: inout MappedItem,
        _ line: (RowPlace) -> Int?
    ) {
        let rows = 0..<item.record.children[collection].count
        let own = item.record.origin.line
        let lacking = Set(
            rows.filter { !item.record.holdsValue(collection, $0, slot) }.map {
                line(RowPlace(collection: collection, row: $0)) ?? own
            })
        item.findings.removeAll { $0.place.field == name && !lacking.contains($0.place.line) }
    }
}

extension Record {
    fileprivate func holdsValue(_ collection: Int, _ row: Int, _ slot: Int) -> Bool {
        children[collection].cells[row * children[collection].width + slot].isValue
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

// SPDX-License-Identifier: Apache-2.0
// Tells where each value of a record came from: the place, the text that stood there, the rule's steps.

internal import Model

/// Where one value of a record came from.
package struct FieldTrace: Sendable, Hashable {
    /// JSON name of the field.
    package let field: String
    /// Column, path, other field or constant, in the mapping's words.
    package let origin: String
    /// The text that stood there, before cleaning and typing.
    package let source: String?
    /// What the rule does to the text, in order.
    package let steps: [String]
}

extension RecordEvaluator {
    /// Where the values of a record that was just evaluated came from; fields without a value are left out.
    func traces(
        _ source: inout some RecordSource, _ item: inout MappedItem, _ rules: [FieldExplanation]
    ) -> [FieldTrace] {
        (0..<program.fieldCount).compactMap { index in
            let operation = program.operations[index]
            let name = definition.target.fields[Int(operation.slot)].name
            guard item.record.cells[Int(operation.slot)].isValue else { return nil }
            let found = trace(operation, &source, &item.record)
            return FieldTrace(
                field: name, origin: found?.origin ?? "default", source: found?.text,
                steps: rules.first { $0.field == name }?.steps ?? [])
        }
    }

    private func trace(
        _ operation: FieldOperation, _ source: inout some RecordSource, _ record: inout Record
    ) -> (origin: String, text: String?)? {
        let text: TextRange?
        let words: String
        switch operation.origin {
        case .place(let place):
            text = try? source.text(place, .record, &record)
            words = program.places[Int(place)].words
        case .places(let start, let count):
            let places = program.links[Int(start)..<Int(start + count)]
            text = try? source.text(places, .record, &record)
            words = places.map { program.places[Int($0)].words }.joined(separator: " | ")
        case .field(let slot):
            text = record.text(of: record.cells[Int(slot)])
            words = "← " + definition.target.fields[Int(slot)].name
        case .rowField: return nil
        case .constant(let constant):
            return (operation.when >= 0 ? "when" : "'\(record.string(constant))'", nil)
        case .root:
            text = source.root(&record)
            words = "root"
        case .first(let start, let count):
            for index in Int(start)..<Int(start + count) {
                guard let found = trace(program.operations[index], &source, &record),
                    found.text?.isEmpty == false
                else { continue }
                return found
            }
            return nil
        }
        guard let text, text.count > 0 else { return nil }
        return (words, record.string(text))
    }
}

// SPDX-License-Identifier: Apache-2.0
// What a form changes of something that others may have changed meanwhile.

/// A field that people may change.
protocol EditableField: Hashable, Sendable, CaseIterable, RawRepresentable where RawValue == String {
    /// A text as it is kept and compared.
    func normalised(_ text: String) -> String
}

/// The texts of a form beside those that it began with and those that are there now; spellings of one value are equal.
struct FieldEdit<Field: EditableField> {
    /// A field that somebody else has changed to something else.
    struct Conflict {
        let field: Field
        let mine: String
        let theirs: String
    }

    /// What is neither as the form began nor as it is now, in the order of the fields.
    let conflicts: [Conflict]
    /// What is to be written.
    let differing: [(field: Field, value: String)]

    /// - Parameters:
    ///   - now: the texts of the form, normalised.
    ///   - was: the texts that it was filled with.
    ///   - current: the texts that are there.
    init(_ now: [Field: String], was: [Field: String], current: [Field: String]) {
        // What a file wrote may look different from what a form sends back, and mean the same.
        func normal(_ field: Field, _ texts: [Field: String]) -> String {
            field.normalised(texts[field] ?? "")
        }
        let changed = Field.allCases.compactMap { field -> (field: Field, value: String)? in
            now[field].flatMap { $0 == normal(field, was) ? nil : (field, $0) }
        }
        differing = changed.filter { $0.value != normal($0.field, current) }
        conflicts = differing.filter { normal($0.field, current) != normal($0.field, was) }.map {
            Conflict(field: $0.field, mine: $0.value, theirs: normal($0.field, current))
        }
    }
}

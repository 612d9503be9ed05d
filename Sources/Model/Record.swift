// SPDX-License-Identifier: Apache-2.0
// One business item read from an artifact or a peer, typed and with its origin.

/// The values of one row in the order of its schema; nil where the source said nothing.
package typealias Values = [Value?]

/// One business item: its fields, its child rows and where it was read.
package struct Record: Sendable {
    /// What the values mean.
    package let schema: EntitySchema
    /// Scalar fields, by ``EntitySchema/fields``.
    package var values: Values
    /// Child rows, by ``EntitySchema/collections``, each in the order of the source.
    package var children: [[Values]]
    /// Where it was read.
    package var origin: Origin

    package init(schema: EntitySchema, origin: Origin = Origin()) {
        self.schema = schema
        values = Values(repeating: nil, count: schema.fields.count)
        children = [[Values]](repeating: [], count: schema.collections.count)
        self.origin = origin
    }

    /// The field with a JSON name; nil where it is absent or the schema has no such field.
    package subscript(name: String) -> Value? {
        get { schema.slot(of: name).flatMap { values[$0] } }
        set { schema.slot(of: name).map { values[$0] = newValue } }
    }

    /// The field as text, when it has some.
    package func text(_ name: String) -> String? { self[name]?.text }
    /// The field as a decimal, when it is one.
    package func decimal(_ name: String) -> Decimal? { self[name]?.decimal }
    /// The field as a date, when it is one.
    package func date(_ name: String) -> CalendarDate? { self[name]?.date }
}

/// Where a record was read inside its artifact.
package struct Origin: Sendable, Hashable {
    /// One-based number of the record in the artifact.
    package var ordinal: Int
    /// One-based line of its first byte, as far as the reader knows it.
    package var line: Int?
    /// First byte and the byte behind the last, from the artifact's start.
    package var bytes: Range<Int>?

    package init(ordinal: Int = 0, line: Int? = nil, bytes: Range<Int>? = nil) {
        self.ordinal = ordinal
        self.line = line
        self.bytes = bytes
    }
}

// SPDX-License-Identifier: Apache-2.0
// A component of a document: what stands between BEGIN and END.

/// A component with its properties and the components inside it, no deeper than the limit of its reader.
package struct Component: Hashable, Sendable {
    /// The name in upper case, such as `VEVENT`.
    package let name: String
    /// Its own properties in the order written, without BEGIN and END.
    package internal(set) var properties: [ContentLine] = []
    /// The components inside it.
    package internal(set) var components: [Component] = []
    /// Its bytes in the document, from BEGIN to the end of END's line.
    package internal(set) var place: Range<Int>
    /// Where a property may be put in: behind its last one, or else behind BEGIN.
    package internal(set) var insertion: Int
    /// The one-based line of BEGIN.
    package let number: Int

    /// The first property of a name, which is in upper case.
    package subscript(name: String) -> ContentLine? { properties.first { $0.name == name } }

    /// All properties of a name.
    package func properties(_ name: String) -> [ContentLine] { properties.filter { $0.name == name } }

    /// The components of a name inside it.
    package func components(_ name: String) -> [Component] { components.filter { $0.name == name } }
}

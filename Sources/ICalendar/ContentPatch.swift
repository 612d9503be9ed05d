// SPDX-License-Identifier: Apache-2.0
// Changes of single properties of a document: every other byte stays as it was sent.

package import Model

/// Edits of a document, by the places of its lines; all of them refer to the document as it was read.
package struct ContentPatch: Sendable {
    private struct Edit {
        let place: Range<Int>
        let bytes: [UInt8]
    }

    private let document: ContentDocument
    private var edits: [Edit?] = []
    /// Where in the edits a line is written anew or taken out.
    private var replaced: [Range<Int>: Int] = [:]

    /// No edit yet.
    package init(_ document: ContentDocument) {
        self.document = document
    }

    /// Whether the bytes stay as they are.
    package var isEmpty: Bool { edits.allSatisfy { $0 == nil } }

    // MARK: - Properties

    /// Makes these the only properties of a name: the first takes the place of the first that was there, and
    /// one that says what it said before is not touched.
    package mutating func set(_ name: String, to lines: [ContentLine], in component: Component) {
        let old = component.properties(name)
        for (index, line) in old.enumerated() {
            if index < lines.count {
                replace(line, by: lines[index], in: component)
            } else {
                replace(line, by: nil, in: component)
            }
        }
        add(Array(lines.dropFirst(old.count)), to: component)
    }

    /// Sets a text; nil or nothing takes the property out. The language stays, as do the bytes of an equal
    /// text.
    package mutating func set(_ name: String, toText text: String?, in component: Component) {
        guard let text, !text.isEmpty else { return set(name, to: [], in: component) }
        let old = component[name]
        if let old, old.text == text { return set(name, to: [old], in: component) }
        let kept = old?.parameters.filter { $0.name == "LANGUAGE" } ?? []
        let line = ContentLine(name, kept, value: ContentLine.escaped(text), group: old?.group)
        set(name, to: [line], in: component)
    }

    /// Writes a property anew, or takes it out; of several edits of one property the last one counts.
    package mutating func replace(_ line: ContentLine, by new: ContentLine?, in component: Component) {
        if let index = replaced.removeValue(forKey: line.place) { edits[index] = nil }
        if let new, new.says(the: line) { return }
        replaced[line.place] = edits.count
        edit(line.place, new.map { [$0] } ?? [], in: component)
    }

    /// Adds properties of one name behind those that are there, or else behind all.
    package mutating func add(_ lines: [ContentLine], to component: Component) {
        guard let name = lines.first?.name else { return }
        let end = component.properties.last { $0.name == name }?.place.upperBound ?? component.insertion
        edit(end..<end, lines, in: component)
    }

    /// Says that a component was changed: SEQUENCE goes up by one, LAST-MODIFIED and DTSTAMP are the moment.
    ///
    /// - Source: RFC 5545, 3.8.7.2 to 3.8.7.4.
    package mutating func touch(_ component: Component, at moment: Timestamp) {
        let stamp = moment.iCalendarText
        let sequence = component["SEQUENCE"].flatMap { Int($0.value.trimmingBlanks) } ?? 0
        let next = String(max(0, min(sequence, Int(Int32.max) - 1)) + 1)
        for (name, value) in [("DTSTAMP", stamp), ("LAST-MODIFIED", stamp), ("SEQUENCE", next)] {
            set(name, to: [ContentLine(name, value: value)], in: component)
        }
    }

    // MARK: - Components

    /// Adds a component, given with its BEGIN and END, behind those that are there.
    package mutating func add(component lines: [ContentLine], to parent: Component) {
        edit(Self.end(of: parent), lines, in: parent)
    }

    /// Adds a component as another document has it, behind those that are there.
    package mutating func add(_ component: Component, of other: ContentDocument, to parent: Component) {
        var bytes = Array(other.bytes[component.place])
        if bytes.last != 10, bytes.last != 13 { bytes += document.lineEnd }
        edits.append(Edit(place: Self.end(of: parent), bytes: bytes))
    }

    private static func end(of parent: Component) -> Range<Int> {
        let end = max(parent.insertion, parent.components.last?.place.upperBound ?? 0)
        return end..<end
    }

    /// Takes a component out with all that is in it.
    package mutating func remove(_ component: Component) {
        edit(component.place, [], in: component)
    }

    private mutating func edit(_ place: Range<Int>, _ lines: [ContentLine], in component: Component) {
        let isOldCard = component["VERSION"]?.value.trimmingBlanks == "2.1"
        let bytes = ContentLine.write(lines, lineEnd: document.lineEnd, folds: !isOldCard)
        edits.append(Edit(place: place, bytes: bytes))
    }

    // MARK: - Result

    /// The bytes with all edits. Edits inside of what is taken out are void.
    package var bytes: [UInt8] {
        let source = document.bytes
        let lineEnd = document.lineEnd
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count + 1024)
        var position = 0
        let sorted = edits.compactMap(\.self).enumerated().sorted {
            let (left, right) = ($0.element.place, $1.element.place)
            return (left.lowerBound, left.upperBound, $0.offset)
                < (right.lowerBound, right.upperBound, $1.offset)
        }
        for (_, edit) in sorted where edit.place.lowerBound >= position {
            bytes += source[position..<edit.place.lowerBound]
            if !edit.bytes.isEmpty, let last = bytes.last, last != 10, last != 13 { bytes += lineEnd }
            bytes += edit.bytes
            position = edit.place.upperBound
        }
        return bytes + source[position...]
    }

    /// The document with all edits.
    ///
    /// - Throws: as reading does, where the edits pass the limits.
    package func document(limits: ContentLimits = .object) throws(ICalendarError) -> ContentDocument {
        try ContentDocument(parsing: bytes, limits: limits)
    }
}

extension ContentDocument {
    /// What ends its first line.
    fileprivate var lineEnd: [UInt8] {
        guard let end = bytes.firstIndex(where: { $0 == 10 || $0 == 13 }) else { return [13, 10] }
        if bytes[end] == 10 { return [10] }
        return bytes[end...].drop { $0 == 13 }.first == 10 ? [13, 10] : [13]
    }
}

extension Timestamp {
    /// The instant in the form of iCalendar, `20261123T061500Z`.
    package var iCalendarText: String { description.filter { $0 != "-" && $0 != ":" } }
}

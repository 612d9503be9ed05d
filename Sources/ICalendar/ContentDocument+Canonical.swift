// SPDX-License-Identifier: Apache-2.0
// What a document says, apart from how it is written: for telling whether two are the same.

internal import Foundation
extension ContentDocument {
    /// Bytes that are the same for documents that say the same: properties and parameters sorted, lines
    /// unfolded, without what programs write anew each time they store an object (DTSTAMP, LAST-MODIFIED,
    /// REV, PRODID, SEQUENCE, X-MOZ-*) and without descriptions of zones that are known by their names. To be
    /// hashed.
    package var canonical: [UInt8] {
        Array(components.map(Self.canonical).sorted().joined(separator: "\n").utf8)
    }

    /// Whether the other document says the same.
    package func says(the other: ContentDocument) -> Bool {
        bytes == other.bytes || canonical == other.canonical
    }

    /// Goes as deep as the reader's limit lets components be.
    private static func canonical(_ component: Component) -> String {
        let lines = component.properties.filter { !isVolatile($0.name) }.map(\.canonical).sorted()
        let inner = component.components.filter { !isKnownZone($0) }.map(canonical).sorted()
        return (["BEGIN:\(component.name)"] + lines + inner + ["END:\(component.name)"]).joined(
            separator: "\n")
    }

    /// Whether a property changes with each program that stores an object.
    static func isVolatile(_ name: String) -> Bool {
        ["DTSTAMP", "LAST-MODIFIED", "REV", "PRODID", "SEQUENCE"].contains(name) || name.hasPrefix("X-MOZ-")
    }

    private static func isKnownZone(_ component: Component) -> Bool {
        guard component.name == "VTIMEZONE", let name = component["TZID"] else { return false }
        return CalendarZones(local: .gmt).zone(name.text) != nil
    }
}

extension ContentLine {
    /// The line on one line, its parameters sorted; groups are names that programs give anew.
    fileprivate var canonical: String {
        let sorted = parameters.map { parameter in
            let values =
                parameter.name == "TYPE" ? parameter.values.map { $0.lowercased() } : parameter.values
            return "\(parameter.name)=\(values.sorted().joined(separator: ","))"
        }.sorted()
        return ([name] + sorted).joined(separator: ";") + ":" + value.replacing("\\N", with: "\\n")
    }
}

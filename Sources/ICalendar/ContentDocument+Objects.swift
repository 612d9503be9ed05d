// SPDX-License-Identifier: Apache-2.0
// Takes a file of many events or people apart into the objects that a collection holds.

extension ContentDocument {
    /// The objects of a file, each a document of its own: the components of one UID with the zones that they
    /// name, or one vCard; what has no UID stands alone. Bytes are copied as they are, only METHOD is left
    /// out.
    ///
    /// - Source: RFC 4791, 4.1; RFC 6352, 5.1.
    package func objects() -> [[UInt8]] { components.flatMap(objects) }

    private func objects(of root: Component) -> [[UInt8]] {
        guard root.name == "VCALENDAR" else {
            return root.name == "VCARD" ? [Array(lines(of: root.place))] : []
        }
        let zones = Dictionary(
            root.components("VTIMEZONE").map { ($0["TZID"]?.text.trimmingBlanks ?? "", $0) },
            uniquingKeysWith: { first, _ in first })
        var groups: [[Component]] = []
        var known: [[String]: Int] = [:]
        for component in root.components where CalendarObject.Kind(rawValue: component.name) != nil {
            let uid = component["UID"]?.text.trimmingBlanks ?? ""
            if !uid.isEmpty, let index = known[[component.name, uid]] {
                groups[index].append(component)
            } else {
                known[[component.name, uid]] = groups.count
                groups.append([component])
            }
        }
        let head = root.properties.filter { $0.name != "METHOD" }.flatMap { lines(of: $0.place) }
        let begin = ContentLine.write([ContentLine("BEGIN", value: "VCALENDAR")])
        let end = ContentLine.write([ContentLine("END", value: "VCALENDAR")])
        return groups.map { group in
            let names = Set(group.flatMap(Self.zoneNames)).sorted()
            let parts = names.compactMap { zones[$0] } + group
            return begin + head + parts.flatMap { lines(of: $0.place) } + end
        }
    }

    /// Bytes that end a line, even where the file ends without one.
    private func lines(of place: Range<Int>) -> [UInt8] {
        let bytes = Array(bytes[place])
        return bytes.last == 10 || bytes.last == 13 ? bytes : bytes + [13, 10]
    }

    /// The zones that the properties of a component and of those inside it name.
    private static func zoneNames(_ component: Component) -> [String] {
        var names: [String] = []
        var rest = [component]
        while let next = rest.popLast() {
            names += next.properties.compactMap { $0["TZID"]?.trimmingBlanks }
            rest += next.components
        }
        return names
    }
}

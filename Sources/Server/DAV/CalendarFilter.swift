// SPDX-License-Identifier: Apache-2.0
// What a calendar-query looks for: components, their properties, and when they take place.

internal import CRM
internal import HTTPTypes
internal import ICalendar
internal import Model
internal import XML

/// A condition on a component and what is inside it.
///
/// - Source: RFC 4791, 9.7.
struct ComponentFilter: Sendable {
    let name: String
    let isAbsent: Bool
    let properties: [PropertyFilter]
    let components: [ComponentFilter]
    let time: DAVTimeRange?

    init(_ element: XMLTree) throws(DAVRefusal) {
        guard let name = element.attribute("name")?.uppercased() else {
            throw DAVRefusal(.forbidden, .calendar("valid-filter"))
        }
        self.name = name
        isAbsent = element.child(.calendar("is-not-defined")) != nil
        var properties: [PropertyFilter] = []
        var components: [ComponentFilter] = []
        for child in element.children {
            switch child.name {
            case .calendar("prop-filter"): properties.append(try PropertyFilter(child))
            case .calendar("comp-filter"): components.append(try ComponentFilter(child))
            case .calendar("time-range"), .calendar("is-not-defined"): break
            default: throw DAVRefusal(.forbidden, .calendar("supported-filter"))
            }
        }
        (self.properties, self.components) = (properties, components)
        if let range = element.child(.calendar("time-range")) {
            time = try DAVTimeRange(range)
        } else {
            time = nil
        }
    }

    /// The only kind of component that can be meant, where the filter is of the usual form.
    var only: ComponentFilter? {
        components.count == 1 && components[0].isAbsent == false && properties.isEmpty ? components[0] : nil
    }

    /// Whether nothing is asked but the kind of component and its time, which are known without opening it.
    var isPlain: Bool { properties.isEmpty && components.isEmpty }

    /// The range that is asked of alarms, and of nothing else.
    var alarms: DAVTimeRange? { components.first { $0.name == "VALARM" && !$0.isAbsent }?.time }

    /// Times that are asked of anything but the object as a whole, and its alarms.
    var hasInnerTimes: Bool {
        components.contains { $0.time != nil && $0.name != "VALARM" || $0.hasInnerTimes }
    }

    /// Whether a component that has the name is meant; when it takes place is looked at elsewhere.
    func matches(_ component: Component) -> Bool {
        properties.allSatisfy { $0.matches(component) }
            && components.allSatisfy { $0.matches(among: component.components) }
    }

    /// Whether one of these is meant.
    func matches(among all: [Component]) -> Bool {
        let named = all.filter { $0.name == name }
        return isAbsent ? named.isEmpty : named.contains(where: matches)
    }
}

/// A condition on the properties of a name.
struct PropertyFilter: Sendable {
    private let name: String
    private let isAbsent: Bool
    private let match: TextMatch?
    private let parameters: [ParameterFilter]

    init(_ element: XMLTree) throws(DAVRefusal) {
        name = element.attribute("name")?.uppercased() ?? ""
        isAbsent = element.child(.calendar("is-not-defined")) != nil
        guard element.child(.calendar("time-range")) == nil else {
            throw DAVRefusal(.forbidden, .calendar("supported-filter"))
        }
        if let text = element.child(.calendar("text-match")) {
            match = try TextMatch(text, collation: "i;ascii-casemap")
        } else {
            match = nil
        }
        var parameters: [ParameterFilter] = []
        for child in element.children where child.name == .calendar("param-filter") {
            parameters.append(try ParameterFilter(child, collation: "i;ascii-casemap"))
        }
        self.parameters = parameters
    }

    func matches(_ component: Component) -> Bool {
        let lines = component.properties(name)
        guard !isAbsent else { return lines.isEmpty }
        return lines.contains { line in
            match?.matches(line.text) ?? true && parameters.allSatisfy { $0.matches(line) }
        }
    }
}

extension DAVTimeRange {
    /// What a filter says: moments in UTC.
    ///
    /// - Source: RFC 4791, 9.9.
    init(_ element: XMLTree) throws(DAVRefusal) {
        let refusal = DAVRefusal(.forbidden, .calendar("valid-filter"))
        func moment(_ name: String) throws(DAVRefusal) -> Timestamp? {
            guard let text = element.attribute(name) else { return nil }
            guard case .utc(let wall)? = CalendarMoment(text) else { throw refusal }
            return Timestamp(microsecondsSince1970: Int64(wall.seconds) * 1_000_000)
        }
        self.init(start: try moment("start"), end: try moment("end"))
        guard start != nil || end != nil else { throw refusal }
        if let start, let end, start >= end { throw refusal }
    }
}
